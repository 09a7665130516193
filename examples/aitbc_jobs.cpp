// Submits a compute job to AITBC, waits for it and prints its result.
//
//   usage: example_aitbc_jobs MODEL INPUT
//
// Exit status: 0 done, 1 failed, 2 usage.

#include <exception>
#include <iostream>
#include <string>

#include <boost/json/value.hpp>

#include <vembed/aitbc/client.hpp>

int run(const std::string& model, const std::string& input) {
    vembed::aitbc::blocking_client client;  // AITBC_API_KEY, AITBC_BASE_URL
    vembed::aitbc::job_request request;
    request.model = model;
    request.input = input;
    const auto sent = client.submit(request);  // sent once; a lost response is looked for in the list
    if (!sent) {
        std::cerr << sent.error() << '\n';
        return 1;
    }
    const auto shown = [](const vembed::aitbc::job& seen) { std::cerr << seen.state_text << '\n'; };
    const auto ended = client.wait_job(sent->job.id, shown);
    if (!ended) {  // job_failed, job_cancelled, job_expired
        std::cerr << ended.error() << '\n';
        return 1;
    }
    const auto product = client.get_product(ended->id);
    if (product && product->value) {
        std::cout << *product->value << '\n';
    }
    return product ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " MODEL INPUT\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {  // an unusable key or base URL
        std::cerr << error.what() << '\n';
        return 1;
    }
}
