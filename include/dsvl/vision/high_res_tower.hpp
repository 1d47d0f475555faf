// The high-resolution tower: SAM, its neck reduced to SigLIP's grid, and the HD side branch.
//
//   y = down(neck(sam)) + alpha * down(side_neck(sam after its first global block))      (576, 1024)
//
// Token t covers the same area of the picture as token t of SigLIP, so the aligner can put the two side by side. The
// two `down` calls share their weights. The side branch is in the released code and weights (neck_hd,
// hd_alpha_downsamples), not in the paper.
// Source: deepseek-ai/DeepSeek-VL, deepseek_vl/models/sam.py (ImageEncoderViT, preset sam_b_downsample).
#ifndef DSVL_VISION_HIGH_RES_TOWER_HPP
#define DSVL_VISION_HIGH_RES_TOWER_HPP

#include "../nn/activation.hpp"
#include "neck.hpp"
#include "sam.hpp"

DSVL_BEGIN_NAMESPACE

/// Weights and forward pass of the high-resolution tower. All weights are views into the checkpoint's memory.
struct HighResTower {
  Sam sam;                       ///< the transformer
  DownsampleDims dims;           ///< sizes behind the transformer, set before visit()
  Neck neck;                     ///< after the last block
  Neck side_neck;                ///< after block sam.dims.tap: same shapes, its own weights
  Downsample down;               ///< used after both necks
  const float* alpha = nullptr;  ///< (1), learned weight of the side branch

  /// Shows every weight with its name and shape to the visitor (Binder, Inventory); must run before forward().
  template <class V>
  void visit(V& v) {
    sam.visit(v);
    v.child("neck", neck, sam.dims.hidden, dims);
    v.child("side_neck", side_neck, sam.dims.hidden, dims);
    v.child("down", down, dims);
    v.vector("alpha", alpha, 1);
  }

  /// Scratch of one forward pass, carved from an Arena before it is recorded.
  template <class T>
  struct Buffers {
    View<T> x;                    ///< (sam tokens, sam hidden), SAM's residual stream
    View<T> side;                 ///< (tokens, out), the side branch until the main branch is there to add it to
    Sam::Buffers<T> sam;          ///< of the transformer
    View<T> map;                  ///< (sam tokens, neck channels), output of a neck
    View<T> unfolded;             ///< (sam tokens, 9 * neck channels), the neck's 3 x 3 neighbourhoods
    Downsample::Buffers<T> down;  ///< of the convolutions, used for both branches

    /// Declares SAM's page tables. They are written once, so they must lie outside every overlap().
    void carve_table(Arena& arena, const HighResTower& tower) noexcept { sam.carve_table(arena, tower.sam.dims); }
    /// Declares the rest. SAM's own buffers share memory with the neck's, since they never hold data at the same time.
    void carve(Arena& arena, const HighResTower& tower) noexcept {
      const Index tokens = tower.sam.dims.grid().tokens();
      x = arena.view<T>("sam tokens", tokens, tower.sam.dims.hidden);
      side = arena.view<T>("side branch", tower.dims.grid().tokens(), tower.dims.out);
      arena.overlap([&] { sam.carve(arena, tower.sam.dims); },
                    [&] {  // the side branch runs between two blocks, and a block's buffers hold nothing by then
                      map = arena.view<T>("neck map", tokens, tower.dims.neck);
                      arena.overlap([&] { unfolded = arena.view<T>("neck unfolded", tokens, tower.dims.neck * 9); },
                                    [&] { down.carve(arena, tower.dims); });
                    });
    }
  };

  /// y (dims.grid().tokens(), dims.out) = down(through(b.x)), where b.x holds the output of a block.
  template <class On>
  void downsample(On& on, const Neck& through, Buffers<Scalar<On>>& b, View<Scalar<On>> y) const noexcept {
    through.forward(on, b.x, sam.dims.grid(), b.unfolded, b.map);
    down.forward(on, b.map, sam.dims.grid(), dims, b.down, y);
  }

  /// y (dims.grid().tokens(), dims.out) = features of picture (3, image, image), which is already normalised.
  ///
  /// Cost   1000 GFLOP at the released size
  template <class On>
  void forward(On& on, Volume<const Scalar<On>> picture, Buffers<Scalar<On>>& b, View<Scalar<On>> y) const noexcept {
    sam.forward(on, picture, b.sam, b.x, [&](Index layer) {
      if (layer == sam.dims.tap) downsample(on, side_neck, b, b.side);
    });
    on.part("sam neck");
    downsample(on, neck, b, y);
    add_scaled(on, b.side, alpha, y);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_HIGH_RES_TOWER_HPP
