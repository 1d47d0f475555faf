// ExportList: every tensor of a GGUF file, in order: where its numbers are, and how they will be stored.
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

struct ExportTensor {
  std::string name;          ///< in GGUF's spelling
  std::vector<Index> shape;  ///< outer-first
  Matrix weight;             ///< what it is a part of
  Index first = 0, rows = 0;  ///< rows of `weight`
  Format format = Format::f32;
  bool rotated = false;      ///< q or k, whose rows turn in pairs
  bool text = false;         ///< of the decoder

  [[nodiscard]] Index cols() const noexcept { return weight.cols; }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return static_cast<std::uint64_t>(rows * row_bytes(format, cols()));
  }
};

class ExportList : public PathVisitor<ExportList> {
 public:
  ExportList(const Checkpoint& from, Layout layout, const WeightTypes& types, LoadReport& report)
      : types_(types), finder_(from, layout, report) {}

  void matrix(std::string_view leaf, Matrix&, const Extent& rows, const Extent& cols) {
    const bool large = leaf == "weight" && cols.parts == 1;
    add(leaf, rows, cols, [&](const LeafName& name, const Matrix& stored, Index height) {
      return large ? fallback(wanted(name), height, stored.cols) : stored.format;
    });
  }
  void vector(std::string_view leaf, const float*&, const Extent& n) {
    add(leaf, n, 1, [](const LeafName&, const Matrix&, Index) { return Format::f32; });
  }
  void table(std::string_view leaf, const float*&, Index, Index cols, void (*)(const Matrix&, Index, float*) noexcept) {
    add(leaf, TensorFinder::kAnyRows, cols, [](const LeafName&, const Matrix&, Index) { return Format::f32; });
  }

  [[nodiscard]] Status finish() { return finder_.finish(); }
  [[nodiscard]] std::vector<ExportTensor> take() noexcept { return std::move(tensors_); }

 private:
  [[nodiscard]] Format wanted(const LeafName& name) const noexcept {
    const std::string_view ours = name.ours;
    if (ours == "language.embed") return types_.embedding;
    if (ours == "language.head") return types_.head;
    return ours.starts_with("language.") ? types_.decoder : types_.vision;
  }

  /// One tensor, or several where GGUF keeps apart what is a stack.
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
