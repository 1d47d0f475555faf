// Binder: the visitor that gives a network its weights.
//
// Matrices are used in place in the mapped file. Only quantised ones whose rows lie one behind the other, as in ggml's
// files, are interleaved into the Arena, in the order that the kernels read (interleaver.hpp). Vectors (norms, biases)
// are unpacked to float once, into the Arena as well. The binder runs twice: first to check everything and to measure
// that memory, then to fill it.
#ifndef DSVL_MODEL_BIND_HPP
#define DSVL_MODEL_BIND_HPP

#include "../base/host_macros_push.hpp"

#include "../kernels/dispatch.hpp"
#include "../run/arena.hpp"
#include "find.hpp"
#include "gguf_model.hpp"
#include "interleaver.hpp"

DSVL_BEGIN_NAMESPACE

/// Finds, checks and binds every weight of a network that is shown to it by visit().
class Binder : public PathVisitor<Binder> {
 public:
  /// Over a measuring Arena everything is looked up and checked, and nothing is unpacked, so it needs no Interleaver.
  Binder(const Checkpoint& from, Layout layout, Arena& arena, LoadReport& report, Interleaver* interleaver = nullptr)
      : interleaved_(rows_interleaved(from)), arena_(arena), interleaver_(interleaver), finder_(from, layout, report) {}

  /// Binds a weight: `field` becomes a view into the checkpoint, or into the Arena where its rows are interleaved.
  void matrix(std::string_view leaf, Matrix& field, const Extent& rows, const Extent& cols) {
    if (!finder_.find(leaf_name(leaf), field, rows, cols)) return;
    for (int b = 0; b < field.block_count; ++b) {
      check_compiled(leaf, field.blocks[b].format);
      if (quantized(field.blocks[b].format)) repack_and_check(leaf, field.cols, field.blocks[b]);
    }
  }

  /// Unpacks a vector of n.sum() floats and points `field` to it.
  void vector(std::string_view leaf, const float*& field, const Extent& n) {
    float* const to = arena_.array<float>("norms and biases", n.sum());
    Matrix stored;  // found as a column, so that the biases of q, k and v stack like rows
    if (!finder_.find(leaf_name(leaf), stored, n, 1) || arena_.measuring()) return;
    float* at = to;
    for (int b = 0; b < stored.block_count; at += stored.blocks[b++].rows)
      active_kernels<float>().unpack({stored.blocks[b].format, stored.blocks[b].data, 0}, at, stored.blocks[b].rows);
    field = to;
  }

  /// Binds a table that the model keeps in another form than the file: `convert(stored, rows, out)` fills out (rows,
  /// cols) from a stored table of that width and any length.
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

  /// Bytes of the weights that are interleaved.
  [[nodiscard]] double interleaved_bytes() const noexcept { return interleaved_bytes_; }

  /// Ok when all weights were found and fit (see TensorFinder::finish), and have kernels.
  ///
  /// Codes  those of TensorFinder::finish; unsupported (a format that DSVL_FORMATS leaves out)
  [[nodiscard]] Status finish() {
    DSVL_CHECK_STATUS(finder_.finish());
    return compiled_;
  }

 private:
  /// Notes the first weight in a format that products are not compiled for.
  void check_compiled(std::string_view leaf, Format format) {
    if (is_compiled(format) || !compiled_.ok()) return;
    const LeafName weight = leaf_name(leaf);
    compiled_ = fail(Code::unsupported,
                     "%s%s is in %s, and this program is compiled for %s: compile with another DSVL_FORMATS, or take a "
                     "file in one of these",
                     weight.ours.c_str(), weight.suffix.c_str(), name(format).data(), kCompiledFormats);
  }

  /// Interleaves a block of quantised rows where needed, and refuses it when a scale is infinite or NaN: such a scale
  /// would turn every sum it meets into NaN, long after loading.
  void repack_and_check(std::string_view leaf, Index cols, Matrix::Block& block) {
    const Index bytes = block.rows * row_bytes(block.format, cols);
    std::byte* const to = interleaved_ ? nullptr : arena_.array<std::byte>("interleaved weights", bytes);
    if (!interleaved_) interleaved_bytes_ += static_cast<double>(bytes);
    if (!arena_.measuring() && !interleaver_->run(block, cols, to))
      finder_.refuse(leaf_name(leaf), "has a scale that is infinite or NaN");
  }

  bool interleaved_;
  Arena& arena_;
  Interleaver* interleaver_;
  double interleaved_bytes_ = 0;
  TensorFinder finder_;
  Status compiled_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_BIND_HPP
