// Quantised weights times rows of x in bytes: sums of products are integers and exact, so how they are taken apart
// never shows; what the spans of a block are worth is added in the order of their columns, then the blocks are, on
// every path.
//
// Outputs run across lanes. A few rows (a decoded token, a checked draft) take codes from where the weights lie, group
// by group in one stream: bound by reading them once. For many rows a strip of codes and scales is unpacked first and
// stays in near caches while all rows pass: bound by arithmetic, of which at least 8 in 10 steps are dot products.
#ifndef DSVL_KERNELS_LINEAR_INT8_HPP
#define DSVL_KERNELS_LINEAR_INT8_HPP

#include "blocks.hpp"
#include "../weights/quantized_formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_int8_detail {

using linear_detail::finish;

/// Registers that the rows of a group fill; rows of x that read weights where they lie; when they are unpacked, the
/// registers of outputs that rows meet, and rows whose sums stay in registers: two for each sum, and a third where
/// scales are fine. Of 16 registers those of a span's pairs alone stay; the others wait in memory meanwhile.
inline constexpr int kGroupRegisters = static_cast<int>(kGroupRows / kLanes);
inline constexpr int kFewRows = kRegisters == 32 ? 4 : 2, kWide = 2;
template <QuantizedFormat F>
inline constexpr int kRowBlock = kRegisters == 32 ? (F::kSpans ? 4 : 6) : 3;
/// Columns that are unpacked at a time.
inline constexpr Index kDepth = 2048;

template <QuantizedFormat F>
inline constexpr Index kStretches = F::kCols / kInt8Span;
/// Bytes of a block of a group.
template <QuantizedFormat F>
inline constexpr Index kBlockBytes = kGroupRows * row_bytes(F::kFormat, F::kCols);

/// Rows of x, `stride` bytes apart.
struct Int8Rows {
  const std::byte* rows;
  Index stride, cols;
};

/// Where weights are as they were stored: the blocks of a group.
template <QuantizedFormat F>
struct Stored {
  using Format = F;
  static constexpr Index kAhead = 4096;  // bytes that are asked for ahead of their use

  const std::byte* block;

  DSVL_FORCE_INLINE Bits codes(Index c, int unit, int n) const noexcept { return F::codes(block, c, unit, n * kLanes); }
  DSVL_FORCE_INLINE Lanes fine(Index c, int span, int n) const noexcept { return F::fine(block, c, span, n * kLanes); }
  DSVL_FORCE_INLINE Lanes scale(int n) const noexcept { return F::scale(block, n * kLanes); }
  DSVL_FORCE_INLINE Lanes mins(int n) const noexcept { return F::mins(block, n * kLanes); }
  DSVL_FORCE_INLINE Bits fine_mins(int pair, int n) const noexcept { return F::fine_mins(block, pair, n * kLanes); }
  DSVL_FORCE_INLINE void ask(Index c) const noexcept {
    constexpr Index kBytes = kBlockBytes<F> / kStretches<F>;
    unroll<static_cast<int>(ceil_div(kBytes, kCacheLine))>(
        [&](auto i) { prefetch(block + c * kBytes + kAhead + i * kCacheLine); });
  }
  DSVL_FORCE_INLINE void next() noexcept { block += kBlockBytes<F>; }
};

/// Where they were unpacked: of each block of a strip of outputs the codes, unit by unit, the fine scales, scale, min
/// and fine mins, each for all outputs.
template <QuantizedFormat F, int registers>
struct Unpacked {
  using Format = F;
  static constexpr Index kOne = registers * kLanes * 4;  // bytes of a number for each output
  static constexpr Index kFine = kStretches<F> * kUnits * kOne, kScale = kFine + kStretches<F> * F::kSpans * kOne,
                         kMins = kScale + (F::kScale ? kOne : 0), kFineMins = kMins + (F::kMins ? kOne : 0),
                         kBytes = kFineMins + (F::kMins ? kStretches<F> / 2 * kOne : 0);
  const std::byte* at;

  DSVL_FORCE_INLINE Bits codes(Index c, int unit, int n) const noexcept {
    return bits_at((c * kUnits + unit) * kOne, n);
  }
  DSVL_FORCE_INLINE Lanes fine(Index c, int span, int n) const noexcept {
    return from_bits(bits_at(kFine + (c * F::kSpans + span) * kOne, n));
  }
  DSVL_FORCE_INLINE Lanes scale(int n) const noexcept { return from_bits(bits_at(kScale, n)); }
  DSVL_FORCE_INLINE Lanes mins(int n) const noexcept { return from_bits(bits_at(kMins, n)); }
  DSVL_FORCE_INLINE Bits fine_mins(int pair, int n) const noexcept { return bits_at(kFineMins + pair * kOne, n); }
  DSVL_FORCE_INLINE void ask(Index) const noexcept {}
  DSVL_FORCE_INLINE void next() noexcept { at += kBytes; }

