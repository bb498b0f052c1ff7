// What every test of a layer needs: a layer from YAML text, memory for it, forward and backward on a pool, and
// comparison with golden files.
//
// A golden file holds one group per case:
//   /<case>/layer              text, as in a configuration: "dense: {units: 3}"
//   /<case>/x, /y, /dy, /dx    [N, ...]: input, output in training, gradients given and wanted
//   /<case>/y_inference        output outside training, where it differs (optional)
//   /<case>/parameters/<name>  before the step, named as ParameterSpec::name
//   /<case>/gradients/<name>   of the trainable ones
//   /<case>/after/<name>       parameters that forward itself changes, such as moving_mean (optional)
//   /<case>/mask               [N, T], 1 where a step counts (optional)
//   /<case>/every              [1]: parameters are not stored but hashed(), each scaled by /<case>/scale, and only
//                              every so many elements of the gradients are stored (optional)
// Tensors are compared by the largest difference over the largest magnitude of the reference.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "core/parallel.hpp"
#include "core/philox.hpp"
#include "nn/layer.hpp"
#include "nn/layer_op.hpp"
#include "storage/hdf5.hpp"

namespace timbre::nn::testing {

/// A layer from its text in a configuration: "dense: {units: 3}", "flatten", "dropout: 0.2".
inline std::unique_ptr<Layer> make_layer(const std::string& yaml, std::int64_t classes = 10) {
  const auto node = config::parse_text(yaml, "test.yaml", ".");
  const auto& registry = LayerRegistry::instance();
  const auto choice = config::Reader(node).choice("layer", registry.names());
  return registry.find(choice.name)->parse(choice.options(), classes);
}

/// The message of the RequestError that `body` throws, or "no error".
template <class F>
std::string request_error(F&& body) {
  try {
    body();
  } catch (const RequestError& e) {
    return e.what();
  }
  return "no error";
}

/// Standard normal numbers, the same everywhere.
inline std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  PhiloxSequence random(seed, 77);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (auto& v : out) v = static_cast<float>(random.normal());
  return out;
}

/// Numbers in [-1, 1) that the scripts of the golden files make as well; `number` is that of the parameter.
inline std::vector<double> hashed(std::int64_t count, std::uint32_t number) {
  std::vector<double> out;
  for (std::int64_t i = 1; i <= count; ++i) {
    std::uint32_t u = static_cast<std::uint32_t>(i) * 2654435761u + number * 40503u;
    u ^= u >> 15, u *= 2246822519u, u ^= u >> 13;
    out.push_back(u * 0x1p-31 - 1);
  }
  return out;
}

/// Largest |a - reference| over the largest |reference|; infinite where a is not finite but the reference is,
/// or where sizes differ.
inline double relative_difference(std::span<const float> a, std::span<const double> reference) {
  if (a.size() != reference.size()) return INFINITY;
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - reference[i]);
    if (!(d <= difference)) difference = std::isnan(d) ? INFINITY : d;
    magnitude = std::max(magnitude, std::abs(reference[i]));
  }
  return difference == 0 ? 0 : difference / magnitude;
}
inline double relative_difference(std::span<const float> a, std::span<const float> reference) {
  return relative_difference(a, std::vector<double>(reference.begin(), reference.end()));
}

