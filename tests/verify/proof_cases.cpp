#include "verify/proof_cases.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>

namespace vembed::testing_support {
namespace {

namespace json = boost::json;

std::vector<std::byte> bytes_of_row(const issued_job& job, std::uint64_t row) {
    const auto all = std::span(job.output).subspan(row * 4 * job.dimensions, 4 * job.dimensions);
    return {all.begin(), all.end()};
}

json::string text_of(std::string_view text) {
    return json::string(text.data(), text.size());
}

}  // namespace

digest proof_maker::any_digest() {
    digest value;
    for (std::byte& b : value) {
        b = static_cast<std::byte>(random_());
    }
    return value;
}

void proof_maker::put_into_folder(row_part& row) {
    row.rows = 1 + (below(4) == 0 ? below(5000) : below(40));
    row.number = below(row.rows);
    tree_path_builder builder(row.number, {});
    for (std::uint64_t i = 0; i < row.rows; ++i) {
        builder.add(i == row.number ? row_leaf(row.text_sha256, row.sha256) : any_digest());
    }
    auto path = builder.finish().value();
    row.path = std::move(path.siblings);
    row.root = path.root;
}

platform_part proof_maker::platform_of(const issued_job& job, std::uint64_t row_in_job) {
    offline_evidence evidence = job.evidence();
    if (below(5) == 0) {
        evidence.inputs.reset();
    }
    const auto report = verify_receipt_offline(job.receipt_text(), evidence);
    platform_pieces pieces;
    const std::string receipt = job.receipt_text();
    pieces.receipt_text = receipt;
    pieces.evidence = &evidence;
    pieces.report = &report;
    pieces.row_in_job = row_in_job;
    for (const expected_chunk& chunk : evidence.results->chunks) {
        if (chunk.row_start <= row_in_job && row_in_job < chunk.row_end) {
            const std::size_t row_bytes = 4 * job.dimensions;
            const auto bytes = std::span(job.output)
                                   .subspan(chunk.row_start * row_bytes, (chunk.row_end - chunk.row_start) * row_bytes);
            pieces.chunk_bytes.assign(bytes.begin(), bytes.end());
        }
    }
    return make_platform_part(std::move(pieces)).value();
}

row_proof proof_maker::make() {
    job_plan plan;
    plan.number = random_();
    plan.rows = 1 + below(30);
    plan.chunk_size = 1 + below(9);
    plan.dimensions = 1 + below(6);
    plan.scheme.hash = hash_schemes()[below(hash_schemes().size())];
    if (below(4) == 0) {
        plan.scheme.tree = output_tree_schemes()[below(output_tree_schemes().size())];
    } else {
        plan.scheme.tree.odd = below(2) == 0 ? odd_rule::rfc6962 : odd_rule::duplicate;
    }
    plan.commits = commitment_encodings()[below(commitment_encodings().size())];
    plan.attests = below(3) > 0;
    issued_job job(plan);
    if (below(3) == 0) {
        // Names that sort differently by UTF-16 and by code point, and values of every kind.
        job.proof["\uffee"] = "\u00e9 \U0001f600";
        job.proof["\U0001f600"] = json::array{nullptr, true, 12, json::object{{"b", "/\u007f"}, {"a", "\\\""}}};
        job.seal(plan.scheme.hash);
    }
    const std::uint64_t row_in_job = below(plan.rows);
    row_proof proof;
    proof.row.text_sha256 = sha256_of(job.texts[row_in_job]);
    proof.row.dimensions = plan.dimensions;
    proof.row.bytes = bytes_of_row(job, row_in_job);
    proof.row.sha256 = sha256_of(proof.row.bytes);
    if (below(2) == 0) {
        proof.row.id = below(2) == 0 ? "id \U0001f600\n" : "\\u0041";
    }
    put_into_folder(proof.row);
    if (below(3) > 0) {
        proof.platform = platform_of(job, row_in_job);
        proof.platform->of_row = proof.row.number;
    }
    return proof;
}

bool proof_maker::keeps_apart(const row_proof& proof) {
    const auto apart = [](const tree_place& place) {
        return place.tree.scheme.starts_with("leaf-00/node-01/") ||
               place.tree.scheme.starts_with("leaf-00-digest/node-01/");
    };
    const auto& part = proof.platform;
    return !part || (apart(part->outputs_root) && (!part->inputs_root || apart(*part->inputs_root)) &&
                     (!part->verification_attestation || apart(*part->verification_attestation)));
}

boost::json::value proof_maker::other_type(const boost::json::value& value) {
    if (value.is_string() && below(3) == 0) {
        return value.get_string().size() % 2 == 0 ? json::value(7) : json::value(json::array{value});
    }
    switch (below(8)) {
        case 0: return nullptr;
        case 1: return below(2) == 0;
        case 2: return json::array{};
        case 3: return json::object{};
        case 4: return "";
        case 5: return 0;
        case 6: return 1.5;
        default: return -1;
    }
}

std::string proof_maker::changed_text(const std::string& text) {
    if (text.empty()) {
        return "x";
    }
    static constexpr std::array<std::string_view, 12> words = {"leaf-00/node-01/rfc6962",
                                                               "leaf-00-digest/node-01/rfc6962",
                                                               "leaf-digest/node-plain/duplicate",
                                                               "leaf-hex/node-hex/duplicate",
                                                               "leaf-00/node-01",
                                                               "leaf-00/node-01/rfc6962/",
                                                               "jcs/empty-receipt_hash",
                                                               "jcs/without-receipt_hash",
                                                               "as-sent",
                                                               "sha256",
                                                               "sha256-twice",
                                                               "pinned"};
    if (text.size() < 40 && below(2) == 0) {
        return std::string(words[below(words.size())]);
    }
    std::string changed = text;
    char& c = changed[below(changed.size())];
    switch (below(5)) {
        case 0: c = static_cast<char>(std::toupper(static_cast<unsigned char>(c))); break;
        case 1: c = "0123456789abcdefABCDEF+/= \n"[below(27)]; break;
        case 2: changed.pop_back(); break;
        case 3: changed += "0a=A "[below(5)]; break;
        default: {
            // The last digits of base64 and hex.
            char& last = changed[changed.find_last_not_of('=') == changed.npos ? 0 : changed.find_last_not_of('=')];
            last = "ABCDwxyz0189"[below(12)];
        }
    }
    return changed;
}

void proof_maker::change_list(boost::json::array& list) {
    if (list.empty() || below(4) == 0) {
        list.insert(list.begin() + static_cast<std::ptrdiff_t>(below(list.size() + 1)), text_of(to_hex(any_digest())));
    } else if (below(2) == 0) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(below(list.size())));
    } else {
        std::swap(list[below(list.size())], list[below(list.size())]);
    }
}

