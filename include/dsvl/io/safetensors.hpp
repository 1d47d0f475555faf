// Safetensors: the tensors of one safetensors file, read in place.
//
// A checkpoint is one such file or several (checkpoint.hpp). A file has 8 bytes with the header's length, a JSON header
// {"name": {"dtype", "shape", "data_offsets": [begin, end]}, …}, then the data, row-major; all is little-endian. Every
// check of the format's reference reader is made here, so that the results need no check.
// Source: https://github.com/huggingface/safetensors, README "Format" and safetensors/src/tensor.rs.
#ifndef DSVL_IO_SAFETENSORS_HPP
#define DSVL_IO_SAFETENSORS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "../base/buffer.hpp"
#include "../base/checked.hpp"
#include "../base/status.hpp"
#include "json.hpp"
#include "printable.hpp"
#include "tensor.hpp"

DSVL_BEGIN_NAMESPACE

/// Bits of one element; nothing for a dtype that the format does not have. Source: safetensors/src/tensor.rs, Dtype.
constexpr std::optional<std::uint64_t> dtype_bits(std::string_view dtype) noexcept {
  struct Row {
    std::string_view dtype;
    std::uint64_t bits;  // some types have less than a byte
  };
  constexpr Row kRows[] = {
      {"F32", 32},     {"BF16", 16},    {"F16", 16},         {"F64", 64},         {"I64", 64},    {"I32", 32},
      {"I16", 16},     {"I8", 8},       {"U64", 64},         {"U32", 32},         {"U16", 16},    {"U8", 8},
      {"BOOL", 8},     {"C64", 64},     {"F8_E4M3", 8},      {"F8_E5M2", 8},      {"F8_E8M0", 8}, {"F4", 4},
      {"F6_E2M3", 6},  {"F6_E3M2", 6},  {"F8_E4M3FNUZ", 8},  {"F8_E5M2FNUZ", 8},
  };
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.bits;
  return std::nullopt;
}

/// The parsed header of one file. It does not own the file's bytes, which must outlive it.
class Safetensors {
 public:
  static constexpr std::uint64_t kMaxHeader = 100'000'000;  ///< bytes of a header, the reference reader's limit

  /// Parses a file. `what` names it in errors.
  ///
  /// Codes  bad_file, unsupported (a dtype that the format does not have, more than kMaxRank dimensions), limit,
  ///        out_of_memory
  /// Cost   reads the header only; the data is not touched
  static Result<Safetensors> parse(std::span<const std::byte> file, std::string_view what,
                                   Allocator* from = nullptr) noexcept;

  /// The tensors, sorted by name.
  [[nodiscard]] std::span<const TensorInfo> tensors() const noexcept { return tensors_.span(); }
  /// The tensor of that name, or null.
  [[nodiscard]] const TensorInfo* find(std::string_view name) const noexcept { return find_tensor(tensors(), name); }
  /// The "__metadata__" object, whose members are all strings; missing() when the file has none.
  [[nodiscard]] json::Value metadata() const noexcept { return header_.root().find("__metadata__"); }

 private:
  Safetensors(json::Document header, Buffer<TensorInfo> tensors) noexcept
      : header_(std::move(header)), tensors_(std::move(tensors)) {}

  static Status read_tensor(json::Value entry, std::span<const std::byte> data, std::string_view what,
                            TensorInfo& tensor) noexcept;
  static Status read_shape(json::Value shape, std::string_view where, TensorInfo& tensor,
                           std::uint64_t& bits) noexcept;
  static Status check_metadata(json::Value metadata, std::string_view what) noexcept;
  static Status check_layout(std::span<TensorInfo> tensors, std::span<const std::byte> data,
                             std::string_view what) noexcept;

  json::Document header_;  // owns the names
  Buffer<TensorInfo> tensors_;
};

DSVL_COLD
inline Result<Safetensors> Safetensors::parse(std::span<const std::byte> file, std::string_view what,
                                              Allocator* from) noexcept {
  const Printable name(what);
  if (file.size() < 8)
    return fail(Code::bad_file, "%s: %zu bytes are too few for a safetensors file", name.text(), file.size());
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = (length << 8) | std::to_integer<std::uint64_t>(file[i]);
  // Eight bytes of any other file make a huge number, so this is where a wrong file is usually noticed.
  if (length > kMaxHeader)
    return fail(Code::bad_file,
                "%s: is no safetensors file, or a damaged one: its first 8 bytes would be the length of a header, and "
                "are more than the %llu bytes allowed",
                name.text(), static_cast<unsigned long long>(kMaxHeader));
  if (length > file.size() - 8)
    return fail(Code::bad_file, "%s: truncated: its header takes %llu bytes, the file has %zu", name.text(),
                static_cast<unsigned long long>(length), file.size());
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length));
  if (text.empty() || text[0] != '{')
    return fail(Code::bad_file, "%s: the header does not begin with '{'", name.text());

  DSVL_TRY(header, json::Document::parse(text, what, from));
  const std::span<const std::byte> data = file.subspan(8 + text.size());  // offsets count from here
  Buffer<TensorInfo> tensors(from);
  if (!tensors.reserve(header.root().size()))
    return fail(Code::out_of_memory, "%s: no memory for a list of %zu tensors", name.text(), header.root().size());
  for (const json::Value entry : header.root()) {
    if (entry.key() == "__metadata__") {
      DSVL_CHECK_STATUS(check_metadata(entry, what));
      continue;
    }
    TensorInfo tensor;  // its name points into the JSON document, which moves along with the result
    DSVL_CHECK_STATUS(read_tensor(entry, data, what, tensor));
    if (!tensors.push_back(tensor)) return fail(Code::out_of_memory, "%s: no memory for its tensors", name.text());
  }
  DSVL_CHECK_STATUS(check_layout(tensors.span(), data, what));
  sort_by_name(tensors.span());
  return Safetensors(std::move(header), std::move(tensors));
}

