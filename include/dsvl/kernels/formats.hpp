// Weight formats: one policy per way that weights are stored. A kernel is written once, over a policy.
//
// Weights are read where they lie (a mapped file), at any alignment. A new format is a policy here and a line in
// `with_format`.
#ifndef DSVL_KERNELS_FORMATS_HPP
#define DSVL_KERNELS_FORMATS_HPP

#include <concepts>

#include "../base/matrix.hpp"
#include "lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Weight i of a row starts at i * kBytes; `load` takes kLanes weights, or the first n and zeros. Both are exact.
template <class F>
concept WeightFormat = requires(const std::byte* row, Index n) {
  { F::kBytes } -> std::convertible_to<Index>;
  { F::load(row) } noexcept -> std::same_as<Lanes>;
  { F::load(row, n) } noexcept -> std::same_as<Lanes>;
};

struct F32 {
  static constexpr Index kBytes = 4;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row));
  }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row), n);
  }
};

struct Bf16 {
  static constexpr Index kBytes = 2;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_bf16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_part16(row, n, [](const std::byte* part) { return load_bf16(part); });
  }
};

struct F16 {
  static constexpr Index kBytes = 2;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_f16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_part16(row, n, [](const std::byte* part) { return load_f16(part); });
  }
};

static_assert(WeightFormat<F32> && WeightFormat<Bf16> && WeightFormat<F16>);

/// f(policy): the only place where a run-time format becomes a type.
template <class Call>
DSVL_FORCE_INLINE void with_format(Format format, Call&& f) noexcept {
  switch (format) {
    case Format::f32: return f(F32{});
    case Format::bf16: return f(Bf16{});
    case Format::f16: return f(F16{});
  }
}

/// Weights [at, …) of a row.
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, Whole at) noexcept {
  return F::load(row + at.i * F::kBytes);
}
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, Part at) noexcept {
  return F::load(row + at.i * F::kBytes, at.n);
}

/// y[i] = w[i] for n weights.
inline void unpack(Format format, const std::byte* w, float* y, Index n) noexcept {
  with_format(format, [&](auto f) { sweep(n, [&](auto at) { at.store(y, load_weights<decltype(f)>(w, at)); }); });
}
/// y[i] += w[i] for n weights.
inline void add_unpacked(Format format, const std::byte* w, float* y, Index n) noexcept {
  with_format(format,
              [&](auto f) { sweep(n, [&](auto at) { at.store(y, at.load(y) + load_weights<decltype(f)>(w, at)); }); });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_FORMATS_HPP
