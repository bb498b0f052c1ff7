#include "features/chroma_stft.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "config/schema.hpp"
#include "core/parallel.hpp"
#include "features/engine.hpp"
#include "features/frequencies.hpp"
#include "features/own_options.hpp"
#include "features/tuning.hpp"

namespace timbre::features {

ChromaNorm ChromaNorm::from(const config::Reader& reader) {
  const auto& node = reader.node();
  const auto is = [&](std::string_view word) { return node.is_scalar() && node.scalar == word; };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (node.is_null() || is("none")) return {std::nullopt};
  if (is("inf") || is(".inf")) return {infinity};
  if (is("-inf") || is("-.inf")) return {-infinity};
  if (!node.is_scalar() || node.quoted ||
      node.scalar.find_first_not_of("+-.0123456789eE") != node.scalar.npos)
    reader.fail("must be inf, -inf, none or a number, not " + config::describe(node));
  const double p = reader.number();
  if (!(p >= 0 && p <= 64))
    reader.fail("must be inf, -inf, none or between 0 and 64, not " + config::describe(node));
  return {p};
}

config::Type ChromaNorm::describe() {
  config::Type number{config::Type::Kind::number};
  number.limits = {.low = 0, .high = 64};
  auto type = config::Type::either({std::move(number), config::Type::word({{"inf", "the largest is 1"},
                                                                           {"-inf", "the smallest is 1"},
                                                                           {"none", "as it is"}})});
  type.or_null = true;
  return type;
}

config::Node ChromaNorm::dump() const {
  if (!p) return config::Node::text("none");
  return std::isinf(*p) ? config::Node::text(*p > 0 ? "inf" : "-inf") : config::detail::number_node(*p);
}

const config::Schema<ChromaStftOptions>& schema(config::of<ChromaStftOptions>) {
  using O = ChromaStftOptions;
  static const auto s =
      config::Schema<O>("the power of each pitch class")
          .field("n_chroma", &O::n_chroma, "number of pitch classes of an octave", config::between(2, 240))
          .later_field(
              "tuning", &O::tuning,
              "by how much of a step the classes lie above 440 Hz and its steps. null: estimated for each "
              "segment",
              config::between(-64.0, 64.0))
          .unit("steps")
          .field("norm", &O::norm, "the norm that each frame is divided by, as a power, or inf, -inf, none")
          .field("ctroct", &O::ctroct, "the octave above 27.5 Hz that counts most",
                 config::between(-64.0, 64.0))
          .field("octwidth", &O::octwidth, "how many octaves around it count. null: all alike",
                 config::above(0.0))
          .field("base_c", &O::base_c, "whether the first class is C. false: A");
  return s;
}

std::vector<double> chroma_octaves(const FeatureOptions& o) {
  std::vector<double> out;
  for (int k = 1; k < o.n_fft; ++k)
    out.push_back(std::log2(k * (double(o.sample_rate) / o.n_fft) / (440.0 / 16)));
  return out;
}

ChromaFilters::ChromaFilters(const FeatureOptions& options)
    : o_(options.own_as<ChromaStftOptions>()), n_fft_(options.n_fft), octaves_(chroma_octaves(options)) {}

const std::vector<float>& ChromaFilters::weights(double tuning) {
  if (tuning_ == tuning) return weights_;
  tuning_ = tuning;
  const std::int64_t bins = 1 + n_fft_ / 2, classes = o_.n_chroma;
  const double steps = o_.n_chroma;
  weights_.resize(static_cast<std::size_t>(bins * classes));
  std::vector<double> bump(static_cast<std::size_t>(classes));
  for (std::int64_t k = 0; k < bins; ++k) {
    const auto bin = ChromaBin::of(octaves_.data(), k, n_fft_, steps, tuning);
    double square = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      bump[std::size_t(c)] = bin.bump(c, steps);
      square += bump[std::size_t(c)] * bump[std::size_t(c)];
    }
    const double scale = bin.scale(square, steps, o_.ctroct, o_.octwidth.value_or(0));
    for (std::int64_t c = 0; c < classes; ++c)
      weights_[std::size_t(k * classes + chroma_column(c, classes, o_.base_c))] =
          static_cast<float>(scale * bump[std::size_t(c)]);
  }
  return weights_;
}

