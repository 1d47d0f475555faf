// Inventory: every tensor that a network reads, as a layout stores it: name, shape, order. For whoever writes
// checkpoints, and for tests of the table of names.
#ifndef DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP
#define DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP

#include <string>
#include <utility>
#include <vector>

#include "../../model/bind.hpp"
#include "../../model/deepseek_vl.hpp"

DSVL_BEGIN_NAMESPACE

/// One tensor of a checkpoint.
struct StoredTensor {
  /// Consecutive rows of it that are one tensor in the HF layout: a fused q, k, v has three parts, all others one.
  struct Part {
    std::string hf_name;
    Index rows = 0, cols = 0;  ///< cols: elements per row, all dimensions but the first
  };
  std::string name;
  std::vector<Index> shape;
  std::vector<Part> parts;

  [[nodiscard]] Index elements() const noexcept {
    Index n = 1;
    for (const Index d : shape) n *= d;
    return n;
  }
};

class Inventory : public PathVisitor<Inventory> {
 public:
  /// `hybrid` networks spell the low-resolution tower differently in the original layout.
  Inventory(Layout layout, bool hybrid) : layout_(layout), way_(layout == Layout::original && hybrid ? 1 : 0) {}

  static std::vector<StoredTensor> of(DeepseekVl net, Layout layout) {
    Inventory list(layout, net.high.has_value());
    net.visit(list);
    return std::move(list.tensors_);
  }

  void matrix(std::string_view leaf, Matrix&, const Extent& rows, const Extent& cols) { add(leaf, rows, cols, true); }
  void vector(std::string_view leaf, const float*&, const Extent& n) { add(leaf, n, 1, false); }
  void table(std::string_view leaf, const float*&, Index rows, Index cols,
             void (*)(const Matrix&, Index, float*) noexcept) {
    add(leaf, rows, cols, true);
  }

 private:
  void add(std::string_view leaf, const Extent& rows, const Extent& cols, bool is_matrix) {
    const auto [ours, suffix] = leaf_name(leaf);
    const Spelling first = spell_here(ours, layout_, 0);
    const std::size_t hf_parts = spell(ours, Layout::hf, 0, 0).stack;
    for (std::size_t part = 0; part < first.stack; ++part) {
      StoredTensor tensor;
      tensor.name = spell_here(ours, layout_, part).name + suffix;
      const Index height = first.stack > 1 ? rows.part[part] : rows.sum();
      tensor.shape = first.stored.empty() ? plain_shape(height, cols, is_matrix)
                                          : noted_shape(first.stored, height, cols.product());
      if (hf_parts > first.stack) {
        for (std::size_t p = 0; p < hf_parts; ++p)
          tensor.parts.push_back({spell(ours, Layout::hf, 0, p).name + suffix, rows.part[p], cols.product()});
      } else {
        tensor.parts.push_back({spell(ours, Layout::hf, 0, part).name + suffix, height, cols.product()});
      }
      tensors_.push_back(std::move(tensor));
    }
  }

  [[nodiscard]] Spelling spell_here(std::string_view ours, Layout layout, std::size_t part) const {
    const Spelling s = spell(ours, layout, way_, part);
    return s.name.empty() ? spell(ours, layout, 0, part) : s;
  }
  static std::vector<Index> plain_shape(Index rows, const Extent& cols, bool is_matrix) {
    std::vector<Index> shape = {rows};
    if (is_matrix) shape.insert(shape.end(), cols.part, cols.part + cols.parts);
    return shape;
  }
  /// "1,h,w,c" and the like; see names.hpp.
  static std::vector<Index> noted_shape(std::string_view note, Index rows, Index cols) {
    Index side = 1;
    while (side * side < rows) ++side;
    std::vector<Index> shape;
    for (const char c : note)
      if (c != ',') shape.push_back(c == 't' ? rows : c == 'c' ? cols : c == '1' ? 1 : side);
    return shape;
  }

  Layout layout_;
  std::size_t way_;
  std::vector<StoredTensor> tensors_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP
