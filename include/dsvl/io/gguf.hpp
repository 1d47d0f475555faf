// Gguf: the metadata and the tensors of one GGUF file, read in place.
//
// GGUF is the single-file container. A file begins with "GGUF", a version and two counts; then come the metadata (key,
// kind, value), a table of tensors (name, shape, type, offset) and, from the next multiple of the alignment on, their
// data. All numbers are little-endian. Everything is checked in one pass here, so that the results need no check.
// Source: https://github.com/ggml-org/ggml, docs/gguf.md.
#ifndef DSVL_IO_GGUF_HPP
#define DSVL_IO_GGUF_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string_view>

#include "../base/buffer.hpp"
#include "../base/checked.hpp"
#include "../base/heap_sort.hpp"
#include "../base/status.hpp"
#include "ggml_types.hpp"
#include "gguf_value.hpp"
#include "printable.hpp"
#include "tensor.hpp"

DSVL_BEGIN_NAMESPACE
namespace gguf {

inline constexpr std::string_view kMagic = "GGUF";  ///< the first four bytes
inline constexpr std::string_view kAlignmentKey = "general.alignment";  ///< key of the data's alignment
inline constexpr std::size_t kMaxKey = 65535;       ///< bytes of a key, by the specification
inline constexpr std::size_t kMaxRank = 4;          ///< dimensions of a tensor, GGML_MAX_DIMS

/// Reads one item after another from the front of a file, and none that is not there whole.
class HeadReader {
 public:
  /// Starts at the first byte.
  explicit HeadReader(std::span<const std::byte> file) noexcept : file_(file) {}

  /// Bytes that were read.
  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  /// Bytes that are left.
  [[nodiscard]] std::size_t left() const noexcept { return file_.size() - at_; }
  /// The next byte.
  [[nodiscard]] const std::byte* here() const noexcept { return file_.data() + at_; }

  /// Passes over bytes; false when there are not so many.
  [[nodiscard]] bool skip(std::uint64_t bytes) noexcept {
    if (bytes > left()) return false;
    at_ += static_cast<std::size_t>(bytes);
    return true;
  }
  /// Reads a number.
  template <class T>
  [[nodiscard]] bool take(T& value) noexcept {
    if (sizeof value > left()) return false;
    value = load<T>(here());
    return skip(sizeof value);
  }
  /// Reads a string: its length in 8 bytes, then its bytes. The view points into the file.
  [[nodiscard]] bool take(std::string_view& text) noexcept {
    std::uint64_t size = 0;
    if (!take(size) || size > left()) return false;
    text = {reinterpret_cast<const char*>(here()), static_cast<std::size_t>(size)};
    return skip(size);
  }

 private:
  std::span<const std::byte> file_;
  std::size_t at_ = 0;
};

}  // namespace gguf

/// The parsed head of one file. It does not own the file's bytes, which must outlive it.
class Gguf {
 public:
  using Value = gguf::Value;  ///< an entry of the metadata

  /// Parses a file of version 2 or 3. `what` names the file in errors.
  ///
  /// Codes  bad_file, unsupported (another version, big-endian, an unknown type of tensor, arrays of arrays),
  ///        out_of_memory
  /// Cost   reads the head only, about 1 ms for the published vocabulary; takes 48 bytes for a key and 128 for a
  /// tensor,
  ///        nothing for the elements of arrays
  static Result<Gguf> parse(std::span<const std::byte> file, std::string_view what,
                            Allocator* from = nullptr) noexcept;

  /// The tensors, sorted by name. Shapes are outer-first, although the file has them innermost-first.
  [[nodiscard]] std::span<const TensorInfo> tensors() const noexcept { return tensors_.span(); }
  /// The tensor of that name, or null.
  [[nodiscard]] const TensorInfo* find(std::string_view name) const noexcept { return find_tensor(tensors(), name); }

