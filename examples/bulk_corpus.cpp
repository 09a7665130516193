// Embeds a corpus into a folder that numpy opens.
//
//   usage: example_bulk_corpus CORPUS FOLDER
//
// CORPUS is a file of lines, JSONL (with the text in "text"), CSV or TSV, plain or compressed. CYBERIAN_BASE_URL and
// CYBERIAN_API_KEY say which service and whose account. Ctrl-C finishes what is in flight; the same command then goes
// on where it stopped, and so it does after a crash. A second Ctrl-C ends the program at once.
//
// Exit status: 0 done, 1 failed, 2 usage, 3 done but some rows could not be embedded, 75 unfinished: run it again.

#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <vembed/vembed.hpp>

namespace {

namespace asio = boost::asio;

void show_progress(const vembed::progress& p) {
    std::cerr << p.rows_done << " rows";
    if (p.rows_total) {
        std::cerr << " of " << *p.rows_total;
    }
    if (p.rows_per_second >= 1) {
        std::cerr << ", " << static_cast<std::uint64_t>(p.rows_per_second) << " a second";
    }
    if (!p.limited_by.empty()) {
        std::cerr << ", held back by: " << p.limited_by;
    }
    std::cerr << "          \r";
}

asio::awaitable<vembed::bulk_report> embed_file(vembed::client& client, std::string corpus, std::string folder,
                                                std::stop_token stop) {
    // value() throws the exception that belongs to the failure: argument_error, storage_error, auth_error, …
    const std::unique_ptr<vembed::row_source> texts = vembed::open_files({corpus}).value();
    vembed::npy_sink rows(folder);
    // Without a journal a second run would pay for everything again.
    const std::unique_ptr<vembed::run_journal> journal = vembed::make_sqlite_journal(folder + "/journal.sqlite");

    vembed::bulk_options options;
    options.model = "bge-large-v1.5";
    options.on_progress = show_progress;
    options.stop = std::move(stop);
    options.journal = journal.get();
    options.identity.corpus = vembed::fingerprint_files({corpus}).value();

    vembed::result<vembed::bulk_report> report = co_await client.embed_corpus(*texts, rows, std::move(options));
    co_return std::move(report).value();
}

int tell(const vembed::bulk_report& report, const std::string& folder) {
    std::cerr << '\n';
    for (const vembed::unknown_batch& batch : report.unknown) {
        std::cerr << "batch " << batch.batch << " of " << batch.rows.size()
                  << " rows may have been charged: " << batch.reason << '\n';
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
    asio::io_context loop(1);  // everything but file work happens on this thread
    vembed::client client(loop.get_executor());

    std::stop_source stop;
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (!error) {
            std::cerr << "\nfinishing what is in flight\n";
            stop.request_stop();
            signals.clear();  // the next Ctrl-C is the system's own: it ends the process
        }
    });

    std::exception_ptr failed;
    vembed::bulk_report report;
    asio::co_spawn(loop, embed_file(client, corpus, folder, stop.get_token()),
                   [&](const std::exception_ptr& error, vembed::bulk_report made) {
                       failed = error;
                       report = std::move(made);
                       signals.cancel();  // or the loop would wait for a Ctrl-C
                   });
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
    return tell(report, folder);
}

}  // namespace

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
    } catch (const vembed::error_exception& error) {
        // details() has the kind, the HTTP status, the service's code, Retry-After and more.
        std::cerr << error.details() << '\n';
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
    }
    return 1;
}
