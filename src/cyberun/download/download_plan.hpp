#pragma once
/// Decides how a file behind a presigned URL is downloaded and resumed (wire contract, section 2, "Presigned URLs"). A
/// value without clock and I/O: the client sends request(), reports what comes back and carries out the step.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

namespace vembed::cyberun {

/// What is on the disk from before, all empty if nothing.
class download_state {
public:
    std::uint64_t have = 0;              ///< Bytes from the file's beginning.
    std::string etag;                    ///< The strong ETag that they belong to, with its quotes; empty: none.
    std::optional<std::uint64_t> total;  ///< Bytes of the whole file, if they are known.

    download_state() = default;
};

/// The headers of the next request. Without a strong ETag a download starts over.
class download_request {
public:
    std::uint64_t from = 0;  ///< Above 0: `Range: bytes=<from>-` beside `If-Range: <if_range>`.
    std::string if_range;

    download_request() = default;
};

/// The head of a response, and the start of its body if it is no success (2 KiB are enough).
class download_response {
public:
    int status = 0;
    std::optional<std::uint64_t> content_length;
    std::string_view etag;  ///< Header values; empty if absent.
    std::string_view content_range;
    std::optional<std::string_view> retry_after;
    std::optional<std::string_view> date;
    std::string_view body;

    download_response() = default;
};

class download_step {
public:
    enum class kind : std::uint8_t {
        take,      ///< Cut the file to `from` bytes and append the response's body.
        redirect,  ///< Follow the Location by next_hop().
        ask,       ///< Send request() now.
        back_off,  ///< Send request() after `delay`.
        refresh,   ///< Fetch /result again, take the same output's URL, then send request().
        done,      ///< The file is whole: check its digests.
        gone,      ///< `failure` (not_found): the file is no longer kept.
        fail,      ///< `failure` ends the download.
    };
    kind what = kind::fail;
    std::uint64_t from = 0;
    std::chrono::milliseconds delay{0};
    std::optional<error> failure;

    download_step() = default;
};

class download_plan {
public:
    /// `bytes_max`: a larger file fails with response_too_large, before or while it is read.
    download_plan(download_state before, std::uint64_t bytes_max);

    [[nodiscard]] download_request request() const;

    /// A response's head was read.
    download_step head_read(const download_response& head, wall_time now, std::uint64_t random_bits);

    /// Bytes of a body to `take` were written to the file. An error ends the download: response_too_large, or protocol
    /// if the body is longer than its head said.
    result<void> bytes_taken(std::uint64_t count);

    /// The body to `take` ended. `whole`: its Content-Length or last chunk was reached.
    download_step body_ended(bool whole, std::uint64_t random_bits);

    /// No response came, or none that could be read.
    download_step not_reached(const error& why, std::uint64_t random_bits);

    /// What to keep for a later resume.
    [[nodiscard]] const download_state& state() const noexcept { return state_; }

private:
    download_step start_over();
    download_step take_whole(const download_response& head);
    download_step take_part(const download_response& head);
    download_step not_satisfiable(const download_response& head);
    download_step refresh(const download_response& head);
    download_step try_again(std::optional<std::chrono::seconds> asked, const error& why, std::uint64_t random_bits);
    download_step take_from(std::uint64_t from);

    download_state state_;
    std::uint64_t bytes_max_;
    std::uint64_t furthest_;            // The most bytes that there ever were: only more than that is progress.
    std::optional<std::uint64_t> end_;  // Where the body that is taken ends, if it is known.
    std::uint64_t furthest_asked_ = 0;  // furthest_ when the body that is taken began.
    std::uint32_t refreshes_ = 0;       // Without progress.
    std::uint32_t failures_ = 0;        // Without progress.
};

/// Whether an ETag is strong and can stand in If-Range: quoted, at most 256 visible characters.
bool is_strong_etag(std::string_view etag) noexcept;

}  // namespace vembed::cyberun
