#pragma once
/// Kills a batch of jobs after any number of steps of its process: its folder is kept as it is then, nothing else.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <vembed/core/result.hpp>
#include <vembed/job_batch/job_batch.hpp>

#include "support/scratch.hpp"
#include "support/virtual_time.hpp"

namespace vembed::testing_support {

/// What starts a batch in a folder, in a process of its own that ends with the world. It is kept until then.
class batch_start {
public:
    asio::awaitable<result<job_batch_report>> running;
    std::shared_ptr<void> client;

    batch_start(asio::awaitable<result<job_batch_report>> batch, std::shared_ptr<void> owner)
        : running(std::move(batch)), client(std::move(owner)) {}
};

class batch_lives {
public:
    using starter = std::function<batch_start(simulation& process, const std::string& folder)>;

    explicit batch_lives(starter start) : start_(std::move(start)) {}

    /// Runs for `steps` steps, or to the end; then the folder is copied. True if it ended.
    bool live(std::uint64_t steps) {
        simulation process;
        if (now_ > process.start) {
            (void)process.run(sleep_until(process.env, now_));  // The service's time does not go back.
        }
        const std::string folder = scratch_.file("life" + std::to_string(lives_));
        batch_start begun_batch = start_(process, folder);
        auto running = process.begin(std::move(begun_batch.running));
        std::uint64_t made = 0;
        (void)process.env->run([&] { return running.ended() || ++made >= steps; });
        now_ = process.env->now();
        steps_made = made;
        if (running.ended()) {
            report = running.value().value();
        }
        std::filesystem::copy(folder, scratch_.file("life" + std::to_string(++lives_)),
                              std::filesystem::copy_options::recursive);
        return running.ended();
    }

    /// Up to three kills within `steps_max` steps each, then to the end. Gives the number of kills.
    std::uint64_t live_and_die(std::uint64_t seed, std::uint64_t steps_max) {
        std::mt19937_64 draw(seed);
        std::uint64_t kills = 0;
        bool ended = false;
        while (kills < 3 && !ended) {
            ended = live(1 + draw() % steps_max);
            kills += ended ? 0 : 1;
        }
        if (!ended) {
            (void)live(std::uint64_t(-1));
        }
        return kills;
    }

    [[nodiscard]] const testing::scratch_folder& scratch() const noexcept { return scratch_; }

    std::uint64_t steps_made = 0;
    job_batch_report report;

private:
    testing::scratch_folder scratch_;
    starter start_;
    monotonic_time now_{};
    std::uint64_t lives_ = 0;
};

}  // namespace vembed::testing_support
