// Periodic window functions, as scipy.signal.get_window(name, n, fftbins=True), which librosa calls.
//
// With N the length and 0 <= i < N:
//   hann      0.5 - 0.5 cos(2 pi i / N)                         hamming  0.54 - 0.46 cos(2 pi i / N)
//   blackman  0.42 - 0.5 cos(2 pi i / N) + 0.08 cos(4 pi i / N) bartlett 1 - |2 i / N - 1|
//   blackmanharris, the four-term window of Harris 1978         boxcar, ones  1
#pragma once

#include <string>
#include <vector>

namespace timbre::features {

const std::vector<std::string>& window_names();

/// `length` values, centred among zeros in `size` values (librosa.util.pad_center). 1 <= length <= size. Throws
/// std::logic_error for an unknown name.
std::vector<double> window_values(const std::string& name, int length, int size);

/// The same, rounded to float32.
std::vector<float> make_window(const std::string& name, int length, int size);

}  // namespace timbre::features
