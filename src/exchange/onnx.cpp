#include "exchange/onnx.hpp"

#include <bit>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/protobuf.hpp"
#include "results/environment.hpp"

namespace timbre::exchange {

namespace {

// Numbers of fields and of types, as onnx.proto has them.
constexpr std::int64_t ir_version = 8, opset = 17;
constexpr std::int64_t float_type = 1, int64_type = 7;

constexpr std::int64_t most_bytes = (std::int64_t{1} << 31) - (1 << 20);  // protocol buffers end at 2 GiB

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

template <class T>
std::string_view raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

ProtoMessage tensor_proto(const nn::OnnxTensor& tensor) {
  ProtoMessage m;
  if (tensor.shape.rank() > 0) m.packed(1, tensor.shape.extents());
  m.integer(2, tensor.integers.empty() ? float_type : int64_type);
  m.text(8, tensor.name);
  m.text(9, tensor.integers.empty() ? raw(tensor.floats) : raw(tensor.integers));
  return m;
}

ProtoMessage attribute_proto(const nn::OnnxAttribute& attribute) {
  ProtoMessage m;
  m.text(1, attribute.name);
  if (const auto* f = std::get_if<float>(&attribute.value))
    m.single(2, *f).integer(20, 1);
  else if (const auto* i = std::get_if<std::int64_t>(&attribute.value))
    m.integer(3, *i).integer(20, 2);
  else if (const auto* s = std::get_if<std::string>(&attribute.value))
    m.text(4, *s).integer(20, 3);
  else
    m.packed(8, std::get<std::vector<std::int64_t>>(attribute.value)).integer(20, 7);
  return m;
}

ProtoMessage node_proto(const nn::OnnxNode& node) {
  ProtoMessage m;
  for (const auto& name : node.inputs) m.text(1, name);
  for (const auto& name : node.outputs) m.text(2, name);
  m.text(3, node.name).text(4, node.op);
  for (const auto& attribute : node.attributes) m.message(5, attribute_proto(attribute));
  return m;
}

/// A ValueInfoProto: float32 [segments, shape...].
ProtoMessage array_proto(const OnnxArray& array) {
  ProtoMessage shape;
  shape.message(1, ProtoMessage().text(2, "segments"));
  for (const auto extent : array.shape.extents()) shape.message(1, ProtoMessage().integer(1, extent));
  ProtoMessage tensor;
  tensor.integer(1, float_type).message(2, shape);
  ProtoMessage m;
  m.text(1, array.name).message(2, ProtoMessage().message(1, tensor));
  return m;
}

}  // namespace

std::string onnx_bytes(const nn::OnnxGraph& graph, const std::string& name, const OnnxArray& input,
                       const OnnxArray& output, const std::string& result,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::int64_t size = 0;
  for (const auto& tensor : graph.tensors())
    size += std::int64_t(4 * tensor.floats.size() + 8 * tensor.integers.size());
  if (size > most_bytes)
    fail("the model takes {} MB; an ONNX file holds at most 2,147", grouped(size / 1'000'000));
  ProtoMessage g;
  for (const auto& node : graph.nodes()) g.message(1, node_proto(node));
  g.message(1, node_proto({output.name, "Identity", {result}, {output.name}, {}}));
  g.text(2, name.empty() ? "model" : name);
  for (const auto& tensor : graph.tensors()) g.message(5, tensor_proto(tensor));
  g.message(11, array_proto(input));
  g.message(12, array_proto(output));
  ProtoMessage m;
  m.integer(1, ir_version).text(2, "timbre").text(3, results::library_version());
  m.message(7, g);
  m.message(8, ProtoMessage().text(1, "").integer(2, opset));
  for (const auto& [key, value] : metadata) m.message(14, ProtoMessage().text(1, key).text(2, value));
  return m.bytes();
}

std::string add_network(nn::OnnxGraph& graph, const nn::Model& model, std::span<const float> arena,
                        std::string x) {
  std::vector<std::string> arrays{std::move(x)};  // by their numbers
  std::vector<std::string> masks;                 // by the layers that make them
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& entry = model.layers()[i];
    nn::OnnxPlace place{graph, arrays[std::size_t(entry.from)], entry.input, entry.output, {}};
    if (entry.other >= 0) place.other = arrays[std::size_t(entry.other)];
    if (entry.mask >= 0 && entry.mask < int(i)) place.mask = masks[std::size_t(entry.mask)];
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[std::size_t(index)];
      place.weights.push_back(
          arena.subspan(std::size_t(parameter.offset), std::size_t(parameter.spec.shape.size())));
    }
    graph.scope(entry.name);
    try {
      arrays.push_back(entry.layer->to_onnx(place));
      masks.push_back(place.mask);
    } catch (const Error& e) {
      fail("model[{}].{}: {}", i, entry.layer->type(), e.what());
    }
  }
  return arrays.back();
}

std::string onnx_file(const Outgoing& network, bool from_audio) {
  const auto& model = network.model;
  const auto &mean = network.standardisation.mean, &deviation = network.standardisation.std;
  const OnnxArray input =
      from_audio ? OnnxArray{"audio", {network.segment_samples}} : OnnxArray{"features", model.input()};
  nn::OnnxGraph graph;
  auto x = input.name;
  if (from_audio) x = add_features(graph, network.features, network.segment_samples, std::move(x));
  if (!mean.empty()) {
    graph.scope("standardise");
    const Shape shape{std::int64_t(mean.size())};
    const auto raw = x;
    x = graph.add("Sub", {x, graph.constant("mean", shape, mean)});
    x = graph.add("Div", {x, graph.constant("deviation", shape, deviation)});
    if (const auto value = model.mask_value()) {  // such frames stay as they are (data/standardise.hpp)
      const std::int64_t as_float = 1, as_bool = 9;
      auto masked =
          graph.add("Cast", {graph.add("Equal", {raw, graph.number("masked", *value)})}, {{"to", as_float}});
      masked = graph.add("ReduceMin", {masked},
                         {{"axes", std::vector<std::int64_t>{2}}, {"keepdims", std::int64_t{1}}});
      x = graph.add("Where", {graph.add("Cast", {masked}, {{"to", as_bool}}), raw, x});
    }
  }
  x = add_network(graph, model, network.arena, std::move(x));
  auto metadata = description(network);
  metadata.emplace_back("input", from_audio ? "audio, [segments, samples], between -1 and 1"
                                            : "features, [segments, frames, coefficients], not standardised");
  metadata.emplace_back("output", "probabilities, [segments, classes], in the order of the labels");
  return onnx_bytes(graph, printable(network.record.experiment), input, {"probabilities", {model.classes()}},
                    x, metadata);
}

}  // namespace timbre::exchange
