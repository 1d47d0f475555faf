// DeepSeek-VL as one network: towers, aligner and decoder, and the path of a picture into rows of the decoder's width.
//
//   pixels (3, 384, 384) [and (3, 1024, 1024)] -> towers -> aligner -> (576, hidden)
//
// Those rows take the places of image tokens in the prompt; from there on they are inputs like any token's embedding.
// Source: arXiv:2403.05525.
#ifndef DSVL_MODEL_DEEPSEEK_VL_HPP
#define DSVL_MODEL_DEEPSEEK_VL_HPP

#include <optional>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// The whole network. It holds sizes and views of weights, so copying it copies no weights.
struct DeepseekVl {
  Siglip siglip;    ///< low-resolution tower
  std::optional<HighResTower> high;  ///< high-resolution tower of hybrid models
  Aligner aligner;  ///< from the towers' width to the decoder's
  Decoder decoder;  ///< language model

  DeepseekVl() = default;
  /// A network of these sizes whose weights are not bound yet.
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

  /// Shows every weight of every part to the visitor, under the names of model/names.hpp.
  template <class V>
  void visit(V& v) {
    v.child("siglip", siglip);
    if (high) v.child("sam", *high);
    v.child("aligner", aligner);
    v.child("language", decoder);
  }

  /// Memory for encoding a picture: the towers' inputs, their features, and the towers' scratch. The towers run one
  /// after the other and share theirs.
  template <class T>
  struct VisionBuffers {
    Volume<T> low;                 ///< (3, image, image), normalised pixels for SigLIP, written by the preprocessing
    Volume<T> high;                ///< the same for SAM; empty without a second tower
    View<T> low_features;          ///< (tokens, SigLIP's width)
    View<T> high_features;         ///< (tokens, SAM's output width)
    Siglip::Buffers<T> siglip;     ///< scratch of the first tower
    HighResTower::Buffers<T> sam;  ///< scratch of the second; not carved without one
    Aligner::Buffers<T> aligner;   ///< scratch of the aligner

    /// Declares the towers' page tables. They are written once, so they must lie outside every overlap().
    void carve_table(Arena& arena, const DeepseekVl& net) noexcept {
      siglip.carve_table(arena, net.siglip.dims);
      if (net.high) sam.carve_table(arena, *net.high);
    }
    /// Declares the rest.
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

  /// y (image tokens, hidden) = the picture whose pixels are in b.low and b.high.
  template <class On>
  void encode(On& on, VisionBuffers<Scalar<On>>& b, View<Scalar<On>> y) const noexcept {
    siglip.forward(on, b.low, b.siglip, b.low_features);
    if (high) high->forward(on, b.high, b.sam, b.high_features);
    aligner.forward(on, b.low_features, b.high_features, b.aligner, y);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_DEEPSEEK_VL_HPP
