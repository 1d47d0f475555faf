// Bytes: the content of one file, whoever keeps it.
//
// What a Folder (folder.hpp) hands out and a Checkpoint holds on to: views into it stay good while it lives.
#ifndef DSVL_IO_BYTES_HPP
#define DSVL_IO_BYTES_HPP

#include "../base/buffer.hpp"
#include "mapped_file.hpp"

DSVL_BEGIN_NAMESPACE

/// Immutable bytes together with what keeps them: a buffer, a mapping, or a promise of the caller. Moving one does not
/// move the bytes.
class Bytes {
 public:
  Bytes() noexcept = default;
  explicit Bytes(Buffer<std::byte> owned) noexcept : owned_(std::move(owned)) {}
  explicit Bytes(MappedFile mapped) noexcept : mapped_(std::move(mapped)) {}
  /// The caller keeps `bytes` alive and unchanged.
  static Bytes borrow(std::span<const std::byte> bytes) noexcept {
    Bytes out;
    out.borrowed_ = bytes;
    return out;
  }

  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    if (!owned_.empty()) return owned_.span();
    if (mapped_.size()) return {mapped_.data(), mapped_.size()};
    return borrowed_;
  }
  [[nodiscard]] const std::byte* data() const noexcept { return span().data(); }
  [[nodiscard]] std::size_t size() const noexcept { return span().size(); }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data()), size()};
  }
  /// For memory reports: bytes that came from the allocator, and bytes that are mapped.
  [[nodiscard]] std::size_t owned_bytes() const noexcept { return owned_.size(); }
  [[nodiscard]] std::size_t mapped_bytes() const noexcept { return mapped_.size(); }

 private:
  Buffer<std::byte> owned_;
  MappedFile mapped_;
  std::span<const std::byte> borrowed_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_IO_BYTES_HPP
