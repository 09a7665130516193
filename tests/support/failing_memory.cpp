#include "support/failing_memory.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace vembed::testing_support {
namespace {

struct countdown {
    bool armed = false;
    bool failed = false;
    std::uint64_t left = 0;
};

// Constant-initialised, because allocations are made before and after all other static objects exist.
constinit thread_local countdown of_thread;

bool runs_out() noexcept {
    if (!of_thread.armed || of_thread.failed) {
        return false;
    }
    of_thread.failed = of_thread.left == 0;
    --of_thread.left;
    return of_thread.failed;
}

void* aligned(std::size_t alignment, std::size_t size) noexcept {
    void* got = nullptr;
    const std::size_t least = alignment < sizeof(void*) ? sizeof(void*) : alignment;
    return ::posix_memalign(&got, least, size == 0 ? 1 : size) == 0 ? got : nullptr;
}

void* found_or_thrown(void* memory) {
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void* plain_or_null(std::size_t size) noexcept {
    return runs_out() ? nullptr : std::malloc(size == 0 ? 1 : size);
}

void* aligned_or_null(std::align_val_t alignment, std::size_t size) noexcept {
    return runs_out() ? nullptr : aligned(static_cast<std::size_t>(alignment), size);
}

}  // namespace

failing_memory::failing_memory(std::uint64_t at) noexcept {
    of_thread.failed = false;
    of_thread.left = at;
    of_thread.armed = true;
}

failing_memory::~failing_memory() {
    of_thread.armed = false;
}

bool failing_memory::failed() const noexcept {
    return of_thread.failed;
}

}  // namespace vembed::testing_support

using vembed::testing_support::aligned_or_null;
using vembed::testing_support::found_or_thrown;
using vembed::testing_support::plain_or_null;

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return aligned_or_null(std::align_val_t(alignment), size);
}

void* operator new(std::size_t size) {
    return found_or_thrown(plain_or_null(size));
}
void* operator new[](std::size_t size) {
    return found_or_thrown(plain_or_null(size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return plain_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return plain_or_null(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return found_or_thrown(aligned_or_null(alignment, size));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return found_or_thrown(aligned_or_null(alignment, size));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
