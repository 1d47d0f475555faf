// TensorFinder: from our name of a weight to where a checkpoint keeps it, with its shape checked.
//
// Components say what they have (name, field, shape) to a visitor; names.hpp says how a layout spells it; the
// checkpoint says where it lies. Everything that is missing, misshapen or of the wrong dtype is collected, not only the
// first.
#ifndef DSVL_MODEL_FIND_HPP
#define DSVL_MODEL_FIND_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../io/checkpoint.hpp"
#include "names.hpp"
#include "report.hpp"

DSVL_BEGIN_NAMESPACE

/// A leaf's name in names.hpp and what a spelling of it ends in.
struct LeafName {
  std::string ours, suffix;
};

/// Keeps the path of names while components are visited; what a leaf means is up to the derived visitor, which has
/// matrix(name, Matrix&, rows, cols), vector(name, const float*&, n) and table(name, const float*&, rows, cols,
/// convert).
template <class Derived>
class PathVisitor {
 public:
  template <class Component, class... Sizes>
  void child(std::string_view name, Component& component, const Sizes&... sizes) {
    group(name, [&] { component.visit(self(), sizes...); });
  }
  template <class Component, class... Sizes>
  void layer(std::size_t i, Component& component, const Sizes&... sizes) {
    child(std::to_string(i), component, sizes...);
  }
  template <class Body>
  void group(std::string_view name, Body&& body) {
    const std::size_t before = path_.size();
    if (before) path_ += '.';
    path_ += name;
    body();
    path_.resize(before);
  }

 protected:
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// A Linear or a norm adds its suffix; positions, tables and alpha are spelled wholly in the table.
  [[nodiscard]] LeafName leaf_name(std::string_view leaf) const {
    if (leaf == "weight" || leaf == "bias") return {path_, std::string(".").append(leaf)};
    return {path_ + "." + std::string(leaf), {}};
  }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  std::string path_;
};

class TensorFinder {
 public:
  /// Of a weight that may have any number of rows.
  static constexpr Index kAnyRows = -1;

  TensorFinder(const Checkpoint& from, Layout layout, LoadReport& report)
      : from_(from), layout_(layout), report_(report), used_(from.tensors().size()) {}

  /// Looks the leaf up in all its spellings and stacks what belongs together; false (and reported) when that fails.
  bool find(const LeafName& leaf, Matrix& field, const Extent& rows, const Extent& cols) {
    const auto& [ours, suffix] = leaf;
    const Spelling first = spell(ours, layout_, 0, 0);
    if (first.name.empty()) {
      report_.missing.push_back(ours + " (the " + std::string(name(layout_)) + " layout has no name for it)");
      return false;
    }
    std::size_t way = 0, ways = 0;
    bool found = false;
    for (Spelling s = first; !s.name.empty(); s = spell(ours, layout_, ++ways, 0)) {
      if (found || !from_.find(s.name + suffix)) continue;
      found = true;
      way = ways;
    }
    if (ways > 1) {  // what is nowhere is missing under the spelling of those that were found before it
      if (found) way_ = way;
      else way = way_ < ways ? way_ : 0;
    }
    return stack(ours, suffix, way, first.stack, field, rows, cols);
  }

  /// Reports a tensor that was found and can not be used.
  void refuse(const LeafName& leaf, const char* why) { misshapen(leaf.ours + leaf.suffix, why); }

  /// Ok, or a headline over everything that is wrong. Fills the report's list of unused tensors.
  [[nodiscard]] Status finish() {
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (!used_[i]) report_.unused.emplace_back(from_.tensors()[i].name);
    const std::size_t missing = report_.missing.size(), misshapen = report_.misshapen.size();
    const std::string others =
        misshapen ? " (and has " + std::to_string(misshapen) + " of the wrong shape or dtype)" : "";
    if (missing)
      return fail(Code::not_found, "the checkpoint lacks %zu tensor%s%s '%s'%s", missing, missing == 1 ? "" : "s",
                  missing == 1 ? "" : ", first", report_.missing[0].c_str(), others.c_str());
    if (misshapen == 1) return fail(Code::bad_shape, "%s", report_.misshapen[0].c_str());
    if (misshapen)
      return fail(Code::bad_shape, "%zu tensors are not as the model needs, first: %s", misshapen,
                  report_.misshapen[0].c_str());
    return {};
  }