namespace {

constexpr std::int64_t lanes = 8;  // classes that are summed side by side

/// sums[c] = sum over k of row[k] weights[k, c], in float64 in the order of k; weights: [bins, padded].
void add_up(const float* row, std::int64_t bins, const float* weights, std::int64_t padded, double* sums) {
  vectorised([&] {
    for (std::int64_t c = 0; c < padded; c += lanes) {
      double sum[lanes] = {};
      for (std::int64_t k = 0; k < bins; ++k)
        for (std::int64_t j = 0; j < lanes; ++j)
          sum[j] += double(row[k]) * double(weights[k * padded + c + j]);
      for (std::int64_t j = 0; j < lanes; ++j) sums[c + j] = sum[j];
    }
  });
}

class ChromaStft final : public CpuFeature {
 public:
  ChromaStft(const FeatureOptions& options, std::int64_t samples)
      : o_(options.own_as<ChromaStftOptions>()),
        frames_(frame_count(options, samples)),
        bins_(options.bins()),
        padded_(piece_count(o_.n_chroma, lanes) * lanes),
        filters_(options),
        tuning_(options.sample_rate, bins_, o_.n_chroma),
        powers_(static_cast<std::size_t>(frames_ * bins_)),
        weights_(static_cast<std::size_t>(bins_ * padded_)),
        sums_(static_cast<std::size_t>(padded_)) {}

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float*) override {
    const float* row = spectra.rows(2.0);
    for (std::int64_t t = 0; t < count; ++t)
      std::copy_n(row + t * spectra.row_stride(), bins_, powers_.data() + (first + t) * bins_);
    if (o_.tuning) return;
    if (first == 0) tuning_.begin();
    const double* exact = spectra.exact_rows(2.0);
    for (std::int64_t t = 0; t < count; ++t) tuning_.add(exact + t * spectra.row_stride());
  }

  void finish(float* out) override {
    const auto& weights = filters_.weights(o_.tuning ? *o_.tuning : tuning_.result());
    for (std::int64_t k = 0; k < bins_; ++k)
      std::copy_n(weights.data() + k * o_.n_chroma, o_.n_chroma, weights_.data() + k * padded_);
    for (std::int64_t t = 0; t < frames_; ++t) {
      add_up(powers_.data() + t * bins_, bins_, weights_.data(), padded_, sums_.data());
      const double norm = o_.norm.p ? p_norm(*o_.norm.p, sums_.data(), o_.n_chroma) : 1;
      for (std::int64_t c = 0; c < o_.n_chroma; ++c)
        *out++ = static_cast<float>(sums_[std::size_t(c)] / norm);
    }
  }

 private:
  ChromaStftOptions o_;
  std::int64_t frames_, bins_, padded_;
  ChromaFilters filters_;
  TuningEstimate tuning_;
  AlignedFloats powers_;   // [T, bins]
  AlignedFloats weights_;  // [bins, padded], with zeros behind the classes
  std::vector<double> sums_;
};

std::string check(const FeatureOptions& o) {
  return o.n_fft < 4 ? "chroma_stft needs an n_fft of at least 4" : "";
}

const OwnRegistration<ChromaStftOptions> options;
const Registration<FeatureType> registration{
    "chroma_stft",
    {.summary = "the power of each pitch class (n_chroma of them), relative to the strongest",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.own_as<ChromaStftOptions>().n_chroma; },
     .check = check,
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<ChromaStft>(o, samples);
     }}};

}  // namespace
}  // namespace timbre::features
