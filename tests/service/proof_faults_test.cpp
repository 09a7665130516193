// Spoiled jobs: what is wrong is what was asked for, nothing else, and the same each time. Receipts under any scheme.

#include <bit>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/output_check.hpp>
#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>

#include "service/service_driver.hpp"

namespace vembed {
namespace {

using testing::proof_fault;
using testing::spoiled_jobs;

constexpr std::uint64_t dimensions = 384;

testing::service_options plain() {
    testing::service_options options;
    options.chunk_size = 2;
    return options;
}

testing::service_options spoiling(proof_fault fault) {
    testing::service_options options = plain();
    options.spoiled.emplace_back(fault, 1, 1);
    return options;
}

// All that a settled job shows.
class shown_job {
public:
    std::string output;
    std::string shape;
    std::string results;
    std::string receipt;
    std::string verification;

    shown_job() = default;
    shown_job(service_driver& driver, std::size_t rows) : shown_job(driver, id_of(driver.submit(rows))) {}
    shown_job(service_driver& driver, const std::string& job) {
        const std::string receipt_id(json_of(driver.ask("GET", "/jobs/" + job)).at("receipt_id").as_string());
        const auto response = driver.ask("GET", "/jobs/" + job + "/output");
        output.assign(reinterpret_cast<const char*>(response.body().data()), response.body().size());
        shape = header_of(response, "X-Cyberian-Shape").value();
        results = driver.ask("GET", "/jobs/" + job + "/results").text;
        receipt = driver.ask("GET", "/receipts/" + receipt_id).text;
        verification = driver.ask("GET", "/receipts/" + receipt_id + "/verify").text;
    }
    [[nodiscard]] boost::json::array chunks() const {
        return boost::json::parse(results).as_object().at("chunks").as_array();
    }
    [[nodiscard]] std::string claim(const char* name) const {
        return std::string(boost::json::parse(receipt).as_object().at(name).as_string());
    }
    [[nodiscard]] bool valid() const { return boost::json::parse(verification).as_object().at("valid").as_bool(); }
    [[nodiscard]] std::vector<float> values() const {
        std::vector<float> numbers(output.size() / sizeof(float));
        std::memcpy(numbers.data(), output.data(), output.size());
        return numbers;
    }
    friend bool operator==(const shown_job&, const shown_job&) = default;
};

shown_job show(const testing::service_options& options, std::size_t rows) {
    service_driver driver(options);
    return {driver, rows};
}

int bits_apart(const std::string& a, const std::string& b) {
    int bits = a.size() == b.size() ? 0 : 1 << 20;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        bits += std::popcount(static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i])));
    }
    return bits;
}

int hex_bits_apart(const std::string& a, const std::string& b) {
    const digest one = digest_from_hex(a).value();
    const digest two = digest_from_hex(b).value();
    return bits_apart(std::string(reinterpret_cast<const char*>(one.data()), one.size()),
                      std::string(reinterpret_cast<const char*>(two.data()), two.size()));
}

bool hash_is_true(const shown_job& job) {
    return receipt_hash(job.receipt, hash_scheme()).value() == job.claim("receipt_hash");
}

TEST(proof_faults, names_are_read_back) {
    for (const proof_fault fault : testing::proof_faults) {
        EXPECT_EQ(testing::proof_fault_named(to_string(fault)), fault);
        EXPECT_EQ(spoiled_jobs::parse(std::string(to_string(fault)) + "@7").value().fault, fault);
    }
    EXPECT_FALSE(testing::proof_fault_named("output"));
}

TEST(proof_faults, jobs_are_read) {
    const auto one = spoiled_jobs::parse("range_gap@3").value();
    EXPECT_EQ(one.first, 3u);
    EXPECT_EQ(one.last, 3u);
    const auto some = spoiled_jobs::parse("range_gap@3-5").value();
    EXPECT_EQ(some.first, 3u);
    EXPECT_EQ(some.last, 5u);
    EXPECT_EQ(spoiled_jobs::parse("range_gap@3-").value().last, std::numeric_limits<std::uint64_t>::max());
    for (const char* text :
         {"", "@3", "range_gap", "range_gap@", "range_gap@0", "range_gap@x", "range_gap@3x", "range_gap@5-3",
          "range_gap@3-5x", "range_gap@-3", "nothing@3", "range_gap@3-5-7", "range_gap@99999999999999999999"}) {
        const auto read = spoiled_jobs::parse(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().kind, errc::invalid_argument);
        EXPECT_NE(read.error().message.find("receipt_of_another"), std::string::npos) << text;
    }
}

