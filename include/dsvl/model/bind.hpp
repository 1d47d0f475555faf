// Binder: the visitor that gives a network its weights.
//
// Matrices are used in place; quantised ones that a file keeps row by row, as ggml does, are interleaved into the
// Arena. Vectors (norms, biases) are unpacked to float once, into the Arena as well: the binder is run twice, first to
// check everything and to measure that.
#ifndef DSVL_MODEL_BIND_HPP
#define DSVL_MODEL_BIND_HPP

#include "../base/host_macros_push.hpp"

#include "../kernels/dispatch.hpp"
#include "../run/arena.hpp"
#include "find.hpp"
#include "gguf_model.hpp"

DSVL_BEGIN_NAMESPACE

class Binder : public PathVisitor<Binder> {
 public:
  /// Over a measuring Arena everything is looked up and checked, and nothing is unpacked.
  Binder(const Checkpoint& from, Layout layout, Arena& arena, LoadReport& report)
      : interleaved_(rows_interleaved(from)), arena_(arena), finder_(from, layout, report) {}

  void matrix(std::string_view leaf, Matrix& field, const Extent& rows, const Extent& cols) {
    if (!finder_.find(leaf_name(leaf), field, rows, cols)) return;
    for (int b = 0; b < field.block_count; ++b)
      if (quantized(field.blocks[b].format)) settle(leaf, field.cols, field.blocks[b]);
  }

  void vector(std::string_view leaf, const float*& field, const Extent& n) {
    float* const to = arena_.array<float>("norms and biases", n.sum());
    Matrix stored;  // a column, so that q, k and v biases stack like rows
    if (!finder_.find(leaf_name(leaf), stored, n, 1) || arena_.measuring()) return;
    float* at = to;
    for (int b = 0; b < stored.block_count; at += stored.blocks[b++].rows)
      active_kernels<float>().unpack({stored.blocks[b].format, stored.blocks[b].data, 0}, at, stored.blocks[b].rows);
    field = to;
  }

  /// A table that the model keeps in another form: `convert(stored, rows, out)` fills out (rows, cols) from a stored
  /// table of that width and any length.
  void table(std::string_view leaf, const float*& field, Index rows, Index cols,
             void (*convert)(const Matrix& stored, Index rows, float* out) noexcept) {
    float* const to = arena_.array<float>("relative positions", rows * cols);
    Matrix stored;
    if (!finder_.find(leaf_name(leaf), stored, TensorFinder::kAnyRows, cols)) return;
    if (quantized(stored.format)) return finder_.refuse(leaf_name(leaf), "is quantised, and positions are floats");
    if (arena_.measuring()) return;
    convert(stored, rows, to);
    field = to;
  }

  /// See TensorFinder::finish.
  [[nodiscard]] Status finish() { return finder_.finish(); }

 private:
  /// Quantised rows: in groups, without a scale that would spoil what it meets.
  void settle(std::string_view leaf, Index cols, Matrix::Block& block) {
    const Index bytes = block.rows * row_bytes(block.format, cols);
    std::byte* const to = interleaved_ ? nullptr : arena_.array<std::byte>("interleaved weights", bytes);
    if (arena_.measuring()) return;
    if (to) {
      interleave(block.format, block.data, block.rows, cols, to);
      block.data = to;
    }
    if (!finite_scales(block.format, block.data, block.rows, cols))
      finder_.refuse(leaf_name(leaf), "has a scale that is infinite or NaN");
  }

  bool interleaved_;
  Arena& arena_;
  TensorFinder finder_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_BIND_HPP
