#include <array>
#include <initializer_list>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <vembed/verify/row_proof.hpp>

#include "text/base64.hpp"
#include "verify/json/strict_json.hpp"

namespace vembed {
namespace {

namespace json = boost::json;

constexpr std::uint64_t version = 1;

std::string_view basis_name(check_basis basis) {
    return basis == check_basis::implied ? "implied" : basis == check_basis::pinned ? "pinned" : "assumed";
}

// Reads the members of an object of the format one by one. The first error is kept; after it every member reads as its
// type's zero.
class member_reader {
public:
    member_reader(const json::value& value, std::string_view where, std::initializer_list<std::string_view> names,
                  std::string& objection)
        : where_(where), objection_(objection) {
        object_ = value.if_object();
        if (object_ == nullptr || object_->size() != names.size()) {
            object(object_ == nullptr ? "is no object" : "has other members than the format's");
            return;
        }
        for (const std::string_view name : names) {
            if (!object_->contains(name)) {
                object("has no \"" + std::string(name) + "\"");
            }
        }
    }

    [[nodiscard]] bool good() const { return objection_.empty(); }
    [[nodiscard]] const json::value& at(std::string_view name) const { return *object_->if_contains(name); }
    [[nodiscard]] bool is_null(std::string_view name) const { return good() && at(name).is_null(); }

    std::uint64_t number(std::string_view name, std::uint64_t most = row_proof_number_max) {
        const auto* value = good() ? at(name).if_int64() : nullptr;
        if (value == nullptr || static_cast<std::uint64_t>(*value) > most) {
            object("needs a number of 0 to " + std::to_string(most) + " as \"" + std::string(name) + "\"");
            return 0;
        }
        return static_cast<std::uint64_t>(*value);
    }

    bool flag(std::string_view name) {
        const auto* value = good() ? at(name).if_bool() : nullptr;
        if (value == nullptr) {
            object("needs true or false as \"" + std::string(name) + "\"");
            return false;
        }
        return *value;
    }

    std::string text(std::string_view name, std::size_t bytes_max = row_proof_name_bytes_max) {
        const auto* value = good() ? at(name).if_string() : nullptr;
        if (value == nullptr || value->size() > bytes_max) {
            object("needs a text of at most " + std::to_string(bytes_max) + " bytes as \"" + std::string(name) + "\"");
            return {};
        }
        return {value->data(), value->size()};
    }

    // Reads the id of a job or receipt. It must not be empty, because an empty one would match anything without an id.
    std::string id(std::string_view name) {
        std::string value = text(name);
        if (value.empty()) {
            object("needs an id as \"" + std::string(name) + "\"");
        }
        return value;
    }

    digest hash(std::string_view name) { return good() ? hash_of(at(name), name) : digest(); }

    std::vector<std::byte> bytes(std::string_view name) {
        const auto* value = good() ? at(name).if_string() : nullptr;
        auto decoded = value == nullptr ? std::nullopt : text::from_base64({value->data(), value->size()});
        if (!decoded) {
            object("needs base64 as \"" + std::string(name) + "\"");
            return {};
        }
        return std::move(*decoded);
    }

    std::vector<digest> path(std::string_view name) {
        const auto* list = good() ? at(name).if_array() : nullptr;
        if (list == nullptr || list->size() > tree_path_max) {
            object("needs a list of at most " + std::to_string(tree_path_max) + " hashes as \"" + std::string(name) +
                   "\"");
            return {};
        }
        std::vector<digest> hashes;
        for (const json::value& item : *list) {
            hashes.push_back(hash_of(item, name));
        }
        return hashes;
    }

    check_basis basis(bool may_be_implied = false) {
        const std::string word = text("basis");
        for (const check_basis one : {check_basis::assumed, check_basis::pinned, check_basis::implied}) {
            if (word == basis_name(one) && (one != check_basis::implied || may_be_implied)) {
                return one;
            }
        }
        object("has a basis that is not of the format");
        return check_basis::assumed;
    }

