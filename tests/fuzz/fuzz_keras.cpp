// A model of Keras: the archive, and the description of the layers, which are read without a library. (Their HDF5 files are
// read as results are: see fuzz_result.cpp.)
#include "exchange/keras_import.hpp"
#include "storage/zip.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  const auto text = fuzz::text_of(data, size);
  fuzz::allow_errors([&] {
    const storage::ZipFile zip(std::make_unique<storage::RandomAccess>("fuzz.zip", text));
    for (const auto& m : zip.members()) zip.read(m.name, 1 << 24);
  });
  for (const bool archive : {false, true})
    fuzz::allow_errors([&] {
      exchange::understand({archive, "3.5.0", std::string(text), std::string(text), {}});
    });
  return 0;
}
