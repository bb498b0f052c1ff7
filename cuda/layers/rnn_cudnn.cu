// lstm and gru on cuDNN's RNN interface.
//
// Sequences become time-major and back; weights are brought into cuDNN's weight space before every forward,
// since the arena holds them in Keras's layout, and gradients come back from it. A GRU has both of cuDNN's biases, in
// another order of gates; an LSTM has the first, and the second stays zero, without a gradient. Rows that do not belong to
// the batch hold zeros and have dy = 0: they add nothing.
//
// The persistent algorithm for small states keeps the recurrent weights on the chip; where cuDNN refuses it
// for this shape (a trial with zeros shows) in both layouts of sequences, or the state is larger than it is meant
// for, the standard one is taken.
//
// Layers on top of each other are one RNN, with dropout between them; mostly there is one layer.
#include <algorithm>
#include <array>

#include "cuda/layers/rnn_cudnn.hpp"
#include "cuda/layers/rnn_layout.cuh"
#include "cuda/support/dnn_dropout.hpp"

namespace timbre::cuda {

// ---- The host's half

namespace {

// Units. cuDNN 9 takes the descriptor for more, and refuses later: of LSTMs, backward has kernels for up to 128, forward for up
// to 192. PyTorch, too, draws the line here.
constexpr int largest_persistent = 128;
// The limit of cudnnSetRNNDataDescriptor (tried with 9.19).
constexpr int most_steps = 65535;

/// A kind of cell. order: cuDNN's number of each gate, by Keras's order.
struct Cell {
  cudnnRNNMode_t mode;
  int gates, biases;
  std::array<int, 4> order;
};
constexpr Cell lstm_cell{CUDNN_LSTM, 4, 1, {0, 1, 2, 3}};
constexpr Cell gru_cell{CUDNN_GRU, 3, 2, {1, 0, 2, -1}};

class RnnOnCudnn final : public CudaLayer {
 public:
  RnnOnCudnn(const RnnStack& stack, const std::string& why_not_own)
      : part_(stack.part),
        cell_(part_ == "gru" ? gru_cell : lstm_cell),
        binding_(stack.layers.front().binding),
        shape_(shape_of(stack)),
        sequences_(stack.sequences),
        reversed_(stack.reversed),
        dropout_(dnn(), stream(), binding_.trained ? stack.rate : 0,
                 generator_seed(binding_.seed, binding_.index)) {
    for (const auto& [use_bias, binding] : stack.layers) {
      const auto inputs = parameters_.empty() ? shape_.inputs : shape_.units;
      const auto arrays = [&](const std::vector<float*>& p) {
        return RnnArrays{p[0],         p[1],        use_bias ? p[2] : nullptr,  inputs,
                         shape_.units, cell_.gates, use_bias ? cell_.biases : 0};
      };
      parameters_.push_back(arrays(binding.parameters)), gradients_.push_back(arrays(binding.gradients));
    }
    const auto cells = std::size_t(shape_.steps) * std::size_t(shape_.rows);
    x_ = DeviceArray<float>(cells * std::size_t(shape_.inputs));
    y_ = DeviceArray<float>(cells * std::size_t(shape_.units));
    if (binding_.trained) dx_ = DeviceArray<float>(x_.size()), dy_ = DeviceArray<float>(y_.size());
    const std::vector<std::int32_t> lengths(std::size_t(shape_.rows), shape_.steps);
    lengths_ = upload(std::span(lengths), stream());
    choose(stack.layers.size(), stack.rate);
    if (dropout_.states().size() > 0) dropout_.restart();  // trials have drawn
    if (!why_not_own.empty()) note_ += "; the own kernel: " + why_not_own;
  }

  void forward(bool training, const float* x, float* y) override {
    for (std::size_t l = 0; l < places_.size(); ++l)
      to_weight_space(stream(), places_[l], parameters_[l], weights_.data());
    to_time_major(stream(), x, x_.data(), shape_.rows, shape_.steps, shape_.inputs, reversed_);
    TIMBRE_DNN_CHECK(run_forward(training));
    if (sequences_)
      from_time_major(stream(), y_.data(), y, shape_.rows, shape_.steps, shape_.units, false);
    else
      copy_on_device(y_.data() + std::int64_t(shape_.steps - 1) * last_size(), y, std::size_t(last_size()),
                     stream());
  }

  void backward(const float*, const float*, float* dy, float* dx) override {
    if (sequences_)
      to_time_major(stream(), dy, dy_.data(), shape_.rows, shape_.steps, shape_.units, false);
    else
      last_step_only(stream(), dy, dy_.data(), shape_.rows, shape_.steps, shape_.units);
    TIMBRE_DNN_CHECK(run_backward_data());
    clear_on_device(d_weights_, stream());
    TIMBRE_DNN_CHECK(run_backward_weights());
    for (std::size_t l = 0; l < places_.size(); ++l)
      from_weight_space(stream(), places_[l], gradients_[l], d_weights_.data());
    if (binding_.input_gradient)
      from_time_major(stream(), dx_.data(), dx, shape_.rows, shape_.steps, shape_.inputs, reversed_);
  }

