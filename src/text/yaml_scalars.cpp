#include "text/yaml_scalars.hpp"

#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace vembed::text {
namespace {

constexpr std::size_t bytes_max = 1 << 20;
constexpr std::size_t depth_max = 10;
constexpr std::size_t key_bytes_max = 64;

error refuse(const YAML::Mark& mark, std::string_view what) {
    const std::string line = mark.is_null() ? std::string() : "line " + std::to_string(mark.line + 1) + " ";
    return {errc::invalid_argument, line + std::string(what)};
}

// An exception that ends a parse.
class refused {
public:
    explicit refused(error reason) : why(std::move(reason)) {}
    error why;
};

// Takes the parser's events and keeps the scalars that are reached through mappings only, under their keys joined with
// dots; scalars under a key that itself has a dot or is long are dropped. Anchors and aliases are refused: with them a
// short text can stand for a huge one.
class scalar_handler final : public YAML::EventHandler {
public:
    yaml_scalars values;

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

    static bool is_kept(std::string_view key) {
        return key.find('.') == std::string_view::npos && key.size() <= key_bytes_max;
    }

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
        if (in.prefix && is_kept(*in.key)) {
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
            if (outer.prefix && mapping && is_kept(*outer.key)) {
                inner.prefix = *outer.prefix + *outer.key + ".";
            }
            outer.key.reset();
        }
        levels_.push_back(std::move(inner));
    }

    void close() { levels_.pop_back(); }

    std::vector<level> levels_;
};

}  // namespace

result<yaml_scalars> read_yaml_scalars(std::string_view yaml) {
    if (yaml.size() > bytes_max) {
        return error(errc::invalid_argument, "is longer than " + std::to_string(bytes_max) + " bytes");
    }
    std::istringstream in{std::string(yaml)};
    scalar_handler handler;
    try {
        YAML::Parser parser(in);
        parser.HandleNextDocument(handler);
        if (parser) {
            return error(errc::invalid_argument, "holds more than one document");
        }
    } catch (refused& reason) {
        return std::move(reason.why);
    } catch (const YAML::Exception& problem) {
        return refuse(problem.mark, "is not YAML: " + problem.msg);
    }
    return std::move(handler.values);
}

}  // namespace vembed::text
