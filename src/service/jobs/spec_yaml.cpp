#include "service/jobs/spec_yaml.hpp"

#include "policy/packing/spec_chunk_size.hpp"
#include "text/yaml_scalars.hpp"

namespace vembed::service {

answer<execution_spec> read_execution_spec(std::string_view yaml) {
    const result<text::yaml_scalars> values = text::read_yaml_scalars(yaml);
    if (!values) {
        return invalid_request("spec_yaml " + values.error().message);
    }
    execution_spec spec;
    for (const char* key : {"model", "model.id", "model.name"}) {
        const auto found = values->find(key);
        if (spec.model.empty() && found != values->end()) {
            spec.model = found->second;
        }
    }
    if (spec.model.empty()) {
        return invalid_request("spec_yaml names no model");
    }
    const auto chunk_size = policy::chunk_size_in(*values);
    if (!chunk_size) {
        return invalid_request("spec_yaml needs chunking.chunk_size, a whole number from 1 to 1000");
    }
    spec.chunk_size = static_cast<std::uint32_t>(*chunk_size);
    return spec;
}

}  // namespace vembed::service
