// GgufHead: the head of a GGUF file, made in memory. The tensors' bytes follow it in the order they were added.
//
// The caller writes the file: text(), then for each tensor its bytes and as many zeros as padding() says.
// Source: ggml docs/gguf.md; gguf.hpp reads it.
#ifndef DSVL_CONVERT_GGUF_WRITER_HPP
#define DSVL_CONVERT_GGUF_WRITER_HPP

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/status.hpp"
#include "../io/ggml_types.hpp"
#include "../io/gguf.hpp"
#include "../io/printable.hpp"

DSVL_BEGIN_NAMESPACE

/// Collects metadata and the table of tensors.
class GgufHead {
 public:
  static constexpr std::uint32_t kVersion = 3;  ///< of the format
  static constexpr std::uint32_t kAlign = 64;   ///< of the data, a cache line; the format's default is 32

  /// A head that has the alignment and nothing else.
  GgufHead() { set(gguf::kAlignmentKey, kAlign); }

  /// Sets a value, in place of one that the key may have had. Types are exact: set("n", 3u) compiles, set("n", 3) does
  /// not, because readers check them.
  GgufHead& set(std::string_view key, std::string_view text) {
    std::string bytes;
    append(bytes, gguf::Kind::string);
    append_text(bytes, text);
    return put(key, std::move(bytes));
  }
  /// Sets a string.
  GgufHead& set(std::string_view key, const char* text) { return set(key, std::string_view(text)); }
  /// Sets an unsigned integer.
  GgufHead& set(std::string_view key, std::uint32_t value) { return put_number(key, gguf::Kind::u32, value); }
  /// Sets a float.
  GgufHead& set(std::string_view key, float value) { return put_number(key, gguf::Kind::f32, value); }
  /// Sets a boolean.
  GgufHead& set(std::string_view key, bool value) {
    return put_number(key, gguf::Kind::boolean, static_cast<std::uint8_t>(value));
  }
  /// Sets an array of strings.
  GgufHead& set(std::string_view key, std::span<const std::string_view> texts) {
    std::string bytes = array_of(gguf::Kind::string, texts.size());
    for (const std::string_view text : texts) append_text(bytes, text);
    return put(key, std::move(bytes));
  }
  /// Sets an array of signed integers.
  GgufHead& set(std::string_view key, std::span<const std::int32_t> values) {
    return put_numbers(key, gguf::Kind::i32, values);
  }
  /// Sets an array of unsigned integers.
  GgufHead& set(std::string_view key, std::span<const std::uint32_t> values) {
    return put_numbers(key, gguf::Kind::u32, values);
  }
  /// Sets an array of floats.
  GgufHead& set(std::string_view key, std::span<const float> values) {
    return put_numbers(key, gguf::Kind::f32, values);
  }

  /// Adds the next tensor: its shape outer-first, its type as GGML calls it ("F32", "Q8_0"), and the number of bytes
  /// that will be written for it. No two may have the same name. Returns the offset of its bytes from the end of
  /// text().
  ///
  /// Codes  unsupported (the type), bad_shape (the rank, rows that are no whole blocks, a wrong number of bytes)
  Result<std::uint64_t> add(std::string_view name, std::span<const Index> shape, std::string_view type,
                            std::uint64_t bytes) {
    const Printable tensor(name);
    const GgmlType* const known = find_ggml_type(type);
    if (!known)
      return fail(Code::unsupported, "tensor '%s': has the type %s, which GGUF files do not", tensor.text(),
                  Printable(type).text());
    if (shape.empty() || shape.size() > gguf::kMaxRank)
      return fail(Code::bad_shape, "tensor '%s': has %zu dimensions, GGUF files need 1 to %zu", tensor.text(),
                  shape.size(), gguf::kMaxRank);
    for (const Index size : shape)
      if (size < 0) return fail(Code::bad_shape, "tensor '%s': has a dimension of %td", tensor.text(), size);
    if (shape.back() % static_cast<Index>(known->elements) != 0)
      return fail(Code::bad_shape, "tensor '%s': has rows of %td elements, which are no whole blocks of %s (%u)",
                  tensor.text(), shape.back(), known->name.data(), static_cast<unsigned>(known->elements));
    if (const auto needed = ggml_bytes(*known, shape); needed != bytes)
      return fail(Code::bad_shape, "tensor '%s': has %llu bytes, its shape and type %s need %llu", tensor.text(),
                  static_cast<unsigned long long>(bytes), known->name.data(),
                  static_cast<unsigned long long>(needed.value_or(0)));
    append_text(table_, name);
    append(table_, static_cast<std::uint32_t>(shape.size()));
    // GGUF has the innermost dimension first.
    for (std::size_t d = shape.size(); d-- > 0;) append(table_, static_cast<std::uint64_t>(shape[d]));
    append(table_, known->number);
    append(table_, end_);
    ++tensors_;
    return std::exchange(end_, end_ + bytes + padding(bytes));
  }

  /// Zeros that follow a tensor of that many bytes, even the last one.
  [[nodiscard]] static constexpr std::uint64_t padding(std::uint64_t bytes) noexcept {
    return (kAlign - bytes % kAlign) % kAlign;
  }
  /// Bytes of all tensors so far, padding included.
  [[nodiscard]] std::uint64_t data_bytes() const noexcept { return end_; }

  /// The whole head, padded up to the beginning of the data.
  [[nodiscard]] std::string text() const {
    std::string out(gguf::kMagic);
    append(out, kVersion);
    append(out, tensors_);
    append(out, static_cast<std::uint64_t>(values_.size()));
    for (const auto& [key, bytes] : values_) {
      append_text(out, key);
      out += bytes;
    }
    out += table_;
    out.append(static_cast<std::size_t>(padding(out.size())), '\0');
    return out;
  }

 private:
  /// Appends a number as it is in memory, since dsvl runs on little-endian machines only.
  template <class T>
  static void append(std::string& to, T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    to.append(bytes, sizeof value);
  }
  /// Appends a string: its length, then its bytes.
  static void append_text(std::string& to, std::string_view text) {
    append(to, static_cast<std::uint64_t>(text.size()));
    to += text;
  }
  /// The beginning of an array; its elements follow.
  static std::string array_of(gguf::Kind element, std::size_t size) {
    std::string bytes;
    append(bytes, gguf::Kind::array);
    append(bytes, element);
    append(bytes, static_cast<std::uint64_t>(size));
    return bytes;
  }
  /// Stores a number under a key.
  template <class T>
  GgufHead& put_number(std::string_view key, gguf::Kind kind, T value) {
    std::string bytes;
    append(bytes, kind);
    append(bytes, value);
    return put(key, std::move(bytes));
  }
  /// Stores an array of numbers under a key.
  template <class T>
  GgufHead& put_numbers(std::string_view key, gguf::Kind kind, std::span<const T> values) {
    std::string bytes = array_of(kind, values.size());
    for (const T value : values) append(bytes, value);
    return put(key, std::move(bytes));
  }
  /// Stores the encoded value under a key.
  GgufHead& put(std::string_view key, std::string bytes) {
    for (auto& [known, value] : values_)
      if (known == key) return value = std::move(bytes), *this;
    values_.emplace_back(std::string(key), std::move(bytes));
    return *this;
  }

  std::vector<std::pair<std::string, std::string>> values_;  // key, and kind and value as encoded for the file
  std::string table_;                                        // the table of tensors, encoded as well
  std::uint64_t tensors_ = 0, end_ = 0;                      // number of tensors, and bytes of their data
};

DSVL_END_NAMESPACE

#endif  // DSVL_CONVERT_GGUF_WRITER_HPP
