// A study over a configuration that is there.
#include "study/study.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  static const auto base = fuzz::write("base.yaml",
                                       "experiment: x\ndataset: {synthetic: {}}\nmodel: [flatten, dense: "
                                       "{units: classes, activation: softmax}]\n");
  if (size > 4096) return 0;
  const auto file = fuzz::write("study.yaml", fuzz::text_of(data, size));
  fuzz::allow_errors([&] { study::load_study(file, {}, {}); });
  return 0;
}
