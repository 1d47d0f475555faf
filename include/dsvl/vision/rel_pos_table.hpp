// SAM's relative-position tables in the form that map_attention reads: resized to the map, reversed, in float.
//
// A checkpoint stores a row per distance query - key, for the map it was trained with. The attention walks over the
// keys of one query, so it wants the rows of rising key - query side by side: the table is stored last row first.
#ifndef DSVL_VISION_REL_POS_TABLE_HPP
#define DSVL_VISION_REL_POS_TABLE_HPP

#include <algorithm>

#include "../kernels/reference.hpp"

DSVL_BEGIN_NAMESPACE

/// Writes out (rows, stored.cols): the stored table, linearly resized along its length (align_corners = false) when
/// that differs from `rows`, last row first. Runs once, while weights are bound; sums are taken in double.
///
/// Source SAM get_rel_pos: F.interpolate(mode="linear")
inline void resize_rel_pos_table(const Matrix& stored, Index rows, float* out) noexcept {
  const double scale = static_cast<double>(stored.rows) / static_cast<double>(rows);
  for (Index r = 0; r < rows; ++r) {
    const double at = std::max<double>(0.0, (static_cast<double>(r) + 0.5) * scale - 0.5);
    const Index low = std::min<Index>(static_cast<Index>(at), stored.rows - 1);
    const Index high = std::min<Index>(low + 1, stored.rows - 1);
    const double part = at - static_cast<double>(low);
    float* const row = out + (rows - 1 - r) * stored.cols;
    const auto stored_at = [&](Index r_stored, Index c) {
      double weight;
      kernels::reference::weights(stored.row(r_stored), c, &weight, 1);
      return weight;
    };
    for (Index c = 0; c < stored.cols; ++c)
      row[c] = static_cast<float>((1.0 - part) * stored_at(low, c) + part * stored_at(high, c));
  }
}

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_REL_POS_TABLE_HPP
