// Eigen beside dsvl: every tensor as an Eigen::Map, and what lies in Eigen's memory as a View. Nothing is copied.
//
//   const auto features = dsvl::eigen::map(x);                          // a View (tokens, hidden) as an expression
//   const float similarity = features.row(3).dot(features.row(9));
//   DSVL_TRY(tokens, dsvl::eigen::view(my_matrix.middleRows(8, 64)));   // and back: any component reads or writes it
//
// Optional: the library does not need Eigen, and dsvl.hpp does not include this. Written for Eigen 3.4 and 5. No
// EIGEN_* macro is set here, so it agrees with whatever the host chose; alignment is never promised to Eigen.
#ifndef DSVL_EIGEN_HPP
#define DSVL_EIGEN_HPP

#include "base/host_macros_push.hpp"

#include <Eigen/Core>
#include <cstdint>
#include <type_traits>

#include "base/status.hpp"
#include "base/view.hpp"
#include "kernels/dispatch.hpp"

DSVL_BEGIN_NAMESPACE
namespace eigen {

/// How dsvl lays out activations and weights. T may be const.
template <class T>
using RowMajor = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using MaybeConst = std::conditional_t<std::is_const_v<T>, const RowMajor<T>, RowMajor<T>>;
template <class T>
using Map = Eigen::Map<MaybeConst<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// For functions of a host that take rows by reference, as dsvl takes a View: row-major blocks, maps and matrices pass
/// without a copy. (Of a const one Eigen may make a copy; view() refuses to outlive it.)
template <class T>
using Ref = Eigen::Ref<MaybeConst<T>, 0, Eigen::OuterStride<>>;

// --- from dsvl to Eigen --------------------------------------------------------------------------

/// (rows, cols) over the view's memory, good as long as that is.
template <class T>
[[nodiscard]] Map<T> map(View<T> x) noexcept {
  return Map<T>(x.data, x.rows, x.cols, Eigen::OuterStride<>(x.stride));
}

/// One channel of a picture as (height, width).
template <class T>
[[nodiscard]] Map<T> map(Volume<T> picture, Index channel) noexcept {
  DSVL_ASSERT(channel >= 0 && channel < picture.channels);
  return map(View<T>(picture.row(channel, 0), picture.height, picture.width));
}

/// An f32 weight where it lies. Code unsupported for what can not be mapped as floats: other formats, weights of
/// several blocks (q, k and v of the HF layout), and data at an odd address. unpack() copies any weight.
[[nodiscard]] inline Result<Map<const float>> map(const Matrix& weight) noexcept {
  if (weight.format != Format::f32)
    return fail(Code::unsupported, "a weight of format %s can not be mapped as float", name(weight.format).data());
  if (weight.block_count != 1)
    return fail(Code::unsupported, "a weight of %d blocks can not be mapped as one", weight.block_count);
  const auto* const data = reinterpret_cast<const float*>(weight.blocks[0].data);
  if (reinterpret_cast<std::uintptr_t>(data) % alignof(float) != 0)
    return fail(Code::unsupported, "a weight that is not aligned to %zu bytes can not be mapped as float",
                alignof(float));
  return map(View<const float>(data, weight.rows, weight.cols));
}

/// Copies a weight of any format into floats of the same shape, exactly. Code bad_shape.
[[nodiscard]] inline Status unpack(const Matrix& weight, View<float> to) noexcept {
  if (to.rows != weight.rows || to.cols != weight.cols)
    return fail(Code::bad_shape, "a weight of %td x %td does not fit into %td x %td", weight.rows, weight.cols, to.rows,
                to.cols);
  for (Index r = 0; r < weight.rows; ++r)
    active_kernels<float>().unpack(weight.row(r), to.row(r), to.cols);
  return {};
}

// --- from Eigen to dsvl --------------------------------------------------------------------------

namespace detail {

template <class X>
struct IsConstRef : std::false_type {};
template <class Plain, int options, class Stride>
struct IsConstRef<Eigen::Ref<const Plain, options, Stride>> : std::true_type {};

/// Whether a temporary of type X takes its memory with it when it goes.
template <class X>
inline constexpr bool kOwns = std::is_base_of_v<Eigen::PlainObjectBase<X>, X> || IsConstRef<X>::value;

}  // namespace detail

/// The memory of an Eigen expression as a View: of a RowMajor matrix, of a Map, Ref or block of one, or of a vector (a
/// column vector has rows of one element). View<const T> when the expression is const. Good as long as that memory is.
///
/// Fails  bad_shape when elements of a row are not next to one another, or rows overlap. Does not compile for what does
///        not lie in memory (a sum), for column-major matrices (their transpose() is row-major), and for temporaries
///        that own their memory.
template <class X>
[[nodiscard]] auto view(X&& x) noexcept {
  using Plain = std::remove_cvref_t<X>;
  constexpr bool kColumn = Plain::ColsAtCompileTime == 1;
  constexpr unsigned kFlags = static_cast<unsigned>(Plain::Flags);
  static_assert((kFlags & Eigen::DirectAccessBit) != 0, "the expression does not lie in memory: evaluate it first");
  static_assert(kColumn || (kFlags & Eigen::RowMajorBit) != 0, "dsvl is row-major: use RowMajor, or transpose()");
  static_assert(std::is_lvalue_reference_v<X> || !detail::kOwns<Plain>, "the temporary would take its memory along");
  using T = std::remove_pointer_t<decltype(x.data())>;
  const Index rows = x.rows(), cols = x.cols();
  const Index inner = kColumn ? 1 : x.innerStride();
  const Index outer = rows <= 1 ? cols : kColumn ? x.innerStride() : x.outerStride();
  if (cols > 1 && inner != 1)
    return Result<View<T>>(fail(Code::bad_shape, "an Eigen expression has its columns %td apart, dsvl needs 1", inner));
  if (outer < cols)
    return Result<View<T>>(
        fail(Code::bad_shape, "an Eigen expression has rows of %td elements, but only %td apart", cols, outer));
  return Result<View<T>>(View<T>(x.data(), rows, cols, outer));
}

}  // namespace eigen
DSVL_END_NAMESPACE

#include "base/host_macros_pop.hpp"

#endif  // DSVL_EIGEN_HPP