    void object(const std::string& why) {
        if (good()) {
            objection_ = std::string(where_) + " " + why;
        }
    }

private:
    digest hash_of(const json::value& value, std::string_view name) {
        const auto* hex = value.if_string();
        const auto hash = hex == nullptr ? std::nullopt : digest_from_hex({hex->data(), hex->size()});
        // Upper case has the same value, but is another text.
        if (!hash || *hex != to_hex(*hash)) {
            object("needs 64 lower-case hex digits as \"" + std::string(name) + "\"");
            return {};
        }
        return *hash;
    }

    std::string_view where_;
    std::string& objection_;
    const json::object* object_ = nullptr;
};

row_part read_row(const json::value& value, std::string& objection) {
    member_reader from(value, "\"row\"",
                       {"number", "rows", "id", "text_sha256", "dimensions", "bytes", "sha256", "path", "root"},
                       objection);
    row_part row;
    row.number = from.number("number");
    row.rows = from.number("rows");
    if (from.good() && !from.is_null("id")) {
        row.id = from.text("id", row_proof_id_bytes_max);
    }
    row.text_sha256 = from.hash("text_sha256");
    row.dimensions = from.number("dimensions", row_proof_dimensions_max);
    row.bytes = from.bytes("bytes");
    row.sha256 = from.hash("sha256");
    row.path = from.path("path");
    row.root = from.hash("root");
    return row;
}

tree_place read_place(const json::value& value, std::string_view where, std::string& objection) {
    member_reader from(value, where, {"scheme", "basis", "index", "size", "leaf", "path"}, objection);
    tree_place place;
    place.tree.scheme = from.text("scheme");
    place.tree.basis = from.basis();
    place.index = from.number("index");
    place.size = from.number("size");
    place.leaf = from.hash("leaf");
    place.path = from.path("path");
    return place;
}

chunk_part read_chunk(const json::value& value, std::string& objection) {
    member_reader from(value, "\"chunk\"",
                       {"row_start", "row_end", "selected_for_verification", "bytes", "commitment", "coding", "basis"},
                       objection);
    chunk_part chunk;
    chunk.row_start = from.number("row_start");
    chunk.row_end = from.number("row_end");
    chunk.selected_for_verification = from.flag("selected_for_verification");
    chunk.bytes = from.bytes("bytes");
    chunk.commitment = from.hash("commitment");
    chunk.encoding.scheme = from.text("coding");
    const bool plain = chunk.encoding.scheme == name_of(commitment_encoding::sha256);
    chunk.encoding.basis = from.basis(plain);
    if (plain && chunk.encoding.basis == check_basis::assumed) {
        from.object("has a basis that is not of the format: encoding sha256 is implied or pinned");
    }
    return chunk;
}

platform_part read_platform(const json::value& value, std::string& objection) {
    member_reader from(value, "\"platform\"",
                       {"job_id", "receipt_id", "receipt", "receipt_hash", "of_row", "row_in_job", "chunk",
                        "outputs_root", "inputs_root", "verification_attestation"},
                       objection);
    platform_part platform;
    platform.job_id = from.id("job_id");
    platform.receipt_id = from.id("receipt_id");
    platform.receipt = from.text("receipt", receipt_bytes_max);
    platform.of_row = from.number("of_row");
    platform.row_in_job = from.number("row_in_job");
    if (!from.good()) {
        return platform;
    }
    if (!from.is_null("receipt_hash")) {
        member_reader hash(from.at("receipt_hash"), "\"receipt_hash\"", {"scheme", "basis"}, objection);
        std::string scheme = hash.text("scheme");
        platform.receipt_hash.emplace(std::move(scheme), hash.basis());
    }
    platform.chunk = read_chunk(from.at("chunk"), objection);
    platform.outputs_root = read_place(from.at("outputs_root"), "\"outputs_root\"", objection);
    for (const auto& [name, into] : {std::pair("inputs_root", &platform.inputs_root),
                                     std::pair("verification_attestation", &platform.verification_attestation)}) {
        const json::value& place = *value.get_object().if_contains(name);
        if (!place.is_null()) {
            *into = read_place(place, name, objection);
        }
    }
    return platform;
}

json::array path_array(const std::vector<digest>& path) {
    json::array list;
    for (const digest& step : path) {
        list.emplace_back(to_hex(step));
    }
    return list;
}

json::object row_object(const row_part& row) {
    json::object out;
    out["number"] = row.number;
    out["rows"] = row.rows;
    out["id"] = row.id ? json::value(json::string(*row.id)) : json::value();
    out["text_sha256"] = to_hex(row.text_sha256);
    out["dimensions"] = row.dimensions;
    out["bytes"] = text::to_base64(row.bytes);
    out["sha256"] = to_hex(row.sha256);
    out["path"] = path_array(row.path);
    out["root"] = to_hex(row.root);
    return out;
}

json::value place_value(const std::optional<tree_place>& place) {
    if (!place) {
        return {};
    }
    json::object out;
    out["scheme"] = place->tree.scheme;
    out["basis"] = basis_name(place->tree.basis);
    out["index"] = place->index;
    out["size"] = place->size;
    out["leaf"] = to_hex(place->leaf);
    out["path"] = path_array(place->path);
    return out;
}

json::object chunk_object(const chunk_part& chunk) {
    json::object out;
    out["row_start"] = chunk.row_start;
    out["row_end"] = chunk.row_end;
    out["selected_for_verification"] = chunk.selected_for_verification;
    out["bytes"] = text::to_base64(chunk.bytes);
    out["commitment"] = to_hex(chunk.commitment);
    out["coding"] = chunk.encoding.scheme;
    out["basis"] = basis_name(chunk.encoding.basis);
    return out;
}

json::object platform_object(const platform_part& platform) {
    json::object out;
    out["job_id"] = platform.job_id;
    out["receipt_id"] = platform.receipt_id;
    out["receipt"] = platform.receipt;
    json::value hash;
    if (platform.receipt_hash) {
        json::object& scheme = hash.emplace_object();
        scheme["scheme"] = platform.receipt_hash->scheme;
        scheme["basis"] = basis_name(platform.receipt_hash->basis);
    }
    out["receipt_hash"] = std::move(hash);
    out["of_row"] = platform.of_row;
    out["row_in_job"] = platform.row_in_job;
    out["chunk"] = chunk_object(platform.chunk);
    out["outputs_root"] = place_value(platform.outputs_root);
    out["inputs_root"] = place_value(platform.inputs_root);
    out["verification_attestation"] = place_value(platform.verification_attestation);
    return out;
}

error no_proof(const std::string& why) {
    return {errc::protocol, "this is no row proof of version " + std::to_string(version) + ": " + why};
}

}  // namespace

std::string row_proof::to_json() const {
    json::object out;
    out["vembed_row_proof"] = version;
    out["row"] = row_object(row);
    out["platform"] = platform ? json::value(platform_object(*platform)) : json::value();
    return json::serialize(out) + "\n";
}

result<row_proof> row_proof::from_json(std::string_view text) {
    if (text.size() > row_proof_bytes_max) {
        return no_proof("it is longer than " + std::to_string(row_proof_bytes_max) + " bytes");
    }
    const auto parsed = verify::read_strict_json(text);
    if (!parsed) {
        return no_proof(parsed.error().message);
    }
    std::string objection;
    member_reader from(*parsed, "it", {"vembed_row_proof", "row", "platform"}, objection);
    if (from.number("vembed_row_proof") != version) {
        from.object("has another version");
    }
    row_proof proof;
    if (from.good()) {
        proof.row = read_row(from.at("row"), objection);
        if (!from.is_null("platform") && from.good()) {
            proof.platform = read_platform(from.at("platform"), objection);
        }
    }
    if (!objection.empty()) {
        return no_proof(objection);
    }
    return proof;
}

}  // namespace vembed
