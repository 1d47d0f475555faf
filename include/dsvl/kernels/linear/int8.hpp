// Quantised weights times 8-bit activations.
//
// Integer dot products are exact, so they may be split in any way. Only the scaled float sums round, and every path
// adds them in one order: within a weight block its sub-blocks from left to right, then block after block. So bits do
// not depend on the path.
//
// Outputs run across lanes. A code is a quantised weight before it is scaled. For a few rows of x (a decoded token, a
// checked draft) codes are unpacked in registers, straight from the stored stream, and the time is that of reading the
// weights once. For many rows a panel of codes and scales is unpacked first and stays in near caches while all rows
// pass; the time is that of the arithmetic, four fifths of which are dot products. Both ways prefetch what they read
// next, so reading and arithmetic take the longer of their times and not the sum.
#ifndef DSVL_KERNELS_LINEAR_INT8_HPP
#define DSVL_KERNELS_LINEAR_INT8_HPP

#include "../weights/quantized_formats.hpp"
#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_int8_detail {

using linear_detail::finish;

/// Vectors per 16-row weight group.
inline constexpr int kGroupVectors = static_cast<int>(kGroupRows / kLanes);
/// At most this many rows of x use weights as they are stored. With more, unpacking in registers for every micro-tile
/// would take longer than unpacking a panel once. Codes of q6_k take most work to unpack. SSE2 unpacks slowest, and is
/// what small programs are compiled for, whose code this would make a sixteenth larger.
template <QuantizedFormat F>
inline constexpr int kFewRows = kRegisters == 32 ? 16 : kLanes == 4 ? 2 : F::kBits == 6 ? 4 : 8;
/// The micro-tile of stored weights: up to kStoredRows rows of x, whose integer sums stay in registers, by a whole
/// group of outputs, or where that is too many by a vector of them. From two rows on heights are even, which is half
/// the code. Four rows by a group load least for what they multiply; codes of more bits, with more to do for each,
/// rather serve eight rows at a time.
template <QuantizedFormat F>
inline constexpr int kStoredRows = std::min<int>(kFewRows<F>, kRegisters == 32 || F::kBits > 4 ? 8 : 4);
template <int rows>
inline constexpr int kStoredHeight = rows == 1 ? 1 : (rows + 1) / 2 * 2;
template <int rows>
inline constexpr int kStoredWidth = rows * kGroupVectors <= kRegisters / 2 ? kGroupVectors : 1;
/// Width of the micro-tile of unpacked weights, in vectors of outputs.
inline constexpr int kPanel = 2;
/// Its height, in rows of x. Each vector of outputs needs two accumulators for a row (integer and float), three with
/// sub-block scales. With 16 registers only the integer ones fit, and the float ones are spilled between sub-blocks.
/// Codes whose signs are moved leave room for a row more than sums in 16 bits do.
template <QuantizedFormat F>
inline constexpr int kTileRows = kRegisters == 32 ? (F::kSubBlocks ? 4 : 6) : kMovesSigns<F::kBits> ? 4 : 3;
/// Columns that are unpacked at a time: a panel of them fits the first cache (18 KiB with 8 lanes), or with 16 lanes,
/// where that would mean to add to the sums too often, the second one beside the rows of x (72 KiB). q8_0, of which
/// most is read, was faster with as many in the second cache.
template <QuantizedFormat F>
inline constexpr Index kUnpackedCols = kRegisters == 32 || F::kBits == 8 ? 2048 : 1024;

/// Activation blocks that a weight block spans.
template <QuantizedFormat F>
inline constexpr Index kSpanned = F::kCols / kInt8Block;
/// Bytes of a weight block of a whole group.
template <QuantizedFormat F>
inline constexpr Index kBlockBytes = kGroupRows * row_bytes(F::kFormat, F::kCols);
/// row_bytes with the format's facts as constants.
template <QuantizedFormat F>
DSVL_FORCE_INLINE Index bytes_of_row(Index cols) noexcept {
  constexpr StoredBlock block = stored_block(F::kFormat);
  return cols / block.cols * (block.bytes / block.rows);
}

/// Quantised activation rows (Int8Row, activation_format.hpp), `stride` bytes apart. A micro-tile that is higher than
/// `count` takes the last row again; what it sums for it is not used.
struct Int8Rows {
  const std::byte* rows;
  Index stride, cols, count;
};

/// Weights as they are stored: the blocks of a group, one after the other. Vector n has kLanes of the group's rows,
/// from first + n * kLanes on. `c` is an activation block (32 columns) within the weight block, `word` four of its
/// columns.
template <QuantizedFormat F>
struct StoredWeights {
  using Format = F;
  static constexpr Index kPrefetchBytes = 4096;  // how far ahead of their use

