/* concordat-audit: verify, export and search the disclosure log. docs/log-format.md says what is checked. */
#include "audit/explain_command.h"
#include "audit/export_command.h"
#include "audit/proof_command.h"
#include "audit/report_command.h"
#include "audit/search_command.h"
#include "audit/verify_command.h"
#include "base/harden.h"
#include "base/options.h"

static const struct command commands[] = {
    {.name = "export",
     .help = "write the log as static files that anybody can verify",
     .options = export_command_options,
     .run = export_command_run},
    {.name = "verify",
     .help = "recompute the log from its entries, and name what is wrong",
     .options = verify_command_options,
     .usage = "(--broker B | --export DIR --key VKEY)",
     .run = verify_command_run},
    {.name = "verify-proof",
     .help = "verify a log proof of one entry, offline, and say what it proves",
     .options = proof_command_verify_options,
     .arguments = "FILE",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = proof_command_verify},
    {.name = "print-proof",
     .help = "a page about one proved entry, with the openssl commands that check it",
     .options = proof_command_print_options,
     .arguments = "FILE",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = proof_command_print},
    {.name = "search",
     .help = "ask the running broker, which logs the look",
     .options = search_command_options,
     .run = search_command_run},
    {.name = "explain",
     .help = "one entry in sentences: who told whom what, why it was allowed then, what happened since",
     .options = explain_command_options,
     .arguments = "ENTRY",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = explain_command_run},
    {.name = "report",
     .help = "a report by its name; `report list` says which there are",
     .options = report_command_options,
     .arguments = "NAME",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = report_command_run},
    {.name = "replay-export",
     .help = "past decisions, for concordat-protocol compare --replay; the broker logs the look",
     .options = search_command_replay_options,
     .run = search_command_replay},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "concordat-audit",
        .help = "verify, export and search the disclosure log",
        .commands = commands,
    };

    enum status status = harden_process();
    if (status != STATUS_OK) {
        fprintf(stderr, "concordat-audit: the process cannot be protected: %s\n", status_text(status));
        return EXIT_ENVIRONMENT;
    }
    return options_main(&program, argc, argv, NULL);
}