  const DeviceArray<std::int32_t>* generator() const override {
    return dropout_.states().size() > 0 ? &dropout_.states() : nullptr;
  }
  std::string note() const override { return note_; }

 private:
  RnnShape shape_of(const RnnStack& stack) const {
    const auto& b = stack.layers.front().binding;
    if (b.input[0] > most_steps)
      throw RnnRefused(rnn_name(part_, b) + ": cuDNN takes " + std::to_string(most_steps) +
                       " time steps at most");
    return {int(b.capacity),      int(b.input[0]),          int(b.input[1]),
            int(b.output.back()), int(stack.layers.size()), cell_.mode};
  }
  cudaStream_t stream() const { return binding_.tools->stream; }
  cudnnHandle_t dnn() const { return binding_.tools->dnn(); }
  std::int64_t last_size() const { return std::int64_t(shape_.rows) * shape_.units; }

  cudnnStatus_t run_forward(bool training) {
    return cudnnRNNForward(dnn(), rnn_, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
                           lengths_.data(), data_->x, x_.data(), data_->y, y_.data(), data_->state, nullptr,
                           nullptr, data_->state, nullptr, nullptr, weight_bytes_, weights_.data(),
                           work_.size(), work_.data(), training ? reserve_.size() : 0,
                           training ? reserve_.data() : nullptr);
  }
  cudnnStatus_t run_backward_data() {
    return cudnnRNNBackwardData_v8(dnn(), rnn_, lengths_.data(), data_->y, y_.data(), dy_.data(), data_->x,
                                   dx_.data(), data_->state, nullptr, nullptr, nullptr, data_->state, nullptr,
                                   nullptr, nullptr, weight_bytes_, weights_.data(), work_.size(),
                                   work_.data(), reserve_.size(), reserve_.data());
  }
  /// Adds to the gradients' weight space: cuDNN has no other mode.
  cudnnStatus_t run_backward_weights() {
    return cudnnRNNBackwardWeights_v8(dnn(), rnn_, CUDNN_WGRAD_MODE_ADD, lengths_.data(), data_->x, x_.data(),
                                      data_->state, nullptr, data_->y, y_.data(), weight_bytes_,
                                      d_weights_.data(), work_.size(), work_.data(), reserve_.size(),
                                      reserve_.data());
  }

  void choose(std::size_t layers, double rate) {
    auto name = rnn_name(part_, binding_);
    if (layers > 1) name += " and " + std::to_string(layers - 1) + " above it, dropout " + short_text(rate);
    std::string refused = "for " + std::to_string(largest_persistent) + " units at most";
    if (shape_.units <= largest_persistent) {
      refused = attempt(CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, RnnLayout::packed);
      if (refused.empty()) {
        note_ = name + ": cuDNN's persistent algorithm for small states";
        return;
      }
      const auto padded = attempt(CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, RnnLayout::padded);
      if (padded.empty()) {
        note_ = name + ": cuDNN's persistent algorithm for small states, padded (packed: " + refused + ")";
        return;
      }
      if (padded != refused) refused += "; padded: " + padded;
    }
    note_ = name + ": cuDNN's standard algorithm (persistent: " + refused + ")";
    if (const auto why = attempt(CUDNN_RNN_ALGO_STANDARD, RnnLayout::packed); !why.empty())
      throw RnnRefused(name + ": cuDNN refuses it: " + why);
  }
  static std::string short_text(double rate) {
    auto text = std::to_string(rate);
    return text.substr(0, text.find_last_not_of('0') + 1);
  }

