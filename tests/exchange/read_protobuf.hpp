// Reads messages of protocol buffers back, field by field, and throws where the bytes are none.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::exchange::test {

struct ProtoField {
  int number = 0, type = 0;
  std::uint64_t integer = 0;  // of types 0, 1 and 5
  std::string_view bytes;     // of type 2

  float single() const {
    const auto bits = std::uint32_t(integer);
    float v;
    std::memcpy(&v, &bits, sizeof v);
    return v;
  }
  double number64() const {
    double v;
    std::memcpy(&v, &integer, sizeof v);
    return v;
  }
};

inline std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (bytes.empty()) throw std::runtime_error("a varint is cut short");
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("a varint is too long");
}

inline std::uint64_t take_fixed(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count) throw std::runtime_error("a number is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= std::uint64_t(static_cast<unsigned char>(bytes[i])) << (8 * i);
  bytes.remove_prefix(count);
  return value;
}

inline std::vector<ProtoField> read_proto(std::string_view bytes) {
  std::vector<ProtoField> out;
  while (!bytes.empty()) {
    const auto key = take_varint(bytes);
    ProtoField f{int(key >> 3), int(key & 7), 0, {}};
    if (f.number < 1) throw std::runtime_error("a field has no number");
    if (f.type == 0) {
      f.integer = take_varint(bytes);
    } else if (f.type == 1 || f.type == 5) {
      f.integer = take_fixed(bytes, f.type == 1 ? 8 : 4);
    } else if (f.type == 2) {
      const auto size = take_varint(bytes);
      if (size > bytes.size()) throw std::runtime_error("a field is cut short");
      f.bytes = bytes.substr(0, size);
      bytes.remove_prefix(size);
    } else {
      throw std::runtime_error("a field of an unknown type");
    }
    out.push_back(f);
  }
  return out;
}

/// All fields of one number.
inline std::vector<ProtoField> fields(std::string_view bytes, int number) {
  std::vector<ProtoField> out;
  for (const auto& f : read_proto(bytes))
    if (f.number == number) out.push_back(f);
  return out;
}
/// The one field of a number.
inline ProtoField field(std::string_view bytes, int number) {
  const auto all = fields(bytes, number);
  if (all.size() != 1)
    throw std::runtime_error("field " + std::to_string(number) + " is there " + std::to_string(all.size()) +
                             " times");
  return all.front();
}
inline std::vector<std::int64_t> packed_integers(std::string_view bytes) {
  std::vector<std::int64_t> out;
  while (!bytes.empty()) out.push_back(std::int64_t(take_varint(bytes)));
  return out;
}

}  // namespace timbre::exchange::test
