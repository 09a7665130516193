// Embeds two texts and prints how similar they are, from -1 to 1.
//
//   usage: example_first_program TEXT TEXT
//
// CYBERIAN_API_KEY is the key of the account; CYBERIAN_BASE_URL says where the service is, if it is not the remote one.

#include <exception>
#include <iostream>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <vembed/vembed.hpp>

namespace asio = boost::asio;

asio::awaitable<void> compare(vembed::client& client, std::string one, std::string other) {
    auto embedded = co_await client.embed("bge-large-v1.5", {one, other});
    const vembed::matrix& rows = embedded.value().rows;  // value() throws the error, if there is one
    std::cout << rows.row(0).dot(rows.row(1)) / (rows.row(0).norm() * rows.row(1).norm()) << '\n';
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " TEXT TEXT\n";
        return 2;
    }
    try {
        asio::io_context loop;
        vembed::client client(loop.get_executor());
        asio::co_spawn(loop, compare(client, argv[1], argv[2]), [](std::exception_ptr thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);  // leaves through run()
            }
        });
        loop.run();  // until the coroutine has ended
        return 0;
    } catch (const std::exception& error) {  // vembed's own have the error's fields as well: error_exception::details()
        std::cerr << error.what() << '\n';
        return 1;
    }
}
