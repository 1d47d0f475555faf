// Rotary positions (half rotation): angles are computed once per chunk, then every layer rotates its q and k.
//
// Source: arXiv:2104.09864; transformers LlamaRotaryEmbedding (frequencies theta^(-2j / head_dim), angle = position *
// frequency).
#ifndef DSVL_NN_ROPE_HPP
#define DSVL_NN_ROPE_HPP

#include <algorithm>
#include <cmath>

#include "attention.hpp"

DSVL_BEGIN_NAMESPACE

/// The elements of a head that rotate together.
enum class RotaryPairs : unsigned char {
  halves,    ///< i and i + head_dim / 2, as in the published checkpoints
  adjacent,  ///< 2i and 2i + 1, as llama.cpp's files order the rows of q and k
};

/// Cosines and sines of the rows of a chunk: (tokens, head_dim / 2) each.
template <class T>
struct RopeAngles {
  View<T> cos, sin;

  void carve(Arena& arena, Index tokens, Index head_dim) noexcept {
    cos = arena.view<T>("rope cos", tokens, head_dim / 2);
    sin = arena.view<T>("rope sin", tokens, head_dim / 2);
  }
};

namespace ops {

/// Cosines and sines of the positions of a chunk.
template <class T>
struct RopeTable : RowWise {
  static constexpr const char* kName = "rope_angles";
  const SequenceRows* places;
  double theta;
  RopeAngles<T> angles;

  void run(const Worker<T>&, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index j = 0; j < cols; ++j) {  // in double: float angles at position 4000 are wrong in the 4th digit
      const double frequency = std::pow(theta, -static_cast<double>(j) / static_cast<double>(cols));
      for (Index i = r.first; i < r.first + r.count; ++i) {
        const double angle = static_cast<double>((*places)[i].position) * frequency;
        angles.cos.row(i)[j] = static_cast<T>(std::cos(angle));
        angles.sin.row(i)[j] = static_cast<T>(std::sin(angle));
      }
    }
  }
};

/// Rotates every head of q or k.
template <class T>
struct Rotate : RowWise {
  static constexpr const char* kName = "rope";
  View<T> x;
  Index head_dim;
  RopeAngles<T> angles;
  RotaryPairs pairs;

  [[nodiscard]] Index scratch() const noexcept { return pairs == RotaryPairs::adjacent ? head_dim : 0; }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i) {
      if (pairs == RotaryPairs::adjacent)
        for (Index h = 0; h < cols; h += head_dim) to_halves(x.row(i) + h, on.scratch);
      on.kernels.rope(x.row(i), cols / head_dim, head_dim, angles.cos.row(i), angles.sin.row(i));
    }
  }

 private:
  /// Reorders a head from pairs to halves: the first elements of all pairs, then the second ones.
  void to_halves(T* head, T* copy) const noexcept {
    std::copy_n(head, head_dim, copy);
    for (Index j = 0; j < head_dim / 2; ++j) head[j] = copy[2 * j], head[head_dim / 2 + j] = copy[2 * j + 1];
  }
};

}  // namespace ops

/// Fills `angles` for the rows' positions, which are read when the program runs.
template <class On>
void rope_angles(On& on, const SequenceRows* places, double theta, RopeAngles<Scalar<On>> angles) noexcept {
  on(ops::RopeTable<Scalar<On>>{{on.rows(), angles.cos.rows, angles.cos.cols}, places, theta, angles});
}

/// Rotates every head of x (tokens, heads * head_dim) in place: (a, b) -> (a cos - b sin, b cos + a sin). Adjacent
/// pairs become halves on the way, so that all files of the same weights give the same bits.
template <class On>
void rope(On& on, View<Scalar<On>> x, Index head_dim, RopeAngles<Scalar<On>> angles,
          RotaryPairs pairs = RotaryPairs::halves) noexcept {
  on(ops::Rotate<Scalar<On>>{{on.rows(), x.rows, x.cols}, x, head_dim, angles, pairs});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_ROPE_HPP
