"""A proxy between a client and a service that cuts the connection of one POST /jobs at a byte of the request or response."""

import asyncio
import collections
import contextlib
import socket
import struct
import threading

Cut = collections.namedtuple("Cut", "post side after how")
# post: the how-manieth POST /jobs; side: "request" or "response"; after: bytes passed on; how: "end" or "reset".


class CuttingProxy:
    """Runs in a thread of its own. What passes is counted in `requests` and `responses`, the sizes of POST /jobs."""

    def __init__(self, port):
        self.upstream_port = port
        self.begin(None)
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def begin(self, cut):
        """From now on. Connections made before are not cut."""
        self.cut = cut
        self.requests = []
        self.responses = []
        self.was_cut = False

    def run(self, started):
        async def serve():
            self.stopping = asyncio.Event()
            self.loop = asyncio.get_running_loop()
            server = await asyncio.start_server(self.carry, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            async with server:
                await self.stopping.wait()

        asyncio.run(serve())

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join()

    async def carry(self, client, to_client):
        service, to_service = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        connection = Connection(self, to_client, to_service)
        pumps = [asyncio.create_task(connection.requests(client)), asyncio.create_task(connection.responses(service))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await pump
        connection.close()


class Connection:
    def __init__(self, proxy, to_client, to_service):
        self.proxy = proxy
        self.to_client = to_client
        self.to_service = to_service
        self.request = b""
        self.posting = None  # The number of the POST /jobs under way.
        self.response_size = 0
        self.how = "end"

    def cut_here(self, side):
        cut = self.proxy.cut
        return cut if cut and cut.side == side and cut.post == self.posting else None

    async def requests(self, client):
        while data := await client.read(65536):
            if not self.request:
                self.begin_request(data)
            passed = len(self.request)
            self.request += data
            if cut := self.cut_here("request"):
                # A cut at the end of the request is one before the response.
                left = max(cut.after - passed, 0)
                if passed + len(data) >= cut.after:
                    await self.pass_on(self.to_service, data[:left])
                    return self.cut(cut)
            await self.pass_on(self.to_service, data)
        return None

    def begin_request(self, data):
        self.posting = None
        self.response_size = 0
        if data.startswith(b"POST /jobs "):
            self.proxy.requests.append(0)
            self.proxy.responses.append(0)
            self.posting = len(self.proxy.requests)

    async def responses(self, service):
        while data := await service.read(65536):
            if self.posting:
                self.proxy.requests[self.posting - 1] = len(self.request)
                self.proxy.responses[self.posting - 1] += len(data)
            self.request = b""
            before = self.response_size
            self.response_size += len(data)
            cut = self.cut_here("response")
            if cut and self.response_size > cut.after:
                await self.pass_on(self.to_client, data[:cut.after - before])
                return self.cut(cut)
            await self.pass_on(self.to_client, data)
        return None

    @staticmethod
    async def pass_on(to, data):
        to.write(data)
        await to.drain()

    def cut(self, cut):
        self.proxy.was_cut = True
        self.how = cut.how

    def close(self):
        for to in (self.to_client, self.to_service):
            if self.how == "reset":
                to.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                to.transport.abort()
            to.close()
