// A layer at work on the GPU: the counterpart of nn::LayerOp, found by the layer's type name.
//
// Every layer is a .cu here with the name of its file in src/nn/layers: kernels, their launch, the class, and one line that
// adds it by the struct of its options (core/part.hpp):
//
//   inline const CudaLayers::Add<DenseDevice, nn::DenseOptions> dense;
//
// Tests include a .cu to reach its kernels, so everything in it is inline.
// A call only enqueues work on one stream: it allocates nothing, does not wait and copies nothing to the host, since
// calls are captured into a graph. Batches always have `capacity` rows. Rows that are not live hold zeros, and their dy
// is zero, so sums over rows need no mask.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/part.hpp"
#include "core/shape.hpp"
#include "cuda/support/blas.hpp"
#include "cuda/support/dnn.hpp"
#include "cuda/support/memory.hpp"

namespace timbre::cuda {

/// Shared by the layers of one step.
struct CudaTools {
  explicit CudaTools(cudaStream_t s);
  cudaStream_t stream;
  Blas blas;
  /// cuDNN's handle, made when it is first asked for, which is while layers are made; many networks need none.
  cudnnHandle_t dnn();

 private:
  DnnHandle dnn_;
};

/// The shapes, arrays and tools of an operation, fixed when it is made. Pointers are to device memory.
struct CudaBinding {
  Shape input, output;             // without the batch
  std::int64_t capacity = 0;       // rows of every batch
  const float* other = nullptr;    // of a layer that ends a block: its second input, of the first's shape
  std::vector<float*> parameters;  // in the order of Layer::parameters(input), in Keras's layout
  std::uint8_t* mask =
      nullptr;  // [capacity, T] of a sequence with a mask: 1 where a step counts; masking writes it
  std::vector<float*> gradients;       // the same; nullptr for what is not trainable
  int index = 0;                       // position in the model
  bool trained = true;                 // whether there is a backward at all
  bool input_gradient = true;          // whether backward must write dx
  bool logits = false;                 // last layer: leave out the final softmax (the loss has it)
  bool frozen = false;                 // no step uses what goes into `gradients`
  std::uint64_t seed = 0;              // of the run
  const std::int64_t* step = nullptr;  // training steps done so far
  const std::int32_t* live = nullptr;  // rows of this batch that count
  CudaTools* tools = nullptr;
};

class CudaLayer {
 public:
  virtual ~CudaLayer() = default;
  /// x [capacity, input...] -> y [capacity, output...]. x and y stay unchanged until backward has run.
  virtual void forward(bool training, const float* x, float* y) = 0;
  /// dy [capacity, output...], which may be used as work space, -> dx [capacity, input...] (if
  /// input_gradient), and the parameters' gradients, which are overwritten.
  virtual void backward(const float* x, const float* y, float* dy, float* dx) = 0;
  /// Whether y is x, value by value, and dx is dy: then they share memory, and nothing is called.
  virtual bool passes_through() const { return false; }
  /// The states of random numbers that it draws in an order of its own; null where it draws none, or by counter.
  virtual const DeviceArray<std::int32_t>* generator() const { return nullptr; }
  /// Its choice and the reason, for the log; "" where there was no choice.
  virtual std::string note() const { return ""; }
};

using CudaLayers = Implementations<CudaLayer, const CudaBinding&>;

/// Throws Error where the back end does not know the layer.
std::unique_ptr<CudaLayer> make_cuda_layer(const OptionsRef& options, const CudaBinding& binding);

}  // namespace timbre::cuda