  const std::byte* block;
  Index first;

  DSVL_FORCE_INLINE Codes<F::kBits> codes(Index c, int word, int n) const noexcept {
    return to_codes<F::kBits>(F::codes(block, c, word, first + n * kLanes));
  }
  DSVL_FORCE_INLINE Lanes sub_scale(Index c, int sub_block, int n) const noexcept {
    return F::sub_scale(block, c, sub_block, first + n * kLanes);
  }
  DSVL_FORCE_INLINE Lanes scale(int n) const noexcept { return F::scale(block, first + n * kLanes); }
  DSVL_FORCE_INLINE Lanes min_scale(int n) const noexcept { return F::min_scale(block, first + n * kLanes); }
  DSVL_FORCE_INLINE Bits sub_mins(int pair, int n) const noexcept {
    return F::sub_mins(block, pair, first + n * kLanes);
  }
  /// Where codes are negative, numbers take over their sign.
  static DSVL_FORCE_INLINE Bits move_signs(Bits negative, Bits numbers) noexcept {
    return subtract_bytes(numbers ^ negative, negative);
  }
  DSVL_FORCE_INLINE Bits start(Index, int) const noexcept { return splat_bits(0); }
  DSVL_FORCE_INLINE void prefetch_ahead(Index c) noexcept {
    constexpr Index kBytes = kBlockBytes<F> / kSpanned<F>;
    unroll<static_cast<int>(ceil_div(kBytes, kCacheLine))>(
        [&](int i) { prefetch(block + c * kBytes + kPrefetchBytes + i * kCacheLine); });
  }
  DSVL_FORCE_INLINE void next() noexcept { block += kBlockBytes<F>; }
};

/// Weights of a panel, unpacked: for each weight block the codes word by word, the sub-block scales, the scale, the min
/// scale and the sub-block mins, each for all outputs of the panel. Meanwhile the stored weights of the next panel are
/// prefetched from `ahead` on, some lines with each activation block.
template <QuantizedFormat F, int vectors>
struct UnpackedWeights {
  using Format = F;
  static constexpr Index kOne = vectors * kLanes * 4;  // bytes of one word for each output
  static constexpr Index kCodes = kSpanned<F> * kBlockWords * kOne;
  static constexpr Index kSigns = kCodes, kStarts = kSigns + (kMovesSigns<F::kBits> ? kCodes : 0),
                         kSubScales = kStarts + (kMovesSigns<F::kBits> ? kSpanned<F> * kOne : 0),
                         kScale = kSubScales + kSpanned<F> * F::kSubBlocks * kOne,
                         kMinScale = kScale + (F::kHasScale ? kOne : 0),
                         kSubMins = kMinScale + (F::kHasMins ? kOne : 0),
                         kBytes = kSubMins + (F::kHasMins ? kSpanned<F> / 2 * kOne : 0);
  const std::byte *at, *ahead;
  Index lines;

  DSVL_FORCE_INLINE Codes<F::kBits> codes(Index c, int word, int n) const noexcept {
    const Index at_word = (c * kBlockWords + word) * kOne;
    if constexpr (kMovesSigns<F::kBits>) return {bits_at(at_word, n), bits_at(kSigns + at_word, n)};
    else return bits_at(at_word, n);
  }
  DSVL_FORCE_INLINE Lanes sub_scale(Index c, int sub_block, int n) const noexcept {
    return from_bits(bits_at(kSubScales + (c * F::kSubBlocks + sub_block) * kOne, n));
  }
  DSVL_FORCE_INLINE Lanes scale(int n) const noexcept { return from_bits(bits_at(kScale, n)); }
  DSVL_FORCE_INLINE Lanes min_scale(int n) const noexcept { return from_bits(bits_at(kMinScale, n)); }
  DSVL_FORCE_INLINE Bits sub_mins(int pair, int n) const noexcept { return bits_at(kSubMins + pair * kOne, n); }
  /// Inverting all bits of a number makes -x - 1 of it, one operation instead of two. What each negative code then
  /// misses is its magnitude, whatever the number: those sums are where the integer sums start.
  static DSVL_FORCE_INLINE Bits move_signs(Bits negative, Bits numbers) noexcept { return numbers ^ negative; }
  DSVL_FORCE_INLINE Bits start(Index c, int n) const noexcept { return bits_at(kStarts + c * kOne, n); }
  DSVL_FORCE_INLINE void prefetch_ahead(Index) noexcept {
    for (Index i = 0; i < lines; ++i, ahead += kCacheLine) prefetch(ahead);
  }
  DSVL_FORCE_INLINE void next() noexcept { at += kBytes; }

