#pragma once
/// Shows on a terminal how far a corpus has been read: nothing has been sent yet, and large ones take a while.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <vembed/corpus/source.hpp>
#include <vembed/runtime/environment.hpp>

#include "cli/terminal/console.hpp"
#include "corpus/survey.hpp"

namespace vembed::cli {

class reading_progress {
public:
    static constexpr std::chrono::milliseconds interval{250};

    /// Starts the progress of these files now. `out` must outlive it.
    reading_progress(console& out, std::shared_ptr<environment> env, const std::vector<std::string>& files);

    /// Counts the source's bytes and shows the survey's rows. Both must end before this does. Changes nothing if no
    /// terminal shows the progress.
    void watch(file_source_options& source, corpus::survey_options& survey);

private:
    void show(std::uint64_t rows);

    console* out_;
    std::shared_ptr<environment> env_;
    std::uint64_t bytes_total_ = 0;
    std::shared_ptr<std::atomic<std::uint64_t>> bytes_read_ = std::make_shared<std::atomic<std::uint64_t>>(0);
    monotonic_time began_;
    monotonic_time next_;
};

}  // namespace vembed::cli
