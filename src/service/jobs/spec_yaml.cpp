#include "service/jobs/spec_yaml.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace vembed::service {
namespace {

constexpr std::size_t depth_max = 10;
constexpr std::uint32_t chunk_size_max = 1000;

refusal refuse(const YAML::Mark& mark, std::string_view what) {
    const std::string line = mark.is_null() ? std::string() : " line " + std::to_string(mark.line + 1);
    return invalid_request("spec_yaml" + line + " " + std::string(what));
}

// An exception that ends a parse.
class refused {
public:
    explicit refused(refusal reason) : why(std::move(reason)) {}
    refusal why;
};

// Takes the parser's events and keeps the scalars that are reached through mappings only, under their keys joined with
// dots; scalars under a key that itself has a dot are dropped. Anchors and aliases are refused: with them a short text
// can stand for a huge one.
class spec_handler final : public YAML::EventHandler {
public:
    std::map<std::string, std::string> values;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        take(mark, std::string(), anchor);
        take_scalar(mark, std::string());
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        take(mark, tag, anchor);
        take_scalar(mark, value);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw refused(refuse(mark, "holds an alias, which is not allowed"));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        take(mark, tag, anchor);
        open(mark, false);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        take(mark, tag, anchor);
        open(mark, true);
    }
    void OnMapEnd() override { close(); }

private:
    struct level {
        bool mapping;
        std::optional<std::string> prefix;  // Unset inside a list: its content is not kept.
        std::set<std::string> keys;
        std::optional<std::string> key;  // The key whose value comes next.
    };

    static bool has_dot(std::string_view key) { return key.find('.') != std::string_view::npos; }

    // Refuses what no node may have: anchors and foreign tags.
    static void take(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        static constexpr std::string_view standard = "tag:yaml.org,2002:";
        if (anchor != YAML::NullAnchor) {
            throw refused(refuse(mark, "holds an anchor, which is not allowed"));
        }
        if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with(standard)) {
            throw refused(refuse(mark, "holds a tag that is none of YAML's own"));
        }
    }

    void take_scalar(const YAML::Mark& mark, const std::string& value) {
        if (levels_.empty()) {
            throw refused(refuse(mark, "is no mapping"));
        }
        level& in = levels_.back();
        if (!in.mapping) {
            return;
        }
        if (!in.key) {
            if (!in.keys.insert(value).second) {
                throw refused(refuse(mark, "gives a key a second time"));
            }
            in.key = value;
            return;
        }
        if (in.prefix && !has_dot(*in.key)) {
            values.emplace(*in.prefix + *in.key, value);
        }
        in.key.reset();
    }

    void open(const YAML::Mark& mark, bool mapping) {
        if (levels_.empty() && !mapping) {
            throw refused(refuse(mark, "is no mapping"));
        }
        if (levels_.size() == depth_max) {
            throw refused(refuse(mark, "is nested too deeply"));
        }
        level inner{mapping, std::nullopt, {}, std::nullopt};
        if (levels_.empty()) {
            inner.prefix = std::string();
        } else if (level& outer = levels_.back(); outer.mapping) {
            if (!outer.key) {
                throw refused(refuse(mark, "has a key that is no scalar"));
            }
            if (outer.prefix && mapping && !has_dot(*outer.key)) {
                inner.prefix = *outer.prefix + *outer.key + ".";
            }
            outer.key.reset();
        }
        levels_.push_back(std::move(inner));
    }

    void close() { levels_.pop_back(); }

    std::vector<level> levels_;
};

answer<std::map<std::string, std::string>> read_values(std::string_view yaml) {
    std::istringstream in{std::string(yaml)};
    spec_handler handler;
    try {
        YAML::Parser parser(in);
        parser.HandleNextDocument(handler);
        if (parser) {
            return invalid_request("spec_yaml holds more than one document");
        }
    } catch (refused& reason) {
        return std::move(reason.why);
    } catch (const YAML::Exception& problem) {
        return refuse(problem.mark, "is not YAML: " + problem.msg);
    }
    return std::move(handler.values);
}

std::optional<std::uint32_t> read_chunk_size(std::string_view digits) {
    std::uint32_t value = 0;
    if (digits.empty() || digits.size() > 4) {
        return std::nullopt;
    }
    for (const char c : digits) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return value >= 1 && value <= chunk_size_max ? std::optional(value) : std::nullopt;
}

}  // namespace

answer<execution_spec> read_execution_spec(std::string_view yaml) {
    answer<std::map<std::string, std::string>> values = read_values(yaml);
    if (!values) {
        return std::move(values).error();
    }
    const auto get = [&values](const char* key) {
        const auto found = values->find(key);
        return found == values->end() ? std::string() : found->second;
    };
    execution_spec spec;
    for (const char* key : {"model", "model.id", "model.name"}) {
        if (spec.model.empty()) {
            spec.model = get(key);
        }
    }
    if (spec.model.empty()) {
        return invalid_request("spec_yaml names no model");
    }
    const std::optional<std::uint32_t> chunk_size = read_chunk_size(get("chunking.chunk_size"));
    if (!chunk_size) {
        return invalid_request("spec_yaml needs chunking.chunk_size, a whole number from 1 to 1000");
    }
    spec.chunk_size = *chunk_size;
    return spec;
}

}  // namespace vembed::service
