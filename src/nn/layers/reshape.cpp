#include "nn/layers/reshape.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/pass_through.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<ReshapeOptions>& schema(config::of<ReshapeOptions>) {
  static const auto s =
      config::Schema<ReshapeOptions>("sees the same values in another shape, in the order in which they lie")
          .required("target_shape", &ReshapeOptions::target_shape,
                    "the new shape without the batch, as [65, 320]. One extent may be -1: it follows from "
                    "the others",
                    config::between(std::int64_t{-1}, std::int64_t{1} << 31))
          .shorthand()
          .check([](const ReshapeOptions& o) -> std::string {
            if (o.target_shape.size() > 4) return "target_shape has more than 4 extents";
            if (std::count(o.target_shape.begin(), o.target_shape.end(), 0) > 0)
              return "target_shape: an extent of 0 holds no values";
            if (std::count(o.target_shape.begin(), o.target_shape.end(), -1) > 1)
              return "target_shape: only one extent may be -1";
            return "";
          });
  return s;
}

namespace {

class ReshapeCpu final : public PassThroughCpu {
 public:
  ReshapeCpu(const ReshapeOptions&, const LayerBinding& binding) : PassThroughCpu(binding) {}
};

class ReshapeLayer final : public config::WithOptions<Layer, ReshapeOptions> {
 public:
  ReshapeLayer(ReshapeOptions options, std::int64_t) : WithOptions(std::move(options)) {}
  Shape infer(const Shape& input) const override {
    auto extents = options_.target_shape;
    double known = 1;  // its product may be more than 64 bits hold
    for (const auto e : extents) known *= e == -1 ? 1 : double(e);
    const bool open = std::count(extents.begin(), extents.end(), -1) > 0;
    const auto size = input.size();
    if (known > double(size) || (open ? size % std::int64_t(known) != 0 : std::int64_t(known) != size))
      fail_request("the {} values of {} do not fit into {}", size, input.str(), Shape(extents).str());
    for (auto& e : extents)
      if (e == -1) e = size / std::int64_t(known);
    return Shape(std::move(extents));
  }
  std::string keras_class() const override { return "Reshape"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"target_shape", options_.target_shape}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto extents = place.output.extents();
    extents.insert(extents.begin(), -1);  // the batch
    return place.graph.add("Reshape", {place.x, place.graph.integers("target_shape", std::move(extents))});
  }
};

const LayerRegistration<ReshapeLayer, ReshapeOptions> layer{
    {{"{target_shape: [6, 4]}", {4, 3, 2}}, {"{target_shape: [-1, 5]}", {5, 3}}}};
const CpuOps::Add<ReshapeCpu, ReshapeOptions> cpu;

}  // namespace
}  // namespace timbre::nn
