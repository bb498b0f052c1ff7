// spectral_centroid: the mean frequency of a frame, weighted by magnitude, [T, 1] in Hz. As
// librosa.feature.spectral_centroid(y=y).
//
//   out[t] = sum over k of f_k |X[t, k]| / sum over k of |X[t, k]|;  0 in silence
#include "features/engine.hpp"
#include "features/frequencies.hpp"

namespace timbre::features {
namespace {

const Registration<FeatureType> registration{
    "spectral_centroid",
    {.summary = "the mean frequency of a frame, weighted by magnitude, in Hz",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t) -> std::unique_ptr<CpuFeature> {
       return row_feature(1.0, [f = bin_frequencies(o.sample_rate, o.n_fft)](const double* row) {
         return centroid_of(row, f, norm_of(row, std::ssize(f)));
       });
     }}};

}  // namespace
}  // namespace timbre::features
