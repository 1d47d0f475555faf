// Snapshot: what a fork shares with its session, and what a file keeps of it.
#ifndef DSVL_CHAT_INTERNAL_SNAPSHOT_HPP
#define DSVL_CHAT_INTERNAL_SNAPSHOT_HPP

#include "../../engine/image_cache.hpp"
#include "../../engine/prefix_cache.hpp"
#include "../../text/chat_template.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Whole turns with their pictures, and what the cache holds of them; an answer in work is left out. It views a session
/// that stays as it is meanwhile, whose embeddings and pages are then shared; or the bytes of a file, which are copied.
struct Snapshot {
  struct SavedTurn {
    Role role = Role::user;
    std::size_t first = 0, count = 0;  ///< segments
  };
  struct SavedPicture {
    ContentHash hash;
    std::span<const std::byte> rows;      ///< of a file
    ImageEmbedding* embedding = nullptr;  ///< of a session; null: of a file
  };

  explicit Snapshot(Allocator* from) noexcept
      : turns(from), segments(from), segment_ids(from), pictures(from), file_keys(from) {}

  [[nodiscard]] std::span<const Segment> content(const SavedTurn& turn) const noexcept {
    return segments.span().subspan(turn.first, turn.count);
  }

  Buffer<SavedTurn> turns;
  Buffer<Segment> segments;
  Buffer<std::int32_t> segment_ids;  ///< those of a file's segments
  Buffer<SavedPicture> pictures;     ///< in the order of their places

  std::span<const TokenKey> keys;      ///< of the tokens in the cache
  const PrefixCache* cache = nullptr;  ///< of a session, with their pages
  Buffer<TokenKey> file_keys;          ///< of a file: what `keys` views
  std::span<const std::byte> pages;    ///< of a file: whole pages, one after another
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_SNAPSHOT_HPP
