// TensorFinder: from our name of a weight to the place where a checkpoint keeps it, with its shape checked.
//
// Components show what they have (name, field, shape) to a visitor, names.hpp says how a layout spells it, and the
// checkpoint says where it is. Everything that is missing, misshapen or of the wrong dtype is collected, not only the
// first, so that one report shows what is wrong with a file.
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

/// The name of one weight: the part that names.hpp spells, and the suffix that is the same in every layout.
struct LeafName {
  std::string ours;    ///< "language.7.attn.qkv"
  std::string suffix;  ///< ".weight", ".bias" or empty
};

/// Base of the visitors, which keeps the path of names while components are visited. The derived visitor decides what
/// to do with a leaf. It has matrix(name, Matrix&, rows, cols), vector(name, const float*&, n) and
/// table(name, const float*&, rows, cols, convert).
template <class Derived>
class PathVisitor {
 public:
  /// Visits a part of a component; `sizes` are handed to the part's visit().
  template <class Component, class... Sizes>
  void child(std::string_view name, Component& component, const Sizes&... sizes) {
    group(name, [&] { component.visit(self(), sizes...); });
  }
  /// Visits number i of equal parts.
  template <class Component, class... Sizes>
  void layer(std::size_t i, Component& component, const Sizes&... sizes) {
    child(std::to_string(i), component, sizes...);
  }
  /// Runs `body` with one more name in the path, for parts that are not a struct of their own.
  template <class Body>
  void group(std::string_view name, Body&& body) {
    const std::size_t before = path_.size();
    if (before) path_ += '.';
    path_ += name;
    body();
    path_.resize(before);
  }

 protected:
  /// The names from the network down to the component that is visited, with dots between them.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The name of a leaf of this component. Weight and bias of a Linear or a norm are a suffix; positions, tables and
  /// alpha are spelled wholly in the table, since layouts differ in them.
  [[nodiscard]] LeafName leaf_name(std::string_view leaf) const {
    if (leaf == "weight" || leaf == "bias") return {path_, std::string(".").append(leaf)};
    return {path_ + "." + std::string(leaf), {}};
  }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  std::string path_;
};

/// Looks weights up in one checkpoint, and writes what is wrong into a report.
class TensorFinder {
 public:
  /// Stands for the rows of a weight that may have any number of them.
  static constexpr Index kAnyRows = -1;

  /// Both references must outlive the finder.
  TensorFinder(const Checkpoint& from, Layout layout, LoadReport& report)
      : from_(from), layout_(layout), report_(report), used_(from.tensors().size()) {}

  /// Looks the leaf up in all its spellings, stacks the tensors that belong together, and points `field` to them.
  /// False, with the fault in the report, when that fails.
  bool find(const LeafName& leaf, Matrix& field, const Extent& rows, const Extent& cols) {
    const auto& [ours, suffix] = leaf;
    const Spelling first = spell(ours, layout_, 0, 0);
    if (first.name.empty()) {
      report_.missing.push_back(ours + " (the " + std::string(name(layout_)) + " layout has no name for it)");
      return false;
    }
    // All alternatives are counted, and the first that the checkpoint has is taken.
    std::size_t way = 0, ways = 0;
    bool found = false;
    for (Spelling s = first; !s.name.empty(); s = spell(ours, layout_, ++ways, 0)) {
      if (found || !from_.find(s.name + suffix)) continue;
      found = true;
      way = ways;
    }
    if (ways > 1) {  // a tensor without any spelling is reported under the prefix that earlier ones were found with
      if (found) way_ = way;
      else way = way_ < ways ? way_ : 0;
    }
    return stack(ours, suffix, way, first.stack, field, rows, cols);
  }

  /// Reports a tensor that was found and cannot be used.
  void refuse(const LeafName& leaf, const char* why) { misshapen(leaf.ours + leaf.suffix, why); }

  /// Fills the report's list of unused tensors, when all that are needed have been looked up. Returns status().
  [[nodiscard]] Status finish() {
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (!used_[i]) report_.unused.emplace_back(from_.tensors()[i].name);
    return status();
  }
  /// Ok, or a headline over everything that is wrong so far.
  ///
  /// Codes  not_found (something is missing), bad_shape (a shape or dtype is wrong)
  [[nodiscard]] Status status() const {
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
  /// Finds the `parts` tensors of alternative `way` and stacks their rows; `field` is only written when all are there.
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

  /// Reads the tensor as a matrix (rows, cols.product()) and stacks it below `whole`. The tensor's shape is cut into
  /// two groups of dimensions, the last of which have to be `cols`.
  void add(const TensorInfo& tensor, Index rows, const Extent& cols, Matrix& whole) {
    const auto matrix = as_matrix(tensor);
    if (!matrix) {
      report_.misshapen.emplace_back(matrix.error().text());
      return;
    }
    // The file may cut the shape differently, for example (1, 576, 1024) for (576, 1024). So the number of elements is
    // compared, and the last dimensions.
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

  /// True when the last dimensions are those of `cols`. A convolution's may stand one by one or be flattened already; a
  /// single width may also be cut into several dimensions; a column needs none.
  static bool ends_with(const TensorInfo& tensor, const Extent& cols) noexcept {
    if (cols.parts == 3 && tensor.rank > 3)
      return std::equal(cols.part, cols.part + 3, tensor.shape + tensor.rank - 3);
    if (cols.product() == 1) return true;
    Index tail = 1;
    for (int d = tensor.rank; d-- > 0;)
      if ((tail *= tensor.shape[d]) == cols.product()) return true;
    return false;
  }

  /// Reports a tensor of the wrong shape or dtype.
  void misshapen(std::string_view tensor, const std::string& what) {
    report_.misshapen.push_back("tensor '" + std::string(tensor) + "' " + what);
  }
  /// "768" or "3 x 16 x 16", for messages.
  static std::string extent_text(const Extent& cols) {
    std::string out = std::to_string(cols.part[0]);
    for (int i = 1; i < cols.parts; ++i) out += " x " + std::to_string(cols.part[i]);
    return out;
  }
  /// "[1, 576, 1024]", for messages.
  static std::string shape_text(const TensorInfo& tensor) {
    std::string out = "[";
    for (int d = 0; d < tensor.rank; ++d) out += (d ? ", " : "") + std::to_string(tensor.shape[d]);
    return out + "]";
  }

  const Checkpoint& from_;
  Layout layout_;
  LoadReport& report_;
  std::vector<bool> used_;  // of from_.tensors(), those that some weight needs
  std::size_t way_ = 0;     // the alternative spelling that was found last
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_FIND_HPP
