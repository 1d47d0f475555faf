// Rows of a table: token embeddings, learned positions, and copies of rows from one activation to another.
#ifndef DSVL_NN_EMBEDDING_HPP
#define DSVL_NN_EMBEDDING_HPP

#include <algorithm>
#include <cstdint>

#include "tiling.hpp"

DSVL_BEGIN_NAMESPACE

/// A table of vectors (rows, dim): the vocabulary, or one row per position.
struct Embedding {
  Matrix weight;

  template <class V>
  void visit(V& v, Index rows, Index dim) {
    v.matrix("weight", weight, rows, dim);
  }
};

/// One input of the decoder: a token, or a row of a picture's embedding.
template <class T>
struct TokenInput {
  std::int32_t id = 0;
  const T* picture = nullptr;  ///< (hidden), or null for the token's own embedding
};

namespace ops {

/// A row of the table, or of a picture's embedding, for each input.
template <class T>
struct Lookup : RowWise {
  static constexpr const char* kName = "embed";
  const TokenInput<T>* inputs;
  Matrix table;
  View<T> y;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i) {
      const TokenInput<T>& input = inputs[i];
      if (input.picture) std::copy_n(input.picture, cols, y.row(i));
      else on.kernels.unpack(table.row(input.id), y.row(i), cols);
    }
  }
};

/// Adds row i of the table to row i of y.
template <class T>
struct AddTable : RowWise {
  static constexpr const char* kName = "add_positions";
  Matrix table;
  View<T> y;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i)
      on.kernels.add_unpacked(table.row(i), y.row(i), cols);
  }
};

/// Copies consecutive rows.
template <class T>
struct CopyRows : RowWise {
  static constexpr const char* kName = "copy_rows";
  View<const T> x;
  const Index* first;  ///< null: from row 0
  View<T> y;

  void run(const Worker<T>&, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i) std::copy_n(x.row((first ? *first : 0) + i), cols, y.row(i));
  }
};

}  // namespace ops

/// y[i] = table[inputs[i].id], or the picture row where there is one. `inputs` (y.rows) is read when the program runs;
/// ids must be inside the table.
template <class On>
void embed(On& on, const TokenInput<Scalar<On>>* inputs, const Embedding& table, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(y.cols == table.weight.cols);
  on(ops::Lookup<Scalar<On>>{{on.rows(), y.rows, y.cols}, inputs, table.weight, y});
}

/// y[i] += table[i]: learned absolute positions.
template <class On>
void add_positions(On& on, const Embedding& table, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(y.cols == table.weight.cols && y.rows <= table.weight.rows);
  on(ops::AddTable<Scalar<On>>{{on.rows(), y.rows, y.cols}, table.weight, y});
}

/// y[i] = x[*first + i]; `first` (null means 0) is read when the program runs.
template <class On>
void copy_rows(On& on, View<const Scalar<On>> x, const Index* first, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(x.cols == y.cols);
  on(ops::CopyRows<Scalar<On>>{{on.rows(), y.rows, y.cols}, x, first, y});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_EMBEDDING_HPP
