// Shared by all commands: errors become one line and an exit status, and signals ask to stop.
//
// Exit status: 0 done; 1 the work failed; 2 the request was wrong; 128 + signal: 130 Ctrl-C, 143 SIGTERM, ...
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace timbre::cli {

/// Parses the arguments with `app` and runs `work`; writes "NAME: message" to stderr for what goes wrong.
int run_command(CLI::App& app, int argc, char** argv, const std::function<int()>& work);

/// The option of every command that reads files of others.
void add_unverified(CLI::App& app, bool& unverified);

/// From the first call on, which must come before other threads are started, SIGINT, SIGTERM, SIGHUP,
/// SIGUSR1 and SIGUSR2 ask to stop (core/interrupt.hpp); a second signal ends the process at once. (Another one within a
/// second is the same request: clusters send several. One that was ignored from the start, as by nohup, stays so.)
void heed_signals();

}  // namespace timbre::cli