  /// A block, or kLanes rows of it from `row` on, into register n of the strip.
  static DSVL_FORCE_INLINE void unpack(const std::byte* block, Index row, int n, std::byte* to) noexcept {
    const auto put = [&](Index field, Bits x) { store_bits(to + field + n * kLanes * 4, x); };
    for (Index c = 0; c < kStretches<F>; ++c) {
      unroll<kUnits>([&](auto u) { put((c * kUnits + u) * kOne, F::codes(block, c, u, row)); });
      if constexpr (F::kSpans != 0)
        unroll<F::kSpans>([&](auto span) {
          put(kFine + (c * F::kSpans + span) * kOne, bits(F::fine(block, c, span, row)));
        });
    }
    if constexpr (F::kScale) put(kScale, bits(F::scale(block, row)));
    if constexpr (F::kMins) {
      put(kMins, bits(F::mins(block, row)));
      unroll<kStretches<F> / 2>([&](auto pair) { put(kFineMins + pair * kOne, F::fine_mins(block, pair, row)); });
    }
  }

 private:
  DSVL_FORCE_INLINE Bits bits_at(Index field, int n) const noexcept { return load_bits(at + field + n * kLanes * 4); }
};

/// What accumulate() keeps in registers: rows of x by registers of outputs, and where the rows' numbers are.
template <class W, int rows, int registers>
struct Sums {
  using F = typename W::Format;
  static constexpr int kSums = rows * registers, kParts = F::kSpans ? F::kSpans : 1, kPartUnits = kUnits / kParts;
  const std::byte* row[rows];
  Index scales, zeros, pairs;  // where a row has its scales, and its negated sums, for zeros and for mins
  Bits part[kSums];                // of a span: exact
  Lanes block[kSums], total[kSums];  // of a stored block, where its scales are fine; and of all

  DSVL_FORCE_INLINE explicit Sums(const Int8Rows& x) noexcept
      : scales(Int8Row::scales_offset(x.cols)),
        zeros(kParts == 1 ? Int8Row::sums_offset(x.cols) : Int8Row::half_sums_offset(x.cols)),
        pairs(Int8Row::pairs_offset(x.cols)) {
    for (int r = 0; r < rows; ++r) row[r] = x.rows + r * x.stride;
  }

  /// A span of the block's stretch c, the b-th of x: dot products of integers into the block's sums.
  template <int span>
  DSVL_FORCE_INLINE void add(const W& w, Index c, Index b) noexcept {
    unroll<rows>([&](auto r) {
      Bits zero = splat_bits(0);
      if constexpr (F::kZero >= 0) zero = shift_left(splat_word(row[r] + zeros + (b * kParts + span) * 4), F::kZero);
      unroll<registers>([&](auto n) { part[r * registers + n] = zero; });
    });
    static_assert(kPartUnits % kWordsIn16Bits<F::kBits> == 0);
    Bits waiting[kSums];  // sums in 16 bits
    unroll<kPartUnits>([&](auto u) DSVL_INLINED {
      constexpr int unit = span * kPartUnits + u;
      Bits codes[registers];
      unroll<registers>([&](auto n) { codes[n] = keep_in_register(w.codes(c, unit, n)); });
      unroll<rows>([&](auto r) DSVL_INLINED {
        const Bits numbers = keep_in_register(splat_word(row[r] + b * kInt8Span + unit * 4));
        unroll<registers>([&](auto n) {
          constexpr int i = r * registers + n;
          if constexpr (kHasMaddubs) add_maddubs<F::kBits, u>(codes[n], numbers, waiting[i], part[i]);
          else part[i] = dot_bytes<F::kBits>(codes[n], numbers, part[i]);
        });
      });
    });
    if constexpr (F::kSpans != 0) {
      Lanes fine[registers];
      unroll<registers>([&](auto n) { fine[n] = keep_in_register(w.fine(c, span, n)); });
      unroll<kSums>([&](auto i) { block[i] = fma(to_float(part[i]), fine[i % registers], block[i]); });
    }
  }
  /// The block's sums times its scales, less its mins, which count once for each number of x.
  DSVL_FORCE_INLINE void close(const W& w, Index b) noexcept {
    Lanes scale[registers];
    if constexpr (F::kScale) unroll<registers>([&](auto n) { scale[n] = keep_in_register(w.scale(n)); });
    unroll<rows>([&](auto r) DSVL_INLINED {
      const Lanes of_row = keep_in_register(from_bits(splat_word(row[r] + scales + b * 4)));
      unroll<registers>([&](auto n) DSVL_INLINED {
        constexpr int i = r * registers + n;
        Lanes& sum = total[i];
        sum = fma(F::kSpans == 0 ? to_float(part[i]) : block[i], F::kScale ? scale[n] * of_row : of_row, sum);
        if constexpr (F::kMins) {
          Bits mins = splat_bits(0);
          unroll<kStretches<F> / 2>([&](auto pair) {
            mins = dot_halves(w.fine_mins(pair, n), splat_word(row[r] + pairs + b * 2 + pair * 4), mins);
          });
          sum = fma(to_float(mins), w.mins(n) * of_row, sum);
        }
      });
    });
  }
};

