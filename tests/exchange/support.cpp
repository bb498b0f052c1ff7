#include "support.hpp"

#include <cstdlib>

#include "storage/hdf5.hpp"

namespace timbre::exchange::test {

void check_with_python(const Example& e, const std::string& what, const std::filesystem::path& folder,
                       const std::filesystem::path& model, double tolerance) {
  const char* python = std::getenv("TIMBRE_PYTHON");
  if (!python)
    GTEST_SKIP() << "TIMBRE_PYTHON names no Python with onnx, onnxruntime, keras, tf_keras and h5py";
  auto file = storage::H5File::create(folder / "data.h5");
  const auto rows = std::int64_t(e.record.label_names.size());
  file.write("/audio", e.audio, {rows, e.samples});
  file.write("/features", e.features, {rows, e.model->input()[0], e.model->input()[1]});
  file.write("/probabilities", e.probabilities, {rows, rows});
  file.close();
  const auto command =
      fmt::format("{} {}/tests/exchange/check_exchange.py {} {} {} {} > {} 2>&1", python, TIMBRE_SOURCE_DIR,
                  what, model.string(), (folder / "data.h5").string(), tolerance, (folder / "log").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << bytes_of(folder / "log");
}

}  // namespace timbre::exchange::test
