#include "bulk/values/run_model.hpp"

namespace vembed::bulk {

void run_model::adopt(const run_facts& facts) {
    spec_hash_ = facts.spec_hash;
    dimensions_ = facts.dimensions;
}

void run_model::write_to(run_facts& facts) const {
    facts.spec_hash = spec_hash_;
    facts.dimensions = dimensions_;
}

bool run_model::size_is_due(const std::optional<std::uint64_t>& rows, std::uint64_t dimensions) noexcept {
    const bool due = !size_told_ && rows && dimensions != 0;
    size_told_ = size_told_ || due;
    return due;
}

std::optional<error> run_model::refuse_output(std::uint64_t dimensions) const {
    if (dimensions_ == 0 || dimensions_ == dimensions) {
        return std::nullopt;
    }
    return error(errc::protocol, "the job's output has " + std::to_string(dimensions) +
                                     " dimensions, but earlier ones had " + std::to_string(dimensions_));
}

std::optional<error> run_model::admit(const std::string& job_id, const std::string& spec_hash, std::uint64_t dimensions,
                                      bool cache_in_use) {
    if (!spec_hash.empty() && !spec_hash_.empty() && spec_hash != spec_hash_) {
        return error(errc::model_changed, "the receipt of job " + job_id + " names the specification " + spec_hash +
                                              ", earlier rows of this run were made under " + spec_hash_ +
                                              ": the service has changed the model; start anew in another folder" +
                                              (cache_in_use ? ", without the cache or with another one" : ""));
    }
    if (spec_hash_.empty()) {
        spec_hash_ = spec_hash;
    }
    dimensions_ = dimensions;
    return std::nullopt;
}

std::optional<error> run_model::admit_cached(const std::string& spec_hash) {
    if (spec_hash_.empty()) {
        spec_hash_ = spec_hash;
    }
    if (spec_hash.empty() || spec_hash_ == spec_hash) {
        return std::nullopt;
    }
    return error(errc::model_changed, "the cache holds rows made under the specification " + spec_hash +
                                          ", this run's are made under " + spec_hash_ +
                                          ": start anew in another folder, without the cache or with another one");
}

}  // namespace vembed::bulk