  /// The metadata, sorted by key.
  [[nodiscard]] std::span<const Value> values() const noexcept { return values_.span(); }
  /// The value under a key; missing() when there is no such key. Cost: a binary search.
  [[nodiscard]] Value value(std::string_view key) const noexcept {
    const auto at = std::lower_bound(values_.begin(), values_.end(), key,
                                     [](const Value& value, std::string_view k) { return value.key() < k; });
    return at != values_.end() && at->key() == key ? *at : Value();
  }

  /// The version of the format.
  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  /// The number that the offsets of all tensors are multiples of, in bytes.
  [[nodiscard]] std::uint64_t alignment() const noexcept { return alignment_; }

 private:
  static constexpr std::uint64_t kDefaultAlignment = 32, kMinAlignment = 8, kMaxAlignment = 65536;
  // The smallest entry of the metadata has an empty key, its kind and one byte; the smallest tensor has an empty name,
  // rank, one size, type and offset. They bound how many entries a file of a given size can have.
  static constexpr std::size_t kMinValueBytes = 8 + 4 + 1;
  static constexpr std::size_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;

  explicit Gguf(Allocator* from) noexcept : values_(from), tensors_(from) {}

  /// The error for a file that ends inside a key or a tensor.
  static Status truncated(std::string_view what, const char* part, std::string_view name) noexcept {
    return fail(Code::bad_file, "%s: truncated: it ends inside %s '%s'", Printable(what).text(), part,
                Printable(name).text());
  }
  Status read_start(gguf::HeadReader& head, std::string_view what, std::uint64_t& tensors,
                    std::uint64_t& keys) noexcept;
  Status read_values(gguf::HeadReader& head, std::uint64_t count, std::string_view what) noexcept;
  static Status read_value(gguf::HeadReader& head, std::string_view key, std::string_view what, Value& value) noexcept;
  static Status read_elements(gguf::HeadReader& head, gguf::Kind kind, std::uint64_t count, std::string_view key,
                              std::string_view what) noexcept;
  Status read_alignment(std::string_view what) noexcept;
  Status read_tensors(gguf::HeadReader& head, std::uint64_t count, std::string_view what,
                      Buffer<std::uint64_t>& offsets) noexcept;
  static Status read_tensor(gguf::HeadReader& head, std::string_view what, TensorInfo& tensor) noexcept;
  static Status read_shape(gguf::HeadReader& head, std::string_view what, TensorInfo& tensor) noexcept;
  Status place_tensor(std::span<const std::byte> data, std::uint64_t offset, std::string_view what,
                      TensorInfo& tensor) const noexcept;
  Status check_layout(std::string_view what) noexcept;

  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = kDefaultAlignment;
  Buffer<Value> values_;
  Buffer<TensorInfo> tensors_;
};

// The parts of a file in their order: start, metadata, table of tensors, padding, data.
DSVL_COLD
inline Result<Gguf> Gguf::parse(std::span<const std::byte> file, std::string_view what, Allocator* from) noexcept {
  gguf::HeadReader head(file);
  Gguf out(from);
  std::uint64_t keys = 0, tensors = 0;
  DSVL_CHECK_STATUS(out.read_start(head, what, tensors, keys));
  DSVL_CHECK_STATUS(out.read_values(head, keys, what));
  DSVL_CHECK_STATUS(out.read_alignment(what));
  // The data begin behind the table, so the tensors' addresses are only known when it has been read.
  Buffer<std::uint64_t> offsets(from);
  DSVL_CHECK_STATUS(out.read_tensors(head, tensors, what, offsets));
  // A file without tensors may end without the padding.
  const std::uint64_t padding = (out.alignment_ - head.position() % out.alignment_) % out.alignment_;
  const auto skipped = static_cast<std::size_t>((std::min<std::uint64_t>)(padding, head.left()));
  const auto data = file.subspan(head.position() + skipped);
  for (std::size_t i = 0; i < offsets.size(); ++i)
    DSVL_CHECK_STATUS(out.place_tensor(data, offsets[i], what, out.tensors_[i]));
  DSVL_CHECK_STATUS(out.check_layout(what));
  return Result<Gguf>(std::move(out));
}

