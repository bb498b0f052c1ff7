// A configuration, and what --set gives: the first byte tells which.
#include "run/run_config.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  if (size < 1) return 0;
  const std::string text(fuzz::text_of(data + 1, size - 1));
  fuzz::allow_errors([&] {
    if (data[0] % 2 == 0) {
      const auto root = config::parse_text(text, "x.yaml", ".");
      config::parse_text(config::to_yaml(root), "again", ".");
      run::parse_run_config(root);
    } else {
      static const auto base = config::parse_text(
          "experiment: x\ndataset: {synthetic: {}}\nmodel: [flatten, dense: {units: classes, activation: "
          "softmax}]\n",
          "base", ".");
      auto root = base;
      run::apply_run_override(root, text);
      run::parse_run_config(root);
    }
  });
  return 0;
}
