// residual: a block of layers and its shortcut, whose outputs are added up.
//
//   y = activation(body(x) + shortcut(x))
//   body       `layers`, one after the other
//   shortcut   x itself, where body(x) has its shape. Else a projection to that shape (option B of He et al.), which is
//                (H, W, C) to (H', W', C')   conv2d of 1x1 without bias, with the strides that give H' and W', then
//                                            batch_normalization: the projection of ResNet in torchvision
//                (T, F) to (T', F')          conv1d of length 1, with the strides that give T'
//                (N,) to (M,)                dense
//              or the layers that `shortcut` lists; none of them: x itself
//
// In a model the layers of a block are layers like all others, with Keras's names: those of body and shortcut by their distance
// from the sum, as Keras sorts them, then the sum (Keras's Add), then the activation. So a model with blocks is one flat
// Functional model there. The layer here is the sum: y = x + other, dx = d other = dy.
// Errors: RequestError with the place of the layer within, for shapes that no projection brings together, and for a block
// within a block.
// Source: He et al. 2016, "Deep residual learning for image recognition", 3.3 and 4.1;
// https://github.com/pytorch/vision/blob/v0.15.0/torchvision/models/resnet.py.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

class Layer;

/// The layers of a branch, as a configuration lists them.
struct LayerList {
  std::shared_ptr<const config::Node> node;  // a sequence
  static LayerList from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

struct ResidualOptions {
  static constexpr auto part = "residual";
  LayerList layers;
  std::string activation = "relu";
  std::optional<LayerList> shortcut;
};
const config::Schema<ResidualOptions>& schema(config::of<ResidualOptions>);

/// The projection from one shape to the other. Throws RequestError where there is none, with the reason.
std::vector<std::shared_ptr<Layer>> projection(const Shape& from, const Shape& to);

}  // namespace timbre::nn
