// A checkpoint whose checksum fits, with anything in it.
#include "bent_hdf5.hpp"
#include "storage/seal.hpp"
#include "target.hpp"
#include "training/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  static const auto whole = [] {
    training::TrainerState s;
    s.epoch = 2, s.batch = 1, s.best_epoch = 1, s.best = 0.5;
    s.history = {{2, 1}, {0.5, 1}, {2, 1}, {0.5, 1}, {1e-3, 1e-3}, {1, 1}};
    s.step.step = 5, s.step.arena.assign(32, 1.0f), s.step.slots.assign(2, std::vector<float>(32)),
    s.best_arena = s.step.arena;
    const auto file = fuzz::folder() / "whole.h5";
    training::write_checkpoint(file, "key", s);
    return file;
  }();
  const auto file = fuzz::folder() / "bent.h5";
  // Bent bytes break the checksum, or are read by another process where the user block is gone.
  if (!fuzz::bend(whole, file, {data, size}).bytes) storage::write_seal(file, file.string());
  fuzz::allow_errors([&] { training::read_checkpoint_here(file, "key"); });
  return 0;
}
