// client_options::quota_folder: clients that know nothing of each other but the folder keep to one account's limits.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/scratch.hpp"
#include "support/world.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;
using testing::scratch_folder;
using testing::world;

testing::service_options limited(std::uint64_t minute, std::optional<std::uint64_t> day = std::nullopt) {
    testing::service_options options;
    options.chunk_size = 1;
    options.chunks_per_minute = minute;
    options.chunks_per_day = day;
    return options;
}

client_options sharing(const std::string& folder) {
    client_options options;
    options.quota_folder = folder;
    return options;
}

// Embeds one text after the other.
asio::awaitable<result<std::uint64_t>> embed_some(client* through, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        std::vector<std::string> texts{"text " + std::to_string(i)};
        call_options call;
        call.timeout = 1h;
        auto embedded = co_await through->embed("bge-small-v1.5", std::move(texts), std::move(call));
        if (!embedded) {
            co_return embedded.error();
        }
    }
    co_return count;
}

// Two clients of one account in one world want `count` chunks each, ten at a time.
void run_two_clients(world& here, client_options options, std::uint64_t count) {
    auto second_network = testing::make_memory_transport(here.env, here.remote);
    options.base_url = "https://service.test";
    options.api_key = secret::from_key(here.remote->api_key()).value();
    options.env = here.env;
    options.transport_override = second_network;
    client second(here.context.get_executor(), options);
    std::vector<std::optional<result<std::uint64_t>>> ended(20);
    for (std::size_t i = 0; i < ended.size(); ++i) {
        client* through = i % 2 == 0 ? &*here.subject : &second;
        asio::co_spawn(here.context, embed_some(through, count / 10),
                       [&ended, i](const std::exception_ptr&, result<std::uint64_t> done) { ended[i] = done; });
    }
    here.env->run(
        [&ended] { return std::all_of(ended.begin(), ended.end(), [](const auto& one) { return one.has_value(); }); });
    for (const auto& one : ended) {
        ASSERT_TRUE(one);
        EXPECT_TRUE(*one) << one->error();
    }
}

TEST(shared_quota, two_clients_stay_within_the_cap_together_and_use_it) {
    scratch_folder scratch;
    world here(limited(30), 1, sharing(scratch.path()));
    run_two_clients(here, sharing(scratch.path()), 60);
    EXPECT_EQ(here.remote->counters().chunks_charged, 120u);
    EXPECT_EQ(here.remote->counters().replies_rate_limited, 0u);
    EXPECT_LE(here.remote->counters().chunks_in_a_minute_max, 30u);
    EXPECT_LE(here.now(), 3min + 10s) << "30 chunks at once, then 30 a minute";
}

TEST(shared_quota, without_the_folder_they_get_in_each_others_way) {
    world here(limited(30));
    run_two_clients(here, client_options(), 60);
    EXPECT_GT(here.remote->counters().replies_rate_limited, 0u);
}

TEST(shared_quota, a_later_client_knows_what_an_earlier_one_used) {
    scratch_folder scratch;
    world here(limited(1000, 20), 1, sharing(scratch.path()));
    auto first = here.run(embed_some(&*here.subject, 20));
    ASSERT_TRUE(first) << first.error();
    here.restart(sharing(scratch.path()));
    auto second = here.run(embed_some(&*here.subject, 1));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, errc::quota_exceeded);
    EXPECT_EQ(here.network->requests, 1u) << "the reading of /account alone";
}

TEST(shared_quota, a_folder_that_cannot_be_used_is_told_and_the_client_works) {
    scratch_folder scratch;
    scratch.write("quota", "a file where the folder should be");
    world here(limited(1000), 1, sharing(scratch.path()));
    std::string told;
    here.env->set_log_hook([&told](const log_record& record) {
        told += record.event == "shared_quota_unavailable" ? std::string(record.event) : "";
    });
    EXPECT_TRUE(here.run(embed_some(&*here.subject, 1)));
    EXPECT_EQ(told, "shared_quota_unavailable");
}

}  // namespace
}  // namespace vembed
