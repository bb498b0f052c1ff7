// Where an axis has its ticks, and their labels: round numbers, so few that the labels do not touch.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace timbre::plot {

struct Tick {
  double value;
  std::string label;
};

/// With the minus sign that typography wants (U+2212), and none before zero.
std::string decimal(double value, int decimals);

/// Multiples of 1, 2 or 5 times a power of ten within [low, high], about `target` of them; needs low < high.
std::vector<Tick> linear_ticks(double low, double high, int target);

/// The same for whole numbers: no step below 1.
std::vector<Tick> whole_ticks(int low, int high, int target);

/// Seconds, written as they are below three minutes and as m:ss from there on.
std::vector<Tick> time_ticks(double low, double high, int target);

/// Frequencies in Hz: 1, 2 and 5 times powers of ten within [low, high]. `position` gives the pixel of a
/// frequency; of two closer than `distance` pixels, the rounder one stays. brief: "1k" instead of "1,000".
std::vector<Tick> frequency_ticks(double low, double high, const std::function<double(double)>& position,
                                  double distance, bool brief);

}  // namespace timbre::plot