  /// Unpacks a weight block of kLanes rows of a group, from `row` on, into vector n of the panel.
  static DSVL_FORCE_INLINE void unpack(const std::byte* block, Index row, int n, std::byte* to) noexcept {
    const auto put = [&](Index field, Bits x) { store_bits(to + field + n * kLanes * 4, x); };
    for (Index c = 0; c < kSpanned<F>; ++c) {
      const auto codes = [&](int word) { return to_codes<F::kBits>(F::codes(block, c, word, row)); };
      if constexpr (kMovesSigns<F::kBits>) {
        put(kStarts + c * kOne, sum_of_negatives<kBlockWords>(codes));
        unroll<kBlockWords>([&](int word) DSVL_INLINED {
          put((c * kBlockWords + word) * kOne, codes(word).magnitude);
          put(kSigns + (c * kBlockWords + word) * kOne, codes(word).negative);
        });
      } else {
        unroll<kBlockWords>([&](int word) { put((c * kBlockWords + word) * kOne, codes(word)); });
      }
      if constexpr (F::kSubBlocks != 0)
        unroll<F::kSubBlocks>([&](int sub_block) DSVL_INLINED {
          put(kSubScales + (c * F::kSubBlocks + sub_block) * kOne, bits(F::sub_scale(block, c, sub_block, row)));
        });
    }
    if constexpr (F::kHasScale) put(kScale, bits(F::scale(block, row)));
    if constexpr (F::kHasMins) {
      put(kMinScale, bits(F::min_scale(block, row)));
      unroll<kSpanned<F> / 2>([&](int pair) { put(kSubMins + pair * kOne, F::sub_mins(block, pair, row)); });
    }
  }

 private:
  DSVL_FORCE_INLINE Bits bits_at(Index field, int n) const noexcept { return load_bits(at + field + n * kLanes * 4); }
};

/// The accumulators of a micro-tile, `rows` rows of x by `vectors` of outputs, and where the rows are read.
template <class W, int rows, int vectors>
struct Accumulators {
  using F = typename W::Format;
  static constexpr int kCount = rows * vectors, kSubBlocks = F::kSubBlocks ? F::kSubBlocks : 1;
  static constexpr int kSubBlockWords = kBlockWords / kSubBlocks;
  const std::byte* row[rows];
  Index scales, sums, pairs;  // offsets in an Int8Row; `sums` are those of sub-blocks
  Bits part[kCount];          // of a sub-block: exact integers
  Lanes block[kCount];        // of a weight block, where sub-blocks have scales
  Lanes total[kCount];        // of all columns

  DSVL_FORCE_INLINE explicit Accumulators(const Int8Rows& x) noexcept
      : scales(Int8Row::scales_offset(x.cols)),
        sums(kSubBlocks == 1 ? Int8Row::sums_offset(x.cols) : Int8Row::half_sums_offset(x.cols)),
        pairs(Int8Row::pairs_offset(x.cols)) {
    for (int r = 0; r < rows; ++r) row[r] = x.rows + std::min<Index>(r, x.count - 1) * x.stride;
  }