/// Reads magic, version and counts. The counts are checked against the size of the file, so that no loop and no memory
/// grows beyond it.
DSVL_COLD
inline Status Gguf::read_start(gguf::HeadReader& head, std::string_view what, std::uint64_t& tensors,
                               std::uint64_t& keys) noexcept {
  const Printable file(what);
  if (head.left() < 24)
    return fail(Code::bad_file, "%s: %zu bytes are too few for a GGUF file", file.text(), head.left());
  if (std::memcmp(head.here(), gguf::kMagic.data(), gguf::kMagic.size()) != 0)
    return fail(Code::bad_file, "%s: does not begin with 'GGUF'", file.text());
  // The 24 bytes were checked above, so this cannot fail.
  const bool there = head.skip(4) && head.take(version_) && head.take(tensors) && head.take(keys);
  DSVL_ASSERT(there);
  static_cast<void>(there);
  // A small number in the upper half of the word is the version of a file with the other order of bytes.
  if (version_ != 0 && (version_ & 0xFFFF) == 0)
    return fail(Code::unsupported, "%s: is a big-endian GGUF file, only little-endian ones are read", file.text());
  if (version_ != 2 && version_ != 3)
    return fail(Code::unsupported, "%s: is of GGUF version %u, only 2 and 3 are read", file.text(),
                static_cast<unsigned>(version_));
  const std::size_t most_keys = head.left() / kMinValueBytes, most_tensors = head.left() / kMinTensorBytes;
  if (keys > most_keys || tensors > most_tensors)
    return fail(Code::bad_file, "%s: claims %llu keys and %llu tensors, %zu bytes have room for at most %zu or %zu",
                file.text(), static_cast<unsigned long long>(keys), static_cast<unsigned long long>(tensors),
                head.left(), most_keys, most_tensors);
  return {};
}

/// Reads the metadata and sorts it by key; a key that occurs twice is refused.
DSVL_COLD inline Status Gguf::read_values(gguf::HeadReader& head, std::uint64_t count, std::string_view what) noexcept {
  const Printable file(what);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!head.take(key))
      return fail(Code::bad_file, "%s: truncated: it ends inside key %llu of %llu", file.text(),
                  static_cast<unsigned long long>(i), static_cast<unsigned long long>(count));
    // The specification's limit also keeps error messages and look-ups short.
    if (key.size() > gguf::kMaxKey)
      return fail(Code::bad_file, "%s: the key '%s' has %zu bytes, at most %zu are allowed", file.text(),
                  Printable(key).text(), key.size(), gguf::kMaxKey);
    Value value;
    DSVL_CHECK_STATUS(read_value(head, key, what, value));
    if (!values_.push_back(value)) return fail(Code::out_of_memory, "%s: no memory for its keys", file.text());
  }
  heap_sort(values_, [](const Value& a, const Value& b) { return a.key() < b.key(); });
  for (std::size_t i = 1; i < values_.size(); ++i)
    if (values_[i - 1].key() == values_[i].key())
      return fail(Code::bad_file, "%s: the key '%s' is there twice", file.text(), Printable(values_[i].key()).text());
  return {};
}

/// Reads kind and value of one key, and passes over the value's bytes.
DSVL_COLD
inline Status Gguf::read_value(gguf::HeadReader& head, std::string_view key, std::string_view what,
                               Value& value) noexcept {
  std::uint32_t number = 0, element = static_cast<std::uint32_t>(gguf::Kind::missing);
  std::uint64_t count = 0;
  if (!head.take(number)) return truncated(what, "key", key);
  // An array has the type and the number of its elements in front of them.
  const bool array = number == static_cast<std::uint32_t>(gguf::Kind::array);
  if (array && (!head.take(element) || !head.take(count))) return truncated(what, "key", key);
  if (array && element == static_cast<std::uint32_t>(gguf::Kind::array))
    return fail(Code::unsupported, "%s: key '%s' is an array of arrays, which is not read", Printable(what).text(),
                Printable(key).text());
  const std::uint32_t leaf = array ? element : number;  // the type whose bytes come next
  if (leaf >= static_cast<std::uint32_t>(gguf::Kind::missing))
    return fail(Code::bad_file, "%s: key '%s' has a value of the unknown type %u", Printable(what).text(),
                Printable(key).text(), static_cast<unsigned>(leaf));
  const std::byte* const at = head.here();
  DSVL_CHECK_STATUS(read_elements(head, static_cast<gguf::Kind>(leaf), array ? count : 1, key, what));
  value = Value(key, static_cast<gguf::Kind>(number), static_cast<gguf::Kind>(element),
                static_cast<std::size_t>(count), at);
  return {};
}

