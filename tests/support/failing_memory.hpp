#pragma once
/// Memory that runs out at a chosen allocation. The program has to be linked with failing_memory.cpp, which replaces
/// operator new and aligned_alloc(): Asio takes its coroutine frames and operations from the latter.

#include <cstdint>

namespace vembed::testing_support {

/// While this object lives, this thread's allocation number `at`, counted from 0, fails. All its other allocations and
/// those of other threads succeed. A thread may have one such object at a time.
class failing_memory {
public:
    explicit failing_memory(std::uint64_t at) noexcept;
    failing_memory(const failing_memory&) = delete;
    failing_memory& operator=(const failing_memory&) = delete;
    ~failing_memory();

    /// Whether so many allocations were made that one of them failed.
    [[nodiscard]] bool failed() const noexcept;
};

}  // namespace vembed::testing_support
