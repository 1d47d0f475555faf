// The Eigen adapter, and through it Eigen as one more oracle for the components.
#if defined(__GNUC__) && !defined(__clang__)  // GCC 12 warns about its own AVX-512 header wherever Eigen uses it (PR 105593)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <dsvl/eigen.hpp>
#include <dsvl/nn/attention.hpp>
#include <dsvl/nn/linear.hpp>
#include <dsvl/nn/norm.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using eigen::RowMajor;

namespace {

RowMajor<float> random(Index rows, Index cols, std::uint64_t seed) {
  RowMajor<float> out(rows, cols);
  const auto values = test::noise(static_cast<std::size_t>(rows * cols), seed);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}
template <class X>
auto must_view(X&& x) {
  auto v = eigen::view(std::forward<X>(x));
  if (!v) FAIL(std::string(v.error().text()));
  return *v;
}

}  // namespace

TEST_CASE("a view is an Eigen expression over the same memory, and may be written through it") {
  float data[30];
  for (int i = 0; i < 30; ++i) data[i] = static_cast<float>(i);
  const View<float> v(data + 1, 3, 5, 8);
  auto m = eigen::map(v);
  CHECK((m.rows() == 3 && m.cols() == 5));
  CHECK(m(2, 4) == 21);
  m.row(1) *= 2;
  CHECK(v.row(1)[0] == 18);
  const auto constant = eigen::map(View<const float>(v));
  CHECK(constant.sum() == m.sum());
  static_assert(!std::is_assignable_v<decltype(constant(0, 0)), float>);
}

TEST_CASE("a channel of a picture is a map of height and width") {
  double data[24];
  for (int i = 0; i < 24; ++i) data[i] = i;
  const Volume<double> picture(data, 2, 3, 4);
  CHECK(eigen::map(picture, 1)(2, 3) == 23);
  CHECK(eigen::map(Volume<const double>(picture), 0)(1, 0) == 4);
}

TEST_CASE("an aligned f32 weight of one block is mapped, others say why not and are unpacked") {
  const float data[] = {1, 2, 3, 4, 5, 6, 7};
  const Matrix plain(Format::f32, data, 2, 3);
  const auto m = eigen::map(plain);
  REQUIRE(m);
  CHECK((m->data() == data && (*m)(1, 2) == 6));
  Matrix stacked = plain;
  REQUIRE(stacked.stack({Format::f32, data + 1, 1, 3}));
  const Matrix odd(Format::f32, reinterpret_cast<const char*>(data) + 2, 2, 3), narrow(Format::bf16, data, 2, 3);
  for (const Matrix& bad : {stacked, odd, narrow}) CHECK(eigen::map(bad).error().code() == Code::unsupported);
  for (const Format format : {Format::f32, Format::bf16, Format::f16}) {
    test::Weights w(2, format);
    Matrix any;
    w.matrix("w", any, 20, 33);  // three blocks at odd addresses
    RowMajor<float> out(20, 33);
    REQUIRE(eigen::unpack(any, must_view(out)).ok());
    for (Index r = 0; r < 20; ++r)
      for (Index c = 0; c < 33; ++c) CHECK(static_cast<double>(out(r, c)) == w["w"](r, c));
    CHECK(eigen::unpack(any, must_view(out.topRows(19))).code() == Code::bad_shape);
  }
}

