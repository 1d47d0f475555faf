// linear: y = x w^T + bias, the product under everything.
//
// The bits of y[r, n] are a function of x[r], w[n], bias[n] and the old y[r, n] alone. An operand is one column, a step
// is 32 operands, and a run is the 8 of them that one accumulator takes. K is cut into blocks of 512 operands; what is
// left over makes one block of whole steps, and one of the partial step. In a block four accumulators work, each an fma
// chain from zero. Accumulator q takes operands [8q, 8q + 8) of every step, in increasing order:
//
//            step 0                      step 1
//   k =      0      8      16     24     32     40     48     56     64
//            |  a0  |  a1  |  a2  |  a3  |  a0  |  a1  |  a2  |  a3  | …
//
//   y = a0 + a1 + a2 + a3 of block 0, + a0 + a1 + a2 + a3 of block 1, …, + bias, + the old y; from left to right
//
// So a row alone (a decoded token) has the bits of the same row among many (a prompt). Dense formats that store the
// same numbers give the same bits, and so do all instruction sets with fma, whatever the width of their registers.
//
// If x is rounded to bf16, an operand is a pair of columns and a run is four pairs, so a step is 16 pairs and a block
// 1024 columns. The processor adds the two products in an order of its own, so bits are equal only on processors of
// the same kind.
#ifndef DSVL_KERNELS_LINEAR_LINEAR_HPP
#define DSVL_KERNELS_LINEAR_LINEAR_HPP

#include "few.hpp"
#include "int8.hpp"
#include "row.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// A dense product. A few rows go through multiply_rows, eight outputs at a time, if they fit the scratch; outputs that
/// are left over, and more rows, go through packed panels.
template <OperandFormat F>
void multiply(const LinearTile<float>& t, const Factors& s, float* scratch) noexcept {
  for (Index row = 0; row < t.rows; row += kLinearRows) {
    const Index rows = std::min<Index>(kLinearRows, t.rows - row), pitch = round_up(s.cols, kStep<F>);
    Index n = 0;
    if (rows <= kStreamedRows && t.outputs >= kRowOutputs && rows * pitch <= kLinearScratch) {
      for (Index r = 0; r < rows; ++r) reorder<F>(s.x + (row + r) * s.x_stride, s.cols, scratch + r * pitch);
      const Factors reordered{scratch, pitch, s.w, s.w_stride, s.cols};
      for (; n + kRowOutputs <= t.outputs; n += kRowOutputs)
        multiply_rows<F>(t, reordered, rows, n, t.y + row * t.y_stride);
    }
    for (; n < t.outputs; n += kLinearOutputs) {
      const Index outputs = std::min<Index>(kLinearOutputs, t.outputs - n);
      if (rows <= kLanes) multiply_few<F, 1>(t, s, row, rows, n, outputs, scratch);
      else if (rows <= kMostFewRows) multiply_few<F, kMostFewRows / kLanes>(t, s, row, rows, n, outputs, scratch);
      else multiply_block(kPanels<F>, t, s, row, rows, n, outputs, scratch);
    }
  }
}

}  // namespace linear_detail

/// See Kernels::linear.
inline void linear(const LinearTile<float>& t, float* scratch) noexcept {
  using linear_detail::multiply;
  const Index bytes = row_bytes(t.format, t.cols);
  DSVL_ASSERT(t.x_format == ActivationFormat::f32 || (t.quantized_x && t.quantized_x_stride % 4 == 0));
  switch (t.x_format) {
    case ActivationFormat::f32:
      return with_format(t.format, [&]<class F>(F) {
        // A format that is not compiled was refused when the model was loaded.
        if constexpr (is_compiled(F::kFormat)) multiply<F>(t, {t.x, t.x_stride, t.w, bytes, t.cols}, scratch);
      });
    case ActivationFormat::bf16:
      if constexpr (is_compiled(Format::bf16))
        multiply<Bf16Pairs>(t,
                            {reinterpret_cast<const float*>(t.quantized_x), t.quantized_x_stride / 4, t.w, bytes,
                             t.cols / 2},
                            scratch);
      return;
    case ActivationFormat::int8_per_32:
    case ActivationFormat::int8_per_256:
      // Scales of x per 256 columns serve a format that wants one per 32, and never the reverse.
      DSVL_ASSERT(t.x_format >= activation_format(ActivationPrecision::f32, t.format, t.cols));
      return with_quantized(t.format, t.x_format, [&]<class F>(F) {
        if constexpr (is_compiled(F::kFormat)) linear_int8_detail::multiply<F>(t, scratch);
      });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_LINEAR_HPP
