// Quantised weights times rows of x in bytes: sums of products are integers and exact, so how they are taken apart
// never shows; spans are added one by one in the order of their columns, whatever the path.
//
// Outputs run across lanes. A few rows (a decoded token, a checked draft) take codes from where the weights lie, group
// by group in one stream: bound by reading them once. For many rows a strip of codes and scales is unpacked first and
// stays in the nearest caches while all rows pass: bound by arithmetic.
#ifndef DSVL_KERNELS_LINEAR_INT8_HPP
#define DSVL_KERNELS_LINEAR_INT8_HPP

#include "linear_blocks.hpp"
#include "quantized_formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_int8_detail {

using linear_detail::finish;

/// Registers that the rows of a group fill; rows of x that read weights where they lie; rows whose sums stay in
/// registers, and the registers of outputs that they meet, when weights are unpacked.
inline constexpr int kGroupRegisters = static_cast<int>(kGroupRows / kLanes);
inline constexpr int kFewRows = kRegisters == 32 ? 4 : 2, kRowBlock = kRegisters == 32 ? 6 : 3, kWide = 2;
/// Stretches of kInt8Span columns that are unpacked at a time.
inline constexpr Index kDepth = 16;

/// Rows of x, `stride` bytes apart, from a column on.
struct Int8Rows {
  const std::byte* rows;
  Index stride, cols;
};

/// Where weights are as they were stored: a stretch of columns of a group, then the next.
template <QuantizedFormat F>
struct Stored {
  using Format = F;
  static constexpr Index kStretches = stored_block(F::kFormat).cols / kInt8Span;
  static constexpr Index kAhead = 1024;  // bytes that are asked for ahead of their use

  const std::byte* block;
  Index c = 0;

  DSVL_FORCE_INLINE Bits codes(int unit, int n) const noexcept { return F::codes(block, c, unit, n * kLanes); }
  DSVL_FORCE_INLINE Lanes scales(int span, int n) const noexcept { return F::scales(block, c, span, n * kLanes); }
  DSVL_FORCE_INLINE Lanes mins(int n) const noexcept { return F::mins(block, c, n * kLanes); }
  DSVL_FORCE_INLINE void ask() const noexcept {
    constexpr Index kBytes = stored_block(F::kFormat).bytes / kStretches;
    unroll<static_cast<int>(ceil_div(kBytes, kCacheLine))>(
        [&](auto i) { prefetch<Cache::first>(block + c * kBytes + kAhead + i * kCacheLine); });
  }
  DSVL_FORCE_INLINE void next() noexcept {
    if (++c < kStretches) return;
    c = 0;
    block += stored_block(F::kFormat).bytes;
  }
};

/// Where they were unpacked: for each stretch the codes of a strip of outputs, unit by unit, then scales and mins.
template <QuantizedFormat F, int registers>
struct Unpacked {
  using Format = F;
  static constexpr Index kRegister = kLanes * 4, kScales = kUnits * registers * kRegister,
                         kMins = kScales + F::kSpans * registers * kRegister,
                         kBytes = kMins + (F::kMins ? registers * kRegister : 0);
  const std::byte* at;

  DSVL_FORCE_INLINE Bits codes(int unit, int n) const noexcept {
    return load_bits(at + (unit * registers + n) * kRegister);
  }
  DSVL_FORCE_INLINE Lanes scales(int span, int n) const noexcept {
    return load(reinterpret_cast<const float*>(at + kScales + (span * registers + n) * kRegister));
  }
  DSVL_FORCE_INLINE Lanes mins(int n) const noexcept {
    return load(reinterpret_cast<const float*>(at + kMins + n * kRegister));
  }
  DSVL_FORCE_INLINE void ask() const noexcept {}
  DSVL_FORCE_INLINE void next() noexcept { at += kBytes; }
};

/// What accumulate() keeps in registers: rows of x by registers of outputs, and where the rows' numbers are.
template <class W, int rows, int registers>
struct Sums {
  using F = typename W::Format;
  const std::byte* row[rows];
  Index scales, zeros;  // where a row has its scales, and its negated sums for spans like the format's
  Lanes total[rows][registers];

