#include "nn/layers/dropout.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/simd.hpp"
#include "nn/layers/dropout_mask.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<DropoutOptions>& schema(config::of<DropoutOptions>) {
  static const auto s =
      config::Schema<DropoutOptions>(
          "in training, sets a random share of the values to 0 and scales the others up; any shape")
          .required("rate", &DropoutOptions::rate, "share of the values that is set to 0", config::rate())
          .shorthand();
  return s;
}

namespace {

constexpr std::int64_t blocks_at_once = 64;

// Philox words of blocks [first, first + 64): word w of block b at words[w][b]. Loops over blocks inside
// rounds, so that a vector holds one counter word of several blocks.
struct Words {
  alignas(64) std::uint32_t word[4][blocks_at_once];
};
inline __attribute__((always_inline)) void philox_blocks(std::uint64_t seed, std::uint32_t stream,
                                                         std::uint32_t step, std::uint64_t first,
                                                         Words& out) {
#pragma omp simd
  for (std::int64_t b = 0; b < blocks_at_once; ++b) {
    const auto v = philox(seed, stream, step, first + static_cast<std::uint64_t>(b));
    out.word[0][b] = v.v[0], out.word[1][b] = v.v[1], out.word[2][b] = v.v[2], out.word[3][b] = v.v[3];
  }
}

// y = x * mask for elements [first_block * 4, first_block * 4 + count)
void apply_mask(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, float rate, float scale,
                std::uint64_t first_block, std::int64_t count, const float* x, float* y) {
  vectorised([&] {
    Words words;
    for (std::int64_t done = 0; done < count; done += 4 * blocks_at_once, first_block += blocks_at_once) {
      philox_blocks(seed, stream, step, first_block, words);
      alignas(64) float mask[4 * blocks_at_once];
      for (std::int64_t b = 0; b < blocks_at_once; ++b)
        for (int w = 0; w < 4; ++w) mask[4 * b + w] = dropout_mask(words.word[w][b], rate, scale);
      const auto n = std::min(count - done, 4 * blocks_at_once);
#pragma omp simd
      for (std::int64_t i = 0; i < n; ++i) y[done + i] = x[done + i] * mask[i];
    }
  });
}

class DropoutCpu final : public LayerOp {
 public:
  DropoutCpu(const DropoutOptions& options, const LayerBinding& binding)
      : binding_(binding),
        size_(binding.input.size()),
        rate_(static_cast<float>(options.rate)),
        scale_(static_cast<float>(1 / (1 - options.rate))) {}
  void forward(const StepContext& context, const float* x, float* y) override { run(context, x, y); }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(context, dy, dx);
  }

 private:
  void run(const StepContext& context, const float* from, float* to) {
    const auto count = context.rows * size_;
    if (!context.training || rate_ == 0) {
      if (from != to) std::copy_n(from, count, to);
      return;
    }
    constexpr std::int64_t piece_blocks = 4096;  // 16,384 elements
    const auto blocks = piece_count(count, 4), pieces = piece_count(blocks, piece_blocks);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int) {
      const auto begin = i * piece_blocks * 4;
      apply_mask(context.seed, stream::dropout + static_cast<std::uint32_t>(binding_.index), context.step,
                 rate_, scale_, static_cast<std::uint64_t>(i * piece_blocks),
                 std::min(count - begin, piece_blocks * 4), from + begin, to + begin);
    });
  }

  LayerBinding binding_;
  std::int64_t size_;
  float rate_, scale_;
};

class DropoutLayer final : public config::WithOptions<Layer, DropoutOptions> {
 public:
  DropoutLayer(DropoutOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override { return input; }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "Dropout"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"rate", options_.rate},
            {"noise_shape", nullptr},
            {"seed", nullptr}};
  }
  std::string to_onnx(OnnxPlace& place) const override { return place.x; }  // it works in training alone
  void set_dropout(double rate) override { options_.rate = rate; }
};

const LayerRegistration<DropoutLayer, DropoutOptions> layer{{{"0.3", {17}}, {"0", {5, 3}}}};
const CpuOps::Add<DropoutCpu, DropoutOptions> cpu;

}  // namespace
}  // namespace timbre::nn
