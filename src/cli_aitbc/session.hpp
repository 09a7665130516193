#pragma once
/// A command's connection with AITBC.

#include <memory>

#include <vembed/aitbc/client.hpp>

#include "cli_aitbc/arguments.hpp"
#include "cli_parts/command/client_session.hpp"

namespace vembed::cli {

class aitbc_session : public client_session<aitbc::client> {
public:
    /// See client_session::open_with().
    static command_result<std::unique_ptr<aitbc_session>> open(const command_context& context,
                                                               const aitbc_arguments& arguments);

private:
    friend class client_session<aitbc::client>;
    aitbc_session() = default;
};

}  // namespace vembed::cli