 private:
  bool stack(const std::string& ours, const std::string& suffix, std::size_t way, std::size_t parts, Matrix& field,
             const Extent& rows, const Extent& cols) {
    Matrix whole;
    const std::size_t before = report_.missing.size() + report_.misshapen.size();
    for (std::size_t part = 0; part < parts; ++part) {
      const std::string spelled = spell(ours, layout_, way, part).name + suffix;
      const TensorInfo* const tensor = from_.find(spelled);
      if (!tensor) {
        report_.missing.push_back(spelled);
        continue;
      }
      used_[static_cast<std::size_t>(tensor - from_.tensors().data())] = true;
      add(*tensor, parts > 1 ? rows.part[part] : rows.sum(), cols, whole);
    }
    if (report_.missing.size() + report_.misshapen.size() > before) return false;
    field = whole;
    return true;
  }

  /// Reads the tensor as (rows, cols), cutting its shape into two groups of dimensions, and stacks it.
  void add(const TensorInfo& tensor, Index rows, const Extent& cols, Matrix& whole) {
    const auto matrix = as_matrix(tensor);
    if (!matrix) {
      report_.misshapen.emplace_back(matrix.error().text());
      return;
    }
    const Index elements = matrix->rows * matrix->cols, width = cols.product();
    const StoredBlock block = stored_block(matrix->format);
    const bool enough = elements > 0 && elements % width == 0 && (rows == kAnyRows || elements == rows * width);
    if (!enough || !ends_with(tensor, cols)) {
      misshapen(tensor.name, "has shape " + shape_text(tensor) + ", model needs " +
                                 (rows == kAnyRows ? "rows of " : std::to_string(rows) + " x ") + extent_text(cols));
    } else if (!fits(matrix->format, elements / width, width)) {
      misshapen(tensor.name, "is " + std::to_string(elements / width) + " x " + std::to_string(width) + ", " +
                                 std::string(name(matrix->format)) +
                                 " is read in pieces of " + std::to_string(block.rows) +
                                 " x " + std::to_string(block.cols));
    } else if (!whole.stack(Matrix(matrix->format, tensor.data, elements / width, width))) {
      misshapen(tensor.name, "has dtype " + std::string(tensor.dtype) + ", unlike those it is used with");
    }
  }

  /// Whether the last dimensions are those of `cols`: a convolution's one by one or already taken together, a single
  /// width also cut in several; a column needs none.
  static bool ends_with(const TensorInfo& tensor, const Extent& cols) noexcept {
    if (cols.parts == 3 && tensor.rank > 3)
      return std::equal(cols.part, cols.part + 3, tensor.shape + tensor.rank - 3);
    if (cols.product() == 1) return true;
    Index tail = 1;
    for (int d = tensor.rank; d-- > 0;)
      if ((tail *= tensor.shape[d]) == cols.product()) return true;
    return false;
  }

  void misshapen(std::string_view tensor, const std::string& what) {
    report_.misshapen.push_back("tensor '" + std::string(tensor) + "' " + what);
  }
  static std::string extent_text(const Extent& cols) {
    std::string out = std::to_string(cols.part[0]);
    for (int i = 1; i < cols.parts; ++i) out += " x " + std::to_string(cols.part[i]);
    return out;
  }
  static std::string shape_text(const TensorInfo& tensor) {
    std::string out = "[";
    for (int d = 0; d < tensor.rank; ++d) out += (d ? ", " : "") + std::to_string(tensor.shape[d]);
    return out + "]";
  }

  const Checkpoint& from_;
  Layout layout_;
  LoadReport& report_;
  std::vector<bool> used_;
  std::size_t way_ = 0;  // of several ways of spelling, the one that was found last
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_FIND_HPP
