#include "training/checkpoint.hpp"

#include "core/error.hpp"
#include "storage/atomic_file.hpp"
#include "storage/door.hpp"
#include "storage/hdf5.hpp"

namespace timbre::training {

static constexpr std::int64_t version = 2;  // of one with generators; 1 of one without

// How a state travels from the process that read it (storage/parcel.hpp).
template <class A>
void travel(A& parcel, TrainerState& s) {
  for (const auto& column : history_columns) parcel(s.history.*column.values);
  parcel(s.epoch, s.batch, s.best_epoch, s.waited, s.best, s.best_arena, s.seconds, s.epoch_seconds,
         s.step.step, s.step.arena, s.step.slots, s.step.average, s.step.metrics.loss_sum,
         s.step.metrics.correct, s.step.metrics.rows, s.step.metrics.bad_step,
         s.step.metrics.gradient_norm_sum, s.step.generator_kind, s.step.generators);
}

void write_checkpoint(const std::filesystem::path& path, const std::string& key, const TrainerState& s) {
  storage::AtomicFile file(path, storage::Links::replace);
  auto h5 = storage::H5File::create(file);
  const auto count = [&](const char* name, std::int64_t v) { h5.attribute("/", name, v); };
  const auto real = [&](const char* name, double v) { h5.attribute("/", name, v); };
  const auto floats = [&](const std::string& name, const std::vector<float>& v) {
    h5.write(name, v, Shape{std::int64_t(v.size())});
  };
  h5.attribute("/", "schema", "timbre-checkpoint");
  count("schema_version", s.step.generators.empty() ? 1 : version);
  h5.attribute("/", "key", key);
  count("epoch", s.epoch), count("batch", s.batch);
  count("best_epoch", s.best_epoch), count("waited", s.waited), real("best", s.best);
  real("seconds", s.seconds), real("epoch_seconds", s.epoch_seconds);
  count("step", s.step.step);
  real("loss_sum", s.step.metrics.loss_sum);
  count("correct", s.step.metrics.correct), count("rows", s.step.metrics.rows),
      count("bad_step", s.step.metrics.bad_step);
  real("gradient_norm_sum", s.step.metrics.gradient_norm_sum);
  for (const auto& column : history_columns) {
    if (!column.is_in(s.history)) continue;
    const auto& v = s.history.*column.values;
    h5.write(std::string("/history/") + column.name, v, Shape{std::int64_t(v.size())});
  }
  floats("/arena", s.step.arena);
  count("slots", std::int64_t(s.step.slots.size()));
  for (std::size_t i = 0; i < s.step.slots.size(); ++i) floats("/slot" + std::to_string(i), s.step.slots[i]);
  if (!s.step.average.empty()) floats("/average", s.step.average);
  floats("/best_arena", s.best_arena);
  if (!s.step.generators.empty()) {
    h5.attribute("/", "generator_kind", s.step.generator_kind);
    count("generators", std::int64_t(s.step.generators.size()));
    for (std::size_t i = 0; i < s.step.generators.size(); ++i)
      h5.write("/generator" + std::to_string(i), s.step.generators[i],
               Shape{std::int64_t(s.step.generators[i].size())});
  }
  h5.close();
  file.commit();
}

TrainerState read_checkpoint(const std::filesystem::path& path, const std::string& key) {
  // A folder with a run that was stopped may come from somebody else, and a checksum can be made to fit. A run reads
  // one checkpoint in its life, so the child costs nothing that counts.
  storage::is_trusted(path, storage::own_file);  // refuses one whose checksum does not fit
  return storage::read_here_or_in_child(false, path, [&] { return read_checkpoint_here(path, key); });
}

TrainerState read_checkpoint_here(const std::filesystem::path& path, const std::string& key) {
  const auto h5 = storage::H5File::open(path);
  if (!h5.has_attribute("/", "schema") || h5.text_attribute("/", "schema") != "timbre-checkpoint")
    fail("{}: not a checkpoint", path.string());
  const auto count = [&](const char* name) { return h5.int_attribute("/", name); };
  const auto real = [&](const char* name) { return h5.double_attribute("/", name); };
  if (count("schema_version") > version)
    fail("{}: schema_version {} is newer than this program reads ({})", path.string(),
         count("schema_version"), version);
  if (h5.text_attribute("/", "key") != key) fail("{}: a checkpoint of another run", path.string());
  TrainerState s;
  s.epoch = count("epoch"), s.batch = count("batch");
  s.best_epoch = count("best_epoch"), s.waited = count("waited"), s.best = real("best");
  s.seconds = real("seconds"), s.epoch_seconds = real("epoch_seconds");
  s.step.step = count("step");
  s.step.metrics = {real("loss_sum"), count("correct"), count("rows"), count("bad_step")};
  if (h5.has_attribute("/", "gradient_norm_sum"))
    s.step.metrics.gradient_norm_sum = real("gradient_norm_sum");
  for (const auto& column : history_columns)
    if (const auto name = std::string("/history/") + column.name; !column.optional || h5.exists(name))
      s.history.*column.values = h5.read_doubles(name);
  if (h5.exists("/average")) s.step.average = h5.read_floats("/average");
  s.step.arena = h5.read_floats("/arena");
  for (std::int64_t i = 0; i < count("slots"); ++i)
    s.step.slots.push_back(h5.read_floats("/slot" + std::to_string(i)));
  s.best_arena = h5.read_floats("/best_arena");
  if (h5.has_attribute("/", "generators")) {
    s.step.generator_kind = h5.text_attribute("/", "generator_kind");
    for (std::int64_t i = 0; i < count("generators"); ++i)
      s.step.generators.push_back(h5.read_ints("/generator" + std::to_string(i)));
  }
  return s;
}

}  // namespace timbre::training
