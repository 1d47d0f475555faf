// View<T>: a matrix of activations in memory that it does not own. Volume<T>: a channels-first picture.
//
// Both are row-major, and shapes are written outer-first: (rows, cols). A row is contiguous; rows are `stride` elements
// apart.
#ifndef DSVL_BASE_VIEW_HPP
#define DSVL_BASE_VIEW_HPP

#include <cstddef>
#include <type_traits>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// The type of sizes and positions. It is signed, because differences are common and wrap-around is a bug.
using Index = std::ptrdiff_t;

/// Non-owning matrix of activations, passed by value.
template <class T>
struct View {
  T* data = nullptr;         ///< element (0, 0); null while an Arena measures
  Index rows = 0;            ///< of the matrix
  Index cols = 0;            ///< elements of a row
  Index stride = 0;          ///< elements from one row to the next; >= cols

  constexpr View() noexcept = default;
  /// A contiguous matrix.
  constexpr View(T* d, Index r, Index c) noexcept : View(d, r, c, c) {}
  /// A matrix whose rows are s elements apart.
  constexpr View(T* d, Index r, Index c, Index s) noexcept : data(d), rows(r), cols(c), stride(s) {}
  /// Converts View<T> to View<const T>.
  template <class U>
    requires std::is_same_v<const U, T>
  constexpr View(View<U> v) noexcept : View(v.data, v.rows, v.cols, v.stride) {}  // NOLINT: implicit by design

  /// First element of row r.
  constexpr T* row(Index r) const noexcept { return data + r * stride; }
  /// Rows [first, first + count), all columns. A part of a null view (while an Arena measures) is null.
  constexpr View row_range(Index first, Index count) const noexcept {
    return {data ? row(first) : nullptr, count, cols, stride};
  }
  /// All rows, columns [first, first + count).
  constexpr View col_range(Index first, Index count) const noexcept {
    return {data ? data + first : nullptr, rows, count, stride};
  }
};

/// Picture (channels, height, width) in memory that it does not own, contiguous and channels first, as the towers take
/// it.
template <class T>
struct Volume {
  T* data = nullptr;   ///< element (0, 0, 0)
  Index channels = 0;  ///< planes
  Index height = 0;    ///< rows of a plane
  Index width = 0;     ///< elements of a row

  constexpr Volume() noexcept = default;
  /// A picture of this shape.
  constexpr Volume(T* d, Index c, Index h, Index w) noexcept : data(d), channels(c), height(h), width(w) {}
  /// Converts Volume<T> to Volume<const T>.
  template <class U>
    requires std::is_same_v<const U, T>
  constexpr Volume(Volume<U> v) noexcept : Volume(v.data, v.channels, v.height, v.width) {}  // NOLINT

  /// First element of row y of a channel.
  constexpr T* row(Index channel, Index y) const noexcept { return data + (channel * height + y) * width; }
  /// Number of elements.
  constexpr Index size() const noexcept { return channels * height * width; }
};

/// Height and width of a map of tokens; token t is at (t / width, t % width).
struct Grid {
  Index height = 0;  ///< in tokens
  Index width = 0;   ///< in tokens
  /// Number of tokens.
  constexpr Index tokens() const noexcept { return height * width; }
  /// Equal in both.
  constexpr bool operator==(const Grid&) const noexcept = default;
};

/// Bytes of a cache line, as far as layouts here depend on it.
inline constexpr Index kCacheLine = 64;
/// True when rows that many bytes apart (not negative) fall into the same few sets of a first-level cache: at a
/// multiple of 4 KiB, or within a line of one. Code that reads one column of many rows then evicts lines before they
/// are used.
constexpr bool rows_collide(Index bytes) noexcept {
  const Index distance = bytes % 4096;
  return distance < kCacheLine || 4096 - distance < kCacheLine;
}
/// The smallest distance of at least `bytes`, in steps of a cache line, at which rows do not collide.
constexpr Index spread(Index bytes) noexcept {
  while (rows_collide(bytes)) bytes += kCacheLine;
  return bytes;
}

/// Smallest multiple of `step` that is not below `n`.
constexpr Index round_up(Index n, Index step) noexcept { return (n + step - 1) / step * step; }
/// n / d, rounded up.
constexpr Index ceil_div(Index n, Index d) noexcept { return (n + d - 1) / d; }

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_VIEW_HPP
