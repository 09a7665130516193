// libFuzzer's side: VEMBED_FUZZ_ENTRY names the entry that the inputs go to.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/entries.hpp"

namespace {
const vembed::fuzz::entry* chosen = nullptr;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* const wanted = std::getenv("VEMBED_FUZZ_ENTRY");
    for (const vembed::fuzz::entry& each : vembed::fuzz::entries()) {
        if (wanted != nullptr && each.name == wanted) {
            chosen = &each;
        }
    }
    if (chosen == nullptr) {
        (void)std::fputs("VEMBED_FUZZ_ENTRY names no entry\n", stderr);
        std::exit(2);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen->read(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
