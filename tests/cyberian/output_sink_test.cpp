#include "cyberian/io/output_sink.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace vembed::cyberian {
namespace {

class vector_place final : public rows_place {
public:
    std::vector<float> values;
    int placed = 0;
    std::optional<error> refusal;

    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        ++placed;
        if (refusal) {
            return *refusal;
        }
        values.assign(rows * dimensions, 0.0f);
        return std::span<float>(values);
    }
};

response_head head_of(std::string shape, std::optional<std::uint64_t> length, std::string dtype = "float32") {
    response_head head;
    head.status = 200;
    head.headers.emplace_back("X-Cyberian-Shape", std::move(shape));
    head.headers.emplace_back("X-Cyberian-Dtype", std::move(dtype));
    head.content_length = length;
    return head;
}

void fill(output_sink& sink, std::span<const std::byte> bytes, std::size_t piece) {
    while (!bytes.empty()) {
        const auto room = sink.prepare(std::min(piece, bytes.size()));
        ASSERT_FALSE(room.empty());
        std::memcpy(room.data(), bytes.data(), room.size());
        bytes = bytes.subspan(room.size());
        ASSERT_TRUE(sink.commit(room.size()));
    }
}

TEST(output_sink, puts_the_floats_in_place_in_pieces_of_any_size) {
    const std::vector<float> sent = {1.5f, -2.0f, 3.25f, 4.0f, 5.0f, 6.0f};
    for (const std::size_t piece : {1u, 3u, 4u, 7u, 24u, 100u}) {
        vector_place place;
        output_sink sink(2, place, {});
        ASSERT_TRUE(sink.begin(head_of("2,3", 24)));
        fill(sink, std::as_bytes(std::span(sent)), piece);
        EXPECT_TRUE(sink.complete());
        EXPECT_TRUE(sink.prepare(1).empty()) << "full";
        EXPECT_EQ(sink.dimensions(), 3u);
        EXPECT_EQ(place.values, sent);
        EXPECT_TRUE(sink.digests()->chunks.empty());
    }
}

TEST(output_sink, hashes_chunks_on_the_way_and_begins_anew_for_another_try) {
    const std::vector<float> sent = {1, 2, 3, 4, 5, 6};
    const auto bytes = std::as_bytes(std::span(sent));
    vector_place place;
    output_sink sink(3, place, {expected_chunk(0, 0, 2), expected_chunk(1, 2, 3)});
    ASSERT_TRUE(sink.begin(head_of("3,2", std::nullopt)));
    fill(sink, bytes.first(11), 5);
    EXPECT_FALSE(sink.complete());
    ASSERT_TRUE(sink.begin(head_of("3,2", std::nullopt)));
    fill(sink, bytes, 7);
    EXPECT_TRUE(sink.complete());
    const auto digests = sink.digests();
    ASSERT_TRUE(digests);
    ASSERT_EQ(digests->chunks.size(), 2u);
    sha256 first;
    first.update(bytes.first(16));
    EXPECT_EQ(digests->chunks[0], first.finish());
    EXPECT_EQ(place.placed, 2);
}

TEST(output_sink, refuses_a_head_that_contradicts_the_job) {
    response_head no_shape;
    response_head no_dtype;
    no_dtype.headers.emplace_back("X-Cyberian-Shape", "2,3");
    struct bad_head {
        const char* what;
        response_head head;
        errc kind = errc::protocol;
    };
    for (const bad_head& c : {
             bad_head{"no shape", no_shape},
             bad_head{"bad shape", head_of("2x3", 24)},
             bad_head{"fewer rows", head_of("1,3", 12), errc::verification_failed},
             bad_head{"more rows", head_of("3,3", 36), errc::verification_failed},
             bad_head{"no rows", head_of("0,3", 0), errc::verification_failed},
             bad_head{"fewer rows, of another length", head_of("1,3", 24)},
             bad_head{"fewer rows, of unknown length", head_of("1,3", std::nullopt)},
             bad_head{"fewer rows without columns", head_of("1,0", 0)},
             bad_head{"no dimensions", head_of("2,0", 0)},
             bad_head{"absurd dimensions", head_of("2,65537", std::nullopt)},
             bad_head{"overflow", head_of("2,4611686018427387905", 8)},
             bad_head{"length too short", head_of("2,3", 23)},
             bad_head{"length too long", head_of("2,3", 25)},
             bad_head{"other type", head_of("2,3", 24, "float64")},
         }) {
        vector_place place;
        output_sink sink(2, place, {});
        const auto begun = sink.begin(c.head);
        ASSERT_FALSE(begun) << c.what;
        EXPECT_EQ(begun.error().kind, c.kind) << c.what;
        EXPECT_EQ(place.placed, 0) << "no memory for " << c.what;
        EXPECT_TRUE(sink.prepare(10).empty());
    }
    vector_place place;
    output_sink sink(2, place, {});
    EXPECT_TRUE(sink.begin(no_dtype)) << "the type may be left out";
}

TEST(output_sink, an_output_that_ends_early_is_not_complete) {
    vector_place place;
    output_sink sink(2, place, {});
    ASSERT_TRUE(sink.begin(head_of("2,3", std::nullopt)));
    const std::vector<float> part = {1, 2, 3};
    fill(sink, std::as_bytes(std::span(part)), 100);
    ASSERT_FALSE(sink.complete());
    EXPECT_NE(sink.complete().error().message.find("12 of 24"), std::string::npos);
}

TEST(output_sink, hands_on_what_the_place_says) {
    vector_place place;
    place.refusal = error(errc::io, "disk full");
    output_sink sink(2, place, {});
    EXPECT_EQ(sink.begin(head_of("2,3", 24)).error().kind, errc::io);
}

}  // namespace
}  // namespace vembed::cyberian
