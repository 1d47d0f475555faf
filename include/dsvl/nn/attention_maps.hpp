// AttentionMaps: how much each of some rows of a pass looks at each key, averaged over layers and heads.
//
//   causal_attention(…, maps.weights)  ->  weights of one layer, head by head  ->  add_to_maps()  ->  the average
//
// The decoder records it where a session keeps attention maps (SessionOptions::attention_maps), and nothing of it where
// none does. The attention itself is the same to the last bit either way.
#ifndef DSVL_NN_ATTENTION_MAPS_HPP
#define DSVL_NN_ATTENTION_MAPS_HPP

#include <algorithm>

#include "attention.hpp"

DSVL_BEGIN_NAMESPACE

/// Memory for the maps of the last rows of a pass.
template <class T>
struct AttentionMaps {
  HeadWeights<T> weights;  ///< of the layer at hand
  View<T> mean;            ///< (rows, keys): the result, when all layers have added to it

  /// Declares memory for `rows` rows that see up to `keys` keys. `first` is the first of them in a pass, read when the
  /// program runs; it must stay at its address.
  void carve(Arena& arena, Index heads, Index rows, Index keys, const Index* first) noexcept {
    const Index room = round_up(keys, kKvBlock);
    weights = {arena.view<T>("attention maps", rows * heads, room), heads, first};
    mean = arena.view<T>("attention maps", rows, room);
  }
};

namespace ops {

/// Adds the weights of all heads, each times `scale`, to the maps. An element is always summed in the same order, over
/// the heads of one layer after another, however the work is cut.
template <class T>
struct AddToMaps {
  static constexpr const char* kName = "attention_maps";
  RowCount count;  // of the pass
  HeadWeights<T> weights;
  const SequenceRows* places;
  T scale;
  bool first;  // layer: the maps begin with it
  View<T> mean;

  static constexpr Index kKeys = 1024;
  [[nodiscard]] Index rows() const noexcept { return std::max<Index>(count.of(mean.rows) - *weights.first, 0); }
  [[nodiscard]] Index across() const noexcept { return ceil_div(places->keys, kKeys); }
  [[nodiscard]] Index tiles() const noexcept { return rows() * across(); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept {
    return 2.0 * static_cast<double>(rows() * weights.heads * places->keys);
  }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Index row = tile / across(), keys = (*places)[*weights.first + row].position + 1;
    const Range r = tile_range(tile % across(), kKeys, keys);
    if (r.count <= 0) return;  // another row sees more keys
    T* const to = mean.row(row) + r.first;
    if (first) std::fill_n(to, r.count, T(0));
    for (Index h = 0; h < weights.heads; ++h)
      on.kernels.add_scaled(weights.of(row, h) + r.first, scale, to, r.count);
  }
};

}  // namespace ops

/// Adds what attention of layer `layer` of `layers` has left in maps.weights to the average.
///
/// Cost   2 * rows * heads * keys operations: for a decoded token about a hundredth of its attention
template <class On>
void add_to_maps(On& on, const SequenceRows* places, Index layer, Index layers,
                 const AttentionMaps<Scalar<On>>& maps) noexcept {
  using T = Scalar<On>;
  const T scale = static_cast<T>(1.0 / static_cast<double>(layers * maps.weights.heads));
  on(ops::AddToMaps<T>{on.rows(), maps.weights, places, scale, layer == 0, maps.mean});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_ATTENTION_MAPS_HPP
