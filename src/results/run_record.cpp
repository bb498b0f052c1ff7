#include "results/run_record.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/aggregate.hpp"
#include "results/environment.hpp"
#include "storage/atomic_file.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

template <class A>
void travel(A& parcel, LeakShare& s) {
  parcel(s.part, s.other, s.relation, s.clips, s.known, s.found);
}
template <class A>
void travel(A& parcel, RelatedClips& r) {
  parcel(r.clip_a, r.clip_b, r.same_audio, r.error_rate, r.offset_seconds);
}

}  // namespace timbre::data

namespace timbre::results {

// How a record travels from the process that read it (storage/parcel.hpp).
template <class A>
void travel(A& parcel, HistoryRecord& h) {
  parcel(h.epoch);
  for (const auto& c : training::history_columns) parcel(h.*c.values);
}
template <class A>
void travel(A& parcel, RelatedRecord& r) {
  parcel(r.clips, r.part_a, r.part_b);
}
template <class A>
void travel(A& parcel, SplitRecord& s) {
  parcel(s.train, s.validation, s.test, s.leaks, s.clip_share_in_train, s.artist_share_in_train, s.notes,
         s.shares, s.related, s.looked, s.missing);
}
template <class A>
void travel(A& parcel, Evaluation::Clips& c) {
  parcel(c.probabilities, c.label, c.prediction, c.path, c.heard, c.group, c.accuracy, c.macro_f1);
}
template <class A>
void travel(A& parcel, Evaluation& e) {
  parcel(e.probabilities, e.label, e.prediction, e.clip, e.segment, e.accuracy, e.loss, e.macro_f1,
         e.confusion, e.per_class.precision, e.per_class.recall, e.per_class.f1, e.clips);
}
template <class A>
void travel(A& parcel, WeightTensor& w) {
  auto extents = w.shape.extents();
  parcel(w.layer, w.name, extents, w.data);
  w.shape = Shape(std::move(extents));
}
template <class A>
void travel(A& parcel, RunRecord& r) {
  parcel(r.experiment, r.key, r.seed, r.device, r.version, r.status, r.message, r.best_epoch, r.weights_epoch,
         r.epochs_run, r.stopped_early, r.parameters, r.trainable_parameters, r.train_seconds,
         r.predict_seconds, r.synthetic, r.config, r.environment, r.label_names, r.feature_mean,
         r.feature_std, r.history, r.split, r.validation, r.test, r.scores, r.bad_files, r.segments,
         r.model_config, r.weights);
}

namespace {

using storage::H5File;

std::int64_t size_of(const auto& v) { return static_cast<std::int64_t>(v.size()); }

// The root attributes, one list for the writer and the reader. `required`: without it the file says too little to be read.
template <class T>
struct Root {
  const char* name;
  T RunRecord::*member;
  bool required;
};
constexpr Root<std::string> root_texts[] = {
    {"experiment", &RunRecord::experiment, true}, {"key", &RunRecord::key, false},
    {"device", &RunRecord::device, true},         {"version", &RunRecord::version, true},
    {"status", &RunRecord::status, true},         {"message", &RunRecord::message, false}};
constexpr Root<std::int64_t> root_integers[] = {
    {"seed", &RunRecord::seed, true},
    {"best_epoch", &RunRecord::best_epoch, true},
    {"weights_epoch", &RunRecord::weights_epoch, false},
    {"epochs_run", &RunRecord::epochs_run, true},
    {"parameters", &RunRecord::parameters, true},
    {"trainable_parameters", &RunRecord::trainable_parameters, false}};
constexpr Root<double> root_numbers[] = {{"train_seconds", &RunRecord::train_seconds, true},
                                         {"predict_seconds", &RunRecord::predict_seconds, true}};
constexpr Root<bool> root_flags[] = {{"stopped_early", &RunRecord::stopped_early, false},
                                     {"synthetic", &RunRecord::synthetic, true}};

void write_ints(H5File& file, const std::string& path, const std::vector<std::int32_t>& values) {
  file.write(path, values, {size_of(values)});
}
void write_doubles(H5File& file, const std::string& path, const std::vector<double>& values) {
  file.write(path, values, {size_of(values)});
}

void write_evaluation(H5File& file, const std::string& group, const Evaluation& e) {
  const auto classes = e.classes();
  file.group(group);
  file.attribute(group, "accuracy", e.accuracy);
  file.attribute(group, "loss", e.loss);
  file.attribute(group, "macro_f1", e.macro_f1);
  file.write(group + "/probabilities", e.probabilities, {e.rows(), classes});
  write_ints(file, group + "/label", e.label);
  write_ints(file, group + "/prediction", e.prediction);
  write_ints(file, group + "/clip", e.clip);
  write_ints(file, group + "/segment", e.segment);
  file.write(group + "/confusion", e.confusion, {classes, classes});
  write_doubles(file, group + "/per_class/precision", e.per_class.precision);
  write_doubles(file, group + "/per_class/recall", e.per_class.recall);
  write_doubles(file, group + "/per_class/f1", e.per_class.f1);
  const auto clips = group + "/clips";
  file.group(clips);
  file.attribute(clips, "accuracy", e.clips.accuracy);
  file.attribute(clips, "macro_f1", e.clips.macro_f1);
  file.write(clips + "/probabilities", e.clips.probabilities, {size_of(e.clips.label), classes});
  write_ints(file, clips + "/label", e.clips.label);
  write_ints(file, clips + "/prediction", e.clips.prediction);
  file.write_texts(clips + "/path", e.clips.path);
  if (!e.clips.heard.empty()) write_ints(file, clips + "/heard", e.clips.heard);
  if (!e.clips.group.empty()) write_ints(file, clips + "/group", e.clips.group);
}

/// Reads with doubts: what does not fit together is one line that names it, not a crash later on.
class Checked {
 public:
  explicit Checked(const H5File& file) : file(file) {}
  const H5File& file;

