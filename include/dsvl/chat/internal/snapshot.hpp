// Snapshot: what a fork shares with its session, and what a file keeps of it.
//
// Forking, saving and loading all go through it: SessionState::snapshot() makes one of a session, SavedFile makes one
// of a file, and SessionState::restore() puts a new session into its state.
#ifndef DSVL_CHAT_INTERNAL_SNAPSHOT_HPP
#define DSVL_CHAT_INTERNAL_SNAPSHOT_HPP

#include "../../engine/image_cache.hpp"
#include "../../engine/prefix_cache.hpp"
#include "../../text/chat_template.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Whole turns with their pictures, and what the cache holds of them; an answer in work is left out. It views a session
/// that must not change meanwhile, whose embeddings and pages are then shared, or the bytes of a file, which are
/// copied.
struct Snapshot {
  /// One turn: a run of `segments`.
  struct SavedTurn {
    Role role = Role::user;  ///< the speaker
    std::size_t first = 0,   ///< number of its first segment
        count = 0;           ///< segments that it has
  };
  /// One picture of the conversation.
  struct SavedPicture {
    ContentHash hash;                     ///< of its pixels
    std::span<const std::byte> rows;      ///< its embedding: floats in the cache's memory, or in the file's
    ImageEmbedding* embedding = nullptr;  ///< in the cache of a session; null for a file's
  };

  /// An empty snapshot, whose lists take memory from `from`; null means operator new.
  explicit Snapshot(Allocator* from) noexcept
      : turns(from), segments(from), segment_ids(from), pictures(from), file_keys(from) {}

  /// The segments of a turn.
  [[nodiscard]] std::span<const Segment> content(const SavedTurn& turn) const noexcept {
    return segments.span().subspan(turn.first, turn.count);
  }

  Buffer<SavedTurn> turns;           ///< in order
  Buffer<Segment> segments;          ///< of all turns
  Buffer<std::int32_t> segment_ids;  ///< of a file: the ids that its segments point to
  Buffer<SavedPicture> pictures;     ///< in the order of their places

  std::span<const TokenKey> keys;      ///< of the tokens whose keys and values are kept
  const PrefixCache* cache = nullptr;  ///< of a session: the cache that has their pages; null for a file
  Buffer<TokenKey> file_keys;          ///< of a file: the array that `keys` views
  std::span<const std::byte> pages;    ///< of a file: whole pages, one after another
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_SNAPSHOT_HPP
