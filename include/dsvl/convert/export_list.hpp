// ExportList: every tensor of a GGUF file to be written, in order: where its numbers come from and how they are stored.
//
// It visits the network like Binder does, so the same table of names and the same checks serve writing. The converter
// then goes over the list and writes a tensor at a time.
#ifndef DSVL_CONVERT_EXPORT_LIST_HPP
#define DSVL_CONVERT_EXPORT_LIST_HPP

#include "../base/host_macros_push.hpp"

#include <string>
#include <utility>
#include <vector>

#include "../model/deepseek_vl.hpp"
#include "../model/find.hpp"
#include "weight_types.hpp"

DSVL_BEGIN_NAMESPACE

/// One tensor of the file to be written, with the rows of the source that it is made from.
struct ExportTensor {
  std::string name;             ///< in GGUF's spelling
  std::vector<Index> shape;     ///< outer-first
  Matrix weight;                ///< the source, which may hold more than this tensor (stacked q, k and v)
  Index first = 0;              ///< first row of `weight` that belongs to this tensor
  Index rows = 0;               ///< number of its rows
  Format format = Format::f32;  ///< type that the numbers are stored as
  bool rotated = false;         ///< q or k, whose rows llama.cpp wants in another order
  bool text = false;            ///< true for the decoder, which llama.cpp wants in a file of its own

  /// Numbers in a row.
  [[nodiscard]] Index cols() const noexcept { return weight.cols; }
  /// Bytes that the tensor takes in the file, without padding.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return static_cast<std::uint64_t>(rows * row_bytes(format, cols()));
  }
};

/// The visitor that makes the list. Tensors that are missing or misshapen go to the report, as in TensorFinder.
class ExportList : public PathVisitor<ExportList> {
 public:
  /// Reads from a checkpoint in `layout`; `types` says what large matrices are stored as.
  ExportList(const Checkpoint& from, Layout layout, const WeightTypes& types, LoadReport& report)
      : types_(types), finder_(from, layout, report) {}

  /// Adds a weight. Large matrices get the format that `types` wants, or the nearest one that fits their shape; the
  /// patch convolutions keep theirs.
  void matrix(std::string_view leaf, Matrix&, const Extent& rows, const Extent& cols) {
    const bool large = leaf == "weight" && cols.parts == 1;
    add(leaf, rows, cols, [&](const LeafName& name, const Matrix& stored, Index height) {
      return large ? fallback(wanted(name), height, stored.cols) : stored.format;
    });
  }
  /// Adds a norm or a bias, which are always f32: they are small, and ggml requires it.
  void vector(std::string_view leaf, const float*&, const Extent& n) {
    add(leaf, n, 1, [](const LeafName&, const Matrix&, Index) { return Format::f32; });
  }
  /// Adds a table of relative positions as the checkpoint has it, in f32.
  void table(std::string_view leaf, const float*&, Index, Index cols, void (*)(const Matrix&, Index, float*) noexcept) {
    add(leaf, TensorFinder::kAnyRows, cols, [](const LeafName&, const Matrix&, Index) { return Format::f32; });
  }

  /// Ok when every weight was found and fits; see TensorFinder::finish.
  [[nodiscard]] Status finish() { return finder_.finish(); }
  /// Hands the list over. Its matrices point into the checkpoint, which must outlive it.
  [[nodiscard]] std::vector<ExportTensor> take() noexcept { return std::move(tensors_); }

 private:
  /// The format that the user chose for this kind of weight.
  [[nodiscard]] Format wanted(const LeafName& name) const noexcept {
    const std::string_view ours = name.ours;
    if (ours == "language.embed") return types_.embedding;
    if (ours == "language.head") return types_.head;
    return ours.starts_with("language.") ? types_.decoder : types_.vision;
  }

  /// Adds one tensor, or several where GGUF keeps apart what our network stacks (q, k and v).
  template <class Choose>
  void add(std::string_view leaf, const Extent& rows, const Extent& cols, Choose&& choose) {
    const LeafName name = leaf_name(leaf);
    Matrix stored;
    if (!finder_.find(name, stored, rows, cols)) return;
    const std::size_t parts = spell(name.ours, Layout::gguf, 0, 0).stack;
    Index first = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      ExportTensor t;
      t.name = spell(name.ours, Layout::gguf, 0, p).name + name.suffix;
      t.rows = parts > 1 ? rows.part[p] : stored.rows;
      t.weight = stored;
      t.first = std::exchange(first, first + t.rows);
      t.format = choose(name, stored, t.rows);
      t.text = name.ours.starts_with("language.");
      t.shape = {t.rows};
      if (stored.cols > 1) t.shape.insert(t.shape.end(), cols.part, cols.part + cols.parts);
      t.rotated = t.text && name.ours.ends_with(".attn.qkv") && p < 2;
      tensors_.push_back(std::move(t));
    }
  }

  WeightTypes types_;
  TensorFinder finder_;
  std::vector<ExportTensor> tensors_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONVERT_EXPORT_LIST_HPP
