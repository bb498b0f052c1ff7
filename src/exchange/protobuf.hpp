// Writes messages of protocol buffers: what ONNX and TensorBoard store. Fields come in the order they are added.
//
//   a field   varint(number << 3 | type), then  type 0: a varint;  type 1: 8 bytes, little-endian;
//             type 2: varint(length), bytes (texts, messages, packed numbers);  type 5: 4 bytes, little-endian
//   a varint  7 bits a byte, the lowest first, the highest bit set on all but the last; negative numbers as uint64
// Source: https://protobuf.dev/programming-guides/encoding/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::exchange {

class ProtoMessage {
 public:
  ProtoMessage& integer(int field, std::int64_t value);
  ProtoMessage& number(int field, double value);
  ProtoMessage& single(int field, float value);
  ProtoMessage& text(int field, std::string_view bytes);
  ProtoMessage& message(int field, const ProtoMessage& inner) { return text(field, inner.bytes_); }
  ProtoMessage& packed(int field, const std::vector<std::int64_t>& values);

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void key(int field, int type) { varint(std::uint64_t(field) << 3 | std::uint64_t(type)); }
  void fixed(std::uint64_t value, int bytes);
  std::string bytes_;
};

}  // namespace timbre::exchange
