#include "exchange/protobuf.hpp"

#include <bit>

namespace timbre::exchange {

void ProtoMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += char((value & 0x7f) | 0x80);
  bytes_ += char(value);
}

void ProtoMessage::fixed(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) bytes_ += char(value >> (8 * i) & 0xff);
}

ProtoMessage& ProtoMessage::integer(int field, std::int64_t value) {
  key(field, 0), varint(std::uint64_t(value));
  return *this;
}

ProtoMessage& ProtoMessage::number(int field, double value) {
  key(field, 1), fixed(std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

ProtoMessage& ProtoMessage::single(int field, float value) {
  key(field, 5), fixed(std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

ProtoMessage& ProtoMessage::text(int field, std::string_view bytes) {
  key(field, 2), varint(bytes.size());
  bytes_ += bytes;
  return *this;
}

ProtoMessage& ProtoMessage::packed(int field, const std::vector<std::int64_t>& values) {
  ProtoMessage inner;
  for (const auto v : values) inner.varint(std::uint64_t(v));
  return message(field, inner);
}

}  // namespace timbre::exchange