TEST_CASE("matrices, maps, refs, blocks and vectors become views; const ones views of const") {
  RowMajor<float> m = random(6, 9, 1);
  const auto whole = eigen::view(m);
  static_assert(std::is_same_v<decltype(whole), const Result<View<float>>>);
  CHECK((whole->data == m.data() && whole->rows == 6 && whole->cols == 9 && whole->stride == 9));
  const RowMajor<float>& fixed = m;
  static_assert(std::is_same_v<decltype(eigen::view(fixed)), Result<View<const float>>>);
  const View<float> block = must_view(m.block(1, 2, 3, 4));
  CHECK((block.data == &m(1, 2) && block.rows == 3 && block.cols == 4 && block.stride == 9));
  block.row(0)[0] = 77;
  CHECK(m(1, 2) == 77);
  CHECK(must_view(fixed.middleRows(2, 2)).data == &fixed(2, 0));
  eigen::Ref<float> ref = m.rightCols(5);
  CHECK((must_view(ref).data == &m(0, 4) && must_view(ref).stride == 9));
  const eigen::Ref<const float> const_ref = m.rightCols(5);
  CHECK(must_view(const_ref).data == &m(0, 4));
  CHECK(must_view(eigen::map(block)).stride == 9);
  Eigen::VectorXf column = Eigen::VectorXf::LinSpaced(5, 0, 4);
  CHECK((must_view(column).rows == 5 && must_view(column).cols == 1 && must_view(column).row(3)[0] == 3));
  Eigen::RowVectorXd row = Eigen::RowVectorXd::LinSpaced(5, 0, 4);
  CHECK((must_view(row).rows == 1 && must_view(row).cols == 5 && must_view(row).row(0)[3] == 3));
  CHECK(must_view(m.col(4)).row(2)[0] == m(2, 4));
  CHECK(must_view(m.row(4)).row(0)[2] == m(4, 2));
  Eigen::Matrix<float, 3, 2, Eigen::RowMajor> small;
  CHECK(must_view(small).stride == 2);
  Eigen::MatrixXf by_columns(4, 3);
  CHECK((must_view(by_columns.transpose()).rows == 3 && must_view(by_columns.transpose()).stride == 4));
}

TEST_CASE("columns that are not next to one another, and rows that overlap, are refused") {
  float data[40] = {};
  using Loose = Eigen::Map<RowMajor<float>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  CHECK(eigen::view(Loose(data, 3, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(8, 2))).error().code() == Code::bad_shape);
  CHECK(eigen::view(Loose(data, 3, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(3, 1))).error().code() == Code::bad_shape);
  CHECK(eigen::view(Loose(data, 3, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(8, 1))).has_value());
  CHECK(eigen::view(Loose(data, 1, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(0, 1))).has_value());
}

TEST_CASE("components read and write Eigen's memory, and agree with Eigen's own products") {
  const RowMajor<float> w = random(40, 70, 1), x = random(20, 70, 2);
  const Eigen::RowVectorXf bias = random(1, 40, 3);
  Linear layer;
  layer.weight = Matrix(Format::f32, w.data(), 40, 70);
  layer.bias = bias.data();
  RowMajor<float> wide = RowMajor<float>::Zero(20, 60);
  Immediate<float> on(active_kernels<float>());
  linear(on, must_view(x), layer, must_view(wide.middleCols(10, 40)));
  const Eigen::MatrixXd want = (x.cast<double>() * w.cast<double>().transpose()).rowwise() + bias.cast<double>();
  CHECK((wide.middleCols(10, 40).cast<double>() - want).norm() < 2e-6 * want.norm());
  CHECK((wide.leftCols(10).isZero(0) && wide.rightCols(10).isZero(0)));
}

TEST_CASE("attention agrees with Eigen's products and softmax") {
  const HeadShape shape{2, 2, 24};
  constexpr Index kTokens = 100;
  const RowMajor<float> q = random(kTokens, 48, 1) * 3, k = random(kTokens, 48, 2), v = random(kTokens, 48, 3);
  RowMajor<float> y(kTokens, 48);
  KvSpace<float> space;
  const auto memory = test::slab([&](Arena& a) {
    space.carve_table(a, shape, 1, kTokens);
    space.carve_memory(a);
  });
  Immediate<float> on(active_kernels<float>());
  store_kv(on, must_view(k), must_view(v), shape, nullptr, space.blocks());
  attention(on, must_view(q), shape, space.blocks(), kTokens, must_view(y));
  for (Index h = 0; h < 2; ++h) {
    const Eigen::MatrixXd s = q.middleCols(24 * h, 24).cast<double>() * k.middleCols(24 * h, 24).cast<double>().transpose() / std::sqrt(24.0);
    const Eigen::MatrixXd p = (s.colwise() - s.rowwise().maxCoeff()).array().exp().matrix();
    const Eigen::MatrixXd want = p.rowwise().sum().cwiseInverse().asDiagonal() * p * v.middleCols(24 * h, 24).cast<double>();
    CHECK((y.middleCols(24 * h, 24).cast<double>() - want).norm() < 2e-6 * want.norm());
  }
}