  DSVL_FORCE_INLINE explicit Sums(const Int8Rows& x) noexcept
      : scales(Int8Row::scales_offset(x.cols)),
        zeros(F::kSpans == 1 ? Int8Row::sums_offset(x.cols) : Int8Row::half_sums_offset(x.cols)) {
    for (int r = 0; r < rows; ++r) row[r] = x.rows + r * x.stride;
  }

  /// One span of the weights' stretch b: dot products of integers, then what they are worth.
  template <int span>
  DSVL_FORCE_INLINE void add(const W& w, Index b) noexcept {
    constexpr int kSpanUnits = kUnits / F::kSpans;
    Bits part[rows][registers];
    unroll<rows>([&](auto r) {
      Bits zero = splat_bits(0);
      if constexpr (F::kZero >= 0)
        zero = shift_left(splat_unit(row[r] + zeros + (b * F::kSpans + span) * 4), F::kZero);
      unroll<registers>([&](auto n) { part[r][n] = zero; });
    });
    unroll<kSpanUnits>([&](auto u) {
      constexpr int unit = span * kSpanUnits + u;
      Bits codes[registers];
      unroll<registers>([&](auto n) { codes[n] = hold(w.codes(unit, n)); });
      unroll<rows>([&](auto r) {
        const Bits numbers = hold(splat_unit(row[r] + b * kInt8Span + unit * 4));
        unroll<registers>([&](auto n) { part[r][n] = dot<F::kBits>(codes[n], numbers, part[r][n]); });
      });
    });
    Lanes scale[registers];
    unroll<registers>([&](auto n) { scale[n] = hold(w.scales(span, n)); });
    unroll<rows>([&](auto r) {
      const Lanes of_row = hold(scale_of(r, b));
      unroll<registers>([&](auto n) { total[r][n] = fma(to_float(part[r][n]), scale[n] * of_row, total[r][n]); });
    });
  }
  /// The mins of the stretch: they count once for each number of x.
  DSVL_FORCE_INLINE void subtract_mins(const W& w, Index b) noexcept {
    Lanes min[registers];
    unroll<registers>([&](auto n) { min[n] = hold(w.mins(n)); });
    unroll<rows>([&](auto r) {
      const Lanes negated = hold(to_float(splat_unit(row[r] + zeros + b * 4)) * scale_of(r, b));
      unroll<registers>([&](auto n) { total[r][n] = fma(min[n], negated, total[r][n]); });
    });
  }

 private:
  [[nodiscard]] DSVL_FORCE_INLINE Lanes scale_of(int r, Index b) const noexcept {
    return from_bits(splat_unit(row[r] + scales + b * 4));
  }
};

/// sums = (first ? 0 : sums) + x w for `rows` by `registers` of outputs over `count` stretches of columns from `begin`
/// on. sums: rows kLinearGroup apart. Not inlined, for the sake of its registers: see linear_packed.hpp.
template <class W, int rows, int registers>
DSVL_NO_INLINE void accumulate(W w, const Int8Rows& x, Index begin, Index count, bool first, float* sums) noexcept {
  using F = typename W::Format;
  Sums<W, rows, registers> s(x);
  unroll<rows * registers>([&](auto i) {
    constexpr int r = i / registers, n = i % registers;
    s.total[r][n] = first ? splat(0.0f) : load(sums + r * kLinearGroup + n * kLanes);
  });
  for (Index b = begin; b < begin + count; ++b, w.next()) {
    w.ask();
    s.template add<0>(w, b);
    if constexpr (F::kSpans == 2) s.template add<1>(w, b);
    if constexpr (F::kMins) s.subtract_mins(w, b);
  }
  unroll<rows * registers>([&](auto i) {
    constexpr int r = i / registers, n = i % registers;
    store(sums + r * kLinearGroup + n * kLanes, s.total[r][n]);
  });
}

