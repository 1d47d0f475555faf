// linear: y = x w^T + bias, the product under everything.
//
// The bits of y[r, n] are fixed by x[r] and w[n] alone. Operands are taken in blocks (of kLinearDepth, then the lines
// of kLine that are left, then what is left of a line). In each, chain q is a chain of fma over the q-th kRun operands
// of every line, in increasing order, beginning at zero; the chains' results are added in order, then the bias, then
// what y held. How many rows and outputs run side by side never shows, so a row alone (a decoded token) gives the bits
// of the same row among many (a prompt); and since nothing depends on how weights are stored or how wide a register is,
// all formats of the same numbers and all instruction sets with fma agree.
//
// An operand is a column. Where x is rounded it is a pair of columns, and how the processor adds both products is its
// own affair: then the same kind of processor gives the same bits, and another may not.
#ifndef DSVL_KERNELS_LINEAR_LINEAR_HPP
#define DSVL_KERNELS_LINEAR_LINEAR_HPP

#include "int8.hpp"
#include "packed.hpp"
#include "row.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

template <Operand F>
void multiply(const LinearTile<float>& t, const Sides& s, float* scratch) noexcept {
  for (Index row = 0; row < t.rows; row += kLinearRows) {
    const Index rows = std::min<Index>(kLinearRows, t.rows - row);
    Index n = 0;
    if (rows == 1 && t.outputs >= kRowOutputs && round_up(s.cols, kLine<F>) <= kLinearScratch) {
      order<F>(s.x + row * s.x_stride, s.cols, scratch);
      const Sides ordered{scratch, 0, s.w, s.w_stride, s.cols};
      for (; n + kRowOutputs <= t.outputs; n += kRowOutputs)
        multiply_row<F>(t, ordered, n, t.y + row * t.y_stride);
    }
    for (; n < t.outputs; n += kLinearGroup) {
      const Index outputs = std::min<Index>(kLinearGroup, t.outputs - n);
      if (rows <= kFewRows) multiply_group<F, kWider>(t, s, row, rows, n, outputs, scratch);
      else multiply_group<F, kWide>(t, s, row, rows, n, outputs, scratch);
    }
  }
}

}  // namespace linear_detail

inline void linear(const LinearTile<float>& t, float* scratch) noexcept {
  using linear_detail::multiply;
  const Index bytes = row_bytes(t.format, t.cols);
  DSVL_ASSERT(t.inputs == Inputs::floats || (t.prepared && t.prepared_stride % 4 == 0));
  switch (t.inputs) {
    case Inputs::floats:
      return with_format(t.format, [&]<class F>(F) { multiply<F>(t, {t.x, t.x_stride, t.w, bytes, t.cols}, scratch); });
    case Inputs::bf16:
      return multiply<Bf16Pairs>(
          t, {reinterpret_cast<const float*>(t.prepared), t.prepared_stride / 4, t.w, bytes, t.cols / 2}, scratch);
    case Inputs::int8:
    case Inputs::int8_wide:
      DSVL_ASSERT(t.inputs >= inputs_of(Activations::exact, t.format, t.cols));
      return with_quantized(t.format, t.inputs, [&]<class F>(F) { linear_int8_detail::multiply<F>(t, scratch); });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_LINEAR_HPP
