#include "data/clips.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <system_error>
#include <utility>

#include "audio/decode.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "data/manifest.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 5> audio_extensions{".wav", ".au", ".flac", ".ogg", ".mp3"};

std::string shown(const fs::path& path) { return printable(path.string()); }

constexpr std::string_view known_kinds =
    "path (a folder <genre>/<clip>.wav), manifest (a CSV file), synthetic (made-up clips)";

std::string problem_with(const DatasetOptions& o) {
  std::vector<std::string> given;
  if (o.path) given.push_back("path");
  if (o.manifest) given.push_back("manifest");
  if (o.synthetic) given.push_back("synthetic");
  if (o.external && *o.external) given.push_back("external");
  if (given.empty()) return fmt::format("names no data; give one of: {}", known_kinds);
  if (given.size() > 1) return fmt::format("{} exclude each other; give one of them", join(given, " and "));
  if (o.segment && !o.segment->length.whole && o.segment_seconds != DatasetOptions{}.segment_seconds &&
      o.segment_seconds != o.segment->length.seconds)
    return fmt::format(
        "segment_seconds: {} and segment: {{seconds: {}}} exclude each other; give one of them",
        number_text(o.segment_seconds), number_text(o.segment->length.seconds));
  if (o.synthetic && !o.segment && o.synthetic->clip_seconds < o.segment_seconds)
    return fmt::format("synthetic clips of {} s are shorter than one segment of {} s",
                       number_text(o.synthetic->clip_seconds), number_text(o.segment_seconds));
  return "";
}

/// One line: where it was looked for, how to get GTZAN, how to do without.
[[noreturn]] void fail_not_there(const std::string& key, const fs::path& path, std::string_view what) {
  const auto tree = path.filename() == "genres_original" ? path
                    : path.filename() == "gtzan"         ? path / "genres_original"
                                                         : path;
  fail_at(key,
          "{} at {}. GTZAN: search for 'GTZAN Dataset - Music Genre Classification' on Kaggle and unpack it "
          "so that {}/blues/*.wav exists. To try without music: --set dataset.synthetic={{}}",
          what, shown(fs::absolute(path).lexically_normal()), shown(fs::absolute(tree).lexically_normal()));
}

/// Children of a folder, sorted by name; hidden ones (and macOS's "._" resource forks) are left out.
std::vector<fs::directory_entry> children(const fs::path& folder, std::error_code& error) {
  std::vector<fs::directory_entry> out;
  fs::directory_iterator it(folder, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) out.push_back(*it);
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  return out;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

/// Whether some child folder of `folder` holds audio files.
bool holds_genres(const fs::path& folder) {
  std::error_code error;
  for (const auto& genre : children(folder, error)) {
    if (!is_folder(genre)) continue;
    std::error_code inner;
    for (const auto& file : children(genre.path(), inner))
      if (is_audio_name(file.path().filename().string()) && !is_folder(file)) return true;
  }
  return false;
}

ClipIndex index_tree(const DatasetOptions& options) {
  const fs::path& given = *options.path;
  std::error_code error;
  const auto status = fs::status(given, error);
  if (status.type() == fs::file_type::not_found) fail_not_there("dataset.path", given, "there is no folder");
  if (error) fail_at("dataset.path", "{}: {}", shown(given), error.message());
  if (!fs::is_directory(status))
    fail_at("dataset.path",
            "{} is a file; a folder <genre>/<clip>.wav is meant (a list of files is given as "
            "dataset.manifest)",
            shown(given));

  ClipIndex index;
  index.root = fs::absolute(given).lexically_normal();
  const auto root = shown(index.root);
  const auto entries = children(given, error);
  if (error) fail_at("dataset.path", "{} cannot be read: {}", root, error.message());

  bool loose_audio = false;
  std::string deeper;
  for (const auto& genre : entries) {
    const auto name = genre.path().filename().string();
    if (!is_folder(genre)) {
      loose_audio |= is_audio_name(name);
      continue;
    }
    const auto label = static_cast<std::int32_t>(index.label_names.size());
    const auto before = index.clips.size();
    const auto files = children(genre.path(), error);
    if (error) {
      if (options.on_bad_file == "error")
        fail("{}: the folder cannot be read: {}", shown(genre.path()), error.message());
      index.notes.push_back(
          fmt::format("{}: the folder cannot be read: {}", printable(name), error.message()));
      continue;
    }
    for (const auto& file : files) {
      const auto base = file.path().filename().string();
      // A link that leads nowhere stays in: it becomes a bad file, with a reason, rather than vanish.
      if (is_audio_name(base) && !is_folder(file))
        index.clips.push_back({name + "/" + base, index.root / name / base, label, "", -1, 0});
    }
    if (index.clips.size() > before) {
      index.label_names.push_back(name);
    } else {
      index.notes.push_back(fmt::format("{}/ holds no audio files and is no class", printable(name)));
      if (deeper.empty() && holds_genres(genre.path())) deeper = name;
    }
  }
  if (index.clips.empty()) {
    if (!deeper.empty())
      fail_at("dataset.path", "{} holds no <genre>/<clip>.wav; did you mean {}/{}?", root, root,
              printable(deeper));
    if (loose_audio)
      fail_at("dataset.path",
              "the audio files of {} lie directly in it; each belongs in a folder named after "
              "its genre, or in a dataset.manifest with the columns path,label",
              root);
    fail_not_there("dataset.path", given, "there are no audio files <genre>/<clip>.{wav,au,flac,ogg,mp3}");
  }
  // Folders are sorted as paths, which is the order of their names' bytes; clips likewise but for the '/'.
  sort_clips(index);
  require_classes(index, "dataset.path", root);
  return index;
}

ClipIndex index_synthetic(const audio::SyntheticOptions& options) {
  ClipIndex index;
  index.root = "synthetic";
  index.synthetic = true;
  index.label_names = audio::synthetic_genres();
  for (std::size_t g = 0; g < index.label_names.size(); ++g)
    for (std::int64_t i = 0; i < options.clips_per_genre; ++i) {
      const auto& genre = index.label_names[g];
      index.clips.push_back({fmt::format("{}/{}.{:05}", genre, genre, i),
                             {},
                             static_cast<std::int32_t>(g),
                             audio::synthetic_artist(options, int(g), int(i)),
                             -1,
                             static_cast<std::int32_t>(i),
                             static_cast<std::int32_t>(g),
                             {}});
    }
  sort_clips(index);
  return index;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

void sort_clips(ClipIndex& index) {
  std::sort(index.clips.begin(), index.clips.end(),
            [](const Clip& a, const Clip& b) { return a.path < b.path; });
}

void require_classes(const ClipIndex& index, const std::string& key, std::string_view where) {
  if (index.label_names.size() < 2)
    fail_at(key, "{} holds a single class, '{}'; a classifier needs at least two", where,
            printable(index.label_names.front()));
}

Cutting DatasetOptions::cutting(int sample_rate) const {
  const auto samples = [&](double seconds) { return std::llround(seconds * sample_rate); };
  Cutting out;
  out.samples = out.hop = samples(segment_seconds);
  if (!segment) return out;
  out.whole = segment->length.whole;
  out.samples = out.hop = std::max<std::int64_t>(
      1, samples(out.whole ? segment->length_seconds.value_or(segment_seconds) : segment->length.seconds));
  if (segment->hop_seconds) out.hop = std::max<std::int64_t>(1, samples(*segment->hop_seconds));
  out.tolerance = samples(segment->tolerance_seconds);
  out.pad_short = segment->short_clips == "pad", out.pad_remainder = segment->remainder == "pad";
  out.repeat = segment->pad == "repeat";
  return out;
}

const config::Schema<DatasetOptions>& schema(config::of<DatasetOptions>) {
  static const auto s =
      config::Schema<DatasetOptions>("the clips; one of path, manifest and synthetic")
          .field("path", &DatasetOptions::path,
                 "a folder with a folder for each genre: <genre>/<clip>.{wav,au,flac,ogg,mp3}")
          .field("manifest", &DatasetOptions::manifest,
                 "a CSV file with the columns path,label[,group][,fold] and any others. Its relative paths "
                 "begin at the file")
          .field("synthetic", &DatasetOptions::synthetic,
                 "ten made-up genres instead of files, {} for the defaults")
          .field("segment_seconds", &DatasetOptions::segment_seconds,
                 "length of the pieces that clips are cut into, which the network sees one by one. A shorter "
                 "remainder is dropped",
                 config::above_up_to(0, 3600))
          .unit("s")
          .later_field("segment", &DatasetOptions::segment,
                       "how clips are cut into segments, said in full, instead of segment_seconds")
          .later_field("labels", &DatasetOptions::labels, "which classes are used, and what they are called")
          .later_field(
              "external", &DatasetOptions::external,
              "true: the clips are those that the table of features.external names. It may be left out "
              "there")
          .field("on_bad_file", &DatasetOptions::on_bad_file, "what becomes of a file that cannot be decoded",
                 config::choice_of({{"skip", "it is left out, and the result lists it"},
                                    {"error", "the run ends before any work"}}))
          .check(problem_with);
  return s;
}

namespace {

/// Whether whole clips become as long as the longest of them.
bool wants_longest(const DatasetOptions& options) {
  return options.segment && options.segment->length.whole && !options.segment->length_seconds;
}

}  // namespace

void resolve_segments(DatasetOptions& options, const ClipIndex& index) {
  if (!options.segment) return;
  auto& segment = *options.segment;
  if (wants_longest(options)) {
    if (!(index.longest_seconds > 0))
      fail_at("dataset.segment", "no clip has a length; seconds: whole needs one");
    segment.length_seconds = std::min(index.longest_seconds, 3600.0);
  }
  options.segment_seconds = segment.length.whole ? *segment.length_seconds : segment.length.seconds;
}

ClipIndex index_clips(const DatasetOptions& options) {
  if (const auto wrong = problem_with(options); !wrong.empty()) fail_at("dataset", "{}", wrong);
  auto index = [&] {
    if (options.synthetic) return index_synthetic(*options.synthetic);
    if (options.path) return index_tree(options);
    return named_by("dataset.manifest", [&] { return index_manifest(*options.manifest); });
  }();
  if (options.labels) {
    apply_labels(*options.labels, index);
    require_classes(index, "dataset.labels", "what is kept");
  }
  if (wants_longest(options)) {
    if (options.synthetic) index.longest_seconds = options.synthetic->clip_seconds;
    for (const auto& clip : index.clips)
      if (!index.synthetic)
        index.longest_seconds = std::max(index.longest_seconds, audio::seconds_of(clip.file));
  }
  return index;
}

bool is_audio_name(std::string_view name) {
  return !name.starts_with('.') && without_audio_extension(name).size() < name.size();
}

std::string_view without_audio_extension(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == name.npos || name.size() - dot > 5) return name;
  const auto extension = lower(name.substr(dot));
  const bool known =
      std::find(audio_extensions.begin(), audio_extensions.end(), extension) != audio_extensions.end();
  return known ? name.substr(0, dot) : name;
}

}  // namespace timbre::data
