// Cuts operations into tiles. A tile is small enough that a program can stop within half a millisecond, and
// large enough to be worth a call.
#ifndef DSVL_NN_TILING_HPP
#define DSVL_NN_TILING_HPP

#include "../run/program.hpp"

DSVL_BEGIN_NAMESPACE

/// Arithmetic of a tile of attention, about 0.1 to 0.2 ms on one core. Products, which do more of it per second, take a
/// multiple.
inline constexpr double kTileFlops = 8e6;
/// Elements of a tile of work that is bound by memory rather than arithmetic.
inline constexpr Index kTileElements = 32 * 1024;

/// A part of a dimension.
struct Range {
  Index first = 0, count = 0;
};
/// The part of tile number `tile`, if `total` is cut into equal steps and a shorter last one.
constexpr Range tile_range(Index tile, Index step, Index total) noexcept {
  const Index first = tile * step;
  return {first, total - first < step ? total - first : step};
}

/// Rows per tile of an operation that does little work per element.
constexpr Index rows_per_tile(Index cols) noexcept {
  return cols >= kTileElements ? 1 : kTileElements / (cols > 0 ? cols : 1);
}

/// Base of the operations that treat each row on its own: it knows how many rows there are, and cuts them into tiles.
struct RowWise {
  RowCount count;
  Index rows = 0, cols = 0;

  [[nodiscard]] Index live_rows() const noexcept { return count.of(rows); }
  [[nodiscard]] Index tiles() const noexcept { return ceil_div(live_rows(), rows_per_tile(cols)); }
  [[nodiscard]] Range range(Index tile) const noexcept { return tile_range(tile, rows_per_tile(cols), live_rows()); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept { return 8.0 * static_cast<double>(live_rows() * cols); }
};

DSVL_END_NAMESPACE

#endif  // DSVL_NN_TILING_HPP
