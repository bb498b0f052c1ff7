#include "cli/command_line.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <new>
#include <system_error>
#include <thread>

#include "audio/decoder_messages.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/isa.hpp"
#include "core/text.hpp"
#include "results/environment.hpp"

namespace timbre::cli {

namespace {

// A thread of its own waits for the signals, and all others keep them blocked: no handler interrupts code that did
// not expect one, and what follows a signal may call anything.
// A cluster may say the same thing with two signals at once (USR2 and TERM, say): those of a second are one request.
void wait_for_signals(sigset_t signals) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point first{};
  for (int number = 0, asked = 0;;) {
    if (sigwait(&signals, &number) != 0) continue;
    const auto now = Clock::now();
    const bool same_request = asked != 0 && number != asked && now - first < std::chrono::seconds(1);
    if (same_request) continue;
    if (asked != 0) _exit(128 + number);
    asked = number, first = now;
    ask_to_stop(number);
  }
}

// Makes one line of any message.
void complain(const std::string& command, std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fputs(fmt::format("{}: {}\n", command, printable(message)).c_str(), stderr);
}

// Names the first argument that the command does not know; "" where it knows all. A misspelt option comes first, since other
// errors may follow from it.
std::string about_unknown(const CLI::App& app) {
  const auto rest = app.remaining();
  const auto option =
      std::find_if(rest.begin(), rest.end(), [](const auto& a) { return a.starts_with('-') && a != "--"; });
  if (option == rest.end()) return rest.empty() ? "" : fmt::format("unexpected argument '{}'", rest.front());
  std::vector<std::string> known;
  for (const auto* o : app.get_options())
    for (const auto& name : o->get_lnames()) known.push_back("--" + name);
  const auto asked = option->substr(0, option->find('='));
  return fmt::format("unknown option '{}'{}", asked, did_you_mean(asked, known));
}

// What was printed has to arrive: a full disk behind stdout is a failure like any other.
int flushed(const std::string& command, int status) {
  errno = 0;
  const bool good = std::fflush(stdout) == 0 && !std::ferror(stdout);
  if (good) return status;
  const auto reason = errno != 0 ? ": " + std::generic_category().message(errno) : "";
  complain(command, "standard output cannot be written" + reason);
  return std::max(status, 1);
}

}  // namespace

void add_unverified(CLI::App& app, bool& unverified) {
  app.add_flag("--unverified", unverified,
               "also read a file that another program has changed (its checksum does not fit)");
}

void heed_signals() {
  static const bool installed = [] {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
      struct sigaction before {};
      // nohup means what it says; what an interactive shell ignores for jobs behind it, it does not.
      const bool is_ignored = sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
      if (!is_ignored || number == SIGINT) sigaddset(&signals, number);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread that is started from here on
    std::thread(wait_for_signals, signals).detach();
    return true;
  }();
  (void)installed;
}

int run_command(CLI::App& app, int argc, char** argv, const std::function<int()>& work) {
  const std::string name = app.get_name();
  // A standard stream that is closed would become the next file that is opened. (Writing to it fails as before.)
  for (const int stream : {0, 1, 2})
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) < 0) return 1;
  // A limit to the size of files is an error of the write, which can be told and cleaned up after, not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  app.set_version_flag("--version", name + " (Timbre) " + results::library_version(),
                       "print the version and exit");
  audio::name_decoder_messages();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return flushed(name, 0);
  } catch (const CLI::CallForVersion& e) {
    std::fputs((std::string(e.what()) + "\n").c_str(), stdout);
    return flushed(name, 0);
  } catch (const CLI::ParseError& e) {
    const auto unknown = about_unknown(app);
    complain(name, fmt::format("{} (see {} --help)", unknown.empty() ? e.what() : unknown, name));
    return 2;
  }
  try {
    isa();  // complains of a wrong TIMBRE_ISA before any work
    return flushed(name, work());
  } catch (const Interrupted& e) {
    complain(name, e.what());
    return 128 + e.signal;
  } catch (const RequestError& e) {
    complain(name, e.what());
    return 2;
  } catch (const std::bad_alloc&) {
    complain(name, "out of memory");
  } catch (const std::exception& e) {
    complain(name, e.what());
  }
  return 1;
}

}  // namespace timbre::cli
