// Synthetic weights: numbers of a sensible size for every tensor, made from its name alone.
//
// A checkpoint of any size can be made anywhere and is the same to the last bit. So results that were computed with it
// elsewhere (by PyTorch, on another machine) can be compared without a file having to travel.
//
//   unit(name, i)  = splitmix64(fnv1a64(name) + (i + 1) * golden ratio) >> 40, mapped to [-1, 1)
//   weight(i)      = offset + scale * unit, each step rounded to float, then to the stored format
//
// Sources: splitmix64, Steele, Lea and Flood, OOPSLA 2014; FNV-1a, draft-eastlake-fnv.
#ifndef DSVL_CONVERT_SYNTHETIC_SYNTHETIC_HPP
#define DSVL_CONVERT_SYNTHETIC_SYNTHETIC_HPP

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "../../base/half.hpp"
#include "../../base/matrix.hpp"
#include "../../base/strict_math.hpp"
#include "../../text/random.hpp"

DSVL_BEGIN_NAMESPACE

namespace synthetic {

/// The 64-bit FNV-1a hash, which turns a name into a seed.
constexpr std::uint64_t fnv1a64(std::string_view text) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return hash;
}

/// Element i of the series of `seed`, in [-1, 1). It has 24 bits, so it is exact in float.
constexpr float unit(std::uint64_t seed, std::uint64_t i) noexcept {
  const std::uint64_t bits = mix_bits(seed + (i + 1) * kGolden);
  return static_cast<float>(static_cast<std::int32_t>(bits >> 40) - (1 << 23)) * 0x1p-23f;
}
/// Element i of the series of a name.
constexpr float unit(std::string_view name, std::uint64_t i) noexcept { return unit(fnv1a64(name), i); }

/// The range of a tensor's numbers: offset - scale to offset + scale.
struct Spread {
  float offset = 0;  ///< the middle
  float scale = 0;   ///< the largest distance from it
};

/// The range by kind of tensor. Weights keep the variance of their input (1 / fan_in), so that activations stay in the
/// range of a trained model. `hf_name` is the name in the HF layout, `fan_in` the elements per row.
inline Spread spread_of(std::string_view hf_name, Index fan_in) noexcept {
  const auto has = [&](std::string_view part) { return hf_name.find(part) != std::string_view::npos; };
  if (hf_name.ends_with("high_res_vision_alpha")) return {0.5f, 0.0f};
  if (has("norm")) return hf_name.ends_with(".weight") ? Spread{1.0f, 0.1f} : Spread{0.0f, 0.05f};
  if (hf_name.ends_with(".bias")) return {0.0f, 0.05f};
  if (has("pos_embed") || has("position_embedding")) return {0.0f, 0.2f};
  if (has("rel_pos")) return {0.0f, 0.1f};
  if (has("embed_tokens")) return {0.0f, 1.7f};
  return {0.0f, static_cast<float>(std::sqrt(3.0 / static_cast<double>(fan_in)))};
}

/// Writes elements [first, first + count) of a tensor to `out` in `format`, which is not quantised. `out` needs no
/// alignment. Pieces may be written in any order and by several threads.
inline void fill(std::string_view hf_name, Index fan_in, Index first, Index count, Format format,
                 std::byte* out) noexcept {
  const Spread spread = spread_of(hf_name, fan_in);
  const std::uint64_t seed = fnv1a64(hf_name), begin = static_cast<std::uint64_t>(first);
  const auto each = [&](auto convert) {
    for (Index i = 0; i < count; ++i) {
      // The product is exact in double and rounded once; nothing is left that a compiler could contract into an fma.
      const float product = static_cast<float>(static_cast<double>(spread.scale) *
                                               static_cast<double>(unit(seed, begin + static_cast<std::uint64_t>(i))));
      const auto stored = convert(spread.offset + product);
      std::memcpy(out + static_cast<std::size_t>(i) * sizeof stored, &stored, sizeof stored);
    }
  };
  if (format == Format::f32) each([](float x) { return x; });
  if (format == Format::bf16) each([](float x) { return to_bf16(x).bits; });
  if (format == Format::f16) each([](float x) { return to_f16(x).bits; });
}

}  // namespace synthetic

DSVL_END_NAMESPACE

#endif  // DSVL_CONVERT_SYNTHETIC_SYNTHETIC_HPP