/// The format allows only strings in "__metadata__".
DSVL_COLD inline Status Safetensors::check_metadata(json::Value metadata, std::string_view what) noexcept {
  if (!metadata.is_object()) return fail(Code::bad_file, "%s: __metadata__ is no object", Printable(what).text());
  for (const json::Value value : metadata)
    if (!value.is_string())
      return fail(Code::bad_file, "%s: __metadata__ has '%s', which is no string", Printable(what).text(),
                  Printable(value.key()).text());
  return {};
}

/// Fills shape and rank, and multiplies `bits` (of one element) by the number of elements.
DSVL_COLD
inline Status Safetensors::read_shape(json::Value shape, std::string_view what, TensorInfo& tensor,
                                      std::uint64_t& bits) noexcept {
  const Printable file(what), name(tensor.name);
  if (!shape.is_array()) return fail(Code::bad_file, "%s: tensor '%s' has no shape", file.text(), name.text());
  if (shape.size() > static_cast<std::size_t>(TensorInfo::kMaxRank))
    return fail(Code::unsupported, "%s: tensor '%s' has %zu dimensions, at most %d are read", file.text(), name.text(),
                shape.size(), TensorInfo::kMaxRank);
  std::uint64_t nonzero_bits = bits;  // so that a 0 does not hide dimensions whose product overflows
  for (const json::Value value : shape) {
    const auto dim = value.integer();
    if (!dim || *dim < 0)
      return fail(Code::bad_file, "%s: tensor '%s' has a dimension that is no size", file.text(), name.text());
    const auto product = checked_multiply(nonzero_bits, static_cast<std::uint64_t>((std::max<Index>)(*dim, 1)));
    if (!product || !std::in_range<std::int64_t>(*product))
      return fail(Code::bad_file, "%s: tensor '%s' has a shape too large for any file", file.text(), name.text());
    nonzero_bits = *product;
    bits *= static_cast<std::uint64_t>(*dim);
    tensor.shape[tensor.rank++] = *dim;
  }
  return {};
}

/// Fills a tensor from its entry. Its bytes must agree with its shape and dtype.
DSVL_COLD
inline Status Safetensors::read_tensor(json::Value entry, std::span<const std::byte> data, std::string_view what,
                                       TensorInfo& tensor) noexcept {
  tensor.name = entry.key();
  tensor.dtype = entry.find("dtype").string().value_or("");
  const Printable file(what), name(tensor.name);
  if (tensor.dtype.empty()) return fail(Code::bad_file, "%s: tensor '%s' has no dtype", file.text(), name.text());
  const auto element = dtype_bits(tensor.dtype);
  if (!element)
    return fail(Code::unsupported, "%s: tensor '%s' has the unknown dtype '%s'", file.text(), name.text(),
                Printable(tensor.dtype).text());
  std::uint64_t bits = *element;
  DSVL_CHECK_STATUS(read_shape(entry.find("shape"), what, tensor, bits));

  const json::Value offsets = entry.find("data_offsets");
  const auto begin = offsets[0].integer(), end = offsets[1].integer();
  if (!offsets.is_array() || offsets.size() != 2 || !begin || !end || *begin < 0 || *end < *begin)
    return fail(Code::bad_file, "%s: tensor '%s' has no data_offsets [begin, end]", file.text(), name.text());
  if (static_cast<std::uint64_t>(*end) > data.size())
    return fail(Code::bad_file, "%s: tensor '%s' ends at byte %lld of %zu: the file is truncated", file.text(),
                name.text(), static_cast<long long>(*end), data.size());
  tensor.bytes = static_cast<std::size_t>(*end - *begin);
  // The product of the shape must be what the offsets say, or a kernel would read beyond the tensor.
  if (bits % 8 != 0 || bits / 8 != tensor.bytes)
    return fail(Code::bad_file, "%s: tensor '%s' has %zu bytes, its shape and dtype %s need %llu", file.text(),
                name.text(), tensor.bytes, Printable(tensor.dtype).text(), static_cast<unsigned long long>(bits / 8));
  tensor.data = data.data() + *begin;
  return {};
}

/// Checks that the tensors cover the data exactly. Two that share bytes, or bytes without a name, are signs of a forged
/// file. Leaves the list in the order of the data.
DSVL_COLD
inline Status Safetensors::check_layout(std::span<TensorInfo> tensors, std::span<const std::byte> data,
                                        std::string_view what) noexcept {
  sort_by_place(tensors);
  const Printable file(what);
  std::size_t at = 0;
  for (const TensorInfo& tensor : tensors) {
    // In the order of the data, each tensor must begin where the one before it ends.
    const auto begin = static_cast<std::size_t>(tensor.data - data.data());
    if (begin != at)
      return fail(Code::bad_file, "%s: tensor '%s' begins at byte %zu, %s byte %zu", file.text(),
                  Printable(tensor.name).text(), begin,
                  begin < at ? "inside another that goes on to" : "but nothing is named from", at);
    at += tensor.bytes;
  }
  if (at != data.size())
    return fail(Code::bad_file, "%s: %zu bytes follow the last tensor", file.text(), data.size() - at);
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_SAFETENSORS_HPP