// Which parts differ from those of the same job unspoiled, and whether the service's own check sees it.
TEST(proof_faults, each_spoils_its_part_only) {
    const struct {
        proof_fault fault;
        bool output, results, receipt, valid;
    } cases[] = {
        {proof_fault::output_bit, true, false, false, true},
        {proof_fault::output_swapped, true, false, false, true},
        {proof_fault::output_short, true, false, false, true},
        {proof_fault::output_nan, true, true, true, true},
        {proof_fault::output_zero, true, true, true, true},
        {proof_fault::commitment_bit, false, true, false, true},
        {proof_fault::results_of_another, false, true, false, true},
        {proof_fault::range_gap, false, true, false, true},
        {proof_fault::range_overlap, false, true, false, true},
        {proof_fault::chunk_missing, false, true, false, true},
        {proof_fault::receipt_hash_bit, false, false, true, false},
        {proof_fault::inputs_root_bit, false, false, true, false},
        {proof_fault::outputs_root_bit, false, false, true, false},
        {proof_fault::inputs_root_forged, false, false, true, false},
        {proof_fault::outputs_root_forged, false, false, true, false},
        {proof_fault::receipt_of_another, false, false, true, false},
        {proof_fault::receipt_job_forged, false, false, true, true},
        {proof_fault::receipt_id_forged, false, false, true, true},
    };
    ASSERT_EQ(std::size(cases), testing::proof_faults.size());
    for (const std::size_t rows : {1u, 2u, 5u}) {
        const shown_job right = show(plain(), rows);
        ASSERT_TRUE(right.valid());
        for (const auto& c : cases) {
            const shown_job spoiled = show(spoiling(c.fault), rows);
            EXPECT_EQ(spoiled.output != right.output, c.output) << to_string(c.fault) << rows;
            EXPECT_EQ(spoiled.results != right.results, c.results) << to_string(c.fault) << rows;
            EXPECT_EQ(spoiled.receipt != right.receipt, c.receipt) << to_string(c.fault) << rows;
            EXPECT_EQ(spoiled.valid(), c.valid) << to_string(c.fault) << rows;
            testing::service_options on_the_way = spoiling(c.fault);
            on_the_way.spoiled_in_transfer = true;
            const shown_job damaged = show(on_the_way, rows);
            EXPECT_TRUE(damaged.valid()) << to_string(c.fault) << rows;
            EXPECT_EQ(damaged.receipt, spoiled.receipt) << to_string(c.fault) << rows;
        }
    }
}

TEST(proof_faults, are_the_same_each_time_asked) {
    for (const proof_fault fault : testing::proof_faults) {
        service_driver driver(spoiling(fault));
        const std::string job = id_of(driver.submit(5));
        EXPECT_EQ(shown_job(driver, job), shown_job(driver, job)) << to_string(fault);
        EXPECT_EQ(shown_job(driver, job), show(spoiling(fault), 5)) << to_string(fault);
    }
}

TEST(proof_faults, strike_the_jobs_named_and_no_others) {
    testing::service_options options = plain();
    options.spoiled = {{proof_fault::output_short, 2, 3}, {proof_fault::chunk_missing, 3, 100}};
    service_driver driver(options);
    service_driver right(plain());
    const std::vector<std::string> shapes = {"5,384", "4,384", "4,384", "5,384"};
    const std::vector<std::size_t> chunks = {3, 3, 3, 2};
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        const shown_job job(driver, 5);
        EXPECT_EQ(job.shape, shapes[i]) << i;
        EXPECT_EQ(job.chunks().size(), chunks[i]) << i;
        EXPECT_EQ(job == shown_job(right, 5), i == 0);
    }
}

TEST(proof_faults, strike_at_their_rate) {
    testing::service_options options = plain();
    options.faults = testing::fault_rates::parse("output_short=0.5,chunk_missing=0.5").value();
    service_driver driver(options);
    int shortened = 0;
    int missing = 0;
    for (int i = 0; i < 200; ++i) {
        const shown_job job(driver, 5);
        shortened += job.shape == "4,384" ? 1 : 0;
        missing += job.chunks().size() == 2 ? 1 : 0;
    }
    EXPECT_NEAR(shortened, 100, 40);
    EXPECT_NEAR(missing, 50, 30) << "half of those not struck by the first";
}

