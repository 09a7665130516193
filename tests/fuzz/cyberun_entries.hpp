#pragma once
/// What reads Cyberun's bytes: streams of events, bodies, heads of downloads, webhooks.

#include <stdexcept>
#include <string_view>
#include <utility>

namespace vembed::fuzz {

inline void require(bool promise, const char* what) {
    if (!promise) {
        throw std::logic_error(what);
    }
}

/// The first byte chooses, the others are read.
inline std::pair<unsigned, std::string_view> choose(std::string_view input, unsigned choices) {
    const unsigned first = input.empty() ? 0 : static_cast<unsigned char>(input.front());
    return {first % choices, input.substr(input.empty() ? 0 : 1)};
}

void read_cyberun_events(std::string_view input);
void read_cyberun_bodies(std::string_view input);
void read_cyberun_downloads(std::string_view input);
void read_cyberun_webhook(std::string_view input);

}  // namespace vembed::fuzz