/// sums = (first ? 0 : sums) + x w for `rows` by `registers` of outputs over `count` blocks of columns from `begin` on.
/// sums: rows kLinearGroup apart. Not inlined, for the sake of its registers: see packed.hpp.
template <class W, int rows, int registers>
DSVL_KERNEL void accumulate(W w, const Int8Rows& x, Index begin, Index count, bool first, float* sums) noexcept {
  using F = typename W::Format;
  Sums<W, rows, registers> s(x);
  unroll<rows * registers>([&](auto i) {
    s.total[i] = first ? splat(0.0f) : load(sums + i / registers * kLinearGroup + i % registers * kLanes);
  });
  for (Index at = begin; at < begin + count; ++at, w.next()) {
    const Index b = at * kStretches<F>;
    if constexpr (F::kSpans != 0) unroll<rows * registers>([&](auto i) { s.block[i] = splat(0.0f); });
    for (Index c = 0; c < kStretches<F>; ++c) {
      w.ask(c);
      s.template add<0>(w, c, b + c);
      if constexpr (F::kSpans == 2) s.template add<1>(w, c, b + c);
    }
    s.close(w, b);
  }
  unroll<rows * registers>([&](auto i) {
    store(sums + i / registers * kLinearGroup + i % registers * kLanes, s.total[i]);
  });
}

/// Up to kFewRows rows by all outputs.
template <QuantizedFormat F>
void multiply_few(const LinearTile<float>& t, const Int8Rows& x, Index row, float* sums) noexcept {
  const Index group_bytes = kGroupRows * row_bytes(F::kFormat, t.cols);
  with_count<kFewRows>(static_cast<int>(t.rows - row), [&](auto rows) {
    for (Index n = 0; n < t.outputs; n += kGroupRows) {
      const Stored<F> w{t.w + n / kGroupRows * group_bytes};
      accumulate<Stored<F>, rows, kGroupRegisters>(w, x, 0, t.cols / F::kCols, true, sums);
      for (Index r = 0; r < rows; ++r)
        finish(sums + r * kLinearGroup, t.bias ? t.bias + n : nullptr, kGroupRows, t.add,
               t.y + (row + r) * t.y_stride + n);
    }
  });
}

/// `count` blocks of columns from `begin` on of a strip of outputs. Registers that no output fills are left as they
/// are: no sum of theirs reaches y.
template <QuantizedFormat F>
DSVL_NO_INLINE void unpack_strip(const LinearTile<float>& t, Index first, Index begin, Index count,
                                 std::byte* to) noexcept {
  for (int n = 0; n < kWide; ++n) {
    const Index output = first + n * kLanes, lane = output % kGroupRows;
    if (output >= t.outputs) break;
    const std::byte* const group = t.w + (output - lane) * row_bytes(F::kFormat, t.cols);
    for (Index b = 0; b < count; ++b)
      Unpacked<F, kWide>::unpack(group + (begin + b) * kBlockBytes<F>, lane, n, to + b * Unpacked<F, kWide>::kBytes);
  }
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearGroup.
template <QuantizedFormat F>
void multiply_group(const LinearTile<float>& t, Index row, Index rows, Index first, Index outputs,
                    float* scratch) noexcept {
  using W = Unpacked<F, kWide>;
  constexpr Index kStrip = kWide * kLanes, kBlocks = kDepth / F::kCols;
  constexpr Index kRoom = kLinearScratch - kLinearRows * kLinearGroup;  // floats that the sums leave
  static_assert(kBlocks * W::kBytes <= kRoom * static_cast<Index>(sizeof(float)));
  float* const sums = scratch;
  auto* const unpacked = reinterpret_cast<std::byte*>(sums + kLinearRows * kLinearGroup);
  const Index blocks = t.cols / F::kCols;
  for (Index b = 0; b < blocks; b += kBlocks) {
    const Index count = std::min<Index>(kBlocks, blocks - b);
    for (Index n = 0; n < outputs; n += kStrip) {
      unpack_strip<F>(t, first + n, b, count, unpacked);
      for_each_row_block<kRowBlock<F>>(rows, [&](auto some, Index at) {
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
