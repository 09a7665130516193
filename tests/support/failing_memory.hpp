#pragma once
/// Memory that runs out at a chosen allocation. The program has to be linked with failing_memory.cpp, which replaces
/// operator new and aligned_alloc(): Asio takes its coroutine frames and operations from the latter.

#include <cstdint>

namespace vembed::testing_support {

/// While it is there, the allocation with the number `at` of this thread, from 0, fails. All others succeed, and other
/// threads know nothing of it. One at a time on a thread.
class failing_memory {
public:
    explicit failing_memory(std::uint64_t at) noexcept;
    failing_memory(const failing_memory&) = delete;
    failing_memory& operator=(const failing_memory&) = delete;
    ~failing_memory();

    /// Whether that many allocations were made, so that one of them failed.
    [[nodiscard]] bool failed() const noexcept;
};

}  // namespace vembed::testing_support
