#include "study/cluster/slurm_options.hpp"

#include <algorithm>
#include <regex>

#include "core/text.hpp"

namespace timbre::study {

namespace {

// Values stand in lines that sbatch reads: a line end would begin another one, a blank another option.
bool is_word(const std::string& text) {
  return !text.empty() && text.size() < 500 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 127 && c != '"' && c != '\'' && c != '\\' && c != '#';
  });
}

config::Rule<std::string> word() { return {is_word, "one word without quotes"}; }

config::Rule<std::string> time_limit() {
  return {[](const std::string& text) {
            static const std::regex form("([0-9]{1,5}-)?[0-9]{1,6}(:[0-9]{1,2}){0,2}");
            return std::regex_match(text, form);
          },
          "minutes, hours:minutes:seconds or days-hours, as 90, 4:00:00 or 1-12"};
}

config::Rule<std::string> memory() {
  return {[](const std::string& text) {
            static const std::regex form("[0-9]{1,9}[KMGT]?");
            return std::regex_match(text, form);
          },
          "megabytes, or a number with K, M, G or T, as 4000 or 8G"};
}

config::Rule<std::string> line() {
  return {
      [](const std::string& text) { return text.find_first_of("\n\r") == text.npos && text.size() < 5000; },
      "one line"};
}

config::Rule<std::string> sbatch_option() {
  return {[](const std::string& text) {
            static const std::regex form("[a-z][a-z-]*(=.+)?");
            return std::regex_match(text, form) && is_word(text);
          },
          "KEY=VALUE, as nodelist=n[1-4]: an option of sbatch without its dashes"};
}

}  // namespace

const config::Schema<SlurmOptions>& schema(config::of<SlurmOptions>) {
  static const auto s =
      config::Schema<SlurmOptions>("what the jobs of run_study --slurm ask a cluster for")
          .field("partition", &SlurmOptions::partition, "the partition. null: the cluster's default", word())
          .field("account", &SlurmOptions::account, "the account that is charged", word())
          .field("qos", &SlurmOptions::qos, "the quality of service", word())
          .field("time", &SlurmOptions::time,
                 "limit of each job. A task that reaches it goes on from its checkpoint", time_limit())
          .field("gpus", &SlurmOptions::gpus, "GPUs of a task. null: none is asked for",
                 config::between(1, 64))
          .field("cpus", &SlurmOptions::cpus,
                 "cores of a task, shared by its runs. null: one for each of them", config::between(1, 4096))
          .field("mem", &SlurmOptions::mem, "memory of a task. null: the cluster's default", memory())
          .field("constraint", &SlurmOptions::constraint,
                 "which nodes may be taken, as avx512. Results are the same to the last bit on nodes of one "
                 "kind",
                 word())
          .field("setup", &SlurmOptions::setup, "lines of the shell before the program, as module load cuda",
                 line())
          .field("sbatch", &SlurmOptions::sbatch, "more options of sbatch, each KEY=VALUE without its dashes",
                 sbatch_option())
          .field("at_once", &SlurmOptions::at_once, "tasks that run at the same time. null: any number",
                 config::between(1, 100000))
          .field("runs_per_task", &SlurmOptions::runs_per_task, "runs of a task, side by side on its GPU",
                 config::between(1, 1000))
          .field("grace", &SlurmOptions::grace,
                 "time before the limit at which runs are asked to stop: enough for a checkpoint",
                 config::between(0, 65535))
          .unit("s")
          .field("max_requeues", &SlurmOptions::max_requeues,
                 "how often a task that was stopped begins again", config::between(0, 1000));
  return s;
}

void check_slurm(const SlurmOptions& options) {
  // The dump is what the block would say; each flag has its key's name.
  try {
    auto node = schema(config::of<SlurmOptions>{}).dump(options);
    schema(config::of<SlurmOptions>{}).parse(config::Reader(node));
  } catch (const RequestError& e) {
    std::string text = e.what();
    while (text.starts_with(": ")) text.erase(0, 2);
    const auto key = text.substr(0, text.find_first_of(":["));
    auto flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    fail_request("--{}{}", flag, text.substr(key.size()));
  }
}

}  // namespace timbre::study