void proof_maker::change_members(boost::json::object& object) {
    if (object.empty() || below(3) == 0) {
        object["more"] = 1;
        return;
    }
    const auto member = object.begin() + static_cast<std::ptrdiff_t>(below(object.size()));
    if (below(2) == 0) {
        object.erase(member);
    } else {
        json::value moved = member->value();
        const std::string key(member->key());
        object.erase(member);
        object[below(2) == 0 ? key : key + "s"] = std::move(moved);
    }
}

void proof_maker::change_value(boost::json::value& value) {
    if (below(6) == 0) {
        value = other_type(value);
    } else if (auto* text = value.if_string()) {
        value = text_of(changed_text({text->data(), text->size()}));
    } else if (auto* list = value.if_array()) {
        change_list(*list);
    } else if (auto* object = value.if_object()) {
        change_members(*object);
    } else if (value.is_bool()) {
        value = !value.get_bool();
    } else if (value.is_int64() || value.is_uint64()) {
        const auto number = value.to_number<std::int64_t>();
        const std::array<std::int64_t, 6> others = {
            number + 1, number - 1, 2 * number, 0, 1'000'000'000'000'000, 999'999'999'999'999};
        value = others[below(others.size())];
    } else {
        value = other_type(value);
    }
}

// A field of the receipt goes or becomes something else, and an id that the proof names goes with it. No member is
// added to the platform's part: others hold references into it.
void proof_maker::change_field(boost::json::object& receipt, boost::json::object& platform) {
    static constexpr std::array<const char*, 7> names = {
        "receipt_id", "job_id", "spec_hash", "inputs_root", "outputs_root", "receipt_hash", "verification_attestation"};
    const std::string name = names[below(names.size())];
    if (below(3) == 0) {
        receipt.erase(name);
    } else {
        receipt[name] = other_type(receipt[name]);
    }
    if (platform.contains(name) && platform.at(name).is_string() && below(2) == 0) {
        const auto* now = receipt.if_contains(name);
        platform.at(name) = now != nullptr && now->is_string() ? now->get_string() : json::string();
    }
    if (below(2) == 0) {
        platform.at("receipt_hash") = nullptr;
    }
}

// Any value in the tree, the deeper ones as likely as the others.
boost::json::value& proof_maker::pick(boost::json::value& root) {
    std::vector<json::value*> all = {&root};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (auto* object = all[i]->if_object()) {
            for (auto& member : *object) {
                all.push_back(&member.value());
            }
        } else if (auto* list = all[i]->if_array()) {
            for (json::value& item : *list) {
                all.push_back(&item);
            }
        }
    }
    return *all[below(all.size())];
}

