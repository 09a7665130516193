#include "cli/commands/job_submission.hpp"

#include <utility>

#include "cli/options/few_texts.hpp"
#include "cli/options/session.hpp"
#include "cli/report/json_report.hpp"
#include "policy/input/input_rules.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

result<std::vector<std::string>> texts_of(const job_arguments& arguments) {
    if (!arguments.corpus.inputs.empty()) {
        return read_few_texts(arguments.corpus);
    }
    if (arguments.texts.empty()) {
        return error(errc::invalid_argument, "give the texts: files, - for standard input, or --text TEXT");
    }
    for (std::size_t i = 0; i < arguments.texts.size(); ++i) {
        if (const auto refused = policy::why_refused(arguments.texts[i])) {
            return error(errc::invalid_argument, "--text number " + std::to_string(i + 1) + ": the text " + *refused);
        }
    }
    return arguments.texts;
}

result<job_request> request_of(const job_arguments& arguments) {
    auto texts = texts_of(arguments);
    if (!texts) {
        return texts.error();
    }
    if (!arguments.spec_file.empty()) {
        return job_request::for_spec_file(arguments.spec_file, std::move(*texts));
    }
    return job_request::for_model(arguments.model, std::move(*texts));
}

}  // namespace

exit_code submit_one_job(const command_context& context, const job_arguments& arguments) {
    console& out = context.out;
    auto request = request_of(arguments);
    if (!request) {
        return give_up(out, request.error());
    }
    session_options keeping = keeping_account(context.access, arguments.share_quota, arguments.quota_folder, {});
    keeping.pins_file.clear();  // No receipt is looked at.
    auto open = session::open(context.access, make_console_environment(out, context.output.level), keeping);
    if (!open) {
        return give_up(out, open.error());
    }
    session& with = **open;
    const auto submitted = with.run(with.client().submit_job(std::move(*request), with.cancellable()));
    if (!submitted) {
        out.fail(submitted.error());
        if (submitted.error().kind == errc::outcome_unknown) {
            out.say(
                "the submission is in doubt: the job may exist and be charged, under an id that nobody told. It was "
                "not sent again. `vembed account` shows how many chunks are used; the same command submits, and "
                "perhaps pays for, a second job");
        }
        return exit_code_of(submitted.error());
    }
    if (out.json()) {
        out.print_object("job", job_object(*submitted));
    } else {
        out.print(text::printable(submitted->id));
    }
    out.say("submitted job {}, {}; next: vembed job wait {}", submitted->id,
            text::counted(submitted->chunk_count, "chunk", "chunks"), submitted->id);
    return exit_code::done;
}

}  // namespace vembed::cli
