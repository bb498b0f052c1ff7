// The mean frequency of a frame, which spectral_centroid is and spectral_bandwidth starts from.
#pragma once

#include "cuda/features/frames.cuh"
#include "features/norms.hpp"

namespace timbre::cuda {

struct Centroid {
  double norm, frequency;  // the sum of the magnitudes; Hz
};

/// row [bins], by all lanes of a warp; distance: of two bins, in Hz.
__device__ inline Centroid centroid_of(const double2* row, int bins, double distance) {
  double norm = 0.0, weighted = 0.0;
  for (int k = lane_of_thread(); k < bins; k += warp_size) {
    const double m = magnitude(row[k], 1.0);
    norm += m;
    weighted += k * distance * m;
  }
  norm = warp_sum(norm);
  if (norm < features::smallest_norm) norm = 1.0;
  return {norm, warp_sum(weighted) / norm};
}

/// Of two bins, as NumPy's rfftfreq has it.
inline double bin_distance(int sample_rate, int n_fft) { return 1.0 / (n_fft * (1.0 / sample_rate)); }

}  // namespace timbre::cuda
