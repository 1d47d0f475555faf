// DeepSeek-VL: towers, aligner and decoder as one network, and the way of a picture into rows of the decoder's width.
//
//   pixels (3, 384, 384) [and (3, 1024, 1024)] -> towers -> aligner -> (576, hidden)
//
// Source: arXiv:2403.05525.
#ifndef DSVL_MODEL_DEEPSEEK_VL_HPP
#define DSVL_MODEL_DEEPSEEK_VL_HPP

#include <optional>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

struct DeepseekVl {
  Siglip siglip;
  std::optional<HighResTower> high;  ///< the hybrid models see twice
  Aligner aligner;
  Decoder decoder;

  DeepseekVl() = default;
  explicit DeepseekVl(const ModelConfig& config) {
    siglip.dims = config.siglip;
    if (config.high) {
      high.emplace();
      high->sam.dims = config.high->sam;
      high->dims = config.high->down;
    }
    aligner.dims = config.aligner;
    decoder.dims = config.decoder;
  }

  template <class V>
  void visit(V& v) {
    v.child("siglip", siglip);
    if (high) v.child("sam", *high);
    v.child("aligner", aligner);
    v.child("language", decoder);
  }

  /// What encoding a picture works in: the towers' inputs, their features, and the towers' buffers, which overlap.
  template <class T>
  struct VisionBuffers {
    Volume<T> low, high;  ///< the normalised pixels, written by the preprocessing
    View<T> low_features, high_features;
    Siglip::Buffers<T> siglip;
    HighResTower::Buffers<T> sam;
    Aligner::Buffers<T> aligner;

    /// What must not overlap with anything.
    void carve_table(Arena& arena, const DeepseekVl& net) noexcept {
      siglip.carve_table(arena, net.siglip.dims);
      if (net.high) sam.carve_table(arena, *net.high);
    }
    void carve(Arena& arena, const DeepseekVl& net) noexcept {
      low = carve_pixels(arena, net.siglip.dims.input);
      low_features = arena.spread_view<T>("low features", net.siglip.dims.tokens(), net.siglip.dims.hidden);
      if (net.high) {
        high = carve_pixels(arena, net.high->sam.dims.input);
        high_features = arena.spread_view<T>("high features", net.high->dims.grid().tokens(), net.high->dims.out);
      }
      arena.overlap([&] { siglip.carve(arena, net.siglip.dims); },
                    [&] { if (net.high) sam.carve(arena, *net.high); },
                    [&] { aligner.carve(arena, net.aligner.dims, net.siglip.dims.tokens()); });
    }

   private:
    static Volume<T> carve_pixels(Arena& arena, const PatchShape& input) noexcept {
      return {arena.array<T>("pixels", input.channels * input.image * input.image), input.channels, input.image,
              input.image};
    }
  };

  /// y (image tokens, hidden) = the picture that stands in b.low and b.high.
  template <class On>
  void encode(On& on, VisionBuffers<Scalar<On>>& b, View<Scalar<On>> y) const noexcept {
    siglip.forward(on, b.low, b.siglip, b.low_features);
    if (high) high->forward(on, b.high, b.sam, b.high_features);
    aligner.forward(on, b.low_features, b.high_features, b.aligner, y);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_DEEPSEEK_VL_HPP