  [[noreturn]] void damaged(const std::string& object, std::string_view what) const {
    fail("{}: is damaged: {} {}", printable(file.path().string()), object, what);
  }
  void require(bool holds, const std::string& object, std::string_view what) const {
    if (!holds) damaged(object, what);
  }
  std::vector<std::int32_t> ints(const std::string& object, std::int64_t size, std::int64_t below) const {
    auto values = file.read_ints(object);
    require(size < 0 || size_of(values) == size, object, "has another length than the arrays it belongs to");
    for (const auto v : values) require(v >= 0 && v < below, object, "holds a value out of range");
    return values;
  }
  std::vector<double> doubles(const std::string& object, std::int64_t size) const {
    auto values = file.read_doubles(object);
    require(size_of(values) == size, object, "has another length than the arrays it belongs to");
    return values;
  }
  std::vector<float> matrix(const std::string& object, std::int64_t rows, std::int64_t columns) const {
    require(file.shape(object) == Shape{rows, columns}, object,
            "has shape " + file.shape(object).str() + ", not " + Shape{rows, columns}.str());
    return file.read_floats(object);
  }
};

constexpr std::int64_t any = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t most_classes = 100'000;  // a confusion matrix is a square of them

Evaluation read_evaluation(const Checked& in, const std::string& group, std::int64_t classes) {
  Evaluation e;
  e.accuracy = in.file.double_attribute(group, "accuracy");
  e.loss = in.file.double_attribute(group, "loss");
  e.macro_f1 = in.file.double_attribute(group, "macro_f1");
  const auto clips = group + "/clips";
  e.clips.accuracy = in.file.double_attribute(clips, "accuracy");
  e.clips.macro_f1 = in.file.double_attribute(clips, "macro_f1");
  e.clips.label = in.ints(clips + "/label", -1, classes);
  const auto count = size_of(e.clips.label);
  e.clips.prediction = in.ints(clips + "/prediction", count, classes);
  e.clips.probabilities = in.matrix(clips + "/probabilities", count, classes);
  e.clips.path = in.file.read_texts(clips + "/path");
  in.require(size_of(e.clips.path) == count, clips + "/path",
             "has another length than the arrays it belongs to");
  if (in.file.exists(clips + "/heard")) e.clips.heard = in.ints(clips + "/heard", count, 5);
  if (in.file.exists(clips + "/group")) e.clips.group = in.ints(clips + "/group", count, any);
  e.label = in.ints(group + "/label", -1, classes);
  e.prediction = in.ints(group + "/prediction", e.rows(), classes);
  e.clip = in.ints(group + "/clip", e.rows(), count);
  e.segment = in.ints(group + "/segment", e.rows(), any);
  e.probabilities = in.matrix(group + "/probabilities", e.rows(), classes);
  in.require(in.file.shape(group + "/confusion") == Shape{classes, classes}, group + "/confusion",
             "is not a square of the classes");
  e.confusion = in.ints(group + "/confusion", classes * classes, any);
  e.per_class.precision = in.doubles(group + "/per_class/precision", classes);
  e.per_class.recall = in.doubles(group + "/per_class/recall", classes);
  e.per_class.f1 = in.doubles(group + "/per_class/f1", classes);
  return e;
}

}  // namespace

Evaluation evaluate(std::span<const float> probabilities, std::span<const std::int32_t> label,
                    std::span<const std::int32_t> clip, std::span<const std::int32_t> segment,
                    const std::vector<std::string>& clip_paths) {
  if (label.empty() || probabilities.empty() || probabilities.size() % label.size() != 0 ||
      segment.size() != label.size())
    throw std::invalid_argument("probabilities, labels, clips and segments of as many rows");
  const auto classes = static_cast<std::int64_t>(probabilities.size() / label.size());
  const auto clips = evaluation::aggregate_clips(probabilities, classes, label, clip);
  Evaluation e;
  e.probabilities.assign(probabilities.begin(), probabilities.end());
  e.label.assign(label.begin(), label.end());
  e.segment.assign(segment.begin(), segment.end());
  e.clip = clips.row_clip;
  e.prediction = evaluation::predicted_classes(probabilities, classes);
  e.accuracy = evaluation::accuracy(label, e.prediction);
  e.loss = evaluation::cross_entropy(probabilities, classes, label);
  e.confusion = evaluation::confusion_matrix(label, e.prediction, classes);
  e.per_class = evaluation::per_class(e.confusion, classes);
  e.macro_f1 = evaluation::macro_f1(e.per_class, e.confusion);
  e.clips.probabilities = clips.probabilities;
  e.clips.label = clips.label;
  e.clips.prediction = clips.prediction;
  e.clips.accuracy = clips.accuracy;
  const auto confusion = evaluation::confusion_matrix(clips.label, clips.prediction, classes);
  e.clips.macro_f1 = evaluation::macro_f1(evaluation::per_class(confusion, classes), confusion);
  for (const auto index : clips.clip) {
    if (index < 0 || index >= size_of(clip_paths)) throw std::invalid_argument("a clip without a path");
    e.clips.path.push_back(clip_paths[index]);
  }
  return e;
}

void write_result(const std::filesystem::path& path, const RunRecord& record) {
  storage::AtomicFile atomic(path, storage::Links::replace);
  auto file = H5File::create(atomic);
  file.attribute("/", "schema", schema_name);
  file.attribute("/", "schema_version", schema_version);
  for (const auto& r : root_texts) file.attribute("/", r.name, record.*r.member);
  if (record.version.empty()) file.attribute("/", "version", library_version());
  for (const auto& r : root_integers) file.attribute("/", r.name, record.*r.member);
  for (const auto& r : root_numbers) file.attribute("/", r.name, record.*r.member);
  for (const auto& r : root_flags) file.attribute("/", r.name, record.*r.member);

  file.write_text("/config", record.config);
  file.group("/environment");
  for (const auto& [name, text] : record.environment) file.attribute("/environment", name, text);
  file.write_texts("/label_names", record.label_names);
  if (!record.feature_mean.empty()) {
    file.write("/features/mean", record.feature_mean, {size_of(record.feature_mean)});
    file.write("/features/std", record.feature_std, {size_of(record.feature_std)});
  }
  write_ints(file, "/history/epoch", record.history.epoch);
  for (const auto& c : training::history_columns)
    if (c.is_in(record.history))
      write_doubles(file, std::string("/history/") + c.name, record.history.*c.values);

  write_split(file, record.split);
  if (record.validation) write_evaluation(file, "/validation", *record.validation);
  if (record.test) write_evaluation(file, "/test", *record.test);
  write_scores(file, record.scores, size_of(record.label_names));
  std::vector<std::string> paths, reasons;
  for (const auto& bad : record.bad_files) paths.push_back(bad.path), reasons.push_back(bad.reason);
  file.write_texts("/bad_files/path", paths);
  file.write_texts("/bad_files/reason", reasons);
  if (record.segments) {
    file.group("/segments");
    for (const auto& count : data::segment_counts)
      file.attribute("/segments", count.name, (*record.segments).*count.value);
    file.attribute("/segments", "seconds_dropped", record.segments->seconds_dropped);
  }
  if (!record.model_config.empty()) write_keras_model(file, record.model_config, record.weights);
  file.close();
  atomic.commit();
}

bool is_result_file(const std::filesystem::path& path, const storage::Trust& trust) {
  try {
    return storage::read_behind_door(path, trust, [&] { return is_result(H5File::open(path)); });
  } catch (const Error&) {
    return false;
  }
}

bool is_result(const storage::H5File& file) {
  if (!file.has_attribute("/", "schema")) return false;
  try {
    return file.text_attribute("/", "schema") == schema_name;
  } catch (const Error&) {
    return false;  // an attribute of that name, but not a text
  }
}

RunRecord read_result(const std::filesystem::path& path, bool weights, const storage::Trust& trust) {
  return storage::read_behind_door(path, trust, [&] { return read_result_here(path, weights); });
}

ResultReader result_reader(bool weights, const storage::Trust& trust) {
  const auto files = std::make_shared<storage::FilesBehindDoor<RunRecord>>(
      trust, [weights](const std::filesystem::path& path) { return read_result_here(path, weights); });
  return [files](const std::filesystem::path& path) { return files->read(path); };
}

RunRecord read_result_here(const std::filesystem::path& path, bool weights) {
  const auto file = H5File::open(path);
  const auto shown = printable(path.string());
  if (!is_result(file)) fail_request("{}: is an HDF5 file, but not the result of a run", shown);
  if (const auto found = file.int_attribute("/", "schema_version"); found > schema_version)
    fail_request("{}: has schema_version {}; this program reads up to {}: use a newer one", shown, found,
                 schema_version);
  const Checked in(file);
  RunRecord record;
  const auto wanted = [&](const auto& root) { return root.required || file.has_attribute("/", root.name); };
  for (const auto& r : root_texts)
    if (wanted(r)) record.*r.member = file.text_attribute("/", r.name);
  for (const auto& r : root_integers)
    if (wanted(r)) record.*r.member = file.int_attribute("/", r.name);
  for (const auto& r : root_numbers)
    if (wanted(r)) record.*r.member = file.double_attribute("/", r.name);
  for (const auto& r : root_flags)
    if (wanted(r)) record.*r.member = file.int_attribute("/", r.name) != 0;

  record.config = file.read_text("/config");
  record.environment = file.attributes("/environment");
  record.label_names = file.read_texts("/label_names");
  const auto classes = size_of(record.label_names);
  in.require(classes > 0 && classes <= most_classes, "/label_names", "holds no possible number of genres");
  if (file.exists("/features/mean")) {
    record.feature_mean = file.read_floats("/features/mean");
    record.feature_std = file.read_floats("/features/std");
    in.require(record.feature_mean.size() == record.feature_std.size(), "/features/std",
               "is not as long as the mean");
  }
  record.history.epoch = in.ints("/history/epoch", -1, any);
  for (const auto& c : training::history_columns)
    if (const auto name = std::string("/history/") + c.name; !c.optional || file.exists(name))
      record.history.*c.values = in.doubles(name, size_of(record.history.epoch));

  record.split = read_split(file);
  if (file.exists("/validation")) record.validation = read_evaluation(in, "/validation", classes);
  if (file.exists("/test")) record.test = read_evaluation(in, "/test", classes);
  record.scores = read_scores(file, record.test ? record.test->rows() : 0, classes);
  auto paths = file.read_texts("/bad_files/path"), reasons = file.read_texts("/bad_files/reason");
  in.require(paths.size() == reasons.size(), "/bad_files/reason", "is not as long as the paths");
  for (std::size_t i = 0; i < paths.size(); ++i)
    record.bad_files.push_back({std::move(paths[i]), std::move(reasons[i])});
  if (file.exists("/segments")) {
    record.segments.emplace();
    for (const auto& count : data::segment_counts)
      (*record.segments).*count.value = file.int_attribute("/segments", count.name);
    record.segments->seconds_dropped = file.double_attribute("/segments", "seconds_dropped");
  }
  if (file.has_attribute("/", "model_config")) {
    record.model_config = file.text_attribute("/", "model_config");
    if (weights) record.weights = read_keras_weights(file);
  }
  return record;
}

}  // namespace timbre::results
