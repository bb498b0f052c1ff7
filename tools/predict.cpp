// predict RESULT AUDIO...: genre probabilities of audio files, per segment and for the whole.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "data/audio_paths.hpp"
#include "data/tables/npz_writer.hpp"
#include "device/device.hpp"
#include "run/predictor.hpp"

namespace {

using namespace timbre;
using namespace timbre::cli;
using namespace timbre::run;

std::string quoted_csv(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

/// Classes by their probability, the likeliest first.
std::vector<std::size_t> ranked(const Prediction& p) {
  std::vector<std::size_t> order(p.probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return p.probabilities[a] > p.probabilities[b]; });
  return order;
}

/// song.wav: rock 61.2%, blues 20.1%, metal 8.0% (10 segments, 30 s)
void print_line(const std::string& file, const Prediction& p, const Predictor& model) {
  constexpr std::size_t most = 3;
  std::vector<std::string> likeliest;
  for (const auto c : ranked(p))
    if (likeliest.size() < most)
      likeliest.push_back(fmt::format("{} {:.1f}%", model.label_names()[c], 100 * p.probabilities[c]));
  fmt::print("{}: {} ({} segment{}, {}{})\n", printable(file), join(likeliest), p.count,
             p.count == 1 ? "" : "s", duration_text(p.seconds), model.synthetic() ? ", SYNTHETIC model" : "");
}

/// All classes with bars, and every segment.
void print_details(const Prediction& p, const Predictor& model) {
  const auto& names = model.label_names();
  std::size_t width = 0;
  for (const auto& n : names) width = std::max(width, n.size());
  for (const auto c : ranked(p)) {
    std::string bar;
    for (int i = 0; i < int(p.probabilities[c] * 40 + 0.5f); ++i) bar += "█";
    fmt::print("  {:<{}} {:5.1f}%  {}\n", names[c], width, 100 * p.probabilities[c], bar);
  }
  fmt::print("  segments:\n");
  for (std::int64_t s = 0; s < p.count; ++s) {
    const float* row = p.segments.data() + std::size_t(s) * names.size();
    const auto best = std::size_t(std::max_element(row, row + names.size()) - row);
    fmt::print("  {:>8.1f} s  {:<{}} {:5.1f}%\n", model.start_seconds(s), names[best], width,
               100 * row[best]);
  }
}

void print_csv(const std::string& file, const Prediction& p, const Predictor& model) {
  const auto classes = model.label_names().size();
  const auto line = [&](const std::string& segment, const std::string& start, const float* row) {
    const auto best = std::size_t(std::max_element(row, row + classes) - row);
    fmt::print("{},{},{},{}", quoted_csv(file), segment, start, quoted_csv(model.label_names()[best]));
    for (std::size_t c = 0; c < classes; ++c) fmt::print(",{}", row[c]);
    fmt::print("\n");
  };
  line("all", "0", p.probabilities.data());
  for (std::int64_t s = 0; s < p.count; ++s)
    line(std::to_string(s), number_text(model.start_seconds(s)),
         p.segments.data() + std::size_t(s) * classes);
}

nlohmann::ordered_json as_json(const std::string& file, const Prediction& p, const Predictor& model) {
  const auto& names = model.label_names();
  const auto row = [&](const float* v) {
    nlohmann::ordered_json out;
    for (std::size_t c = 0; c < names.size(); ++c) out[names[c]] = v[c];
    return out;
  };
  nlohmann::ordered_json j{{"file", file},
                           {"seconds", p.seconds},
                           {"prediction", names[std::size_t(p.best)]},
                           {"probabilities", row(p.probabilities.data())}};
  j["segments"] = nlohmann::ordered_json::array();
  for (std::int64_t s = 0; s < p.count; ++s)
    j["segments"].push_back({{"start", model.start_seconds(s)},
                             {"probabilities", row(p.segments.data() + std::size_t(s) * names.size())}});
  return j;
}

/// Embeddings of all segments, and whose they are.
struct Embeddings {
  Shape shape;  // of one
  std::vector<float> values, start_seconds;
  std::vector<std::int64_t> segment;
  std::vector<std::string> files, prediction;

