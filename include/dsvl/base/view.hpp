// View<T>: activations, rows by columns over somebody's memory. Volume<T>: a channels-first picture.
//
// Row-major, shapes written outer first: (rows, cols). A row is contiguous; rows are `stride` elements apart.
#ifndef DSVL_BASE_VIEW_HPP
#define DSVL_BASE_VIEW_HPP

#include <cstddef>
#include <type_traits>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes and positions. Signed: differences are common and wrap-around is a bug.
using Index = std::ptrdiff_t;

/// Non-owning matrix of activations, passed by value.
template <class T>
struct View {
  T* data = nullptr;
  Index rows = 0, cols = 0;
  Index stride = 0;  ///< elements from one row to the next; >= cols

  constexpr View() noexcept = default;
  constexpr View(T* d, Index r, Index c) noexcept : View(d, r, c, c) {}
  constexpr View(T* d, Index r, Index c, Index s) noexcept : data(d), rows(r), cols(c), stride(s) {}
  /// View<T> -> View<const T>.
  template <class U>
    requires std::is_same_v<const U, T>
  constexpr View(View<U> v) noexcept : View(v.data, v.rows, v.cols, v.stride) {}  // NOLINT: implicit by design

  constexpr T* row(Index r) const noexcept { return data + r * stride; }
  /// Rows [first, first + count), all columns. A part of nothing (while an Arena measures) is nothing.
  constexpr View row_range(Index first, Index count) const noexcept {
    return {data ? row(first) : nullptr, count, cols, stride};
  }
  /// All rows, columns [first, first + count).
  constexpr View col_range(Index first, Index count) const noexcept {
    return {data ? data + first : nullptr, rows, count, stride};
  }
};

/// Non-owning (channels, height, width) picture, contiguous, channels first: what the towers take.
template <class T>
struct Volume {
  T* data = nullptr;
  Index channels = 0, height = 0, width = 0;

  constexpr Volume() noexcept = default;
  constexpr Volume(T* d, Index c, Index h, Index w) noexcept : data(d), channels(c), height(h), width(w) {}
  template <class U>
    requires std::is_same_v<const U, T>
  constexpr Volume(Volume<U> v) noexcept : Volume(v.data, v.channels, v.height, v.width) {}  // NOLINT

  constexpr T* row(Index channel, Index y) const noexcept { return data + (channel * height + y) * width; }
  constexpr Index size() const noexcept { return channels * height * width; }
};

/// Height and width of a map of tokens; token t is at (t / width, t % width).
struct Grid {
  Index height = 0, width = 0;
  constexpr Index tokens() const noexcept { return height * width; }
  constexpr bool operator==(const Grid&) const noexcept = default;
};

/// Bytes of a line of the cache, as far as we care.
inline constexpr Index kCacheLine = 64;
/// Whether rows that many bytes apart (not negative) fall on the same few places of a first-level cache: at a multiple
/// of 4 KiB, or within a line of one. What reads a number of many rows at a time then loses lines before they are used.
constexpr bool rows_collide(Index bytes) noexcept {
  const Index distance = bytes % 4096;
  return distance < kCacheLine || 4096 - distance < kCacheLine;
}
/// As many bytes, or a few lines more, so that rows do not collide.
constexpr Index spread(Index bytes) noexcept {
  while (rows_collide(bytes)) bytes += kCacheLine;
  return bytes;
}

/// Smallest multiple of `step` that is not below `n`.
constexpr Index round_up(Index n, Index step) noexcept { return (n + step - 1) / step * step; }
/// Quotient rounded up.
constexpr Index ceil_div(Index n, Index d) noexcept { return (n + d - 1) / d; }

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_VIEW_HPP
