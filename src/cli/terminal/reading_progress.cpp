#include "cli/terminal/reading_progress.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/terminal/progress_line.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {

reading_progress::reading_progress(console& out, std::shared_ptr<environment> env,
                                   const std::vector<std::string>& files)
    : out_(&out), env_(std::move(env)), began_(env_->now()), next_(began_ + interval) {
    for (const std::string& file : files) {
        std::error_code unknown;
        const auto size = std::filesystem::file_size(file, unknown);
        bytes_total_ += unknown ? 0 : size;
    }
}

void reading_progress::watch(file_source_options& source, corpus::survey_options& survey) {
    if (out_->live() && !out_->json()) {
        source.bytes_read = bytes_read_;
        survey.on_progress = [this](std::uint64_t rows) { show(rows); };
    }
}

void reading_progress::show(std::uint64_t rows) {
    const monotonic_time now = env_->now();
    if (now < next_) {
        return;
    }
    next_ = now + interval;
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    out_->show_progress(reading_line(rows, *bytes_read_, bytes_total_, elapsed));
}

}  // namespace vembed::cli
