"""What a program changed in a folder, call by call (FAULT_SHIM_RECORD), and what a power cut leaves of it.

The model of a file system: what was written to a file is there for sure after fsync or fdatasync of it; before that any
of the sectors written may be. Names are made, changed and taken away in their order: a cut leaves some number of the
first, at least those up to the last fsync of their folder, or of the file that was made (as ext4, xfs and btrfs do)."""

import collections
import pathlib

SECTOR = 512
Change = collections.namedtuple("Change", "call offset path to data")


def read(path):
    raw = pathlib.Path(path).read_bytes()
    changes = []
    at = 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        call, offset, size, path_size, to_size = raw[at:end].decode().split(" ")
        at = end + 1
        pieces = []
        for length in (int(path_size), int(to_size), int(size)):
            pieces.append(raw[at:at + length])
            at += length
        changes.append(Change(call, int(offset), pieces[0].decode(), pieces[1].decode(), pieces[2]))
    return changes


class File:
    """Content that is durable, and the changes since then."""

    def __init__(self):
        self.durable = bytearray()
        self.pending = []

    @staticmethod
    def apply(content, change):
        if change.call == "write":
            end = change.offset + len(change.data)
            content.extend(bytes(max(0, end - len(content))))
            content[change.offset:end] = change.data
        elif change.call == "extend":
            content.extend(bytes(max(0, change.offset - len(content))))
        else:
            size = change.offset if change.call == "resize" else 0
            del content[size:]
            content.extend(bytes(size - len(content)))

    def sync(self):
        for change in self.pending:
            self.apply(self.durable, change)
        self.pending = []

    def left(self, keep):
        """`keep(change)`: the parts of an unsynced change that were written all the same."""
        content = bytearray(self.durable)
        for change in self.pending:
            for part in keep(change):
                self.apply(content, part)
        return bytes(content)


class Disk:
    """The folder as far as a prefix of the changes was made."""

    def __init__(self):
        self.names = {}          # as the program sees them
        self.sure = {}           # names that a cut cannot undo
        self.waiting = []        # (name, File or None, folder) that it can

    def change(self, change):
        path, call = change.path, change.call
        if path.endswith(" (deleted)"):
            return
        if call in ("opened", "truncated") and path not in self.names:
            self.name(path, File())
        if call == "rename":
            moved = self.names.pop(path)
            self.names[change.to] = moved
            self.waiting.append(((path, None), (change.to, moved)))
        elif call == "unlink":
            if self.names.pop(path, None):
                self.waiting.append(((path, None),))
        elif call in ("fsync", "fdatasync"):
            self.sync(path)
        elif path in self.names and call in ("write", "resize", "extend", "truncated"):
            file = self.names[path]
            if call != "truncated" or file.durable or file.pending:
                file.pending.append(change)

    def name(self, path, file):
        self.names[path] = file
        self.waiting.append(((path, file),))

    def sync(self, path):
        if path in self.names:
            file = self.names[path]
            file.sync()
            made = [i for i, step in enumerate(self.waiting) if step == ((path, file),)]
        else:
            made = [i for i, step in enumerate(self.waiting)
                    if any(str(pathlib.PurePath(name).parent) == path for name, _ in step)]
        if made:
            self.sure = self.names_after(made[-1] + 1)
            self.waiting = self.waiting[made[-1] + 1:]

    def names_after(self, steps):
        names = dict(self.sure)
        for step in self.waiting[:steps]:
            for name, file in step:
                if file is None:
                    names.pop(name, None)
                else:
                    names[name] = file
        return names

    def cut(self, steps, keep):
        """Name and content of each file after a power cut: `steps` of the names that were not sure, and what `keep`
        says of each file's unsynced changes."""
        return {name: file.left(keep) for name, file in self.names_after(steps).items()}


def nothing(_change):
    return []


def everything(change):
    return [change]


def torn(draw):
    """Any sectors of any write, other changes or not."""
    def keep(change):
        if change.call != "write":
            return [change] if draw.random() < 0.5 else []
        parts = []
        at = change.offset
        end = at + len(change.data)
        while at < end:
            stop = min(end, (at // SECTOR + 1) * SECTOR)
            if draw.random() < 0.5:
                parts.append(change._replace(offset=at, data=change.data[at - change.offset:stop - change.offset]))
            at = stop
        return parts
    return keep


def out_of_order(changes):
    """Renames onto a name that do not have the content durable before, or their folder after, each as a sentence."""
    disk = Disk()
    wrong = []
    open_renames = {}
    for change in changes:
        if change.call == "rename":
            file = disk.names.get(change.path)
            if file is None or file.pending:
                wrong.append(f"{change.to} got its name before what is in it was durable")
            open_renames[change.to] = str(pathlib.PurePath(change.to).parent)
        if change.call in ("fsync", "fdatasync"):
            open_renames = {name: folder for name, folder in open_renames.items() if folder != change.path}
        disk.change(change)
    return wrong + [f"{name}: its folder was not synced after it" for name in open_renames]


def renamed(changes):
    return [change.to for change in changes if change.call == "rename"]
