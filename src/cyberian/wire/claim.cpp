#include "cyberian/wire/claim.hpp"

#include <algorithm>
#include <string>

#include <vembed/verify/sha256.hpp>

#include "policy/packing/spec_chunk_size.hpp"

namespace vembed::cyberian {
namespace {

// The status and code of a refusal for more than one chunk are not documented: a 400 that mentions chunks counts as
// one. If that is a mistake, the only consequence is a smaller request.
bool speaks_of_chunks(std::string_view message) {
    static constexpr std::string_view word = "chunk";
    const auto same = [](char c, char wanted) { return (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == wanted; };
    return std::search(message.begin(), message.end(), word.begin(), word.end(), same) != message.end();
}

}  // namespace

result<void> check_claim(const request_view& request, std::string_view commitment) {
    if (auto good = check(request); !good) {
        return good;
    }
    if (!digest_from_hex(commitment)) {
        return error(errc::invalid_argument, "the claimed output commitment is not 64 hexadecimal digits");
    }
    const auto chunk_size = policy::chunk_size_of_spec(request.spec_yaml);
    if (chunk_size && request.inputs.size() > *chunk_size) {
        return error(errc::request_too_large, "a verification under a specification takes one chunk: that is " +
                                                  std::to_string(*chunk_size) + " rows of this one, and " +
                                                  std::to_string(request.inputs.size()) + " were given");
    }
    return {};
}

error claim_failure(error f, std::uint64_t rows, std::uint64_t rows_per_chunk) {
    if (f.code == "verification_timeout") {
        // The service itself says that the work did not end in time. A submission with that response is in doubt.
        f.kind = errc::verification_timeout;
        f.message += ". The same may be asked for again; it may then be charged a second time";
        return f;
    }
    const bool refused = f.kind == errc::invalid_request && rows > 1 && speaks_of_chunks(f.message);
    if (refused || f.kind == errc::request_too_large) {
        f.kind = errc::request_too_large;
        f.message += ". A verification may be limited to one chunk: ";
        f.message += rows_per_chunk > 0 ? "a chunk has at least " + std::to_string(rows_per_chunk) + " rows here, " +
                                              std::to_string(rows) + " were sent"
                                        : "send fewer than these " + std::to_string(rows) + " rows at once";
    }
    return f;
}

}  // namespace vembed::cyberian
