#pragma once
/// embed() turns texts into one matrix, with as many jobs as needed.

#include <memory>

#include <vembed/client/client.hpp>

#include "client/client_core.hpp"

namespace vembed::detail {

/// The positions at which `inputs` is split into jobs of at most `most_inputs` texts and about `most_bytes` bytes. Each
/// element is a job's first input; the last job ends with the inputs. Pure.
std::vector<std::size_t> split_into_jobs(const std::vector<std::string>& inputs, std::size_t most_inputs,
                                         std::size_t most_bytes);

asio::awaitable<result<embeddings>> embed(std::shared_ptr<client_core> core, std::shared_ptr<job_request> request,
                                          monotonic_time deadline);

}  // namespace vembed::detail