TEST(proof_faults, of_the_output) {
    const shown_job right = show(plain(), 5);
    EXPECT_EQ(bits_apart(show(spoiling(proof_fault::output_bit), 5).output, right.output), 1);
    const std::size_t chunk = 2 * dimensions * sizeof(float);
    EXPECT_EQ(show(spoiling(proof_fault::output_swapped), 5).output,
              right.output.substr(chunk, chunk) + right.output.substr(0, chunk) + right.output.substr(2 * chunk));
    const shown_job two = show(plain(), 2);
    EXPECT_EQ(show(spoiling(proof_fault::output_swapped), 2).output,
              two.output.substr(chunk / 2) + two.output.substr(0, chunk / 2));
    const shown_job shorter = show(spoiling(proof_fault::output_short), 5);
    EXPECT_EQ(shorter.shape, "4,384");
    EXPECT_EQ(shorter.output, right.output.substr(0, 4 * dimensions * sizeof(float)));
}

// The service has computed rubbish, and everything it says of it is true.
TEST(proof_faults, of_the_rows_are_committed_to) {
    for (const char* model : {"bge-small-v1.5", "bench-1024"}) {
        for (const proof_fault fault : {proof_fault::output_nan, proof_fault::output_zero}) {
            service_driver driver(spoiling(fault));
            const auto submitted = driver.submit(5, model);
            ASSERT_EQ(submitted.status, 201) << submitted.text;
            const shown_job job(driver, id_of(submitted));
            const std::vector<float> values = job.values();
            EXPECT_FALSE(check_rows(values, 5, values.size() / 5));
            const auto wrong = [fault](float value) {
                return fault == proof_fault::output_nan ? std::isnan(value) : value == 0;
            };
            EXPECT_GE(static_cast<std::size_t>(std::count_if(values.begin(), values.end(), wrong)), values.size() / 5);
            const std::size_t chunk_bytes = job.output.size() / 5 * 2;
            std::size_t begin = 0;
            for (const auto& chunk : job.chunks()) {
                EXPECT_EQ(std::string(chunk.at("output_commitment").as_string()),
                          to_hex(sha256_of(job.output.substr(begin, chunk_bytes))));
                begin += chunk_bytes;
            }
        }
    }
}

std::vector<expected_chunk> ranges_of(const shown_job& job) {
    std::vector<expected_chunk> ranges;
    for (const auto& chunk : job.chunks()) {
        ranges.emplace_back(chunk.at("chunk_index").to_number<std::uint64_t>(),
                            chunk.at("row_start").to_number<std::uint64_t>(),
                            chunk.at("row_end").to_number<std::uint64_t>());
    }
    return ranges;
}

TEST(proof_faults, of_the_results) {
    const shown_job right = show(plain(), 5);
    ASSERT_TRUE(check_tiling(ranges_of(right), 5));
    for (const proof_fault fault : {proof_fault::range_gap, proof_fault::range_overlap, proof_fault::chunk_missing}) {
        for (std::size_t rows = 1; rows < 8; ++rows) {
            EXPECT_FALSE(check_tiling(ranges_of(show(spoiling(fault), rows)), rows)) << to_string(fault) << rows;
        }
    }
    const shown_job flipped = show(spoiling(proof_fault::commitment_bit), 5);
    int bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        bits += hex_bits_apart(std::string(flipped.chunks()[i].at("output_commitment").as_string()),
                               std::string(right.chunks()[i].at("output_commitment").as_string()));
    }
    EXPECT_EQ(bits, 1);
    const auto other = boost::json::parse(show(spoiling(proof_fault::results_of_another), 5).results).as_object();
    const auto own = boost::json::parse(right.results).as_object();
    for (const char* name : {"job_id", "receipt_id", "chunks"}) {
        EXPECT_NE(other.at(name), own.at(name)) << name;
    }
}

TEST(proof_faults, of_the_receipt) {
    const shown_job right = show(plain(), 5);
    const struct {
        proof_fault fault;
        const char* field;
        bool hash_true;
    } cases[] = {{proof_fault::receipt_hash_bit, "receipt_hash", false},
                 {proof_fault::inputs_root_bit, "inputs_root", false},
                 {proof_fault::outputs_root_bit, "outputs_root", false},
                 {proof_fault::inputs_root_forged, "inputs_root", true},
                 {proof_fault::outputs_root_forged, "outputs_root", true},
                 {proof_fault::receipt_job_forged, "job_id", true},
                 {proof_fault::receipt_id_forged, "receipt_id", true}};
    for (const auto& c : cases) {
        const shown_job job = show(spoiling(c.fault), 5);
        EXPECT_EQ(hash_is_true(job), c.hash_true) << to_string(c.fault);
        EXPECT_NE(job.claim(c.field), right.claim(c.field)) << to_string(c.fault);
        for (const char* field : {"receipt_id", "job_id", "spec_hash", "inputs_root", "outputs_root", "issued_at"}) {
            EXPECT_EQ(job.claim(field) != right.claim(field), std::string_view(field) == c.field) << to_string(c.fault);
        }
        if (std::string_view(c.field) != "job_id" && std::string_view(c.field) != "receipt_id") {
            EXPECT_EQ(hex_bits_apart(job.claim(c.field), right.claim(c.field)), 1) << to_string(c.fault);
        }
    }
    const shown_job other = show(spoiling(proof_fault::receipt_of_another), 5);
    EXPECT_TRUE(hash_is_true(other));
    EXPECT_EQ(other.claim("spec_hash"), right.claim("spec_hash")) << "the same model";
    for (const char* field : {"receipt_id", "job_id", "inputs_root", "outputs_root"}) {
        EXPECT_NE(other.claim(field), right.claim(field)) << field;
    }
}