  /// Adds a sub-block of the weight block's c-th activation block, which is the b-th of x. The dot products start at
  /// -z * sum(x), the zero point's share; an Int8Row stores its sums negated, so that is an addition here.
  template <int sub_block>
  DSVL_FORCE_INLINE void add_sub_block(const W& w, Index c, Index b) noexcept {
    unroll<rows>([&](int r) DSVL_INLINED {
      Bits start = splat_bits(0);
      if constexpr (F::kZeroBit >= 0)
        start = shift_left(splat_word(row[r] + sums + (b * kSubBlocks + sub_block) * 4), F::kZeroBit);
      unroll<vectors>([&](int n) DSVL_INLINED {
        if constexpr (kMovesSigns<F::kBits>) part[r * vectors + n] = w.start(c, n);
        else part[r * vectors + n] = start;
      });
    });
    static_assert(kSubBlockWords % kWordsIn16Bits<F::kBits> == 0);
    Bits halves[kCount];  // sums that still fit in 16 bits, where kHasMaddubs
    for_each_word<kSubBlockWords>([&](int u) DSVL_INLINED {
      const int word = sub_block * kSubBlockWords + u;
      Codes<F::kBits> codes[vectors];
      unroll<vectors>([&](int n) { codes[n] = keep_in_register(w.codes(c, word, n)); });
      unroll<rows>([&](int r) DSVL_INLINED {
        const Bits numbers = keep_in_register(splat_word(row[r] + b * kInt8Block + word * 4));
        unroll<vectors>([&](int n) DSVL_INLINED {
          const int i = r * vectors + n;
          if constexpr (kMovesSigns<F::kBits>)
            add_maddubs<F::kBits>(u, codes[n].magnitude, W::move_signs(codes[n].negative, numbers), halves[i], part[i]);
          else if constexpr (kHasMaddubs) add_maddubs<F::kBits>(u, codes[n], numbers, halves[i], part[i]);
          else part[i] = dot_bytes<F::kBits>(codes[n], numbers, part[i]);
        });
      });
    });
    if constexpr (F::kSubBlocks != 0) {
      Lanes sub_scale[vectors];
      unroll<vectors>([&](int n) { sub_scale[n] = keep_in_register(w.sub_scale(c, sub_block, n)); });
      unroll<kCount>([&](int i) { block[i] = fma(to_float(part[i]), sub_scale[i % vectors], block[i]); });
    }
  }
  /// Adds the weight block to the totals: its sum times the scales of w and x, less dmin * sum(m * x), which is an
  /// addition too. All activation blocks of a weight block share one scale of x, that of block b.
  DSVL_FORCE_INLINE void finish_block(const W& w, Index b) noexcept {
    Lanes scale[vectors];
    if constexpr (F::kHasScale) unroll<vectors>([&](int n) { scale[n] = keep_in_register(w.scale(n)); });
    unroll<rows>([&](int r) DSVL_INLINED {
      const Lanes of_row = keep_in_register(from_bits(splat_word(row[r] + scales + b * 4)));
      unroll<vectors>([&](int n) DSVL_INLINED {
        const int i = r * vectors + n;
        Lanes& sum = total[i];
        sum = fma(F::kSubBlocks == 0 ? to_float(part[i]) : block[i], F::kHasScale ? scale[n] * of_row : of_row, sum);
        if constexpr (F::kHasMins) {
          Bits mins = splat_bits(0);
          unroll<kSpanned<F> / 2>([&](int pair) DSVL_INLINED {
            mins = dot_halves(w.sub_mins(pair, n), splat_word(row[r] + pairs + b * 2 + pair * 4), mins);
          });
          sum = fma(to_float(mins), w.min_scale(n) * of_row, sum);
        }
      });
    });
  }
};

/// One micro-tile: sums = (first ? 0 : sums) + x w for `rows` rows by `vectors` of outputs over `count` weight blocks
/// from `begin` on. sums: rows kLinearOutputs apart. Not inlined, since GCC keeps the sums in registers only then.
template <class W, int rows, int vectors>
DSVL_KERNEL void accumulate(W w, const Int8Rows& x, Index begin, Index count, bool first, float* sums) noexcept {
  using F = typename W::Format;
  Accumulators<W, rows, vectors> s(x);
  unroll<rows * vectors>([&](int i) DSVL_INLINED {
    s.total[i] = first ? splat(0.0f) : load(sums + i / vectors * kLinearOutputs + i % vectors * kLanes);
  });
  for (Index at = begin; at < begin + count; ++at, w.next()) {
    const Index b = at * kSpanned<F>;
    if constexpr (F::kSubBlocks != 0) unroll<rows * vectors>([&](int i) { s.block[i] = splat(0.0f); });
    for (Index c = 0; c < kSpanned<F>; ++c) {
      w.prefetch_ahead(c);
      s.template add_sub_block<0>(w, c, b + c);
      if constexpr (F::kSubBlocks == 2) s.template add_sub_block<1>(w, c, b + c);
    }
    s.finish_block(w, b);
  }
  unroll<rows * vectors>([&](int i) DSVL_INLINED {
    store(sums + i / vectors * kLinearOutputs + i % vectors * kLanes, s.total[i]);
  });
}

