// Prints how similar each line of a corpus is to the first one, from a matrix of all rows or from a stream of rows.
//
//   usage: example_corpus_to_matrix matrix|stream CORPUS
//
// Ctrl-C stops the buying. Exit status: 0 done, 1 failed, 2 usage, 75 stopped early.

#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <vembed/vembed.hpp>

namespace asio = boost::asio;

void print_similarity(std::uint64_t row, const Eigen::RowVectorXf& values, const Eigen::RowVectorXf& first) {
    std::cout << row + 1 << ' ' << values.dot(first) / (values.norm() * first.norm()) << '\n';
}

// All rows in memory. Row i of the matrix is row i of the corpus.
asio::awaitable<vembed::bulk_report> in_matrix(vembed::client& client, std::string path, vembed::bulk_options options) {
    vembed::line_source corpus(std::move(path));  // read as it is needed
    vembed::matrix rows;
    vembed::matrix_sink sink(rows);
    auto report = co_await client.embed_corpus(corpus, sink, std::move(options));
    if (report.value().reason == vembed::stop_reason::complete) {  // until then rows may hold anything
        for (Eigen::Index row = 0; row < rows.rows(); ++row) {
            print_similarity(static_cast<std::uint64_t>(row), rows.row(row), rows.row(0));
        }
    }
    for (const vembed::failed_row& failed : sink.failed()) {  // these are NaN in the matrix
        std::cerr << failed.row.origin << ": " << failed.reason << '\n';
    }
    co_return std::move(report).value();
}

// One row after the other, in their order. The memory is bounded, whatever the size of the corpus.
asio::awaitable<vembed::bulk_report> in_stream(vembed::client& client, std::string path, vembed::bulk_options options) {
    vembed::line_source corpus(std::move(path));
    vembed::row_stream rows = client.stream_corpus(corpus, std::move(options)).value();
    Eigen::RowVectorXf first;
    for (;;) {
        const auto next = co_await rows.next();
        const auto& row = next.value();
        if (!row) {
            break;  // the end
        }
        if (row->problem) {
            std::cerr << "line " << row->index + 1 << ": " << *row->problem << '\n';
            continue;
        }
        const auto size = static_cast<Eigen::Index>(row->values.size());
        const Eigen::RowVectorXf values = Eigen::RowVectorXf::Map(row->values.data(), size);
        first = first.size() == 0 ? values : first;
        print_similarity(row->index, values, first);
    }
    auto report = co_await rows.close();
    co_return std::move(report).value();
}

int main(int argc, char** argv) {
    const std::string form = argc == 3 ? argv[1] : "";
    if (form != "matrix" && form != "stream") {
        std::cerr << "usage: " << argv[0] << " matrix|stream CORPUS\n";
        return 2;
    }
    try {
        asio::io_context loop(1);
        vembed::client client(loop.get_executor());
        std::stop_source stop;
        asio::signal_set signals(loop, SIGINT);
        signals.async_wait([&stop](const boost::system::error_code&, int) { stop.request_stop(); });
        vembed::bulk_options options;
        options.model = "bge-large-v1.5";
        options.stop = stop.get_token();
        options.on_progress = [](const vembed::progress& p) { std::cerr << p.rows_done << " rows\n"; };
        vembed::bulk_report report;
        asio::co_spawn(loop,
                       form == "matrix" ? in_matrix(client, argv[2], options) : in_stream(client, argv[2], options),
                       [&](const std::exception_ptr& thrown, vembed::bulk_report made) {
                           signals.cancel();  // otherwise the loop waits for a Ctrl-C
                           if (thrown) {
                               std::rethrow_exception(thrown);
                           }
                           report = std::move(made);
                       });
        loop.run();
        std::cerr << report.rows_done << " of " << report.rows_total << " rows: " << report.message << '\n';
        return report.reason == vembed::stop_reason::complete ? 0 : 75;
    } catch (const std::exception& error) {  // also a key, an address or a file that cannot be used
        std::cerr << error.what() << '\n';
        return 1;
    }
}
