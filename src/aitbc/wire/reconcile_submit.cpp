#include "aitbc/wire/reconcile_submit.hpp"

#include <algorithm>
#include <iterator>

#include "aitbc/wire/assumptions.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::size_t named_max = 20;

enum class match : std::uint8_t { no, perhaps, yes };

// The service may add members to a payload; those that were sent must be there unchanged.
bool holds(const boost::json::value& shown, const boost::json::object& sent) {
    const boost::json::object* object = shown.if_object();
    return object != nullptr && std::ranges::all_of(sent, [object](const boost::json::key_value_pair& member) {
               const boost::json::value* found = object->if_contains(member.key());
               return found != nullptr && *found == member.value();
           });
}

match fits(const lost_submit& lost, const job& one) {
    if (!lost.model.empty() && one.model && *one.model != lost.model) {
        return match::no;
    }
    if (lost.payload && one.payload && !holds(*one.payload, *lost.payload)) {
        return match::no;
    }
    if (!one.created_at) {
        return match::perhaps;
    }
    const bool in_time = *one.created_at >= lost.sent_at - assumed::clock_difference_max &&
                         *one.created_at <= lost.lost_at + assumed::clock_difference_max;
    return in_time ? match::yes : match::no;
}

// Whether every job that the submission may have made is on the pages that were read.
bool reaches_back(const lost_submit& lost, const submit_evidence& seen) {
    return !seen.more || std::ranges::any_of(seen.jobs, [&](const job& one) {
        return one.created_at && *one.created_at < lost.sent_at - assumed::clock_difference_max;
    });
}

submit_verdict verdict(submit_verdict::kind what, std::vector<std::string> ids, std::string reason) {
    submit_verdict made;
    made.what = what;
    ids.resize(std::min(ids.size(), named_max));
    made.ids = std::move(ids);
    made.reason = std::move(reason);
    return made;
}

}  // namespace

submit_verdict reconcile_submit(const lost_submit& lost, const submit_evidence& seen) {
    using kind = submit_verdict::kind;
    std::vector<std::string> certain;
    std::vector<std::string> possible;
    bool is_shared = false;
    std::set<std::string_view> looked_at;
    for (const job& one : seen.jobs) {
        if (seen.known.contains(one.id) || !looked_at.insert(one.id).second) {
            continue;
        }
        const match how = fits(lost, one);
        if (how == match::no) {
            continue;
        }
        (how == match::yes ? certain : possible).push_back(one.id);
        is_shared = is_shared || std::ranges::any_of(seen.others, [&](const lost_submit& other) {
                        return fits(other, one) != match::no;
                    });
    }
    if (certain.size() > 1) {
        return verdict(kind::in_doubt, certain, "several jobs fit the lost submission");
    }
    if (!reaches_back(lost, seen)) {
        return verdict(kind::next_page, {}, "the list does not reach back to the submission");
    }
    std::vector<std::string> to_ask;
    std::ranges::copy_if(possible, std::back_inserter(to_ask),
                         [&](const std::string& id) { return !seen.asked.contains(id); });
    if (!to_ask.empty()) {
        return verdict(kind::ask_jobs, to_ask, "the list does not tell when these jobs were made");
    }
    if (!possible.empty()) {
        possible.insert(possible.end(), certain.begin(), certain.end());
        return verdict(kind::in_doubt, possible, "the service does not tell when the jobs that may fit were made");
    }
    if (certain.empty()) {
        return verdict(kind::in_doubt, {}, "no job in the list fits the lost submission; one may still appear");
    }
    if (is_shared) {
        return verdict(kind::in_doubt, certain, "the job that fits may belong to another lost submission as well");
    }
    return verdict(kind::found, certain, "exactly one job fits the lost submission");
}

job with_details(const job& listed, const job& full) {
    job both = full;
    both.model = both.model ? both.model : listed.model;
    both.payload = both.payload ? both.payload : listed.payload;
    both.created_at = both.created_at ? both.created_at : listed.created_at;
    return both;
}

}  // namespace vembed::aitbc
