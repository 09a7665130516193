#pragma once
/// Shows on a terminal how far a corpus has been read: nothing has been sent yet, and large ones take a while.

#include <chrono>
#include <memory>

#include <vembed/corpus/reading.hpp>
#include <vembed/runtime/environment.hpp>

#include "cli_parts/console.hpp"

namespace vembed::cli {

class reading_progress {
public:
    static constexpr std::chrono::milliseconds interval{250};

    /// The reading begins now. `out` must outlive it.
    reading_progress(console& out, std::shared_ptr<environment> env);

    /// Has the reading told, if a terminal shows it. It must end before this object does.
    void watch(reading_callbacks& of);

private:
    void show(const corpus_progress& state);

    console* out_;
    std::shared_ptr<environment> env_;
    monotonic_time began_;
    monotonic_time next_;
};

}  // namespace vembed::cli
