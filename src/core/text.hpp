// Small text helpers for messages that a person reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace timbre {

/// The text up to its first line end.
std::string first_line(std::string_view text);

/// "; did you mean 'units'?" for the known name nearest in edit distance to `name` (at most a third of its
/// length away), or "" where none is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// The names joined: "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

/// Shortest decimal text that reads back as the same number; whole numbers without ".0".
std::string number_text(double value);

/// A duration as a person says it: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t value);

/// "1 result", "1,234 results"
std::string counted(std::int64_t count, std::string_view noun);

/// A class name in snake case, as Keras names layers: Conv2D -> conv2d, MaxPooling2D -> max_pooling2d, LSTM -> lstm.
std::string snake_case(std::string_view class_name);

/// A text of strangers (a file's name, a label) made safe for one line of a message: what a terminal would act on,
/// and what is not well-formed UTF-8, is escaped.
std::string printable(std::string_view text);

/// The same for text of several lines.
std::string printable_lines(std::string_view text);

}  // namespace timbre
