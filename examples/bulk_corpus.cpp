// Embeds a corpus into a folder that numpy opens.
//
//   usage: example_bulk_corpus CORPUS FOLDER
//
// CORPUS is a file of lines, JSONL (with the text in "text"), CSV or TSV, plain or compressed. Ctrl-C finishes what is
// in flight, a second one ends the program at once. The same command continues a run, however it ended.
// Exit status: 0 done, 1 failed, 2 usage, 3 done but some rows could not be embedded, 75 unfinished: run it again.

#include <csignal>
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

asio::awaitable<vembed::bulk_report> embed_file(vembed::client& client, std::string corpus, std::string folder,
                                                vembed::bulk_options options) {
    vembed::run_folder_options run;
    run.inputs = {std::move(corpus)};
    run.folder = std::move(folder);
    run.bulk = std::move(options);
    run.bulk.model = "bge-large-v1.5";
    auto done = co_await vembed::run_folder(client, std::move(run));
    co_return std::move(done).value().bulk;  // value() throws the exception of the error's kind: auth_error, …
}

void show_progress(const vembed::progress& p) {
    std::cerr << p.rows_done << " rows of " << (p.rows_total ? std::to_string(*p.rows_total) : "?")
              << (p.limited_by.empty() ? "" : ", held back by: ") << p.limited_by << "          \r";
}

int tell(const vembed::bulk_report& report, const std::string& folder) {
    std::cerr << '\n';
    for (const vembed::unknown_batch& batch : report.unknown) {
        std::cerr << batch.rows.size() << " rows may have been charged: " << batch.reason << '\n';
    }
    std::cout << report.rows_done << " of " << report.rows_total << " rows in " << folder << ", " << report.chunks_used
              << " chunks used, " << report.rows_failed << " rows failed\n";
    if (report.reason != vembed::stop_reason::complete) {
        std::cout << "unfinished (" << vembed::to_string(report.reason) << "): " << report.message << '\n';
        return 75;
    }
    return report.rows_failed == 0 ? 0 : 3;
}

int run(const std::string& corpus, const std::string& folder) {
    asio::io_context loop(1);  // all but the work on files is done on this thread
    vembed::client client(loop.get_executor());
    std::stop_source stop;
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (!error) {
            std::cerr << "\nfinishing what is in flight\n";
            stop.request_stop();
            signals.clear();  // the next Ctrl-C ends the process
        }
    });
    vembed::bulk_options options;
    options.on_progress = show_progress;
    options.stop = stop.get_token();
    vembed::bulk_report report;
    asio::co_spawn(loop, embed_file(client, corpus, folder, std::move(options)),
                   [&](const std::exception_ptr& thrown, vembed::bulk_report made) {
                       signals.cancel();  // otherwise the loop waits for a Ctrl-C
                       if (thrown) {
                           std::rethrow_exception(thrown);
                       }
                       report = std::move(made);
                   });
    loop.run();
    return tell(report, folder);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " CORPUS FOLDER\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const vembed::auth_error& error) {
        std::cerr << "the service refused the key in CYBERIAN_API_KEY: " << error.what() << '\n';
    } catch (const vembed::storage_error& error) {
        std::cerr << "a file or the output folder: " << error.what() << '\n';
    } catch (const std::exception& error) {  // error_exception::details() has the kind, the status and more
        std::cerr << error.what() << '\n';
    }
    return 1;
}
