// The high-resolution tower: SAM, its neck brought down to SigLIP's grid, and the HD side branch.
//
//   y = down(neck(sam)) + alpha * down(side_neck(sam after its first global block))      (576, 1024)
//
// Token t covers the same area of the picture as token t of SigLIP. The two `down` calls share their weights.
// Source: model-spec of DeepSeek-VL's ImageEncoderViT (sam_b_downsample).
#ifndef DSVL_VISION_HIGH_RES_TOWER_HPP
#define DSVL_VISION_HIGH_RES_TOWER_HPP

#include "../nn/activation.hpp"
#include "neck.hpp"
#include "sam.hpp"

DSVL_BEGIN_NAMESPACE

struct HighResTower {
  Sam sam;
  DownsampleDims dims;
  Neck neck, side_neck;
  Downsample down;
  const float* alpha = nullptr;  ///< (1), learned

  template <class V>
  void visit(V& v) {
    sam.visit(v);
    v.child("neck", neck, sam.dims.hidden, dims);
    v.child("side_neck", side_neck, sam.dims.hidden, dims);
    v.child("down", down, dims);
    v.vector("alpha", alpha, 1);
  }

  template <class T>
  struct Buffers {
    View<T> x, side;
    Sam::Buffers<T> sam;
    View<T> map, unfolded;
    Downsample::Buffers<T> down;

    void carve_table(Arena& arena, const HighResTower& tower) noexcept { sam.carve_table(arena, tower.sam.dims); }
    void carve(Arena& arena, const HighResTower& tower) noexcept {
      const Index tokens = tower.sam.dims.grid().tokens();
      x = arena.view<T>("sam tokens", tokens, tower.sam.dims.hidden);
      side = arena.view<T>("side branch", tower.dims.grid().tokens(), tower.dims.out);
      arena.overlap([&] { sam.carve(arena, tower.sam.dims); },
                    [&] {  // the side branch runs between two blocks, when their buffers are free
                      map = arena.view<T>("neck map", tokens, tower.dims.neck);
                      arena.overlap([&] { unfolded = arena.view<T>("neck unfolded", tokens, tower.dims.neck * 9); },
                                    [&] { down.carve(arena, tower.dims); });
                    });
    }
  };

  /// y (grid.tokens(), out) = down(neck(x)) of the map that stands in b.x.
  template <class On>
  void downsample(On& on, const Neck& through, Buffers<Scalar<On>>& b, View<Scalar<On>> y) const noexcept {
    through.forward(on, b.x, sam.dims.grid(), b.unfolded, b.map);
    down.forward(on, b.map, sam.dims.grid(), dims, b.down, y);
  }

  /// picture (3, image, image), already normalised; y (dims.grid().tokens(), dims.out).
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