  void add(const std::string& file, const Prediction& p, const Predictor& model) {
    values.insert(values.end(), p.embeddings.begin(), p.embeddings.end());
    for (std::int64_t s = 0; s < p.count; ++s) {
      files.push_back(file), segment.push_back(s);
      start_seconds.push_back(float(model.start_seconds(s)));
      prediction.push_back(model.label_names()[std::size_t(p.best)]);
    }
  }
  void write(const std::filesystem::path& target) const {
    storage::AtomicFile file(target);
    data::NpzWriter out(file);
    auto extents = shape.extents();
    extents.insert(extents.begin(), std::ssize(segment));
    out.begin("X", extents);
    out.floats(values);
    out.add("IDS", files);
    out.add("segment", segment);
    out.begin("start_seconds", {std::ssize(segment)});
    out.floats(start_seconds);
    out.add("prediction", prediction);
    out.finish();
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Genre probabilities of audio files, by the model of a result file.", "predict"};
  std::filesystem::path result;
  std::vector<std::string> files;
  int threads = 0;
  bool json = false, csv = false, segments = false;
  std::string device = "cpu", layer;
  std::filesystem::path out;
  storage::Trust trust;
  app.add_option("RESULT", result, "result.h5 of a run")->required();
  app.add_option("AUDIO", files,
                 "audio files (wav, au, flac, ogg, mp3; any rate, mono or not), folders of them, or lists "
                 "(.txt, .m3u)")
      ->required();
  app.add_flag("--segments", segments, "show every genre and every segment, not a line for each file");
  auto* json_flag = app.add_flag("--json", json, "one JSON array on stdout");
  app.add_flag("--csv", csv, "one line per file and per segment on stdout")->excludes(json_flag);
  auto* embeddings_option = app.add_option(
      "--embeddings", layer,
      "write the output of a layer (its name in the summary, as dense_1, or its number from 0; the last "
      "one's is "
      "before softmax) of every segment to -o: arrays X, IDS, segment, start_seconds, prediction");
  app.add_option("-o,--output", out, "the .npz file of the embeddings")->needs(embeddings_option);
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N (default: cpu)");
  app.add_option("--threads", threads, "threads to use (default: one per core)")->check(CLI::Range(1, 1024));
  add_unverified(app, trust.unverified);
  return run_command(app, argc, argv, [&] {
    heed_signals();
    if (!layer.empty() && out.extension() != ".npz")
      fail_request("--embeddings {}: -o F.npz says where they go{}", printable(layer),
                   out.empty() ? "" : ", and its name must end in .npz");
    ThreadPool pool(threads);
    const auto choice = device::choose(device);
    if (!choice.notice.empty()) fmt::print(stderr, "{}\n", choice.notice);
    Predictor model(result, pool, choice.name, trust);
    Embeddings embeddings;
    if (!layer.empty()) embeddings.shape = model.embed(layer);
    int failed = 0;
    auto array = nlohmann::ordered_json::array();
    if (csv) {
      std::vector<std::string> names;
      for (const auto& n : model.label_names()) names.push_back(quoted_csv(n));
      fmt::print("file,segment,start_seconds,prediction,{}\n", join(names, ","));
    }
    std::vector<std::string> audio;
    for (const auto& given : files) {
      try {
        for (const auto& file : data::audio_paths(given)) audio.push_back(file.string());
      } catch (const Error& e) {
        fmt::print(stderr, "predict: {}\n", e.what());
        ++failed;
      }
    }
    for (const auto& file : audio) {
      throw_if_stopped();
      try {
        const auto p = model.predict(file);
        if (!layer.empty()) embeddings.add(file, p, model);
        if (json) {
          array.push_back(as_json(file, p, model));
        } else if (csv) {
          print_csv(file, p, model);
        } else {
          print_line(file, p, model);
          if (segments) print_details(p, model);
        }
      } catch (const Error& e) {
        // One bad file does not take the others with it.
        fmt::print(stderr, "predict: {}: {}\n", printable(file), e.what());
        ++failed;
      }
    }
    if (!layer.empty()) {
      if (embeddings.segment.empty())
        fail("no file gave a segment: {} is not written", printable(out.string()));
      embeddings.write(out);
      fmt::print(stderr, "embeddings: {} ({} segments, {} {})\n", printable(out.string()),
                 embeddings.segment.size(), layer, embeddings.shape.str());
    }
    if (json) fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return failed > 0 ? 1 : 0;
  });
}