/// Up to kFewRows rows by all outputs.
template <QuantizedFormat F>
void multiply_few(const LinearTile<float>& t, const Int8Rows& x, Index row, float* sums) noexcept {
  const Index group_bytes = kGroupRows * row_bytes(F::kFormat, t.cols);
  with_count<kFewRows>(static_cast<int>(t.rows - row), [&](auto rows) {
    for (Index n = 0; n < t.outputs; n += kGroupRows) {
      const Stored<F> w{t.w + n / kGroupRows * group_bytes};
      accumulate<Stored<F>, rows, kGroupRegisters>(w, x, 0, t.cols / kInt8Span, true, sums);
      for (Index r = 0; r < rows; ++r)
        finish(sums + r * kLinearGroup, t.bias ? t.bias + n : nullptr, kGroupRows, t.add,
               t.y + (row + r) * t.y_stride + n);
    }
  });
}

/// `count` stretches from `begin` on of a strip of outputs. Registers that no output fills are left as they are: no
/// sum of theirs reaches y.
template <QuantizedFormat F>
DSVL_NO_INLINE void unpack_strip(const LinearTile<float>& t, Index first, Index begin, Index count,
                                 std::byte* to) noexcept {
  using W = Unpacked<F, kWide>;
  constexpr StoredBlock kStored = stored_block(F::kFormat);
  constexpr Index kStretches = kStored.cols / kInt8Span;
  for (int n = 0; n < kWide; ++n) {
    const Index output = first + n * kLanes, lane = output % kGroupRows;
    if (output >= t.outputs) break;
    const std::byte* const group = t.w + (output - lane) * row_bytes(F::kFormat, t.cols);
    std::byte* at = to + n * W::kRegister;
    for (Index b = begin; b < begin + count; ++b, at += W::kBytes) {
      const std::byte* const block = group + b / kStretches * kStored.bytes;
      const Index c = b % kStretches;
      unroll<kUnits>([&](auto u) { store_bits(at + u * kWide * W::kRegister, F::codes(block, c, u, lane)); });
      unroll<F::kSpans>([&](auto span) {
        store(reinterpret_cast<float*>(at + W::kScales + span * kWide * W::kRegister), F::scales(block, c, span, lane));
      });
      if constexpr (F::kMins) store(reinterpret_cast<float*>(at + W::kMins), F::mins(block, c, lane));
    }
  }
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearGroup.
template <QuantizedFormat F>
void multiply_group(const LinearTile<float>& t, Index row, Index rows, Index first, Index outputs,
                    float* scratch) noexcept {
  using W = Unpacked<F, kWide>;
  constexpr Index kStrip = kWide * kLanes;
  static_assert(kDepth * W::kBytes <= static_cast<Index>(sizeof(float)) * kLinearStrip * kLinearDepth);
  float* const sums = scratch;
  auto* const unpacked = reinterpret_cast<std::byte*>(sums + kLinearRows * kLinearGroup);
  const Index stretches = t.cols / kInt8Span;
  for (Index b = 0; b < stretches; b += kDepth) {
    const Index count = std::min<Index>(kDepth, stretches - b);
    for (Index n = 0; n < outputs; n += kStrip) {
      unpack_strip<F>(t, first + n, b, count, unpacked);
      each_block<kRowBlock>(rows, [&](auto some, Index at) {
        const Int8Rows x{t.prepared + (row + at) * t.prepared_stride, t.prepared_stride, t.cols};
        accumulate<W, some, kWide>(W{unpacked}, x, b, count, b == 0, sums + at * kLinearGroup + n);
      });
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kLinearGroup, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

template <QuantizedFormat F>
void multiply(const LinearTile<float>& t, float* scratch) noexcept {
  DSVL_ASSERT(fits(t.format, t.outputs, t.cols));
  for (Index row = 0; row < t.rows; row += kLinearRows) {
    const Index rows = std::min<Index>(kLinearRows, t.rows - row);
    if (rows <= kFewRows) {
      multiply_few<F>(t, {t.prepared + row * t.prepared_stride, t.prepared_stride, t.cols}, row, scratch);
      continue;
    }
    for (Index n = 0; n < t.outputs; n += kLinearGroup)
      multiply_group<F>(t, row, rows, n, std::min<Index>(kLinearGroup, t.outputs - n), scratch);
  }
}

}  // namespace linear_int8_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_INT8_HPP
