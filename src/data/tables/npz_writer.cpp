#include "data/tables/npz_writer.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace timbre::data {

namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

/// Code points of well-formed UTF-8.
std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const int more = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    std::uint32_t v = more == 0 ? c : c & (0x3F >> more);
    for (int k = 1; k <= more && i + std::size_t(k) < text.size(); ++k)
      v = v << 6 | (static_cast<unsigned char>(text[i + std::size_t(k)]) & 0x3F);
    out.push_back(v);
    i += std::size_t(more) + 1;
  }
  return out;
}

}  // namespace

void NpzWriter::begin(const std::string& name, const std::string& type,
                      const std::vector<std::int64_t>& shape, std::uint64_t data_bytes) {
  std::string head = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  head.resize((head.size() + 10 + 1 + 63) / 64 * 64 - 10, ' ');  // data begin at a multiple of 64
  head.back() = '\n';
  head = std::string("\x93NUMPY\x01\x00", 8) + little(head.size(), 2) + head;

  zip_.begin(name + ".npy", head.size() + data_bytes);
  zip_.bytes(head.data(), head.size());
}

void NpzWriter::begin(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::uint64_t elements = 1;
  for (const auto extent : shape) elements *= std::uint64_t(extent);
  begin(name, "<f4", shape, 4 * elements);
}

void NpzWriter::floats(std::span<const float> values) { zip_.bytes(values.data(), values.size_bytes()); }

void NpzWriter::add(const std::string& name, std::span<const std::int64_t> values) {
  begin(name, "<i8", {std::ssize(values)}, values.size_bytes());
  zip_.bytes(values.data(), values.size_bytes());
}

void NpzWriter::add(const std::string& name, const std::vector<std::string>& values) {
  std::vector<std::vector<std::uint32_t>> points;
  std::size_t width = 1;
  for (const auto& v : values) {
    points.push_back(code_points(printable(v)));
    width = std::max(width, points.back().size());
  }
  begin(name, fmt::format("<U{}", width), {std::ssize(values)}, 4 * width * values.size());
  for (auto& p : points) {
    p.resize(width, 0);
    zip_.bytes(p.data(), 4 * width);
  }
}

}  // namespace timbre::data