TEST(proof_faults, strike_verifications_too) {
    testing::service_options options = plain();
    options.spoiled.emplace_back(proof_fault::receipt_hash_bit, 2, 2);
    service_driver driver(options);
    const shown_job embedded(driver, 2);
    auto body = boost::json::parse(service_driver::body_of(2)).as_object();
    body["claimed_output_commitment"] = to_hex(sha256_of(embedded.output));
    const auto response = driver.ask("POST", "/verify", boost::json::serialize(body));
    ASSERT_EQ(response.status, 200);
    EXPECT_NE(receipt_hash(response.text, hash_scheme()).value(),
              std::string_view(json_of(response).at("receipt_hash").as_string()));
}

// What a caller has of a job.
offline_evidence evidence_of(const shown_job& job, std::size_t rows) {
    offline_evidence evidence;
    evidence.job_id = job.claim("job_id");
    evidence.receipt_id = job.claim("receipt_id");
    evidence.rows = rows;
    evidence.results.emplace();
    evidence.output.emplace();
    evidence.results->job_id = evidence.job_id;
    evidence.output->rows = rows;
    evidence.output->dimensions = dimensions;
    evidence.output->bytes = job.output.size();
    for (const auto& chunk : job.chunks()) {
        const auto begin = chunk.at("row_start").to_number<std::uint64_t>();
        const auto end = chunk.at("row_end").to_number<std::uint64_t>();
        const std::size_t row_bytes = dimensions * sizeof(float);
        evidence.results->chunks.emplace_back(chunk.at("chunk_index").to_number<std::uint64_t>(), begin, end,
                                              std::string(chunk.at("output_commitment").as_string()),
                                              chunk.at("selected_for_verification").as_bool());
        evidence.output->chunk_digests.push_back(
            sha256_of(std::string_view(job.output).substr(begin * row_bytes, (end - begin) * row_bytes)));
    }
    evidence.inputs.emplace();
    for (std::size_t i = 0; i < rows; ++i) {
        evidence.inputs->emplace_back("text number " + std::to_string(i));
    }
    return evidence;
}

TEST(receipt_schemes, each_is_issued_recomputed_and_vouched_for) {
    int tried = 0;
    for (const hash_scheme& hash : hash_schemes()) {
        for (const tree_scheme& tree : output_tree_schemes()) {
            for (const commitment_encoding encoding : commitment_encodings()) {
                testing::service_options options = plain();
                options.scheme = receipt_scheme(hash, tree);
                options.commitment = encoding;
                const shown_job job = show(options, 5);
                EXPECT_TRUE(job.valid()) << name_of(options.scheme);
                EXPECT_EQ(job.claim("receipt_hash"), receipt_hash(job.receipt, hash).value());
                const offline_report report = verify_receipt_offline(job.receipt, evidence_of(job, 5));
                ASSERT_EQ(report.first_failed(), nullptr) << report.text();
                for (const char* name : {"receipt_hash", "inputs_root", "outputs_root", "output_commitment"}) {
                    EXPECT_EQ(report.find(name)->verdict, check_verdict::verified)
                        << name_of(options.scheme) << name << report.text();
                }
                const auto& encodings = report.pins.candidates(pin_kind::output_commitment);
                EXPECT_EQ(encodings, std::vector<std::string>{name_of(encoding)});
                ++tried;
            }
        }
    }
    EXPECT_EQ(tried, 6 * 24 * 2);
}

TEST(receipt_schemes, a_claim_is_the_hash_of_the_bytes_under_any_encoding) {
    testing::service_options options = plain();
    options.commitment = commitment_encoding::sha256_twice;
    service_driver driver(options);
    const shown_job embedded(driver, 2);
    auto body = boost::json::parse(service_driver::body_of(2)).as_object();
    body["claimed_output_commitment"] = to_hex(sha256_of(embedded.output));
    EXPECT_EQ(driver.ask("POST", "/verify", boost::json::serialize(body)).status, 200);
}

}  // namespace
}  // namespace vembed
