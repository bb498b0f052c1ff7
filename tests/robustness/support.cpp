#include "robustness/support.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <thread>

#include "storage/hdf5.hpp"

namespace timbre::robustness {

Child::Child(const std::vector<std::string>& arguments, const fs::path& folder,
             const std::map<std::string, std::string>& environment, std::size_t file_limit) {
  static int counter = 0;
  const auto base = fmt::format("timbre-child-{}-{}", getpid(), counter++);
  out_ = fs::temp_directory_path() / (base + ".out"), err_ = fs::temp_directory_path() / (base + ".err");
  std::vector<char*> argv;
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** e = environ; *e; ++e) {
    const std::string entry = *e;
    if (!environment.contains(entry.substr(0, entry.find('=')))) variables.push_back(entry);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (auto& v : variables) envp.push_back(v.data());
  envp.push_back(nullptr);
  const std::string where = folder.string(), out = out_.string(), err = err_.string();
  // Opened before the fork: a child that is killed at once has written nothing, in files that are there.
  const auto open_file = [](const std::string& file) {
    const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) throw std::runtime_error(file + ": " + std::strerror(errno));
    return descriptor;
  };
  const int out_descriptor = open_file(out), err_descriptor = open_file(err);
  id_ = fork();
  if (id_ != 0) close(out_descriptor), close(err_descriptor);
  if (id_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (id_ == 0) {
    dup2(open("/dev/null", O_RDONLY), 0), dup2(out_descriptor, 1), dup2(err_descriptor, 2);
    if (file_limit > 0) {
      const rlimit limit{file_limit, file_limit};
      setrlimit(RLIMIT_FSIZE, &limit);
      ::signal(SIGXFSZ, SIG_IGN);
    }
    if (chdir(where.c_str()) == 0) execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
}

Child::~Child() {
  if (!ended_) {
    ::kill(id_, SIGKILL);
    reap(0);
  }
  std::error_code ignored;
  fs::remove(out_, ignored), fs::remove(err_, ignored);
}

void Child::reap(int options) {
  if (ended_) return;
  rusage usage{};
  int status = 0;
  pid_t got;
  while ((got = wait4(id_, &status, options, &usage)) < 0 && errno == EINTR) {
  }
  if (got != id_) return;
  ended_ = true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  peak_bytes_ = std::int64_t{usage.ru_maxrss} * 1024;
}

bool Child::ended() {
  reap(WNOHANG);
  return ended_;
}

void Child::signal(int number) {
  if (!ended()) ::kill(id_, number);
}

int Child::wait() {
  reap(0);
  return status_;
}

bool Child::wait_until(const std::function<bool()>& seen) {
  for (;;) {
    const bool over = ended();  // asked first: what it did right before its end must still be seen
    if (seen()) return true;
    if (over) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
}

std::string Child::out() const { return end_to_end::read_file(out_); }
std::string Child::err() const { return end_to_end::read_file(err_); }

// ---- results

namespace {

const std::set<std::string> timings = {"/@train_seconds", "/@predict_seconds", "/history/seconds",
                                       "/environment@threads"};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string content(const storage::H5File& file, const std::string& path) {
  const auto type = file.type_name(path);
  const auto head = type + " " + file.shape(path).str() + "\n";
  if (type == "string") {
    std::string all;
    for (const auto& t :
         file.shape(path).rank() == 0 ? std::vector{file.read_text(path)} : file.read_texts(path))
      all += t + '\0';
    return head + all;
  }
  if (type == "float32") return head + bytes_of(file.read_floats(path));
  if (type == "float64") return head + bytes_of(file.read_doubles(path));
  return head + bytes_of(file.read_ints(path));
}

void collect(const storage::H5File& file, const std::string& path, std::map<std::string, std::string>& all) {
  for (const auto& [name, value] : file.attributes(path)) all[path + "@" + name] = value;
  for (const auto& child : file.children(path)) {
    const auto below = (path == "/" ? "" : path) + "/" + child.name;
    if (child.is_group) {
      collect(file, below, all);
    } else {
      for (const auto& [name, value] : file.attributes(below)) all[below + "@" + name] = value;
      all[below] = content(file, below);
    }
  }
}

}  // namespace

std::vector<std::string> differences(const fs::path& a, const fs::path& b) {
  std::map<std::string, std::string> left, right;
  collect(storage::H5File::open(a), "/", left);
  collect(storage::H5File::open(b), "/", right);
  std::vector<std::string> out;
  for (const auto& [name, value] : left) {
    if (timings.contains(name)) continue;
    const auto other = right.find(name);
    if (other == right.end() || other->second != value) out.push_back(name);
  }
  for (const auto& [name, value] : right)
    if (!left.contains(name)) out.push_back(name);
  return out;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> out;
  if (fs::exists(folder))
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (!entry.is_directory()) out.push_back(entry.path().lexically_relative(folder));
  std::sort(out.begin(), out.end());
  return out;
}

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::atoi(text) : otherwise;
}

std::string small_run(const std::string& extra) {
  return R"(experiment: small
dataset:
  synthetic: {clips_per_genre: 5, clip_seconds: 4}
  segment_seconds: 1
features: {kind: mfcc, n_mfcc: 13, n_mels: 40, standardise: true}
model:
  - lstm: {units: 24}
  - dropout: 0.2
  - dense: {units: classes, activation: softmax}
regularisation: {l2: 1e-4}
training:
  epochs: 25
  batch_size: 16
  optimizer: {adam: {learning_rate: 0.01}}
  early_stopping: {monitor: val_loss, patience: 12}
)" + extra;
}

}  // namespace timbre::robustness
