#include "nn/layers/residual.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/activation.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"
#include "nn/sum_cpu.hpp"

namespace timbre::nn {

namespace {

std::shared_ptr<Layer> layer_of(const config::Reader& reader, std::int64_t classes) {
  const auto choice = reader.choice("layer", LayerRegistry::instance().names());
  if (choice.name == ResidualOptions::part)
    choice.options().fail("a residual block holds no other block: put them one after the other");
  return LayerRegistry::instance().find(choice.name)->parse(choice.options(), classes);
}

std::vector<std::shared_ptr<Layer>> layers_of(const LayerList& list, std::int64_t classes) {
  std::vector<std::shared_ptr<Layer>> out;
  const config::Reader reader(*list.node);
  for (std::size_t i = 0; i < list.node->items.size(); ++i) out.push_back(layer_of(reader.item(i), classes));
  return out;
}

/// The stride with which a window of one place gives `to` of `from` places; 0 where there is none.
std::int64_t stride(std::int64_t from, std::int64_t to) {
  const auto s = (from - 1) / to + 1;
  return (from - 1) / s + 1 == to ? s : 0;
}

}  // namespace

LayerList LayerList::from(const config::Reader& reader) {
  if (!reader.node().is_sequence())
    reader.fail("must be a sequence of layers, not " + config::describe(reader.node()));
  for (std::size_t i = 0; i < reader.node().items.size(); ++i) layer_of(reader.item(i), 1);
  return {std::make_shared<const config::Node>(reader.node())};
}

config::Type LayerList::describe() {
  std::vector<config::NamedPart> layers;
  for (const auto& name : LayerRegistry::instance().names())
    if (name != ResidualOptions::part)
      layers.push_back({name, LayerRegistry::instance().find(name)->describe()});
  return config::Type::sequence(config::Type::part("layer", std::move(layers)));
}

config::Node LayerList::dump() const { return node ? *node : config::Node::sequence(); }

const config::Schema<ResidualOptions>& schema(config::of<ResidualOptions>) {
  static const auto s =
      config::Schema<ResidualOptions>(
          "a block of layers whose output is added to its own input: activation(body(x) + shortcut(x)); any "
          "shape")
          .required("layers", &ResidualOptions::layers,
                    "the body: layers of any kind but residual, in their order")
          .field("activation", &ResidualOptions::activation, "function applied to the sum",
                 config::one_of(all_activation_names()))
          .field(
              "shortcut", &ResidualOptions::shortcut,
              "layers on the way past the body; [] for none. null: none where the body keeps the shape, else "
              "a projection by windows of one place: conv2d 1x1 and batch_normalization for pictures, "
              "conv1d for sequences, dense for vectors")
          .shorthand();
  return s;
}

std::vector<std::shared_ptr<Layer>> projection(const Shape& from, const Shape& to) {
  const auto refuse = [&](const std::string& why) {
    fail_request(
        "no projection brings {} to {}, the shape of the body's output{}; the body can keep it (padding: "
        "same), "
        "or shortcut can list layers",
        from.str(), to.str(), why);
  };
  const bool picture = to.rank() == 3 && (from.rank() == 3 || from.rank() == 2);
  if (picture) {
    const auto h = stride(from[0], to[0]), w = stride(from[1], to[1]);
    if (h == 0 || w == 0) refuse(": strides cannot do that");
    return {layer_from(fmt::format(
                "conv2d: {{filters: {}, kernel_size: 1, strides: [{}, {}], padding: same, use_bias: false}}",
                to[2], h, w)),
            layer_from("batch_normalization")};
  }
  if (from.rank() != to.rank()) refuse("");
  if (to.rank() == 2) {
    const auto t = stride(from[0], to[0]);
    if (t == 0) refuse(": strides cannot do that");
    return {layer_from(
        fmt::format("conv1d: {{filters: {}, kernel_size: 1, strides: {}, padding: same}}", to[1], t))};
  }
  if (to.rank() != 1) refuse("");
  return {layer_from(fmt::format("dense: {}", to[0]))};
}

namespace {

class ResidualCpu final : public LayerOp {
 public:
  ResidualCpu(const ResidualOptions&, const LayerBinding& binding) : binding_(binding) {}
  void forward(const StepContext& context, const float* x, float* y) override {
    add_arrays(*binding_.pool, context.rows * binding_.input.size(), x, binding_.other, y);
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) std::copy_n(dy, context.rows * binding_.input.size(), dx);
  }

 private:
  LayerBinding binding_;
};

class ResidualLayer final : public config::WithOptions<Layer, ResidualOptions> {
 public:
  ResidualLayer(ResidualOptions options, std::int64_t classes) : WithOptions(std::move(options)) {
    block_.body = layers_of(options_.layers, classes);
    if (options_.shortcut) block_.shortcut = layers_of(*options_.shortcut, classes);
    block_.activation = options_.activation;
  }
  Shape infer(const Shape& input) const override { return input; }
  const Block* block() const override { return &block_; }
  config::Node dump() const override {
    const auto list = [](const std::vector<std::shared_ptr<Layer>>& layers) {
      auto node = config::Node::sequence();
      for (const auto& layer : layers) node.items.push_back(layer->dump());
      return LayerList{std::make_shared<const config::Node>(std::move(node))};
    };
    auto resolved = options_;
    resolved.layers = list(block_.body);
    if (block_.shortcut) resolved.shortcut = list(*block_.shortcut);
    auto node = config::Node::map();
    node.set(ResidualOptions::part, schema(config::of<ResidualOptions>{}).dump(resolved));
    return node;
  }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "Add"; }
  nlohmann::ordered_json keras_config() const override { return {{"trainable", true}, {"dtype", "float32"}}; }
  std::string to_onnx(OnnxPlace& place) const override {
    return place.graph.add("Add", {place.x, place.other});
  }
  void set_dropout(double rate) override {
    for (const auto& layer : block_.body) layer->set_dropout(rate);
    if (block_.shortcut)
      for (const auto& layer : *block_.shortcut) layer->set_dropout(rate);
  }

 private:
  Block block_;
};

const LayerRegistration<ResidualLayer, ResidualOptions> layer{
    {{"{layers: [conv2d: {filters: 3, kernel_size: 3, padding: same}, batch_normalization]}", {5, 4, 3}},
     {"{layers: [dense: {units: 6, activation: relu}, dropout: 0.3, dense: 7], activation: linear, shortcut: "
      "[dense: 7]}",
      {7}}}};
const CpuOps::Add<ResidualCpu, ResidualOptions> cpu;

}  // namespace
}  // namespace timbre::nn
