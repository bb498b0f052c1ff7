// FFTW's names in both precisions, and the lock of its planner.
#pragma once

#include <fftw3.h>

#include <mutex>

namespace timbre::features {

/// FFTW's planner is the one part of it that is not thread-safe.
std::mutex& fft_planner();

template <class Real>
struct Fftw {
  using Plan = fftwf_plan;
  using Complex = fftwf_complex;
  static constexpr auto make = fftwf_plan_many_dft_r2c;
  static constexpr auto execute = fftwf_execute;
  static constexpr auto destroy = fftwf_destroy_plan;
};
template <>
struct Fftw<double> {
  using Plan = fftw_plan;
  using Complex = fftw_complex;
  static constexpr auto make = fftw_plan_many_dft_r2c;
  static constexpr auto execute = fftw_execute;
  static constexpr auto destroy = fftw_destroy_plan;
};

}  // namespace timbre::features