std::string proof_maker::with_text_damage(std::string text) {
    const auto replace = [this, &text](std::string_view what, std::string_view with) {
        const std::size_t at = text.find(what, below(text.size()));
        const std::size_t found = at == text.npos ? text.find(what) : at;
        if (found != text.npos) {
            text.replace(found, what.size(), with);
        }
    };
    switch (below(16)) {
        case 0: text.resize(below(text.size())); break;
        case 1: text[below(text.size())] ^= static_cast<char>(1U << below(8)); break;
        case 2: replace(":", " :\t\r\n "); break;
        case 3: replace(",", "  ,\n"); break;
        case 4: replace("\"rows\":", "\"rows\":1,\"rows\":"); break;
        case 5: replace("\"platform\":", "\"platform\":null,\"platform\":"); break;
        case 6: replace("\"id\":", R"("i\u0064":"x","id":)"); break;
        case 7: replace("\"id\":", R"("\u0069d":)"); break;
        case 8:
            replace("\"vembed_row_proof\":1",
                    std::array<const char*, 6>{R"("vembed_row_proof":2)", R"("vembed_row_proof":1.0)",
                                               R"("vembed_row_proof":1e0)", R"("vembed_row_proof":"1")",
                                               R"("vembed_row_proof":true)", R"("vembed_row_proof":01)"}[below(6)]);
            break;
        case 9:
            replace("\"number\":0",
                    std::array<const char*, 3>{"\"number\":-0", "\"number\":NaN", "\"number\":0e0"}[below(3)]);
            break;
        case 10: replace("\"id\":null", R"("id":"\ud800")"); break;
        case 11: replace("\"id\":null", R"("id":"\ud83d\ude00 \u0000")"); break;
        case 12: replace("\"id\":null", "\"id\":\"\xed\xa0\x80\""); break;
        case 13: text += below(2) == 0 ? " \n" : "{}"; break;
        case 14: text.insert(0, below(2) == 0 ? "\n " : "\xef\xbb\xbf"); break;
        default: replace("\"", "'"); break;
    }
    return text;
}

std::string proof_maker::damage(const row_proof& proof) {
    if (below(3) == 0) {
        return with_text_damage(proof.to_json());
    }
    json::value tree = json::parse(proof.to_json());
    if (proof.platform && below(4) == 0) {
        // Within the receipt: sealed or not, its fields and form are what is checked.
        json::value& held = tree.at("platform").at("receipt");
        const std::string receipt(held.get_string().data(), held.get_string().size());
        if (below(3) == 0) {
            held = text_of(with_text_damage(receipt));
        } else {
            json::value inner = json::parse(receipt);
            if (below(2) == 0) {
                change_value(pick(inner));
            } else {
                change_field(inner.get_object(), tree.at("platform").get_object());
            }
            held = text_of(json::serialize(inner));
        }
    } else {
        change_value(pick(tree));
    }
    return json::serialize(tree);
}

}  // namespace vembed::testing_support
