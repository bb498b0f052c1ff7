// The CPU's engine: the kinds of a configuration, those with the same framing over one transform.
#include <algorithm>
#include <stdexcept>

#include "core/error.hpp"
#include "core/simd.hpp"
#include "features/assembly.hpp"
#include "features/cpu_feature.hpp"
#include "features/engine.hpp"

namespace timbre::features {

bool share_transform(const FeatureOptions& a, const FeatureOptions& b) {
  return a.n_fft == b.n_fft && a.hop_length == b.hop_length && a.window_samples() == b.window_samples() &&
         a.window == b.window && a.center == b.center && a.pad_mode == b.pad_mode;
}

Spectra::Spectra(const FeatureOptions& framing, std::int64_t segment_samples, bool exact) {
  if (exact)
    exact_.emplace(framing, segment_samples);
  else
    single_.emplace(framing, segment_samples);
}

void Spectra::transform(const float* segment, std::int64_t first, std::int64_t count) {
  count_ = count;
  for (auto& r : rounded_) r.done = false;
  exact_ ? exact_->transform(segment, first, count) : single_->transform(segment, first, count);
}

const double* Spectra::exact_rows(double power) {
  if (!exact_) throw std::logic_error("spectra of float32 where those of float64 are asked for");
  return exact_->rows(power);
}

const float* Spectra::rows(double power) {
  if (!exact_) return single_->rows(power);
  auto it =
      std::find_if(rounded_.begin(), rounded_.end(), [&](const Rounded& r) { return r.power == power; });
  if (it == rounded_.end()) {
    rounded_.push_back(
        {power, false, AlignedFloats(static_cast<std::size_t>(block_frames() * row_stride()))});
    it = rounded_.end() - 1;
  }
  if (!it->done) {
    const double* from = exact_->rows(power);
    float* to = it->rows.data();
    const auto size = count_ * row_stride();
    vectorised([&] {
      for (std::int64_t i = 0; i < size; ++i) to[i] = static_cast<float>(from[i]);
    });
    it->done = true;
  }
  return it->rows.data();
}

namespace {

using Source = FeatureType::Source;

class CpuEngine final : public FeatureEngine {
 public:
  CpuEngine(const FeatureOptions& options, std::int64_t samples)
      : samples_(samples), assembly_(options, samples) {
    const auto parts = options.parts();
    std::int64_t offset = 0;
    std::vector<std::pair<const FeatureOptions*, std::vector<Part>>> groups;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto* type = FeatureRegistry::instance().find(parts[i].kind);
      if (!type->make_cpu) fail_at("features", "{} has no CPU implementation", parts[i].kind);
      Part part{type->make_cpu(parts[i], samples), offset, type->source};
      offset += assembly_.part_size(i);
      if (part.source == Source::samples) {
        readers_.push_back(std::move(part));
        continue;
      }
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const auto& g) { return share_transform(*g.first, parts[i]); });
      if (group == groups.end()) {
        groups.emplace_back(&parts[i], std::vector<Part>{});
        group = groups.end() - 1;
      }
      group->second.push_back(std::move(part));
    }
    for (auto& [framing, members] : groups) {
      const bool exact = std::any_of(members.begin(), members.end(),
                                     [](const Part& p) { return p.source == Source::exact_spectrum; });
      transforms_.push_back({Spectra(*framing, samples, exact), std::move(members)});
    }
    if (assembly_.is_trivial()) return;
    values_.resize(static_cast<std::size_t>(offset));
    offset = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      of_parts_.push_back(values_.data() + offset);
      offset += assembly_.part_size(i);
    }
  }

  Shape shape() const override { return assembly_.shape(); }

  void compute(const float* segments, std::int64_t count, float* out) override {
    for (std::int64_t i = 0; i < count; ++i, segments += samples_, out += shape().size()) {
      float* values = assembly_.is_trivial() ? out : values_.data();
      for (auto& p : readers_) p.feature->read(segments, values + p.offset);
      for (auto& t : transforms_) {
        for (std::int64_t first = 0; first < t.spectra.frames(); first += t.spectra.block_frames()) {
          const auto n = std::min(t.spectra.block_frames(), t.spectra.frames() - first);
          t.spectra.transform(segments, first, n);
          for (auto& p : t.parts) p.feature->take(t.spectra, first, n, values + p.offset);
        }
        for (auto& p : t.parts) p.feature->finish(values + p.offset);
      }
      if (!assembly_.is_trivial()) assembly_.put(of_parts_, out);
    }
  }

 private:
  struct Part {
    std::unique_ptr<CpuFeature> feature;
    std::int64_t offset;  // of its values among those of all parts
    Source source;
  };
  struct Transform {
    Spectra spectra;
    std::vector<Part> parts;
  };
  std::int64_t samples_;
  Assembly assembly_;
  std::vector<Part> readers_;
  std::vector<Transform> transforms_;
  AlignedFloats values_;  // of the parts, one after the other
  std::vector<const float*> of_parts_;
};

}  // namespace

std::unique_ptr<FeatureEngine> make_cpu_feature_engine(const FeatureOptions& options,
                                                       std::int64_t segment_samples) {
  return std::make_unique<CpuEngine>(options, segment_samples);
}

}  // namespace timbre::features
