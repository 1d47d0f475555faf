// Bytes: the content of one file, together with the memory or the mapping that holds it.
//
// A Folder (folder.hpp) returns them and a Checkpoint keeps them. Views into the content are valid while they live.
#ifndef DSVL_IO_BYTES_HPP
#define DSVL_IO_BYTES_HPP

#include "../base/buffer.hpp"
#include "mapped_file.hpp"

DSVL_BEGIN_NAMESPACE

/// Immutable bytes together with their owner: a buffer, a mapping, or the caller, who promised to keep them. Moving an
/// object does not move the bytes.
class Bytes {
 public:
  /// No bytes.
  Bytes() noexcept = default;
  /// Bytes in a buffer.
  explicit Bytes(Buffer<std::byte> owned) noexcept : owned_(std::move(owned)) {}
  /// Bytes of a mapped file.
  explicit Bytes(MappedFile mapped) noexcept : mapped_(std::move(mapped)) {}
  /// Bytes in the caller's memory, which must stay alive and unchanged.
  static Bytes borrow(std::span<const std::byte> bytes) noexcept {
    Bytes out;
    out.borrowed_ = bytes;
    return out;
  }

  /// The bytes; valid while this object, or the object it was moved to, lives.
  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    if (!owned_.empty()) return owned_.span();
    if (mapped_.size()) return {mapped_.data(), mapped_.size()};
    return borrowed_;
  }
  /// The first byte, at any alignment.
  [[nodiscard]] const std::byte* data() const noexcept { return span().data(); }
  /// Number of bytes.
  [[nodiscard]] std::size_t size() const noexcept { return span().size(); }
  /// The bytes as text.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data()), size()};
  }
  /// Bytes that came from the allocator, for memory reports.
  [[nodiscard]] std::size_t owned_bytes() const noexcept { return owned_.size(); }
  /// Bytes that are mapped, for memory reports.
  [[nodiscard]] std::size_t mapped_bytes() const noexcept { return mapped_.size(); }

 private:
  Buffer<std::byte> owned_;
  MappedFile mapped_;
  std::span<const std::byte> borrowed_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_IO_BYTES_HPP
