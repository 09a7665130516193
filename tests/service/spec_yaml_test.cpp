#include "service/jobs/spec_yaml.hpp"

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

struct accepted_case {
    const char* yaml;
    const char* model;
    std::uint32_t chunk_size;
};

TEST(spec_yaml, reads_model_and_chunk_size) {
    const accepted_case cases[] = {
        {"model: m\nchunking:\n  chunk_size: 7\n", "m", 7},
        {"---\n# a comment\nversion: \"1\"\nmodel:\n  id: 'm'\n  revision: x\nchunking:\n    chunk_size: 1000 # most\n",
         "m", 1000},
        {"chunking:\r\n  strategy: rows\r\n  chunk_size: 1\r\nmodel: bge-large-v1.5\r\n", "bge-large-v1.5", 1},
        {"model:\n  name: m\nother:\n  deep:\n    deeper: 1\n  back: 2\nchunking:\n  chunk_size: 3", "m", 3},
        {"model: \"a b\"   # quoted\nchunking:\n  chunk_size: '5'", "a b", 5},
        {"{model: m, chunking: {chunk_size: 5, by: [rows]}}", "m", 5},
        {"{\"model\": {\"id\": \"m\"}, \"chunking\": {\"chunk_size\": 6}}", "m", 6},
        {"model: {id: m}\nchunking: {chunk_size: 8}\n", "m", 8},
        {"model: m\nstages:\n- name: pool\n  with: [mean, {deep: [1, 2]}]\n- normalize\nchunking:\n  chunk_size: 4\n",
         "m", 4},
        {"stages: [{model: n, chunking: {chunk_size: 9}}]\nmodel: m\nchunking: {chunk_size: 4}\n", "m", 4},
        {"model: >-\n  m\nnotes: |\n  # no comment\n  chunking:\nchunking:\n  chunk_size: 3", "m", 3},
        {"  model: m\n  chunking:\n    chunk_size: 2\n", "m", 2},
        {"? model\n: m\nchunking: {chunk_size: !!int 4}", "m", 4},
        {"%YAML 1.2\n---\nmodel: m\nchunking: {chunk_size: 1}\n...\n", "m", 1},
    };
    for (const accepted_case& c : cases) {
        const answer<execution_spec> spec = read_execution_spec(c.yaml);
        ASSERT_TRUE(spec) << c.yaml << spec.error().message;
        EXPECT_EQ(spec->model, c.model) << c.yaml;
        EXPECT_EQ(spec->chunk_size, c.chunk_size) << c.yaml;
    }
}

struct refused_text {
    std::string yaml;
    const char* says;
};

TEST(spec_yaml, refuses_all_else) {
    std::string deep;
    for (std::size_t i = 0; i < 12; ++i) {
        deep += std::string(i, ' ') + "a:\n";
    }
    const refused_text cases[] = {
        {"", "names no model"},
        {"model: m", "chunking.chunk_size"},
        {"model: m\nchunk_size: 1", "chunking.chunk_size"},
        {"chunking:\n  chunk_size: 1", "names no model"},
        {"model: m\nchunking:\n  chunk_size: 0", "from 1 to 1000"},
        {"model: m\nchunking:\n  chunk_size: 1001", "from 1 to 1000"},
        {"model: m\nchunking:\n  chunk_size: -1", "from 1 to 1000"},
        {"model: m\nchunking.chunk_size: 5", "chunking.chunk_size"},
        {"model: m\nchunking:\n- chunk_size: 5", "chunking.chunk_size"},
        {"model: m\nchunking:\n  chunk_size: 1e3", "from 1 to 1000"},
        {"model: m\nchunking:\n  chunk_size:\n", "from 1 to 1000"},
        {"model: m\nmodel: n", "line 2"},
        {"model: [m]", "names no model"},
        {"model: {id: m}\nmodel: n", "line 2"},
        {"model: m\nother: {a: 1, a: 2}", "line 2"},
        {"model: &a m", "anchor"},
        {"a: &a [b]\nmodel: m", "anchor"},
        {"model: *a", "line 1"},
        {"model: !mine m", "tag"},
        {"model: \"m", "line 1"},
        {"model: \"m\" n", "line 1"},
        {"- model: m", "line 1 is no mapping"},
        {"[model, m]", "line 1 is no mapping"},
        {"? [a]\n: b", "line 1 has a key that is no scalar"},
        {"a: [b, c", "line 1"},
        {"chunking:\n\tchunk_size: 1", "line 2"},
        {"model: m\n  id: n", "line 2"},
        {"a:\n    b: 1\n  c: 2", "line 3"},
        {"just text", "line 1"},
        {"model:m", "line 1"},
        {"a: b: c", "line 1"},
        {"model: m\nchunking: {chunk_size: 1}\n---\nmodel: n", "more than one document"},
        {"a: " + std::string(20, '[') + std::string(20, ']'), "nested too deeply"},
        {std::string(60'000, '['), "line 1"},
        {deep, "nested too deeply"},
        {std::string(5000, '\n') + "a: 1", "names no model"},
    };
    for (const refused_text& c : cases) {
        const answer<execution_spec> spec = read_execution_spec(c.yaml);
        ASSERT_FALSE(spec) << c.yaml.substr(0, 80);
        EXPECT_EQ(spec.error().code, "invalid_request");
        EXPECT_NE(spec.error().message.find(c.says), std::string::npos) << c.yaml.substr(0, 80) << "\n"
                                                                        << spec.error().message;
    }
}

}  // namespace
}  // namespace vembed::service