inline bool same_bytes(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

struct RunSettings {
  std::int64_t capacity = 0;  // 0: the rows of the first forward
  int threads = 1;
  bool trained = true;  // gradients are bound
  bool input_gradient = true;
  bool logits = false;
  bool masked = false;  // some steps, the same in each row
  int index = 0;
  std::uint64_t seed = 0;
};

/// A layer at work on memory of its own. Fill parameters (by name) before forward.
class LayerRun {
 public:
  LayerRun(const Layer& layer, Shape input, std::int64_t rows, RunSettings settings = {})
      : input_(std::move(input)),
        output_(layer.infer(input_)),
        rows_(rows),
        settings_(settings),
        pool_(settings.threads) {
    LayerBinding binding;
    binding.input = input_, binding.output = output_;
    binding.capacity = settings.capacity ? settings.capacity : rows;
    binding.index = settings.index, binding.logits = settings.logits;
    binding.input_gradient = settings.input_gradient, binding.pool = &pool_;
    for (const auto& spec : layer.parameters(input_)) {
      names.push_back(spec.name);
      const auto size = static_cast<std::size_t>(spec.shape.size());
      auto& p = parameters[spec.name];
      // A scale that neither saturates gates nor dies out: about 1 / sqrt(inputs).
      p = normals(spec.shape.size(), 1000 + names.size());
      for (auto& v : p) v *= float(1 / std::sqrt(double(spec.shape.size()) / double(spec.shape.back())));
      binding.parameters.push_back(p.data());
      if (settings.trained) {
        // NaN where backward forgets to write.
        auto& g = gradients[spec.name];
        if (spec.trainable) g.assign(size, NAN);
        binding.gradients.push_back(spec.trainable ? g.data() : nullptr);
      }
    }
    x.assign(std::size_t(binding.capacity * input_.size()), 0.0f);
    const auto random = normals(rows * input_.size(), 1);
    std::copy(random.begin(), random.end(), x.begin());
    y.assign(std::size_t(binding.capacity * output_.size()), untouched);
    dy = normals(rows * output_.size(), 2);
    dx.assign(std::size_t(binding.capacity * input_.size()), untouched);
    if (layer.block())  // the same in each row
      for (std::int64_t r = 0; r < binding.capacity; ++r)
        for (const float v : normals(input_.size(), 3)) other.push_back(v);
    binding.other = other.data();
    if (settings.masked || layer.mask_use() == MaskUse::makes) {
      for (std::int64_t i = 0; i < binding.capacity * input_[0]; ++i)
        mask.push_back(i % input_[0] * 7 % 5 > 1);
      binding.mask = mask.data();
    }
    op_ = make_cpu_op(layer, binding);
  }

  void set_rows(std::int64_t rows) { rows_ = rows; }
  std::int64_t rows() const { return rows_; }
  const Shape& output() const { return output_; }

  void forward(bool training = true, std::uint32_t step = 0) {
    op_->forward({rows_, training, settings_.seed, step}, x.data(), y.data());
  }
  void backward(std::uint32_t step = 0) {
    auto work = dy;  // backward may use dy as work space
    op_->backward({rows_, true, settings_.seed, step}, x.data(), y.data(), work.data(),
                  settings_.input_gradient ? dx.data() : nullptr);
  }
  /// The first `rows` rows, and whether nothing was written behind them.
  std::span<const float> y_rows() const { return {y.data(), std::size_t(rows_ * output_.size())}; }
  std::span<const float> dx_rows() const { return {dx.data(), std::size_t(rows_ * input_.size())}; }
  bool rest_untouched() const {
    const auto is = [](float v) { return v == untouched; };
    return std::all_of(y.begin() + rows_ * output_.size(), y.end(), is) &&
           std::all_of(dx.begin() + rows_ * input_.size(), dx.end(), is);
  }

  std::vector<std::string> names;
  std::map<std::string, std::vector<float>> parameters, gradients;
  std::vector<float> x, y, dy, dx;
  std::vector<std::uint8_t> mask;  // [capacity, T]
  std::vector<float> other;        // of a layer that ends a block: its second input

 private:
  static constexpr float untouched = 12345.0f;
  Shape input_, output_;
  std::int64_t rows_;
  RunSettings settings_;
  ThreadPool pool_;
  std::unique_ptr<LayerOp> op_;
};

inline std::vector<std::string> golden_cases(const std::string& file) {
  std::vector<std::string> out;
  for (const auto& child : storage::H5File::open(std::string(TIMBRE_TEST_DATA) + "/" + file).children("/"))
    if (child.is_group) out.push_back(child.name);
  return out;
}

struct Tolerances {
  double forward = 1e-5, gradient = 1e-5;
};

/// Runs one case of a golden file with 1, 2 and 4 threads and a batch larger than the rows: values within the
/// tolerances, and the same bytes every time.
inline void expect_golden(const std::string& file, const std::string& name, Tolerances tolerances = {}) {
  SCOPED_TRACE(file + ": " + name);
  const auto h5 = storage::H5File::open(std::string(TIMBRE_TEST_DATA) + "/" + file);
  const auto at = "/" + name + "/";
  const auto layer = make_layer(h5.read_text(at + "layer"));
  auto extents = h5.shape(at + "x").extents();
  const auto rows = extents[0];
  extents.erase(extents.begin());
  const Shape input{extents};

  const auto every = h5.exists(at + "every") ? std::size_t(h5.read_ints(at + "every")[0]) : 1;

  std::vector<std::unique_ptr<LayerRun>> runs;
  for (auto settings : {RunSettings{.threads = 1}, RunSettings{.threads = 2}, RunSettings{.threads = 4},
                        RunSettings{.capacity = rows + 13, .threads = 2}}) {
    settings.masked = h5.exists(at + "mask");
    auto& run = *runs.emplace_back(std::make_unique<LayerRun>(*layer, input, rows, settings));
    for (const auto& p : run.names) {
      std::vector<float> values;
      if (every > 1) {
        const auto scale = h5.read_doubles(at + "scale")[0];
        const auto number = static_cast<std::uint32_t>(&p - run.names.data());
        for (const auto v : hashed(std::int64_t(run.parameters[p].size()), number))
          values.push_back(float(v * scale));
      } else {
        values = h5.read_floats(at + "parameters/" + p);
      }
      ASSERT_EQ(values.size(), run.parameters[p].size()) << p;
      std::copy(values.begin(), values.end(), run.parameters[p].begin());  // its address is bound
    }
    if (settings.masked) std::ranges::copy(h5.read_ints(at + "mask"), run.mask.begin());
    const auto x = h5.read_floats(at + "x");
    std::copy(x.begin(), x.end(), run.x.begin());
    run.dy = h5.read_floats(at + "dy");
    if (h5.exists(at + "y_inference")) {
      run.forward(false);
      EXPECT_LE(relative_difference(run.y_rows(), h5.read_doubles(at + "y_inference")), tolerances.forward);
    }
    run.forward();
    run.backward();
  }

  const auto& one = *runs[0];
  EXPECT_EQ(h5.shape(at + "y").size(), rows * one.output().size());
  EXPECT_LE(relative_difference(one.y_rows(), h5.read_doubles(at + "y")), tolerances.forward);
  EXPECT_LE(relative_difference(one.dx_rows(), h5.read_doubles(at + "dx")), tolerances.gradient);
  for (const auto& [p, gradient] : one.gradients) {
    if (gradient.empty()) continue;
    std::vector<float> some;
    for (std::size_t i = 0; i < gradient.size(); i += every) some.push_back(gradient[i]);
    EXPECT_LE(relative_difference(some, h5.read_doubles(at + "gradients/" + p)), tolerances.gradient) << p;
  }
  for (const auto& [p, value] : one.parameters) {
    if (!h5.exists(at + "after/" + p)) continue;
    EXPECT_LE(relative_difference(value, h5.read_doubles(at + "after/" + p)), tolerances.forward) << p;
  }
  for (const auto& other : runs) {
    EXPECT_TRUE(same_bytes(one.y_rows(), other->y_rows()));
    EXPECT_TRUE(same_bytes(one.dx_rows(), other->dx_rows()));
    for (const auto& [p, gradient] : one.gradients)
      EXPECT_TRUE(same_bytes(gradient, other->gradients.at(p))) << p;
    EXPECT_TRUE(other->rest_untouched());
  }
}

}  // namespace timbre::nn::testing
