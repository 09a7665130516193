#include "fuzz/entries.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/verify/canonical_json.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_proof.hpp>

#include "aitbc/wire/codec.hpp"
#include "aitbc/wire/error_table.hpp"
#include "aitbc/wire/redact_receipts.hpp"
#include "core/row_ranges.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "cyberian/wire/codec.hpp"
#include "fuzz/cyberun_entries.hpp"
#include "http/response_reading.hpp"
#include "journal/journal_note.hpp"
#include "text/yaml_scalars.hpp"
#include "verify/issued_job.hpp"

namespace vembed::fuzz {
namespace {

// How a response arrives must not matter.
void read_response(std::string_view input) {
    const std::size_t piece = choose(input, 32).first + std::size_t{1};
    const std::string_view raw = choose(input, 32).second;
    const http::reading whole = http::read_response(
        raw, [raw] { return raw.size(); }, 1 << 16);
    const http::reading parts = http::read_response(
        raw, [piece] { return piece; }, 1 << 16);
    // What breaks off at a fault may be seen as unfinished before the fault is: neither is a response.
    require(whole.body_complete == parts.body_complete, "whether a response is whole depends on its pieces");
    require(!whole.body_complete || (whole.head.status == parts.head.status && whole.body == parts.body &&
                                     whole.left == parts.left && whole.keep_alive == parts.keep_alive),
            "a whole response depends on its pieces");
    require(whole.body.size() <= 1 << 16, "the sink's limit was passed over");
}

template <class T>
void expect_typed(const result<T>& read) {
    require(read || (read.error().kind == errc::protocol && !read.error().message.empty()),
            "what cannot be read is a protocol failure that says why");
}

void read_codec(std::string_view input) {
    const auto [which, body] = choose(input, 9);
    switch (which) {
        case 0: expect_typed(cyberian::read_response<health_info>(body)); break;
        case 1: expect_typed(cyberian::read_response<std::vector<model_info>>(body)); break;
        case 2: expect_typed(cyberian::read_response<job>(body)); break;
        case 3: expect_typed(cyberian::read_response<job_results>(body)); break;
        case 4: expect_typed(cyberian::read_response<receipt>(body)); break;
        case 5: expect_typed(cyberian::read_response<receipt_verification>(body)); break;
        case 6: expect_typed(cyberian::read_response<account_info>(body)); break;
        case 7: expect_typed(cyberian::read_response<rotated_key>(body)); break;
        default: expect_typed(cyberian::read_shape(body)); break;
    }
}

constexpr std::string_view client_text = "client-key-of-the-fuzzer";

// Nothing that is kept of a receipt may hold its client.
void expect_masked(const boost::json::value& raw) {
    const std::string text = boost::json::serialize(raw);
    require(text.find(client_text) == std::string::npos, "the client of a receipt is masked");
}

void read_aitbc_receipt(std::string_view body) {
    if (const auto receipt = aitbc::read_receipt(body)) {
        const boost::json::object* whole = receipt->raw.if_object();
        require(whole != nullptr, "a receipt is an object");
        if (whole->contains("client") && body.find("\"client\":\"client-key-of-the-fuzzer\"") != body.npos) {
            expect_masked(receipt->raw);
        }
    } else {
        require(receipt.error().raw_body.find(client_text) == std::string::npos, "an error quotes no receipt");
    }
}

void read_aitbc(std::string_view input) {
    const auto [which, body] = choose(input, 6);
    switch (which) {
        case 0: expect_typed(aitbc::read_job(body)); break;
        case 1: expect_typed(aitbc::read_page(body, 20)); break;
        case 2: expect_typed(aitbc::read_submitted(body)); break;
        case 3: expect_typed(aitbc::read_output(body)); break;
        case 4:
            expect_typed(aitbc::read_receipt(body));
            expect_typed(aitbc::read_receipts(body));
            read_aitbc_receipt(body);
            break;
        default: break;
    }
    // The second byte is the status of an error.
    aitbc::failed_response from;
    from.status = 400 + static_cast<int>(choose(body, 200).first);
    from.body = choose(body, 200).second;
    from.submits = which == 5;
    from.secret = client_text;
    const aitbc::mapped_refusal mapped = aitbc::map_error(from, wall_time());
    require(!mapped.error.message.empty() && mapped.error.raw_body.size() <= error::max_raw_body,
            "an error has a message and little of the body");
    require(mapped.error.message.find(client_text) == std::string::npos &&
                mapped.error.raw_body.find(client_text) == std::string::npos,
            "an error does not quote the key");
    require(mapped.error.kind != errc::rate_limited || mapped.error.retry_after, "a refused rate has a delay");
}

class memory_bytes final : public corpus::byte_reader {
public:
    memory_bytes(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
    result<std::size_t> read(char* into, std::size_t size) override {
        return bytes_.copy(into, std::min(size, piece_), std::exchange(at_, at_ + std::min({size, piece_, left()})));
    }

private:
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
    std::string_view bytes_;
    std::size_t piece_;
    std::size_t at_ = 0;
};

// Every field of every row, and how it ended.
std::string rows_of(std::string_view text, unsigned format, std::size_t piece) {
    corpus::line_reader lines(std::make_unique<memory_bytes>(text, piece), "file", 1 << 16);
    if (!lines.skip_byte_order_mark()) {
        return "utf-16";
    }
    file_source_options options;
    options.id_field = "id";
    options.max_record_bytes = 1 << 16;
    std::unique_ptr<corpus::record_reader> records;
    switch (format) {
        case 0: records = corpus::make_line_records(std::move(lines), options, corpus::latest_reading_rules); break;
        case 1: records = corpus::make_jsonl_records(std::move(lines), options, corpus::latest_reading_rules); break;
        case 2:
            records = corpus::make_csv_records(std::move(lines), corpus::csv_form(',', true), options,
                                               corpus::latest_reading_rules);
            break;
        default:
            records = corpus::make_csv_records(std::move(lines), corpus::csv_form('\t', false), options,
                                               corpus::latest_reading_rules);
            break;
    }
    std::string all;
    for (source_row row;;) {
        const auto more = records->next(row);
        if (!more || !*more) {
            return all + (more ? "end" : more.error().message);
        }
        require(row.raw.size() <= row.raw_bytes, "more of a row is kept than it has");
        all.append(row.text).append(1, '\0').append(row.id).append(1, '\0');
        all.append(row.raw).append(1, row.blank ? 'b' : ' ').append(std::to_string(row.raw_bytes));
        all.append(row.origin).append(1, '\0').append(row.defect).append(1, '\n');
    }
}

void read_records(std::string_view input) {
    const auto [which, text] = choose(input, 4);
    require(rows_of(text, which, 1 << 20) == rows_of(text, which, 3), "the rows depend on how the file is read");
}

void read_faults(std::string_view input) {
    const std::string text = std::string(input) + (input.find('=') == std::string_view::npos ? "=" : "");
    const auto plan = testing::fault_rates::parse(text);
    require(plan || plan.error().kind == errc::invalid_argument, "a fault plan fails as an argument");
    require(!plan || (plan->drop >= 0 && plan->drop <= 1), "a probability is one");
}

void read_journal_texts(std::string_view input) {
    if (const auto ranges = core::ranges_from_text(input)) {
        require(core::is_well_formed(*ranges), "ranges are well-formed");
        require(core::to_text(*ranges) == input, "ranges are written as they were read");
    }
    if (const auto note = journal::note_from_text(input)) {
        require(journal::to_text(*note) == input, "a note is written as it was read");
    }
}

// What holds of a report whatever the receipt is.
void expect_honest(const offline_report& report, const account_pins& given) {
    require(report.checks.size() == std::size(offline_check_names), "there is one finding for each check");
    for (std::size_t i = 0; i < report.checks.size(); ++i) {
        const offline_check& check = report.checks[i];
        require(check.name == offline_check_names[i], "the findings are in their order");
        require(!check.reason.empty(), "every finding has a reason");
        require(check.verdict != check_verdict::verified || check.basis != check_basis::none,
                "what is verified stands on something");
    }
    require(report.checks.back().verdict == check_verdict::not_checkable, "origin is never checkable");
    require(report.first_failed() == nullptr || report.pins == given, "a bad receipt teaches nothing");
    const std::string page = report.text();
    require(page.ends_with(std::string(origin_line) + "\n"), "the page ends with the origin");
    require(std::none_of(page.begin(), page.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }),
            "the page has no control characters of the receipt");
}

// As it stands in the receipt.
std::string member_of(const testing_support::issued_job& job, std::string_view name) {
    return '"' + std::string(name) + "\":\"" + std::string(job.proof.at(name).get_string()) + '"';
}

// The first byte chooses what is known, the others are a receipt.
void read_offline_receipt(std::string_view input) {
    static const testing_support::issued_job job{testing_support::job_plan()};
    static const std::array<std::pair<std::string_view, std::string>, 2> roots = {
        {{"inputs_root", member_of(job, "inputs_root")}, {"outputs_root", member_of(job, "outputs_root")}}};
    static const offline_evidence evidence = job.evidence();
    static const account_pins learned = verify_receipt_offline(job.receipt_text(), evidence).pins;
    const auto [which, text] = choose(input, 4);
    account_pins given = which == 0 ? account_pins() : learned;
    if (which == 2) {
        given.set(pin_kind::receipt_hash, {"of-a-later-version", "jcs/without-receipt_hash"});
    }
    const offline_report report = verify_receipt_offline(text, which == 3 ? offline_evidence() : evidence, given);
    expect_honest(report, given);
    require(report.text() == verify_receipt_offline(text, which == 3 ? offline_evidence() : evidence, given).text(),
            "the same receipt gives the same report");
    // A hash over itself can be made by anybody; roots over what the caller has cannot.
    const auto canonical = canonical_json(text);
    for (const auto& [name, root] : roots) {
        const bool verified = which == 1 && report.find(name)->verdict == check_verdict::verified;
        require(!verified || (canonical && canonical->find(root) != std::string::npos),
                "under pins only the issued receipt's roots are verified");
    }
    scheme_pins kept;
    require(kept.set("acc_1", report.pins).has_value() && scheme_pins::from_json(kept.to_json()).value() == kept,
            "what was learned can be kept");
}

void read_pins(std::string_view input) {
    const auto pins = scheme_pins::from_json(input);
    require(pins || (pins.error().kind == errc::invalid_argument && !pins.error().message.empty()),
            "what holds no pins fails as an argument that says why");
    require(!pins || scheme_pins::from_json(pins->to_json()).value() == *pins, "pins are written as they were read");
}

void read_yaml(std::string_view input) {
    const auto read = text::read_yaml_scalars(input);
    require(read || (read.error().kind == errc::invalid_argument && !read.error().message.empty()),
            "what cannot be read is refused and says why");
}

void read_row_proof(std::string_view input) {
    const row_proof_report report = check_row_proof_text(input);
    const auto proof = row_proof::from_json(input);
    require(report.text().ends_with(std::string(origin_line) + "\n"), "every page ends with the line on origin");
    require(report.verified() == (report.verified() && report.first_failed() == nullptr),
            "what failed is not verified");
    if (!proof) {
        require(proof.error().kind == errc::protocol && !report.verified(), "what is no proof does not hold");
        return;
    }
    const auto again = row_proof::from_json(proof->to_json());
    require(again && *again == *proof, "proofs are written as they were read");
    require(check_row_proof(*again).text() == report.text(), "the same proof gives the same page");
}

}  // namespace

std::span<const entry> entries() {
    static constexpr std::array<entry, 14> all{{{"response", read_response},
                                                {"cyberun", read_cyberun_bodies},
                                                {"cyberun_events", read_cyberun_events},
                                                {"cyberun_downloads", read_cyberun_downloads},
                                                {"cyberun_webhook", read_cyberun_webhook},
                                                {"aitbc", read_aitbc},
                                                {"codec", read_codec},
                                                {"records", read_records},
                                                {"faults", read_faults},
                                                {"journal", read_journal_texts},
                                                {"receipt", read_offline_receipt},
                                                {"pins", read_pins},
                                                {"row_proof", read_row_proof},
                                                {"yaml", read_yaml}}};
    return all;
}

}  // namespace vembed::fuzz
