// Keys and values as the cache stores them: one policy for each KvFormat.
#ifndef DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP
#define DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP

#include "../lanes/lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// load        kLanes elements from element i on, as floats
// kScaled     what was loaded still has to be multiplied by its token's scale
// store, store_one   write elements from i on; not for q8, whose tokens are quantised as a whole (store_kv.hpp)

/// KvFormat::full of float.
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
/// KvFormat::bf16.
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
/// KvFormat::q8.
struct Q8Kv {
  static constexpr bool kScaled = true;
  static constexpr Index kBytes = 1;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* x, Index i) noexcept { return load_i8(x + i); }
};

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ATTENTION_KV_FORMATS_HPP
