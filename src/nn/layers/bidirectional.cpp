#include "nn/layers/bidirectional.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/aligned.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"
#include "nn/sum_cpu.hpp"

namespace timbre::nn {

RecurrentChoice RecurrentChoice::from(const config::Reader& reader) {
  const auto choice = reader.choice("recurrent layer", {LstmOptions::part, GruOptions::part});
  RecurrentChoice out;
  if (choice.name == LstmOptions::part)
    out.lstm = schema(config::of<LstmOptions>{}).parse(choice.options());
  else
    out.gru = schema(config::of<GruOptions>{}).parse(choice.options());
  return out;
}

config::Type RecurrentChoice::describe() {
  return config::Type::part("recurrent layer",
                            {{LstmOptions::part, schema(config::of<LstmOptions>{}).describe()},
                             {GruOptions::part, schema(config::of<GruOptions>{}).describe()}});
}

config::Node RecurrentChoice::dump() const {
  auto node = config::Node::map();
  if (lstm) node.set(LstmOptions::part, schema(config::of<LstmOptions>{}).dump(*lstm));
  if (gru) node.set(GruOptions::part, schema(config::of<GruOptions>{}).dump(*gru));
  return node;
}

const config::Schema<BidirectionalOptions>& schema(config::of<BidirectionalOptions>) {
  static const auto s =
      config::Schema<BidirectionalOptions>(
          "two recurrent layers, one of which reads the sequence backwards: (T, F) to (2 units,), or to (T, "
          "2 units)")
          .required("layer", &BidirectionalOptions::layer, "the recurrent layer that both are")
          .field("merge_mode", &BidirectionalOptions::merge_mode, "how their outputs become one",
                 config::choice_of({{"concat", "one behind the other: twice as many values"},
                                    {"sum", "their sum"},
                                    {"mul", "their product"},
                                    {"ave", "their mean"}}))
          .check([](const BidirectionalOptions& o) -> std::string {
            const bool backwards =
                o.layer.lstm ? o.layer.lstm->go_backwards : o.layer.gru && o.layer.gru->go_backwards;
            return backwards ? "layer: go_backwards has no place here: one of the two layers reads backwards"
                             : "";
          });
  return s;
}

Merge merge_of(const std::string& name) {
  return name == "sum" ? Merge::sum : name == "mul" ? Merge::mul : name == "ave" ? Merge::ave : Merge::concat;
}

namespace {

std::unique_ptr<LayerOp> make_one(const RecurrentChoice& choice, const LayerBinding& binding) {
  return choice.lstm ? CpuOps::make(OptionsRef(*choice.lstm), binding)
                     : CpuOps::make(OptionsRef(*choice.gru), binding);
}

class BidirectionalCpu final : public LayerOp {
 public:
  BidirectionalCpu(const BidirectionalOptions& options, const LayerBinding& binding)
      : binding_(binding),
        merge_(merge_of(options.merge_mode)),
        sequences_(options.layer.return_sequences()),
        steps_(sequences_ ? binding.input[0] : 1),
        units_(binding.output.back() / (merge_ == Merge::concat ? 2 : 1)) {
    const auto half = binding.parameters.size() / 2;
    for (const bool second : {false, true}) {
      auto b = binding;
      b.output = sequences_ ? Shape{steps_, units_} : Shape{units_};
      const auto first = std::ptrdiff_t(second ? half : 0), last = first + std::ptrdiff_t(half);
      b.parameters.assign(binding.parameters.begin() + first, binding.parameters.begin() + last);
      if (!binding.gradients.empty())
        b.gradients.assign(binding.gradients.begin() + first, binding.gradients.begin() + last);
      b.logits = false;
      ops_[second] = make_one(second ? options.layer.turned_round() : options.layer, b);
      y_[second].resize(std::size_t(binding.capacity * steps_ * units_));
    }
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    for (const int i : {0, 1}) ops_[i]->forward(context, x, y_[i].data());
    for_each_step(context.rows, [&](std::int64_t one, std::int64_t other, std::int64_t out) {
      const float *f = y_[0].data() + one, *b = y_[1].data() + other;
      float* to = y + out;
      if (masked(out)) {
        std::fill_n(to, binding_.output.back(), 0.0f);
        return;
      }
      for (std::int64_t j = 0; j < units_; ++j) switch (merge_) {
          case Merge::concat:
            to[j] = f[j], to[units_ + j] = b[j];
            break;
          case Merge::sum:
            to[j] = f[j] + b[j];
            break;
          case Merge::mul:
            to[j] = f[j] * b[j];
            break;
          case Merge::ave:
            to[j] = 0.5f * (f[j] + b[j]);
            break;
        }
    });
  }

  void backward(const StepContext& context, const float* x, const float*, float* dy, float* dx) override {
    for (auto& d : dy_) d.resize(y_[0].size());
    for_each_step(context.rows, [&](std::int64_t one, std::int64_t other, std::int64_t out) {
      const float *f = y_[0].data() + one, *b = y_[1].data() + other, *from = dy + out;
      float *df = dy_[0].data() + one, *db = dy_[1].data() + other;
      if (masked(out)) {
        std::fill_n(df, units_, 0.0f), std::fill_n(db, units_, 0.0f);
        return;
      }
      for (std::int64_t j = 0; j < units_; ++j) switch (merge_) {
          case Merge::concat:
            df[j] = from[j], db[j] = from[units_ + j];
            break;
          case Merge::sum:
            df[j] = db[j] = from[j];
            break;
          case Merge::mul:
            df[j] = from[j] * b[j], db[j] = from[j] * f[j];
            break;
          case Merge::ave:
            df[j] = db[j] = 0.5f * from[j];
            break;
        }
    });
    const auto size = context.rows * binding_.input.size();
    if (binding_.input_gradient) dx_.resize(std::size_t(size));
    ops_[0]->backward(context, x, y_[0].data(), dy_[0].data(), dx);
    ops_[1]->backward(context, x, y_[1].data(), dy_[1].data(),
                      binding_.input_gradient ? dx_.data() : nullptr);
    if (binding_.input_gradient) add_arrays(*binding_.pool, size, dx, dx_.data(), dx);
  }

