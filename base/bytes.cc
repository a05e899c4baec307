#include "base/bytes.h"

namespace varve {

void ByteWriter::Varint(uint64_t value) {
  char encoded[kMaxVarintBytes];
  size_t length = 0;
  while (value >= 0x80) {
    encoded[length++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  encoded[length++] = static_cast<char>(value);
  buffer_.append(encoded, length);
}

bool ByteReader::Varint(uint64_t* value) {
  uint64_t result = 0;
  size_t position = position_;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (position == data_.size()) return false;
    const uint64_t byte = static_cast<unsigned char>(data_[position++]);
    // The tenth byte has room for one bit, and none may follow it.
    if (shift == 63 && byte > 1) return false;
    result |= (byte & 0x7F) << shift;
    if (byte < 0x80) {
      *value = result;
      position_ = position;
      return true;
    }
  }
  return false;
}

bool ByteReader::Bytes(size_t length, std::string_view* bytes) {
  if (remaining() < length) return false;
  *bytes = data_.substr(position_, length);
  position_ += length;
  return true;
}

bool ByteReader::LengthPrefixed(std::string_view* bytes) {
  const size_t start = position_;
  uint64_t length = 0;
  if (Varint(&length) && length <= remaining() && Bytes(static_cast<size_t>(length), bytes)) return true;
  position_ = start;
  return false;
}

bool ByteReader::Skip(size_t length) {
  if (remaining() < length) return false;
  position_ += length;
  return true;
}

}  // namespace varve
