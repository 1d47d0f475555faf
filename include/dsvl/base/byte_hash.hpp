// add_bytes, StreamHash: the 128-bit hash of pictures (hash.hpp), over bytes of any kind: files, weights, texts.
//
// Like that one it tells honest things apart, and does not resist an attacker who constructs collisions.
#ifndef DSVL_BASE_BYTE_HASH_HPP
#define DSVL_BASE_BYTE_HASH_HPP

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "hash.hpp"

DSVL_BEGIN_NAMESPACE

/// Adds bytes to a hash, eight at a time. What is left makes a word of its own. The number of bytes is mixed into each
/// word, so that zeros at the end change the hash.
inline void add_bytes(ContentHash& to, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), sizeof(std::uint64_t));
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), n);
    to.add(word ^ std::uint64_t{n} << 56);
    bytes = bytes.subspan(n);
  }
}

/// The hash of a stream of bytes, which is the same however the stream is cut into pieces.
class StreamHash {
 public:
  /// Adds the next piece.
  void add(std::span<const std::byte> bytes) noexcept {
    const std::size_t missing = std::min<std::size_t>((sizeof word_ - filled_) % sizeof word_, bytes.size());
    keep(bytes.first(missing));
    bytes = bytes.subspan(missing);
    const std::size_t whole = bytes.size() / sizeof word_ * sizeof word_;
    add_bytes(hash_, bytes.first(whole));
    keep(bytes.subspan(whole));
  }
  /// The hash of all pieces so far; more may follow.
  [[nodiscard]] ContentHash value() const noexcept {
    ContentHash out = hash_;
    add_bytes(out, {word_, filled_});
    return out;
  }

 private:
  /// Keeps bytes, at most as many as the word lacks, and adds the word when it is whole.
  void keep(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return;
    std::memcpy(word_ + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
    if (filled_ < sizeof word_) return;
    add_bytes(hash_, word_);
    filled_ = 0;
  }

  ContentHash hash_;                            // of all whole words
  std::byte word_[sizeof(std::uint64_t)] = {};  // the word that is not whole yet
  std::size_t filled_ = 0;                      // its bytes so far
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_BYTE_HASH_HPP