/// Passes over `count` values of a kind that is not array. When it returns ok they are all there.
DSVL_COLD
inline Status Gguf::read_elements(gguf::HeadReader& head, gguf::Kind kind, std::uint64_t count, std::string_view key,
                                  std::string_view what) noexcept {
  if (kind == gguf::Kind::string) {
    std::string_view text;
    for (std::uint64_t i = 0; i < count; ++i)  // each takes at least 8 bytes, so this ends with the file
      if (!head.take(text)) return truncated(what, "key", key);
    return {};
  }
  const std::byte* const first = head.here();
  const auto bytes = checked_multiply(count, gguf::fixed_bytes(kind));
  if (!bytes || !head.skip(*bytes)) return truncated(what, "key", key);
  // Any other value would be undefined behaviour in a C++ reader that loads it as bool.
  if (kind == gguf::Kind::boolean && std::any_of(first, head.here(), [](std::byte b) { return b > std::byte{1}; }))
    return fail(Code::bad_file, "%s: key '%s' has a boolean that is neither 0 nor 1", Printable(what).text(),
                Printable(key).text());
  return {};
}

/// Reads the alignment from the metadata; without the key it is 32.
DSVL_COLD inline Status Gguf::read_alignment(std::string_view what) noexcept {
  const Value given = value(gguf::kAlignmentKey);
  if (given.missing()) return {};
  const auto bytes = static_cast<std::uint64_t>(given.integer().value_or(0));
  if (!std::has_single_bit(bytes) || bytes < kMinAlignment || bytes > kMaxAlignment)
    return fail(Code::bad_file, "%s: %s is %s %lld, must be a power of two from %llu to %llu", Printable(what).text(),
                gguf::kAlignmentKey.data(), gguf::name(given.kind()).data(), static_cast<long long>(bytes),
                static_cast<unsigned long long>(kMinAlignment), static_cast<unsigned long long>(kMaxAlignment));
  alignment_ = bytes;
  return {};
}

/// Reads the table of tensors. Their offsets are kept apart until the address of the data is known.
DSVL_COLD
inline Status Gguf::read_tensors(gguf::HeadReader& head, std::uint64_t count, std::string_view what,
                                 Buffer<std::uint64_t>& offsets) noexcept {
  const Printable file(what);
  for (std::uint64_t i = 0; i < count; ++i) {
    TensorInfo tensor;
    std::uint64_t offset = 0;
    if (!head.take(tensor.name))
      return fail(Code::bad_file, "%s: truncated: it ends inside tensor %llu of %llu", file.text(),
                  static_cast<unsigned long long>(i), static_cast<unsigned long long>(count));
    DSVL_CHECK_STATUS(read_tensor(head, what, tensor));
    if (!head.take(offset)) return truncated(what, "tensor", tensor.name);
    if (!tensors_.push_back(tensor) || !offsets.push_back(offset))
      return fail(Code::out_of_memory, "%s: no memory for its tensors", file.text());
  }
  return {};
}