/// Rows [row, row + rows) of y, at most kFewRows, from weights as they are stored.
template <QuantizedFormat F>
void multiply_few(const LinearTile<float>& t, Index row, Index rows, float* sums) noexcept {
  using W = StoredWeights<F>;
  const Index group_bytes = kGroupRows * bytes_of_row<F>(t.cols);
  for (Index n = 0; n < t.outputs; n += kGroupRows) {
    const std::byte* const group = t.w + n / kGroupRows * group_bytes;
    for_each_row_block<0, kStoredRows<F>>(rows, [&](auto some, Index at) {
      const Int8Rows x{t.quantized_x + (row + at) * t.quantized_x_stride, t.quantized_x_stride, t.cols, some};
      constexpr int kHeight = kStoredHeight<some>, kWidth = kStoredWidth<kHeight>;
      float* const sums_at = sums + at * kLinearOutputs;
      for (Index lane = 0; lane < kGroupRows; lane += kWidth * kLanes)
        accumulate<W, kHeight, kWidth>(W{group, lane}, x, 0, t.cols / F::kCols, true, sums_at + lane);
    });
    for (Index r = 0; r < rows; ++r)
      finish(sums + r * kLinearOutputs, t.bias ? t.bias + n : nullptr, kGroupRows, t.add,
             t.y + (row + r) * t.y_stride + n);
  }
}

/// Unpacks `count` weight blocks from `begin` on of a panel of outputs. Vectors that have no output keep what they
/// held: their sums never reach y.
template <QuantizedFormat F>
DSVL_NO_INLINE void unpack_panel(const LinearTile<float>& t, Index first, Index begin, Index count,
                                 std::byte* to) noexcept {
  using W = UnpackedWeights<F, kPanel>;
  for (int n = 0; n < kPanel; ++n) {
    const Index output = first + n * kLanes, lane = output % kGroupRows;
    if (output >= t.outputs) break;
    const std::byte* const group = t.w + (output - lane) * bytes_of_row<F>(t.cols);
    for (Index b = 0; b < count; ++b) W::unpack(group + (begin + b) * kBlockBytes<F>, lane, n, to + b * W::kBytes);
  }
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearOutputs.
template <QuantizedFormat F>
void multiply_block(const LinearTile<float>& t, Index row, Index rows, Index first, Index outputs,
                    float* scratch) noexcept {
  using W = UnpackedWeights<F, kPanel>;
  constexpr Index kWidth = kPanel * kLanes, kBlocks = kUnpackedCols<F> / F::kCols;
  constexpr Index kBytes = kBlockBytes<F> * kWidth / kGroupRows;  // stored, of a weight block of a panel
  constexpr Index kRoom = kLinearScratch - kLinearRows * kLinearOutputs;  // floats that the sums leave
  static_assert(kBlocks * W::kBytes <= kRoom * static_cast<Index>(sizeof(float)));
  float* const sums = scratch;
  auto* const unpacked = reinterpret_cast<std::byte*>(sums + kLinearRows * kLinearOutputs);
  const Index blocks = t.cols / F::kCols;
  for (Index b = 0; b < blocks; b += kBlocks) {
    const Index count = std::min<Index>(kBlocks, blocks - b);
    for (Index n = 0; n < outputs; n += kWidth) {
      unpack_panel<F>(t, first + n, b, count, unpacked);
      // Unpacked next: the panel beside this one, else the next columns.
      const bool beside = n + kWidth < outputs;
      const std::byte* ahead = t.w + (first + (beside ? n + kWidth : 0)) * bytes_of_row<F>(t.cols) +
                               (beside ? b : b + kBlocks) * kBlockBytes<F>;
      const std::byte* const end = ahead + count * kBytes;
      const Index lines = ceil_div(kBytes / kSpanned<F>, kCacheLine * ceil_div(rows, kTileRows<F>));
      for_each_row_block<kFewRows<F>, kTileRows<F>>(rows, [&](auto some, Index at) {
        const Int8Rows x{t.quantized_x + (row + at) * t.quantized_x_stride, t.quantized_x_stride, t.cols, some};
        accumulate<W, some, kPanel>(W{unpacked, ahead, ahead < end ? lines : 0}, x, b, count, b == 0,
                                    sums + at * kLinearOutputs + n);
        ahead += count * kSpanned<F> * lines * kCacheLine;
      });
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kLinearOutputs, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

/// A product with weights of one quantised format.
template <QuantizedFormat F>
void multiply(const LinearTile<float>& t, float* scratch) noexcept {
  DSVL_ASSERT(fits(t.format, t.outputs, t.cols));
  for (Index row = 0; row < t.rows; row += kLinearRows) {
    const Index rows = std::min<Index>(kLinearRows, t.rows - row);
    if (rows <= kFewRows<F>) {
      multiply_few<F>(t, row, rows, scratch);
      continue;
    }
    for (Index n = 0; n < t.outputs; n += kLinearOutputs)
      multiply_block<F>(t, row, rows, n, std::min<Index>(kLinearOutputs, t.outputs - n), scratch);
  }
}

}  // namespace linear_int8_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_INT8_HPP
