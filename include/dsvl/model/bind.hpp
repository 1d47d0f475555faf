// Binder: the visitor that gives a network its weights.
//
// Matrices are used in place in the mapped file. Only quantised ones whose rows lie one behind the other, as in ggml's
// files, are interleaved into memory of our own, in the order that the kernels read (interleaver.hpp). Vectors (norms,
// biases) are unpacked to float once, into that memory as well. The network is visited once: everything is found and
// checked, what has to be copied is noted, and its memory is measured. fill() then does the copies.
#ifndef DSVL_MODEL_BIND_HPP
#define DSVL_MODEL_BIND_HPP

#include "../base/host_macros_push.hpp"

#include <deque>

#include "../kernels/dispatch.hpp"
#include "../run/arena.hpp"
#include "find.hpp"
#include "gguf_model.hpp"
#include "interleaver.hpp"

DSVL_BEGIN_NAMESPACE

/// Finds, checks and binds every weight of a network that is shown to it by visit().
class Binder : public PathVisitor<Binder> {
 public:
  /// The memory that fill() needs is declared to `measured`, an Arena without memory.
  Binder(const Checkpoint& from, Layout layout, Arena& measured, LoadReport& report)
      : interleaved_(rows_interleaved(from)), measured_(measured), finder_(from, layout, report) {}

  /// Binds a weight: `field` becomes a view into the checkpoint. fill() moves it where its rows are interleaved.
  void matrix(std::string_view leaf, Matrix& field, const Extent& rows, const Extent& cols) {
    if (!finder_.find(leaf_name(leaf), field, rows, cols)) return;
    for (int b = 0; b < field.block_count; ++b) {
      check_compiled(leaf, field.blocks[b].format);
      if (quantized(field.blocks[b].format)) note({leaf_name(leaf), &field.blocks[b], field.cols});
    }
  }

  /// Binds a vector of n.sum() values, which fill() unpacks to float.
  void vector(std::string_view leaf, const float*& field, const Extent& n) {
    Matrix stored;  // found as a column, so that the biases of q, k and v stack like rows
    (void)finder_.find(leaf_name(leaf), stored, n, 1);
    note({"norms and biases", &field, stored, n.sum(), 1, unpack});
  }

  /// Binds a table that the model keeps in another form than the file: `convert(stored, rows, out)` fills out (rows,
  /// cols) from a stored table of that width and any length.
  void table(std::string_view leaf, const float*& field, Index rows, Index cols,
             void (*convert)(const Matrix& stored, Index rows, float* out) noexcept) {
    Matrix stored;
    if (finder_.find(leaf_name(leaf), stored, TensorFinder::kAnyRows, cols) && quantized(stored.format))
      finder_.refuse(leaf_name(leaf), "is quantised, and positions are floats");
    note({"relative positions", &field, stored, rows, cols, convert});
  }

  /// Bytes of the weights that fill() interleaves.
  [[nodiscard]] double interleaved_bytes() const noexcept {
    double bytes = 0;
    for (const Quantized& q : quantized_) bytes += interleaved_ ? 0 : static_cast<double>(q.bytes());
    return bytes;
  }

  /// Ok when all weights were found and fit (see TensorFinder::finish), and have kernels.
  ///
  /// Codes  those of TensorFinder::finish; unsupported (a format that DSVL_FORMATS leaves out)
  [[nodiscard]] Status finish() {
    DSVL_CHECK_STATUS(finder_.finish());
    return compiled_;
  }

  /// Does the noted copies, once finish() was ok; the network that was visited must still be where it was. `carved` has
  /// the memory that was measured. Where the interleaver is cancelled, the rest is not done.
  ///
  /// Codes  bad_shape (a fault that shows only when weights are read: a scale that is infinite or NaN)
  [[nodiscard]] Status fill(Arena& carved, Interleaver& interleaver) {
    for (const Floats& f : floats_) {
      float* const to = f.declare(carved);
      f.convert(f.stored, f.rows, to);
      *f.field = to;
    }
    for (const Quantized& q : quantized_) {
      std::byte* const to = interleaved_ ? nullptr : q.declare(carved);
      // Such a scale would turn every sum it meets into NaN, long after loading.
      if (!interleaver.run(*q.block, q.cols, to)) finder_.refuse(q.leaf, "has a scale that is infinite or NaN");
    }
    return finder_.status();
  }

 private:
  /// A vector or a table that becomes floats.
  struct Floats {
    std::string_view line;  ///< of the plan
    const float** field;    ///< of the network
    Matrix stored;          ///< in the file
    Index rows, cols;       ///< of the floats
    void (*convert)(const Matrix& stored, Index rows, float* out) noexcept;

    float* declare(Arena& arena) const noexcept { return arena.array<float>(line, rows * cols); }
  };
  /// Quantised rows, which are checked, and interleaved unless the file has done so.
  struct Quantized {
    LeafName leaf;         ///< for messages
    Matrix::Block* block;  ///< of the network; in the file until it is interleaved
    Index cols;            ///< of the matrix

    [[nodiscard]] Index bytes() const noexcept { return block->rows * row_bytes(block->format, cols); }
    std::byte* declare(Arena& arena) const noexcept { return arena.array<std::byte>("interleaved weights", bytes()); }
  };

  void note(const Floats& floats) {
    (void)floats.declare(measured_);
    floats_.push_back(floats);
  }
  void note(const Quantized& rows) {
    if (!interleaved_) (void)rows.declare(measured_);
    quantized_.push_back(rows);
  }

  /// The blocks of a column, one behind the other.
  static void unpack(const Matrix& stored, Index, float* out) noexcept {
    for (int b = 0; b < stored.block_count; out += stored.blocks[b++].rows)
      active_kernels<float>().unpack({stored.blocks[b].format, stored.blocks[b].data, 0}, out, stored.blocks[b].rows);
  }

  /// Notes the first weight in a format that products are not compiled for.
  void check_compiled(std::string_view leaf, Format format) {
    if (is_compiled(format) || !compiled_.ok()) return;
    const LeafName weight = leaf_name(leaf);
    compiled_ = fail(Code::unsupported,
                     "%s%s is in %s, and this program is compiled for %s: compile with another DSVL_FORMATS, or take a "
                     "file in one of these",
                     weight.ours.c_str(), weight.suffix.c_str(), name(format).data(), kCompiledFormats);
  }

  bool interleaved_;  // the file's rows are
  Arena& measured_;
  TensorFinder finder_;
  Status compiled_;
  std::deque<Floats> floats_;  // in small blocks, since they are not the host's
  std::deque<Quantized> quantized_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_BIND_HPP
