// Inventory: every tensor that a network reads, in order, with the name and shape that a layout stores it under.
//
// Programs that write checkpoints use it (dsvl synth), and tests of the table of names. Nothing is read from a file.
#ifndef DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP
#define DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP

#include <string>
#include <utility>
#include <vector>

#include "../../model/bind.hpp"
#include "../../model/deepseek_vl.hpp"

DSVL_BEGIN_NAMESPACE

/// One tensor of a checkpoint to be written.
struct StoredTensor {
  /// Consecutive rows that are one tensor in the HF layout. A fused q, k, v has three parts, all others have one.
  /// Synthetic weights are made from the HF name, so that both layouts hold the same numbers.
  struct Part {
    std::string hf_name;  ///< of the tensor in the HF layout
    Index rows = 0;       ///< its first dimension
    Index cols = 0;       ///< elements per row, over all dimensions but the first
  };
  std::string name;          ///< as the layout spells it
  std::vector<Index> shape;  ///< as the layout stores it, outer-first
  std::vector<Part> parts;   ///< in the order of the rows

  /// Product of the dimensions.
  [[nodiscard]] Index elements() const noexcept {
    Index n = 1;
    for (const Index d : shape) n *= d;
    return n;
  }
};

/// The visitor that makes the list.
class Inventory : public PathVisitor<Inventory> {
 public:
  /// `hybrid` networks spell the low-resolution tower differently in the original layout.
  Inventory(Layout layout, bool hybrid) : layout_(layout), way_(layout == Layout::original && hybrid ? 1 : 0) {}

  /// The list for a network, which is taken by value because visit() changes it.
  static std::vector<StoredTensor> of(DeepseekVl net, Layout layout) {
    Inventory list(layout, net.high.has_value());
    net.visit(list);
    return std::move(list.tensors_);
  }

  /// Adds a weight.
  void matrix(std::string_view leaf, Matrix&, const Extent& rows, const Extent& cols) { add(leaf, rows, cols, true); }
  /// Adds a norm or a bias.
  void vector(std::string_view leaf, const float*&, const Extent& n) { add(leaf, n, 1, false); }
  /// Adds a table of relative positions.
  void table(std::string_view leaf, const float*&, Index rows, Index cols,
             void (*)(const Matrix&, Index, float*) noexcept) {
    add(leaf, rows, cols, true);
  }

 private:
  /// Adds the tensors that a layout keeps for one weight, with their parts in the HF layout.
  void add(std::string_view leaf, const Extent& rows, const Extent& cols, bool is_matrix) {
    const auto [ours, suffix] = leaf_name(leaf);
    const Spelling first = spell_here(ours, layout_, 0);
    // Where this layout fuses what the HF layout keeps apart, the tensor gets several parts.
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

  /// The spelling of this network's alternative; places with only one have that.
  [[nodiscard]] Spelling spell_here(std::string_view ours, Layout layout, std::size_t part) const {
    const Spelling s = spell(ours, layout, way_, part);
    return s.name.empty() ? spell(ours, layout, 0, part) : s;
  }
  /// (rows, cols…) for a matrix, (rows) for a vector.
  static std::vector<Index> plain_shape(Index rows, const Extent& cols, bool is_matrix) {
    std::vector<Index> shape = {rows};
    if (is_matrix) shape.insert(shape.end(), cols.part, cols.part + cols.parts);
    return shape;
  }
  /// The shape that a note of names.hpp describes, such as "1,h,w,c". A map is square, so its side follows from its
  /// rows.
  static std::vector<Index> noted_shape(std::string_view note, Index rows, Index cols) {
    Index side = 1;
    while (side * side < rows) ++side;
    std::vector<Index> shape;
    for (const char c : note)
      if (c != ',') shape.push_back(c == 't' ? rows : c == 'c' ? cols : c == '1' ? 1 : side);
    return shape;
  }

  Layout layout_;
  std::size_t way_;  // the alternative spelling that this network has
  std::vector<StoredTensor> tensors_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CONVERT_SYNTHETIC_INVENTORY_HPP
