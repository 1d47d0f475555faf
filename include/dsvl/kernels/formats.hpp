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

/// Weight i of a row starts at i * kBytes; `load` takes kLanes weights, or the first n and zeros. `turn` takes kTurned
/// columns of kLanes rows, `stride` bytes apart: put(k, column) gets weight k of row i in lane i. All are exact.
template <class F>
concept WeightFormat = requires(const std::byte* row, Index n, void (*put)(int, Lanes)) {
  { F::kBytes } -> std::convertible_to<Index>;
  { F::kTurned } -> std::convertible_to<Index>;
  { F::load(row) } noexcept -> std::same_as<Lanes>;
  { F::load(row, n) } noexcept -> std::same_as<Lanes>;
  { F::turn(row, n, put) } noexcept;
};

/// The same for any number of rows and columns, at most kLanes of each: converted first, then turned. What is not there
/// counts as zero.
template <class F, class Put>
DSVL_FORCE_INLINE void turn_part(const std::byte* block, Index stride, Index rows, Index columns, Put&& put) noexcept {
  alignas(64) float converted[kLanes][kLanes] = {};
  for (Index i = 0; i < rows; ++i) {
    const std::byte* const row = block + i * stride;
    store(converted[i], columns < kLanes ? F::load(row, columns) : F::load(row));
  }
  Lanes turned[kLanes];
  load_columns(reinterpret_cast<const std::byte*>(converted), sizeof converted[0], turned);
  for (int i = 0; i < static_cast<int>(columns); ++i) put(i, turned[i]);
}

struct F32 {
  static constexpr Index kBytes = 4;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row));
  }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row), n);
  }
  static constexpr Index kTurned = kLanes;
  template <class Put>
  static DSVL_FORCE_INLINE void turn(const std::byte* block, Index stride, Put&& put) noexcept {
    Lanes columns[kLanes];
    load_columns(block, stride, columns);
    unroll<kLanes>([&](auto i) { put(i, columns[i]); });
  }
};

struct Bf16 {
  static constexpr Index kBytes = 2;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_bf16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_part16(row, n, [](const std::byte* part) { return load_bf16(part); });
  }
  /// Pairs are turned as if they were floats, and parted afterwards: half the work.
  static constexpr Index kTurned = 2 * kLanes;
  template <class Put>
  static DSVL_FORCE_INLINE void turn(const std::byte* block, Index stride, Put&& put) noexcept {
    Lanes pairs[kLanes];
    load_columns(block, stride, pairs);
    unroll<kLanes>([&](auto i) {
      put(2 * i, from_bits(shift_left(bits(pairs[i]), 16)));
      put(2 * i + 1, from_bits(bits(pairs[i]) & splat_bits(0xFFFF0000u)));
    });
  }
};

struct F16 {
  static constexpr Index kBytes = 2;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_f16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_part16(row, n, [](const std::byte* part) { return load_f16(part); });
  }
  static constexpr Index kTurned = kLanes;
  template <class Put>
  static DSVL_FORCE_INLINE void turn(const std::byte* block, Index stride, Put&& put) noexcept {
    turn_part<F16>(block, stride, kLanes, kLanes, put);
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
