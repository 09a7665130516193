#include "cli/options/command_line.hpp"

#include <gtest/gtest.h>

namespace vembed::cli {
namespace {

template <class T>
T parse_as(const std::vector<std::string>& arguments) {
    const auto parsed = parse_command_line(arguments);
    if (const auto* exit = std::get_if<early_exit>(&parsed)) {
        ADD_FAILURE() << exit->err << exit->out;
        return T();
    }
    const auto& line = std::get<command_line>(parsed);
    if (!std::holds_alternative<T>(line.command)) {
        ADD_FAILURE() << "another command";
        return T();
    }
    return std::get<T>(line.command);
}

early_exit refuse(const std::vector<std::string>& arguments) {
    const auto parsed = parse_command_line(arguments);
    const auto* exit = std::get_if<early_exit>(&parsed);
    return exit != nullptr ? *exit : early_exit();
}

TEST(command_line, embed_with_defaults) {
    const auto embed = parse_as<embed_arguments>({"embed", "a.jsonl", "b.csv.gz", "-o", "out"});
    EXPECT_EQ(embed.corpus.inputs, (std::vector<std::string>{"a.jsonl", "b.csv.gz"}));
    EXPECT_EQ(embed.run.folder, "out");
    EXPECT_EQ(embed.run.bulk.model, "bge-large-v1.5");
    EXPECT_EQ(embed.spec_file, "");
    EXPECT_EQ(embed.corpus.format.format, corpus_format::automatic);
    EXPECT_EQ(embed.corpus.format.text_field, "text");
    EXPECT_EQ(embed.corpus.format.id_field, "");
    EXPECT_EQ(embed.run.bulk.rows_per_job, 1000u);
    EXPECT_EQ(embed.run.bulk.jobs_in_flight, 8u);
    EXPECT_FALSE(embed.jobs_in_flight_given);
    EXPECT_EQ(embed.run.bulk.verify, verify_level::receipt);
    EXPECT_EQ(embed.run.bulk.on_unknown, unknown_policy::park);
    EXPECT_EQ(embed.run.bulk.on_error, error_policy::skip);
    EXPECT_FALSE(embed.run.bulk.max_chunks);
}

TEST(command_line, embed_with_everything) {
    const auto embed = parse_as<embed_arguments>({"embed",
                                                  "-",
                                                  "-o",
                                                  "out",
                                                  "--model",
                                                  "m",
                                                  "--text-field",
                                                  "t",
                                                  "--id-field",
                                                  "i",
                                                  "--format",
                                                  "tsv",
                                                  "--rows-per-job",
                                                  "10",
                                                  "--jobs-in-flight",
                                                  "3",
                                                  "--verify",
                                                  "hash",
                                                  "--on-unknown",
                                                  "resubmit",
                                                  "--max-extra-chunks",
                                                  "5",
                                                  "--on-error",
                                                  "stop",
                                                  "--max-chunks",
                                                  "7"});
    EXPECT_EQ(embed.corpus.inputs, std::vector<std::string>{"-"});
    EXPECT_EQ(embed.run.bulk.model, "m");
    EXPECT_EQ(embed.corpus.format.format, corpus_format::tsv);
    EXPECT_EQ(embed.corpus.format.text_field, "t");
    EXPECT_EQ(embed.corpus.format.id_field, "i");
    EXPECT_EQ(embed.run.bulk.rows_per_job, 10u);
    EXPECT_EQ(embed.run.bulk.jobs_in_flight, 3u);
    EXPECT_TRUE(embed.jobs_in_flight_given);
    EXPECT_EQ(embed.run.bulk.verify, verify_level::hash);
    EXPECT_EQ(embed.run.bulk.on_unknown, unknown_policy::resubmit);
    EXPECT_EQ(embed.run.bulk.max_extra_chunks, 5u);
    EXPECT_EQ(embed.run.bulk.on_error, error_policy::stop);
    EXPECT_EQ(embed.run.bulk.max_chunks, 7u);
}

TEST(command_line, a_specification_instead_of_a_model) {
    const auto embed = parse_as<embed_arguments>({"embed", "a", "-o", "out", "--spec", "s.yaml"});
    EXPECT_EQ(embed.run.bulk.model, "");
    EXPECT_EQ(embed.spec_file, "s.yaml");
}

TEST(command_line, other_commands) {
    EXPECT_EQ(parse_as<plan_arguments>({"plan", "a", "--rows-per-job", "9"}).options.rows_per_job, 9u);
    EXPECT_TRUE(parse_as<verify_arguments>({"verify", "out", "--online"}).online);
    const auto serve = parse_as<serve_arguments>({"serve", "--port", "8080", "--tier", "trial", "--bucket",
                                                  "leaky-bucket", "--chunk-size", "7", "--settle-delay", "20",
                                                  "--faults", "drop=0.1", "--seed", "9", "--max-inflight", "4"});
    EXPECT_EQ(serve.port, 8080);
    EXPECT_EQ(serve.address, "127.0.0.1");
    EXPECT_EQ(serve.service.account_tier, testing::tier::trial);
    EXPECT_EQ(serve.service.bucket, testing::bucket_shape::leaky_bucket);
    EXPECT_EQ(serve.service.chunk_size, 7u);
    EXPECT_EQ(serve.service.settle_delay_ms, 20u);
    EXPECT_EQ(serve.seed, 9u);
    EXPECT_EQ(serve.api, served_api::cyberian);
    EXPECT_EQ(serve.service.max_inflight, 4u);
    EXPECT_EQ(serve.faults, "drop=0.1");
    const auto job = parse_as<job_arguments>({"job", "output", "id1", "-o", "x.npy"});
    EXPECT_EQ(job.what, job_arguments::verb::output);
    EXPECT_EQ(job.id, "id1");
    EXPECT_EQ(job.file, "x.npy");
    EXPECT_EQ(parse_as<receipt_arguments>({"receipt", "verify", "r"}).what, receipt_arguments::verb::verify);
    EXPECT_EQ(parse_as<keys_arguments>({"keys", "rotate", "--save", "k"}).save_file, "k");
    EXPECT_EQ(parse_as<keys_arguments>({"keys", "revoke", "abc"}).key_id, "abc");
    parse_as<models_arguments>({"models"});
    parse_as<account_arguments>({"account"});
}

TEST(command_line, proofs_of_rows) {
    const auto by_number = parse_as<prove_arguments>({"prove", "out", "--row", "7", "--platform", "-o", "p.json"});
    EXPECT_EQ(by_number.row, 7u);
    EXPECT_FALSE(by_number.id);
    EXPECT_TRUE(by_number.platform);
    EXPECT_EQ(by_number.file, "p.json");
    EXPECT_EQ(parse_as<prove_arguments>({"prove", "out", "--id", "a b"}).id, "a b");
    const std::string root(64, 'a');
    const auto check =
        parse_as<check_proof_arguments>({"check-proof", "a", "b", "--root", root, "--rows", "3", "--text-file", "t"});
    EXPECT_EQ(check.files, (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(check.root);
    EXPECT_EQ(to_hex(*check.root), root);
    EXPECT_EQ(check.rows, 3u);
    EXPECT_EQ(check.pins_file + check.account, "");
    const auto known = parse_as<check_proof_arguments>({"check-proof", "a", "--pins", "p", "--account", "acc_1"});
    EXPECT_EQ(known.pins_file, "p");
    EXPECT_EQ(known.account, "acc_1");
    for (const std::vector<std::string>& wrong :
         std::vector<std::vector<std::string>>{{"prove", "out"},
                                               {"prove", "out", "--row", "1", "--id", "x"},
                                               {"prove", "out", "--row", "-1"},
                                               {"prove", "--row", "1"},
                                               {"check-proof"},
                                               {"check-proof", "a", "--root", "abc"},
                                               {"check-proof", "a", "--rows", "3"}}) {
        EXPECT_EQ(refuse(wrong).code, exit_code::usage) << wrong.back();
    }
}

TEST(command_line, options_of_output_and_access) {
    const auto parsed = parse_command_line(
        {"models", "--json", "-q", "--log-level", "debug", "--base-url", "u", "--api-key-file", "k", "--ca-file", "c"});
    const auto& line = std::get<command_line>(parsed);
    EXPECT_TRUE(line.output.json);
    EXPECT_TRUE(line.output.quiet);
    EXPECT_EQ(line.output.level, log_level::debug);
    EXPECT_EQ(line.access.base_url, "u");
    EXPECT_EQ(line.access.api_key_file, "k");
    EXPECT_EQ(line.access.ca_file, "c");
}

TEST(command_line, refuses_what_makes_no_sense) {
    const std::vector<std::vector<std::string>> senseless = {
        {},
        {"fly"},
        {"embed"},
        {"embed", "a"},
        {"embed", "-o", "out"},
        {"embed", "a", "-o", "out", "--rows-per-job", "0"},
        {"embed", "a", "-o", "out", "--rows-per-job", "1001"},
        {"embed", "a", "-o", "out", "--rows-per-job", "-1"},
        {"embed", "a", "-o", "out", "--rows-per-job", "ten"},
        {"embed", "a", "-o", "out", "--jobs-in-flight", "0"},
        {"embed", "a", "-o", "out", "--verify", "maybe"},
        {"embed", "a", "-o", "out", "--format", "xml"},
        {"embed", "a", "-o", "out", "--max-chunks", "0"},
        {"embed", "a", "-o", "out", "--unheard-of"},
        {"embed", "a", "-o", "out", "--model", "m", "--spec", "s"},
        {"embed", "a", "-o", "out", "--on-unknown", "resubmit"},
        {"embed", "a", "-o", "out", "--max-extra-chunks", "3"},
        {"embed", "-", "-", "-o", "out"},
        {"plan"},
        {"verify"},
        {"verify", "out", "--require", "service_check_now"},
        {"serve", "--port", "65536"},
        {"serve", "--tls-cert", "c"},
        {"serve", "--tier", "gold"},
        {"serve", "--chunk-size", "0"},
        {"job"},
        {"job", "get"},
        {"job", "eat", "x"},
        {"receipt", "get"},
        {"keys", "revoke"},
        {"models", "extra"},
        {"models", "--log-level", "loud"},
        {"help", "job", "nonsense"},
        {"help", "embed", "plan"},
    };
    for (const auto& arguments : senseless) {
        const early_exit exit = refuse(arguments);
        EXPECT_EQ(exit.code, exit_code::usage) << ::testing::PrintToString(arguments);
        EXPECT_NE(exit.err.find("vembed"), std::string::npos) << ::testing::PrintToString(arguments);
        EXPECT_EQ(exit.out, "");
    }
}

TEST(command_line, names_that_are_empty_are_refused) {
    const std::vector<std::vector<std::string>> empty = {
        {"embed", "", "-o", "out"},
        {"embed", "a", "-o", ""},
        {"embed", "a", "-o", "out", "--text-field", ""},
        {"embed", "a", "-o", "out", "--id-field", ""},
        {"embed", "a", "-o", "out", "--cache", ""},
        {"embed", "a", "-o", "out", "--pins", ""},
        {"embed", "a", "-o", "out", "--spec", ""},
        {"embed", "a", "-o", "out", "--api-key-file", ""},
        {"plan", "a", "-o", ""},
        {"attest", "a", "--npy", "", "-o", "out"},
        {"verify", ""},
        {"status", ""},
        {"export", "out", "--format", "fbin", "-o", ""},
        {"prove", "out", "--row", "1", "-o", ""},
        {"check-proof", ""},
        {"job", "output", "id1", "-o", ""},
        {"receipt", "check", "r", "--results", ""},
        {"receipt", "check", "r", "--texts", ""},
        {"keys", "rotate", "--save", ""},
    };
    for (const auto& arguments : empty) {
        const early_exit exit = refuse(arguments);
        EXPECT_EQ(exit.code, exit_code::usage) << ::testing::PrintToString(arguments);
        EXPECT_NE(exit.err.find("the name is empty"), std::string::npos) << exit.err;
    }
}

TEST(command_line, a_key_is_never_an_argument) {
    for (const char* form : {"--api-key", "--api-key=cyb_secret"}) {
        const early_exit exit = refuse({"models", form, "cyb_secret"});
        EXPECT_EQ(exit.code, exit_code::usage);
        EXPECT_NE(exit.err.find("CYBERIAN_API_KEY"), std::string::npos) << "says what to do";
        EXPECT_EQ(exit.err.find("cyb_secret"), std::string::npos);
    }
    EXPECT_EQ(refuse({"models", "cyb_secret"}).err.find("cyb_secret"), std::string::npos);
}

TEST(command_line, help_teaches) {
    const early_exit help = refuse({"--help"});
    EXPECT_EQ(help.code, exit_code::done);
    EXPECT_EQ(help.err, "");
    for (const char* word : {"embed", "plan", "verify", "serve", "job", "receipt", "models", "account", "keys",
                             "CYBERIAN_API_KEY", "CYBERIAN_BASE_URL", "CYBERIAN_CA_FILE", "75", "130"}) {
        EXPECT_NE(help.out.find(word), std::string::npos) << word;
    }
    EXPECT_NE(refuse({"embed", "--help"}).out.find("--max-extra-chunks"), std::string::npos);
    EXPECT_EQ(refuse({"--version"}).out, "vembed 0.1.0\n");
}

TEST(command_line, a_word_that_is_no_command_or_option_is_named) {
    for (const auto& arguments :
         {std::vector<std::string>{"frob"}, {"job", "frob"}, {"verify", "--frob"}, {"verify", "out", "--frob"}}) {
        EXPECT_NE(refuse(arguments).err.find("frob"), std::string::npos) << ::testing::PrintToString(arguments);
    }
}

TEST(command_line, help_is_of_the_command_it_is_asked_of) {
    const auto help_of = [](std::vector<std::string> words) {
        words.emplace_back("--help");
        const auto parsed = parse_command_line(words);
        return std::get<early_exit>(parsed).out;
    };
    EXPECT_NE(help_of({}).find("Exit status:"), std::string::npos);
    for (const auto& words : {std::vector<std::string>{"models"}, {"job"}, {"job", "wait"}, {"keys", "rotate"}}) {
        const std::string help = help_of(words);
        EXPECT_EQ(help.find("Exit status:"), std::string::npos) << ::testing::PrintToString(words);
        EXPECT_NE(help.find("`vembed --help` tells"), std::string::npos) << ::testing::PrintToString(words);
    }
    EXPECT_EQ(help_of({"embed"}).find("{false}"), std::string::npos);
    EXPECT_EQ(help_of({"verify"}).find("{false}"), std::string::npos);
}

}  // namespace
}  // namespace vembed::cli
