#include "end_to_end/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace timbre::end_to_end {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail_errno(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) fail_errno("pipe2");
  }
  ~Pipe() {
    for (int i = 0; i < 2; ++i) close_end(i);
  }
  Pipe(const Pipe&) = delete;
  void close_end(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
};

/// The end of a new terminal that its programs write to; the other end is left in `reader`.
int open_terminal(int columns, int& reader) {
  reader = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (reader < 0 || grantpt(reader) != 0 || unlockpt(reader) != 0) fail_errno("posix_openpt");
  const winsize size{
      .ws_row = 50, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
  const int writer = open(ptsname(reader), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (writer < 0 || ioctl(writer, TIOCSWINSZ, &size) != 0) fail_errno("ptsname");
  return writer;
}

}  // namespace

Outcome run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  // Everything that allocates happens before the fork.
  std::vector<char*> argv;
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** e = environ; *e; ++e) {
    const std::string entry = *e;
    if (!options.environment.contains(entry.substr(0, entry.find('=')))) variables.push_back(entry);
  }
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (auto& v : variables) envp.push_back(v.data());
  envp.push_back(nullptr);
  const std::string folder = options.folder.string();

  Pipe out, err, failure;
  if (options.terminal_columns > 0) {
    err.close_end(0), err.close_end(1);
    err.ends[1] = open_terminal(options.terminal_columns, err.ends[0]);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const pid_t child = fork();
  if (child < 0) fail_errno("fork");
  if (child == 0) {
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0), dup2(out.ends[1], 1), dup2(err.ends[1], 2);
    if (folder.empty() || chdir(folder.c_str()) == 0) execvpe(argv[0], argv.data(), envp.data());
    const int error = errno;
    if (write(failure.ends[1], &error, sizeof error) < 0) _exit(126);
    _exit(127);
  }
  out.close_end(1), err.close_end(1), failure.close_end(1);

  Outcome outcome;
  bool killed = false;
  std::array<pollfd, 2> open_ends{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}}};
  std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  while (open_ends[0].fd >= 0 || open_ends[1].fd >= 0) {
    poll(open_ends.data(), 2, 200);
    for (std::size_t i = 0; i < 2; ++i) {
      if (open_ends[i].fd < 0 || !(open_ends[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
      char buffer[1 << 14];
      const auto got = read(open_ends[i].fd, buffer, sizeof buffer);
      if (got > 0)
        texts[i]->append(buffer, std::size_t(got));
      else if (got == 0 || errno != EINTR)
        open_ends[i].fd = -1;
    }
    if (!killed && elapsed() > options.limit_seconds) kill(child, SIGKILL), killed = true;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.seconds = elapsed();
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (int error = 0; read(failure.ends[0], &error, sizeof error) == sizeof error) {
    errno = error;
    fail_errno(arguments[0].c_str());
  }
  return outcome;
}

std::vector<std::string> shown_lines(const std::string& text) {
  std::vector<std::string> lines{""};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && !std::isalpha(static_cast<unsigned char>(text[i]))) ++i;
      lines.emplace_back();
    } else if (text[i] == '\r' || text[i] == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += text[i];
    }
  }
  std::erase(lines, "");
  return lines;
}

std::string command(const std::string& name) { return std::string(TIMBRE_BIN_DIR) + "/" + name; }

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == text.npos) return "";
  const auto begin = text.find_last_of('\n', end);
  return text.substr(begin == text.npos ? 0 : begin + 1, end - (begin == text.npos ? 0 : begin + 1) + 1);
}

std::size_t line_count(const std::string& text) {
  const auto ends = std::size_t(std::count(text.begin(), text.end(), '\n'));
  return ends + (!text.empty() && text.back() != '\n');
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& file, const std::string& text) {
  if (file.has_parent_path()) fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "timbre-test-XXXXXX").string();
  if (!mkdtemp(name.data())) fail_errno("mkdtemp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace timbre::end_to_end
