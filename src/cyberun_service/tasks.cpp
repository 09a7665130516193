#include "cyberun_service/tasks.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>

#include <boost/json/serialize.hpp>

#include "cyberun_service/assumptions.hpp"

namespace vembed::cyberun_service {
namespace {

constexpr std::size_t text_bytes_max = std::size_t{16} << 20;

std::string rendered(const boost::json::object& given) {
    const boost::json::value* const text = given.if_contains("text");
    const boost::json::value* const count = given.if_contains("count");
    const boost::json::value* const style = given.if_contains("style");
    const boost::json::value* const numbered = given.if_contains("numbered");
    std::string line = text != nullptr && text->is_string() ? std::string(text->get_string()) : "";
    if (style != nullptr && style->is_string() && style->get_string() == "upper") {
        std::transform(line.begin(), line.end(), line.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
    const int lines = count != nullptr && count->is_number() ? static_cast<int>(count->to_number<double>()) : 1;
    std::string out;
    for (int i = 1; i <= lines && out.size() < text_bytes_max; ++i) {
        if (numbered != nullptr && numbered->is_bool() && numbered->get_bool()) {
            out += std::to_string(i) + " ";
        }
        out += line + "\n";
    }
    return out;
}

}  // namespace

std::string_view word_of(task_state of) noexcept {
    switch (of) {
        case task_state::pending: return "pending";
        case task_state::running: return "running";
        case task_state::completed: return "completed";
        case task_state::failed: return "failed";
        case task_state::cancelled: return "cancelled";
    }
    return "";
}

monotonic_time task::started() const {
    return created + takes / assumptions::waiting_part;
}

std::uint32_t task::retries_at(monotonic_time now) const {
    return goes_back && now >= created + takes / 2 ? 1 : 0;
}

task_state task::state_at(monotonic_time now) const {
    if (cancelled && now >= *cancelled) {
        return task_state::cancelled;
    }
    if (now >= created + takes) {
        return fails ? task_state::failed : task_state::completed;
    }
    const bool waits_again = goes_back && now >= created + takes / 2 && now < created + takes * 3 / 4;
    return now < started() || waits_again ? task_state::pending : task_state::running;
}

std::uint32_t task::step_at(monotonic_time now) const {
    if (now >= created + takes && !cancelled) {
        return fails ? steps / 2 : steps;
    }
    if (state_at(now) != task_state::running) {
        return 0;
    }
    const monotonic_time begun = retries_at(now) > 0 ? created + takes * 3 / 4 : started();
    const double part =
        std::chrono::duration<double>(now - begun) /
        std::max(std::chrono::duration<double>(created + takes - begun), std::chrono::duration<double>(1e-9));
    return std::min(steps - 1, static_cast<std::uint32_t>(part * steps));
}

monotonic_time task::next_change(monotonic_time now) const {
    const monotonic_clock::duration step = std::max<monotonic_clock::duration>(
        (takes - takes / assumptions::waiting_part) / steps, std::chrono::milliseconds(1));
    const monotonic_time end = created + takes;
    const monotonic_time next = now < started() ? started() : now + step;
    return std::min(next, end);
}

wall_time task::wall_of(monotonic_time at) const {
    return created_at + std::chrono::floor<std::chrono::milliseconds>(at - created);
}

std::vector<std::pair<std::string, file_content>> outputs_of(const task& of, std::uint64_t seed) {
    std::vector<std::pair<std::string, file_content>> outputs;
    if (!of.has_output) {
        return outputs;
    }
    file_content content;
    if (of.of->what == makes::bytes) {
        const boost::json::value* const bytes = of.parameters.if_contains("bytes");
        content.drawn_bytes =
            bytes != nullptr && bytes->is_number() ? static_cast<std::uint64_t>(bytes->to_number<double>()) : 0;
        content.seed = local_service::draw(seed, 0, purpose::file_bytes);
        outputs.emplace_back("output", content);
    } else if (of.of->what == makes::digest) {
        content.text = "{\"sha256\":\"" + of.input_sha256 + "\"}\n";
        outputs.emplace_back("report", content);
        content.text = of.input_sha256 + "\n";
        outputs.emplace_back("9.images.0", content);
    } else {
        content.text = rendered(of.parameters);
        outputs.emplace_back("output", content);
    }
    return outputs;
}

state::state(testing::cyberun_options chosen)
    : options(std::move(chosen)),
      connections(options.faults.drop, options.seed),
      api_key(options.api_key.empty() ? "sk-" + local_service::draw_hex(options.seed, 0, purpose::api_key, 32)
                                      : options.api_key),
      uploads(options.files_max) {
    options.progress_steps = std::clamp<std::uint32_t>(options.progress_steps, 1, 1000);
}

task& state::add(const workflow& of, boost::json::object parameters, std::string input_sha256, monotonic_time now,
                 wall_time wall) {
    auto made = std::make_shared<task>();
    made->number = ++made_;
    made->id = local_service::draw_uuid(options.seed, made->number, purpose::task_id);
    made->of = &of;
    made->parameters = std::move(parameters);
    made->input_sha256 = std::move(input_sha256);
    made->fails = strikes(made->number, purpose::failed, options.faults.failed);
    made->goes_back = strikes(made->number, purpose::goes_back, options.faults.goes_back);
    made->has_output = !strikes(made->number, purpose::no_output, options.faults.no_output);
    made->created = now;
    made->created_at = wall;
    made->takes = std::chrono::milliseconds(options.task_time_ms);
    made->steps = options.progress_steps;
    if (tasks.size() >= std::max<std::uint64_t>(options.tasks_max, 1)) {
        by_id_.erase(tasks.front()->id);
        tasks.pop_front();
    }
    tasks.push_back(made);
    by_id_[made->id] = made;
    ++counters.tasks_accepted;
    return *made;
}

std::shared_ptr<task> state::find(std::string_view id) {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() ? nullptr : found->second;
}

}  // namespace vembed::cyberun_service
