// How the cache keeps keys and values: one policy for each KvFormat.
#ifndef DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP
#define DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP

#include "../lanes/lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Loads of consecutive elements, and whether they still have to be multiplied by their token's scale. Stores: elements
/// that are stored as they are.
struct FullKv {
  static constexpr bool kScaled = false;
  static constexpr Index kBytes = 4;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* x, Index i) noexcept {
    return kernels::load(reinterpret_cast<const float*>(x) + i);
  }
  static DSVL_FORCE_INLINE void store(std::byte* x, Index i, Lanes value) noexcept {
    kernels::store(reinterpret_cast<float*>(x) + i, value);
  }
  static DSVL_FORCE_INLINE void store_one(std::byte* x, Index i, float value) noexcept {
    std::memcpy(x + 4 * i, &value, 4);
  }
};
struct Bf16Kv {
  static constexpr bool kScaled = false;
  static constexpr Index kBytes = 2;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* x, Index i) noexcept { return load_bf16(x + 2 * i); }
  static DSVL_FORCE_INLINE void store(std::byte* x, Index i, Lanes value) noexcept { store_bf16(x + 2 * i, value); }
  static DSVL_FORCE_INLINE void store_one(std::byte* x, Index i, float value) noexcept {
    const bf16 half = to_bf16(value);
    std::memcpy(x + 2 * i, &half, 2);
  }
};
struct Q8Kv {
  static constexpr bool kScaled = true;
  static constexpr Index kBytes = 1;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* x, Index i) noexcept { return load_i8(x + i); }
};

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP
