#include "end_to_end/small_run.hpp"

#include <fmt/format.h>

#include <map>

#include "end_to_end/process.hpp"

namespace timbre::end_to_end {

namespace {

constexpr const char* mlp = R"(  - flatten
  - dense: {units: 16, activation: relu}
  - dense: {units: classes, activation: softmax}
)";

constexpr const char* cnn = R"(  - conv2d: {filters: 4, kernel_size: [3, 3], activation: relu}
  - max_pooling2d: {pool_size: [3, 3], strides: [2, 2], padding: same}
  - batch_normalization
  - flatten
  - dropout: 0.3
  - dense: {units: classes, activation: softmax}
)";

constexpr const char* lstm = R"(  - lstm: {units: 8, return_sequences: true}
  - lstm: {units: 8}
  - dropout: 0.2
  - dense: {units: classes, activation: softmax}
)";

constexpr const char* gru = R"(  - gru: 8
  - dense: {units: classes, activation: softmax}
)";

constexpr const char* crnn = R"(  - conv2d: {filters: 4, kernel_size: 3, activation: elu}
  - max_pooling2d: {pool_size: 4}
  - reshape: {target_shape: [-1, 8]}
  - gru: 6
  - dense: {units: classes, activation: softmax}
)";

constexpr const char* short_chunk_cnn =
    R"(  - residual: {layers: [conv2d: {filters: 4, kernel_size: 3, strides: 2, padding: same}, batch_normalization]}
  - global_max_pooling2d
  - dense: {units: classes, activation: softmax}
)";

}  // namespace

void write_small_run(const std::filesystem::path& file, const std::string& architecture) {
  const std::map<std::string, const char*> models{{"mlp", mlp},   {"cnn", cnn},
                                                  {"lstm", lstm}, {"gru", gru},
                                                  {"crnn", crnn}, {"short_chunk_cnn", short_chunk_cnn}};
  write_file(file, fmt::format(R"(experiment: small_{}
dataset:
  synthetic: {{clips_per_genre: 5, clip_seconds: 3}}
features: {{kind: mfcc, n_mfcc: 13, standardise: true}}
split: {{group_by: clip, train: 0.6, validation: 0.2, test: 0.2}}
model:
{}training:
  epochs: 2
  batch_size: 16
  optimizer: {{adam: {{learning_rate: 0.001}}}}
)",
                               architecture, models.at(architecture)));
}

}  // namespace timbre::end_to_end