 private:
  /// visit(where the forward layer's step is, where the backward layer's is, where the output's is), for every row and step.
  template <class Visit>
  void for_each_step(std::int64_t rows, const Visit& visit) const {
    const auto width = binding_.output.back();
    binding_.pool->parallel_for(rows, [&](std::int64_t row, int) {
      for (std::int64_t t = 0; t < steps_; ++t)
        visit((row * steps_ + t) * units_, (row * steps_ + steps_ - 1 - t) * units_,
              (row * steps_ + t) * width);
    });
  }

  /// Of a step of the output: there both layers give 0.
  bool masked(std::int64_t out) const {
    return binding_.mask && sequences_ && !binding_.mask[out / binding_.output.back()];
  }

  LayerBinding binding_;
  Merge merge_;
  bool sequences_;
  std::int64_t steps_, units_;
  std::unique_ptr<LayerOp> ops_[2];
  AlignedFloats y_[2], dy_[2], dx_;  // [rows, steps, units], in the order of processing
};

class BidirectionalLayer final : public config::WithOptions<Layer, BidirectionalOptions> {
 public:
  BidirectionalLayer(BidirectionalOptions options, std::int64_t classes) : WithOptions(std::move(options)) {
    layer_ = layer_of(options_.layer, classes), turned_ = layer_of(options_.layer.turned_round(), classes);
  }

  Shape infer(const Shape& input) const override {
    auto extents = layer_->infer(input).extents();
    if (merge_of(options_.merge_mode) == Merge::concat) extents.back() *= 2;
    return Shape(std::move(extents));
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    for (const auto* which : {"forward_", "backward_"})
      for (auto& spec : layer_->parameters(input)) {
        spec.name = which + spec.name;
        out.push_back(std::move(spec));
      }
    return out;
  }
  MaskUse mask_use() const override { return MaskUse::takes; }
  std::string keras_class() const override { return "Bidirectional"; }
  nlohmann::ordered_json keras_config() const override {
    auto inner = layer_->keras_config();
    inner["name"] = std::string(layer_->type());
    // (Keras 3 asks for the module of a layer within a layer, and Keras 2 passes over it.)
    return {{"trainable", true},
            {"dtype", "float32"},
            {"merge_mode", options_.merge_mode},
            {"layer",
             {{"module", "keras.layers"},
              {"class_name", layer_->keras_class()},
              {"config", std::move(inner)},
              {"registered_name", nullptr}}}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto& g = place.graph;
    const auto half = std::ptrdiff_t(place.weights.size() / 2);
    auto output = layer_->infer(place.input);
    OnnxPlace one{g, place.x, place.input, output, {place.weights.begin(), place.weights.begin() + half}},
        other{g, place.x, place.input, output, {place.weights.begin() + half, place.weights.end()}};
    one.mask = other.mask = place.mask;
    const auto f = layer_->to_onnx(one);
    auto b = turned_->to_onnx(other);
    if (options_.layer.return_sequences()) b = onnx_reversed(g, b, 1);
    const auto y = merged(g, f, b);
    if (place.mask.empty() || !options_.layer.return_sequences()) return y;
    return g.add("Mul", {y, g.add("Unsqueeze", {place.mask, g.integers("values", {2})})});
  }

 private:
  std::string merged(OnnxGraph& g, const std::string& f, const std::string& b) const {
    switch (merge_of(options_.merge_mode)) {
      case Merge::concat:
        return g.add("Concat", {f, b}, {{"axis", std::int64_t{-1}}});
      case Merge::mul:
        return g.add("Mul", {f, b});
      case Merge::sum:
        return g.add("Add", {f, b});
      case Merge::ave:
        break;
    }
    return g.add("Mul", {g.add("Add", {f, b}), g.number("half", 0.5f)});
  }
  static std::unique_ptr<Layer> layer_of(const RecurrentChoice& choice, std::int64_t classes) {
    const auto node = choice.dump();
    const auto& [name, options] = node.entries.front();
    return LayerRegistry::instance().find(name)->parse(config::Reader(options, name), classes);
  }

  std::unique_ptr<Layer> layer_, turned_;
};

const LayerRegistration<BidirectionalLayer, BidirectionalOptions> layer{
    {{"{layer: {lstm: {units: 4, return_sequences: true}}}", {6, 5}},
     {"{layer: {gru: {units: 5, return_sequences: true}}, merge_mode: mul}", {5, 3}},
     {"{layer: {gru: 4}, merge_mode: sum}", {5, 3}},
     {"{layer: {lstm: {units: 3, use_bias: false}}, merge_mode: ave}", {4, 3}}}};
const CpuOps::Add<BidirectionalCpu, BidirectionalOptions> cpu;

}  // namespace
}  // namespace timbre::nn