/// Reads shape and type of a tensor, and computes its bytes.
DSVL_COLD inline Status Gguf::read_tensor(gguf::HeadReader& head, std::string_view what, TensorInfo& tensor) noexcept {
  std::uint32_t number = 0;
  DSVL_CHECK_STATUS(read_shape(head, what, tensor));
  if (!head.take(number)) return truncated(what, "tensor", tensor.name);
  const Printable file(what), name(tensor.name);
  const GgmlType* const type = find_ggml_type(number);
  if (!type)
    return fail(Code::unsupported, "%s: tensor '%s' has the unknown type %u", file.text(), name.text(),
                static_cast<unsigned>(number));
  tensor.dtype = type->name;
  if (const Index inner = tensor.shape[tensor.rank - 1]; inner % static_cast<Index>(type->elements) != 0)
    return fail(Code::bad_file, "%s: tensor '%s' has rows of %td elements, which are no whole blocks of %s (%u)",
                file.text(), name.text(), inner, type->name.data(), static_cast<unsigned>(type->elements));
  const auto bytes = ggml_bytes(*type, tensor.dims());
  if (!bytes)
    return fail(Code::bad_file, "%s: tensor '%s' has a shape too large for any file", file.text(), name.text());
  tensor.bytes = static_cast<std::size_t>(*bytes);
  return {};
}

/// Reads rank and shape.
DSVL_COLD inline Status Gguf::read_shape(gguf::HeadReader& head, std::string_view what, TensorInfo& tensor) noexcept {
  const Printable file(what), name(tensor.name);
  std::uint32_t rank = 0;
  if (!head.take(rank)) return truncated(what, "tensor", tensor.name);
  if (rank < 1 || rank > gguf::kMaxRank)
    return fail(Code::bad_file, "%s: tensor '%s' has %u dimensions, must have 1 to %zu", file.text(), name.text(),
                static_cast<unsigned>(rank), gguf::kMaxRank);
  tensor.rank = static_cast<int>(rank);
  // The file has the innermost dimension first; ours is outer-first.
  for (int d = tensor.rank; d-- > 0;) {
    std::uint64_t size = 0;
    if (!head.take(size)) return truncated(what, "tensor", tensor.name);
    if (!std::in_range<Index>(size))
      return fail(Code::bad_file, "%s: tensor '%s' has a shape too large for any file", file.text(), name.text());
    tensor.shape[d] = static_cast<Index>(size);
  }
  return {};
}

/// Sets the address of a tensor's data, which must be inside the file and aligned.
DSVL_COLD
inline Status Gguf::place_tensor(std::span<const std::byte> data, std::uint64_t offset, std::string_view what,
                                 TensorInfo& tensor) const noexcept {
  const Printable file(what), name(tensor.name);
  if (offset % alignment_ != 0)
    return fail(Code::bad_file, "%s: tensor '%s' begins at byte %llu, which is no multiple of %llu", file.text(),
                name.text(), static_cast<unsigned long long>(offset), static_cast<unsigned long long>(alignment_));
  if (offset > data.size() || tensor.bytes > data.size() - offset)
    return fail(Code::bad_file, "%s: tensor '%s' has %zu bytes from byte %llu on, of %zu: the file is truncated",
                file.text(), name.text(), tensor.bytes, static_cast<unsigned long long>(offset), data.size());
  tensor.data = data.data() + offset;
  return {};
}

/// Checks that no two tensors share bytes or a name, and sorts them by name. Holes between them are allowed, since they
/// are how tensors get aligned.
DSVL_COLD inline Status Gguf::check_layout(std::string_view what) noexcept {
  const Printable file(what);
  // In the order of their addresses, only neighbours can overlap.
  sort_by_place(tensors_.span());
  const TensorInfo* before = nullptr;
  for (const TensorInfo& tensor : tensors_) {
    if (tensor.bytes == 0) continue;
    if (before && tensor.data < before->data + before->bytes)
      return fail(Code::bad_file, "%s: tensor '%s' begins inside tensor '%s'", file.text(),
                  Printable(tensor.name).text(), Printable(before->name).text());
    before = &tensor;
  }
  sort_by_name(tensors_.span());
  if (const TensorInfo* const twin = find_twin(tensors_.span()))
    return fail(Code::bad_file, "%s: tensor '%s' is there twice", file.text(), Printable(twin->name).text());
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_GGUF_HPP
