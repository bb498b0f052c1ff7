// nn::Network on one GPU: the weights live there, and a batch is one graph. It holds no gradients and no optimizer.
#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "cuda/training/cuda_step.hpp"
#include "cuda/training/evaluation.hpp"
#include "training/losses/cross_entropy.hpp"

namespace timbre::cuda {
namespace {

class CudaNetwork final : public nn::Network {
 public:
  explicit CudaNetwork(const nn::NetworkOptions& options)
      : model_(*options.model),
        tools_(stream_),
        feed_(model_.input().size(), options.rows_at_once, stream_),
        // Its probabilities are those of a training step's evaluation, to the last bit.
        loss_(make_cuda_loss(OptionsRef(cross_entropy_))),
        arena_(upload(options.weights, stream_)),
        step_(1),
        net_({.model = &model_,
              .arena = arena_.data(),
              .gradients = nullptr,
              .seed = 0,
              .step = step_.data(),
              .live = &feed_.header()->live,
              .tools = &tools_},
             options.rows_at_once) {
    if (std::int64_t(options.weights.size()) != model_.arena_size())
      throw std::logic_error("weights of another model");
    clear_on_device(step_, stream_);
  }

  void predict(const float* x, std::int64_t rows, float* probabilities) override {
    const data::MemoryRows source(x, rows, model_.input().size());
    labels_.assign(std::size_t(rows), 0);
    index_.resize(std::size_t(rows));
    std::iota(index_.begin(), index_.end(), 0);
    feed_.bind(source, labels_.data());
    streams_ |= !feed_.resident();
    const auto scores = evaluation_.run(stream_, feed_, *loss_, net_, model_.classes(), index_);
    std::copy(scores.probabilities.begin(), scores.probabilities.end(), probabilities);
  }

  std::vector<std::string> notes() override {
    auto notes = net_.notes();
    if (streams_) notes.push_back("the data stream to the GPU, which has no room for them");
    for (auto& note : evaluation_.notes()) notes.push_back(std::move(note));
    return notes;
  }

 private:
  const nn::Model& model_;
  Stream stream_ = make_stream();
  CudaTools tools_;
  DataFeed feed_;
  training::CrossEntropyOptions cross_entropy_;
  std::unique_ptr<CudaLoss> loss_;
  DeviceArray<float> arena_;
  DeviceArray<std::int64_t> step_;  // 0: nothing here draws random numbers
  ScoredNetwork net_;
  Evaluation evaluation_;
  std::vector<std::int32_t> labels_, index_;
  bool streams_ = false;
  WaitAtEnd end_{stream_};
};

}  // namespace

std::unique_ptr<nn::Network> make_cuda_network(const nn::NetworkOptions& options) {
  return std::make_unique<CudaNetwork>(options);
}

}  // namespace timbre::cuda
