// gguf::Value: one entry of a GGUF file's metadata, read in place.
//
// It is a cheap, checked handle into the file, as json::Value is into its document. Gguf::parse (gguf.hpp) has checked
// that everything it can reach is inside the file. Source: ggml docs/gguf.md, gguf_metadata_value_t.
#ifndef DSVL_IO_GGUF_VALUE_HPP
#define DSVL_IO_GGUF_VALUE_HPP

#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace gguf {

/// The types of values, with their numbers in the file. `missing` is none of the file's.
enum class Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64, missing };

/// The type's name, for messages.
constexpr std::string_view name(Kind kind) noexcept {
  constexpr std::string_view kNames[] = {"u8",     "i8",    "u16", "i16", "u32", "i32",    "f32",
                                         "boolean", "string", "array", "u64", "i64", "f64", "missing"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// Bytes of a value whose kind fixes its size; 0 for strings and arrays.
constexpr std::size_t fixed_bytes(Kind kind) noexcept {
  switch (kind) {
    case Kind::u8: case Kind::i8: case Kind::boolean: return 1;
    case Kind::u16: case Kind::i16: return 2;
    case Kind::u32: case Kind::i32: case Kind::f32: return 4;
    case Kind::u64: case Kind::i64: case Kind::f64: return 8;
    case Kind::string: case Kind::array: case Kind::missing: break;
  }
  return 0;
}

/// Reads a little-endian number at any alignment.
template <class T>
T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// A handle to one value, valid while the file's bytes are, and passed by value. Asking for something that is not there
/// gives a missing() value or nothing; no question is undefined behaviour.
class Value {
 public:
  class Iterator;

  Value() noexcept = default;  ///< a missing value
  /// Called by Gguf::parse, which has checked all bytes from `at` on. `element` and `size` are those of an array.
  Value(std::string_view key, Kind kind, Kind element, std::size_t size, const std::byte* at) noexcept
      : key_(key), kind_(kind), element_(element), size_(size), at_(at) {}

  /// The type of the value.
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// True when there is no value.
  [[nodiscard]] bool missing() const noexcept { return kind_ == Kind::missing; }
  /// True for a string.
  [[nodiscard]] bool is_string() const noexcept { return kind_ == Kind::string; }
  /// True for an array.
  [[nodiscard]] bool is_array() const noexcept { return kind_ == Kind::array; }

  /// The key; empty for the elements of an array.
  [[nodiscard]] std::string_view key() const noexcept { return key_; }

  /// The type of an array's elements; `missing` for anything else.
  [[nodiscard]] Kind element_kind() const noexcept { return element_; }
  /// The number of an array's elements; 0 for anything else.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Element `i`; missing() when there is none. Cost: constant for numbers, linear for strings, so iterate to visit
  /// all.
  [[nodiscard]] Value operator[](std::size_t i) const noexcept;
  /// The elements of an array, each in constant time; an empty range for anything else.
  [[nodiscard]] Iterator begin() const noexcept;
  /// The end of that range.
  [[nodiscard]] Iterator end() const noexcept;

  /// The bytes of a string as they are in the file. They should be UTF-8, and may be anything.
  [[nodiscard]] std::optional<std::string_view> string() const noexcept {
    if (!is_string()) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(at_) + 8, string_size());
  }
  /// The value of an integer of any width that fits an Index. A boolean is not an integer.
  [[nodiscard]] std::optional<Index> integer() const noexcept {
    switch (kind_) {
      case Kind::u8: return fitting<std::uint8_t>();
      case Kind::i8: return fitting<std::int8_t>();
      case Kind::u16: return fitting<std::uint16_t>();
      case Kind::i16: return fitting<std::int16_t>();
      case Kind::u32: return fitting<std::uint32_t>();
      case Kind::i32: return fitting<std::int32_t>();
      case Kind::u64: return fitting<std::uint64_t>();
      case Kind::i64: return fitting<std::int64_t>();
      default: return std::nullopt;
    }
  }
  /// The value of any number, rounded to double. It is always finite: NaN and infinity give nothing.
  [[nodiscard]] std::optional<double> number() const noexcept {
    double value = 0;
    if (kind_ == Kind::f32) value = static_cast<double>(load<float>(at_));
    else if (kind_ == Kind::f64) value = load<double>(at_);
    else if (kind_ == Kind::u64) value = static_cast<double>(load<std::uint64_t>(at_));
    // These two may not fit an Index on machines with 32-bit addresses.
    else if (kind_ == Kind::i64) value = static_cast<double>(load<std::int64_t>(at_));
    else if (kind_ == Kind::u32) value = static_cast<double>(load<std::uint32_t>(at_));
    else if (const auto i = integer()) value = static_cast<double>(*i);
    else return std::nullopt;
    if (!std::isfinite(value)) return std::nullopt;
    return value;
  }
  /// The value of a boolean.
  [[nodiscard]] std::optional<bool> boolean() const noexcept {
    if (kind_ != Kind::boolean) return std::nullopt;
    return load<std::uint8_t>(at_) != 0;
  }

 private:
  friend class Iterator;
  Value(Kind kind, const std::byte* at) noexcept : kind_(kind), at_(at) {}

  /// The integer here, read as a T, when it fits an Index.
  template <class T>
  [[nodiscard]] std::optional<Index> fitting() const noexcept {
    const T value = load<T>(at_);
    if (!std::in_range<Index>(value)) return std::nullopt;
    return static_cast<Index>(value);
  }
  /// The length that stands in front of a string.
  [[nodiscard]] std::size_t string_size() const noexcept { return static_cast<std::size_t>(load<std::uint64_t>(at_)); }
  /// Bytes from this element to the next one.
  [[nodiscard]] std::size_t stride() const noexcept { return is_string() ? 8 + string_size() : fixed_bytes(kind_); }

  std::string_view key_;
  Kind kind_ = Kind::missing, element_ = Kind::missing;
  std::size_t size_ = 0;
  const std::byte* at_ = nullptr;  // a number, a string's length (its bytes follow), or an array's first element
};

/// Walks over the elements of one array; `*it` is a Value by value.
class Value::Iterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using reference = Value;
  using pointer = const Value*;
  using iterator_category = std::input_iterator_tag;

  Iterator() noexcept = default;
  Iterator(Value at, std::size_t left) noexcept : at_(at), left_(left) {}
  Value operator*() const noexcept { return at_; }
  const Value* operator->() const noexcept { return &at_; }
  Iterator& operator++() noexcept {
    at_.at_ += at_.stride();
    --left_;
    return *this;
  }
  Iterator operator++(int) noexcept { Iterator before = *this; ++*this; return before; }
  bool operator==(const Iterator& other) const noexcept { return left_ == other.left_; }

 private:
  Value at_;
  std::size_t left_ = 0;  // elements from here on; iterators are compared by it, since the end must not be read
};

inline Value::Iterator Value::begin() const noexcept { return Iterator(Value(element_, at_), size_); }
inline Value::Iterator Value::end() const noexcept { return {}; }

inline Value Value::operator[](std::size_t i) const noexcept {
  if (i >= size_) return {};
  if (element_ != Kind::string) return Value(element_, at_ + i * fixed_bytes(element_));
  Iterator at = begin();
  while (i--) ++at;
  return *at;
}

}  // namespace gguf
DSVL_END_NAMESPACE

#endif  // DSVL_IO_GGUF_VALUE_HPP
