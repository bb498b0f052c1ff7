// A table of features from elsewhere: the same bytes as CSV, NPY, NPZ and JSON.
#include "data/tables/table.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  const auto text = fuzz::text_of(data, size);
  for (const auto* name : {"t.csv", "t.npy", "t.npz", "t.json"}) {
    const auto file = fuzz::write(name, text);
    fuzz::allow_errors([&] {
      std::int64_t rows = 0;
      const auto table = data::read_table({}, file, [&](std::span<const float>) { ++rows; });
      if (rows != table.rows) __builtin_trap();
    });
  }
  return 0;
}
