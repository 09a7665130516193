#include "cli/terminal/reading_progress.hpp"

#include <utility>

#include "cli/terminal/progress_line.hpp"

namespace vembed::cli {

reading_progress::reading_progress(console& out, std::shared_ptr<environment> env)
    : out_(&out), env_(std::move(env)), began_(env_->now()), next_(began_ + interval) {}

void reading_progress::watch(reading_callbacks& of) {
    if (out_->live() && !out_->json()) {
        of.on_progress = [this](const corpus_progress& state) { show(state); };
    }
}

void reading_progress::show(const corpus_progress& state) {
    const monotonic_time now = env_->now();
    if (now < next_) {
        return;
    }
    next_ = now + interval;
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    out_->show_progress(reading_line(state.rows, state.bytes, state.bytes_total, elapsed));
}

}  // namespace vembed::cli
