// TensorInfo: one tensor of a file, in any container.
//
// safetensors.hpp and gguf.hpp list them, and a Checkpoint finds them by name.
#ifndef DSVL_IO_TENSOR_HPP
#define DSVL_IO_TENSOR_HPP

#include <algorithm>
#include <span>
#include <string_view>

#include "../base/heap_sort.hpp"
#include "../base/matrix.hpp"
#include "../base/status.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

/// Name, type, shape and address of a tensor. `name` and `dtype` belong to the object that parsed the file, `data` to
/// the file's bytes.
struct TensorInfo {
  static constexpr int kMaxRank = 8;  ///< dimensions at most

  std::string_view name;            ///< in the file's spelling
  std::string_view dtype;           ///< as the file spells it: "BF16", "I64", …
  Index shape[kMaxRank] = {};       ///< outer-first; the first `rank` count
  int rank = 0;                     ///< number of dimensions
  const std::byte* data = nullptr;  ///< at any alignment
  std::size_t bytes = 0;            ///< of the data

  /// The shape as a span.
  [[nodiscard]] std::span<const Index> dims() const noexcept { return {shape, static_cast<std::size_t>(rank)}; }
};

/// The tensor as a weight: (first dimension, product of the rest); (1, n) when it has one dimension, (1, 1) when none.
/// A file knows if rows of quantised weights are interleaved, as a Matrix has them (model/gguf_model.hpp).
///
/// Codes  unsupported (a dtype that is no Format)
DSVL_COLD inline Result<Matrix> as_matrix(const TensorInfo& tensor) noexcept {
  Index cols = 1;
  for (int d = tensor.rank > 1 ? 1 : 0; d < tensor.rank; ++d) cols *= tensor.shape[d];
  for (int f = 0; f < kFormats; ++f)
    if (const auto format = static_cast<Format>(f); dtype(format) == tensor.dtype)
      return Matrix(format, tensor.data, tensor.rank > 1 ? tensor.shape[0] : 1, cols);
  return fail(Code::unsupported, "tensor '%s': has dtype %s, weights are read from F32, BF16, F16, Q8_0, Q4_0, Q4_K "
              "and Q6_K", Printable(tensor.name).text(), Printable(tensor.dtype).text());
}

/// Sorts tensors by name.
DSVL_COLD inline void sort_by_name(std::span<TensorInfo> tensors) noexcept {
  heap_sort(tensors, [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
}
/// Sorts tensors by the address of their data.
DSVL_COLD inline void sort_by_place(std::span<TensorInfo> tensors) noexcept {
  heap_sort(tensors, [](const TensorInfo& a, const TensorInfo& b) {
    return a.data != b.data ? a.data < b.data : a.bytes < b.bytes;
  });
}
/// One of two tensors that have the same name, in a list sorted by name; null when there are none.
DSVL_COLD inline const TensorInfo* find_twin(std::span<const TensorInfo> sorted) noexcept {
  const auto at = std::adjacent_find(sorted.begin(), sorted.end(),
                                     [](const TensorInfo& a, const TensorInfo& b) { return a.name == b.name; });
  return at != sorted.end() ? &*at : nullptr;
}

/// The tensor of that name in a list sorted by name; null when there is none.
DSVL_COLD inline const TensorInfo* find_tensor(std::span<const TensorInfo> sorted, std::string_view name) noexcept {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const TensorInfo& tensor, std::string_view n) { return tensor.name < n; });
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

DSVL_END_NAMESPACE

#endif  // DSVL_IO_TENSOR_HPP
