#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/report/json_report.hpp"
#include "core/redaction.hpp"
#include "storage/file_ops.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr std::chrono::seconds health_patience{10};

void print_limit(console& out, const char* name, const std::optional<std::uint64_t>& value) {
    out.print("  {}  {}", name, value ? text::grouped(*value) : "not told");
}

std::string time_or(const std::optional<std::string>& time, const char* otherwise) {
    return time ? text::printable(*time) : otherwise;
}

void print_key(console& out, const api_key_info& key) {
    out.print("key {}  {}  created {}{}{}", text::printable(key.key_id), text::printable(key.label),
              time_or(key.created_at, "at an unknown time"),
              key.last_used_at ? "  last used " + text::printable(*key.last_used_at) : ", not used yet",
              key.revoked_at ? "  revoked " + text::printable(*key.revoked_at) : "");
}

void print_account(console& out, const account_info& account) {
    if (out.json()) {
        out.print_object("account", account_object(account));
        return;
    }
    out.print("account       {}", text::printable(account.account_id));
    out.print("name          {} (user name {})", text::printable(account.name), text::printable(account.username));
    out.print("email         {}, {}", text::printable(account.email),
              account.email_verified_at ? "verified " + text::printable(*account.email_verified_at) : "not verified");
    out.print("tier          {}, in effect {}, whose limits count", text::printable(account.tier),
              text::printable(account.effective_tier));
    out.print("subscription  {}", text::printable(account.subscription_status));
    if (account.trial_started_at || account.trial_ends_at) {
        out.print("trial         began {}, ends {}", time_or(account.trial_started_at, "at an unknown time"),
                  time_or(account.trial_ends_at, "at an unknown time"));
    }
    out.print("chunks used   {} in the period that began {}", text::grouped(account.chunks_consumed_period),
              time_or(account.chunks_period_started_at, "at an unknown time"));
    out.print("limits");
    print_limit(out, "per period           ", account.limits.chunks_per_period);
    print_limit(out, "period, days         ", account.limits.period_length_days);
    print_limit(out, "per day              ", account.limits.chunks_per_day);
    print_limit(out, "per minute           ", account.limits.chunks_per_minute);
    print_limit(out, "per request          ", account.limits.max_chunks_per_request);
    print_limit(out, "inputs per request   ", account.limits.max_inputs);
    for (const api_key_info& key : account.keys) {
        print_key(out, key);
    }
}

/// Creates a file that only its owner can read; it fails if the file exists.
result<storage::unique_fd> create_private(const std::string& path) {
    storage::unique_fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) {
        return storage::io_failure("create", path, errno);
    }
    return fd;
}

exit_code rotate(const command_context& context, session& with, const std::string& save_file) {
    // The file is made first: a new key that cannot be kept would be lost.
    storage::unique_fd file;
    if (!save_file.empty()) {
        auto created = create_private(save_file);
        if (!created) {
            return give_up(context.out, created.error());
        }
        file = std::move(*created);
        // The name is made durable too: it must survive a power cut before there is a key that is stored nowhere else.
        const auto named = storage::sync_folder(storage::system_file_ops(), storage::folder_of(save_file));
        if (!named) {
            ::unlink(save_file.c_str());
            return give_up(context.out, named.error());
        }
    }
    const auto rotated = with.run(with.client().rotate_key());
    if (!rotated) {
        if (!save_file.empty()) {
            ::unlink(save_file.c_str());
        }
        return give_up(context.out, rotated.error());
    }
    if (file) {
        const std::string line = rotated->api_key + "\n";
        storage::file_ops& ops = storage::system_file_ops();
        auto written = storage::write_at(ops, file.get(), line.data(), line.size(), 0, save_file);
        if (written) {
            written = storage::sync_data(ops, file.get(), save_file);
        }
        if (!written) {
            context.out.fail(written.error());
            context.out.warn("the new key {} could not be kept; revoke it: vembed keys revoke {}", rotated->key_id,
                             rotated->key_id);
            return exit_code::error;
        }
    }
    boost::json::object about;
    about["key_id"] = text::json_string(rotated->key_id);
    if (file) {
        about["file"] = text::json_string(save_file);
    } else {
        about["api_key"] = rotated->api_key;
    }
    if (context.out.json()) {
        context.out.print_object("rotated_key", std::move(about));
    } else {
        context.out.print(file ? text::printable(rotated->key_id) : rotated->api_key);
    }
    context.out.say("the old key stays valid until it is revoked: vembed keys revoke KEY_ID (see vembed account)");
    return exit_code::done;
}

exit_code revoke(const command_context& context, session& with, const std::string& key_id) {
    if (looks_like_key(key_id) && key_id.size() < key_id_length) {
        return give_up(context.out,
                       error(errc::invalid_argument, "an id has " + std::to_string(key_id_length) +
                                                         " characters, as vembed account lists them: this has " +
                                                         std::to_string(key_id.size())));
    }
    if (looks_like_key(key_id)) {
        return give_up(context.out, error(errc::invalid_argument,
                                          "that is a key, not a key's id: an id is the key's first 12 characters, "
                                          "as vembed account lists them. Since it stood on a command line, rotate "
                                          "it"));
    }
    const auto revoked = with.run(with.client().revoke_key(key_id, with.cancellable()));
    if (!revoked) {
        return give_up(context.out, revoked.error());
    }
    if (context.out.json()) {
        boost::json::object about;
        about["key_id"] = text::json_string(key_id);
        context.out.print_object("revoked_key", std::move(about));
    } else {
        context.out.say("revoked {}", key_id);
    }
    return exit_code::done;
}

}  // namespace

exit_code run_health(const command_context& context) {
    session_options anybody;
    anybody.without_key = true;
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level), anybody);
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    session& with = **open;
    call_options options = with.cancellable();
    options.timeout = health_patience;  // The caller wants to know how the service is now.
    const auto health = with.run(with.client().get_health(options));
    if (!health) {
        context.out.fail(health.error());
        return health.error().kind == errc::timeout ? exit_code::unfinished : exit_code_of(health.error());
    }
    if (context.out.json()) {
        context.out.print_object("health", health_object(*health));
    } else {
        context.out.print("ok       {}", health->ok ? "yes" : "no");
        context.out.print("service  {}", text::printable(health->service));
    }
    if (!health->ok) {
        context.out.warn("the service says that it is not well; try again later");
        return exit_code::unfinished;
    }
    return exit_code::done;
}

exit_code run_models(const command_context& context) {
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    session& with = **open;
    const auto models = with.run(with.client().get_models(with.cancellable()));
    if (!models) {
        return give_up(context.out, models.error());
    }
    for (const model_info& model : *models) {
        if (context.out.json()) {
            context.out.print_object("model", model_object(model));
            continue;
        }
        std::string line = text::printable(model.id) + "\t" + text::grouped(model.output_dimensions) + " dimensions";
        if (model.max_input_length_tokens) {
            line += ", " + text::grouped(*model.max_input_length_tokens) + " tokens";
        }
        context.out.print("{}\t{}", line, text::printable(model.description));
    }
    return exit_code::done;
}

exit_code run_account(const command_context& context) {
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    session& with = **open;
    const auto account = with.run(with.client().get_account(with.cancellable()));
    if (!account) {
        return give_up(context.out, account.error());
    }
    print_account(context.out, *account);
    return exit_code::done;
}

exit_code run_keys(const command_context& context, const keys_arguments& arguments) {
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    return arguments.what == keys_arguments::verb::rotate ? rotate(context, **open, arguments.save_file)
                                                          : revoke(context, **open, arguments.key_id);
}

}  // namespace vembed::cli