  /// Sets everything up for an algorithm and runs it once on zeros; "" or what cuDNN refused.
  std::string attempt(cudnnRNNAlgo_t algorithm, RnnLayout layout) {
    const WaitAtEnd end(stream());  // the next attempt takes the memory away
    data_ = std::make_unique<RnnDescriptors>(shape_, layout);
    const auto refused = [](const char* call, cudnnStatus_t s) {
      return std::string(call) + ": " + cudnnGetErrorString(s);
    };
    if (const auto s = set_rnn(rnn_, algorithm, layout, shape_, dropout_.descriptor()))
      return refused("cudnnSetRNNDescriptor_v8", s);
    std::size_t work = 0, reserve = 0, work_alone = 0, none = 0, bytes = 0;
    if (binding_.trained)
      if (const auto s =
              cudnnGetRNNTempSpaceSizes(dnn(), rnn_, CUDNN_FWD_MODE_TRAINING, data_->x, &work, &reserve))
        return refused("cudnnGetRNNTempSpaceSizes", s);
    if (const auto s =
            cudnnGetRNNTempSpaceSizes(dnn(), rnn_, CUDNN_FWD_MODE_INFERENCE, data_->x, &work_alone, &none))
      return refused("cudnnGetRNNTempSpaceSizes", s);
    if (const auto s = cudnnGetRNNWeightSpaceSize(dnn(), rnn_, &bytes))
      return refused("cudnnGetRNNWeightSpaceSize", s);
    // (Of no bytes it would be a null pointer, which cuDNN refuses.)
    work_ = DeviceArray<char>(std::max({work, work_alone, std::size_t{1}}));
    weight_bytes_ = bytes;
    weights_ = DeviceArray<float>((bytes + 3) / 4);
    if (binding_.trained) {
      reserve_ = DeviceArray<char>(std::max(reserve, std::size_t{1}));
      d_weights_ = DeviceArray<float>(weights_.size());
    }
    for (auto* a : {&weights_, &d_weights_, &x_, &dy_}) clear_on_device(*a, stream());
    find_places();
    if (const auto s = run_forward(false)) return refused("cudnnRNNForward (inference)", s);
    if (binding_.trained) {
      if (const auto s = run_forward(true)) return refused("cudnnRNNForward", s);
      if (const auto s = run_backward_data()) return refused("cudnnRNNBackwardData_v8", s);
      if (const auto s = run_backward_weights()) return refused("cudnnRNNBackwardWeights_v8", s);
    }
    TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream()));
    return "";
  }

  /// Where cuDNN keeps which matrix, [units, columns] row by row; its size is checked, since all else rests
  /// on it.
  void find_places() {
    TensorDescriptor matrix, bias;
    const auto place = [&](const void* address) {
      if (!address) throw Error("cuDNN: an RNN's weights without a place");
      return static_cast<const float*>(address) - weights_.data();
    };
    places_.assign(std::size_t(shape_.layers), {});
    for (int place_of = 0; place_of < 2 * cell_.gates * shape_.layers; ++place_of) {
      const int layer = place_of / (2 * cell_.gates), gate = place_of % cell_.gates;
      const bool recurrent = place_of % (2 * cell_.gates) >= cell_.gates;
      auto& places = places_[std::size_t(layer)];
      void *m = nullptr, *b = nullptr;
      TIMBRE_DNN_CHECK(cudnnGetRNNWeightParams(dnn(), rnn_, layer, weight_bytes_, weights_.data(),
                                               cell_.order[std::size_t(gate)] + (recurrent ? cell_.gates : 0),
                                               matrix, &m, bias, &b));
      cudnnDataType_t type{};
      int rank = 0;
      std::array<int, 3> extents{}, strides{};
      TIMBRE_DNN_CHECK(cudnnGetTensorNdDescriptor(matrix, 3, &type, &rank, extents.data(), strides.data()));
      const int columns = recurrent || layer > 0 ? shape_.units : shape_.inputs;
      if (rank != 3 ||
          std::int64_t(extents[0]) * extents[1] * extents[2] != std::int64_t(shape_.units) * columns)
        throw Error("cuDNN: an RNN's weights of " + std::to_string(extents[0]) + " x " +
                    std::to_string(extents[1]) + " x " + std::to_string(extents[2]) + ", and not " +
                    std::to_string(shape_.units) + " x " + std::to_string(columns));
      (recurrent ? places.recurrent : places.kernel)[gate] = place(m);
      (recurrent ? places.recurrent_bias : places.bias)[gate] = place(b);
    }
  }

  std::string part_;
  Cell cell_;
  CudaBinding binding_;
  RnnShape shape_;
  bool sequences_, reversed_;
  std::unique_ptr<RnnDescriptors> data_;  // of the layout that was taken
  RnnDescriptor rnn_;
  DnnGenerator dropout_;                           // between the layers
  std::vector<RnnArrays> parameters_, gradients_;  // layer by layer
  std::vector<RnnPlaces> places_;
  std::size_t weight_bytes_ = 0;
  DeviceArray<float> x_, y_, dx_, dy_;      // time-major
  DeviceArray<float> weights_, d_weights_;  // cuDNN's weight space
  DeviceArray<char> work_, reserve_;
  DeviceArray<std::int32_t> lengths_;  // [rows]
  std::string note_;
};

}  // namespace

std::string rnn_name(const std::string& part, const CudaBinding& b) {
  return part + " (layer " + std::to_string(b.index) + ", " + std::to_string(b.output.back()) + " units)";
}

std::unique_ptr<CudaLayer> make_rnn_on_cudnn(const RnnStack& stack, const std::string& why_not_own) {
  return std::make_unique<RnnOnCudnn>(stack, why_not_own);
}

}  // namespace timbre::cuda
