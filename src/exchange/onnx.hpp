// Networks as ONNX files (opset 17, IR version 8), from features or from audio.
//
//   input    features [segments, T, F], as extract_features writes them; standardisation is inside
//            or audio [segments, samples], mono at the model's rate, between -1 and 1
//   output   probabilities [segments, classes]
//
// The number of segments is not fixed. What the network means (labels, rate, length of a segment, settings, versions,
// licence) stands in the file's metadata.
// Errors: Error for a layer or a kind of feature without a mapping, by its place; for more than 2 GiB.
// Source: https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "exchange/outgoing.hpp"
#include "nn/onnx.hpp"

namespace timbre::exchange {

/// The bytes of the file.
std::string onnx_file(const Outgoing& network, bool from_audio);

/// One input or output: its name and its extents behind the batch.
struct OnnxArray {
  std::string name;
  Shape shape;
};
/// The bytes of a graph; `result` is the name of the operator's output that becomes the file's.
std::string onnx_bytes(const nn::OnnxGraph& graph, const std::string& name, const OnnxArray& input,
                       const OnnxArray& output, const std::string& result,
                       const std::vector<std::pair<std::string, std::string>>& metadata);

/// Adds the layers; x [segments, input...]. Returns the name of the probabilities.
std::string add_network(nn::OnnxGraph& graph, const nn::Model& model, std::span<const float> arena,
                        std::string x);

/// Adds the extraction of features (onnx_features.cpp): x [segments, samples] to [segments, T, F].
///
/// A frame is transformed by the operator STFT where n_fft is a power of two from 2048 on; other sizes by a convolution
/// with the windowed basis of the DFT, which runtimes compute faster and better there (measured: of 400 samples, 24 ms
/// and 1.6e-4 in place of 208 ms and 1e-2 in an MFCC).
std::string add_features(nn::OnnxGraph& graph, const features::FeatureOptions& options,
                         std::int64_t segment_samples, std::string x);

}  // namespace timbre::exchange
