// Rotary positions against the formula in double, also far behind the positions that models are trained with.
#include <dsvl/nn/rope.hpp>

#include "../oracle.hpp"
#include "../sequence.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("rope turns the two halves of every head by position times frequency") {
  for (const Index head_dim : {2, 16, 20, 128})
    for (const Index start : {Index{0}, Index{4095}, Index{16380}, Index{1000000}})
      for (const double theta : {10000.0, 500000.0}) {
        INFO("head_dim " << head_dim << ", position " << start << ", theta " << theta);
        const Mat x = test::noise_mat(9, 3 * head_dim, 4), want = test::rope(x, head_dim, start, theta);
        test::with_kernels([&](const auto& kernels) {
          using T = test::scalar_of<decltype(kernels)>;
          RopeAngles<T> angles;
          const auto memory = test::slab([&](Arena& a) { angles.carve(a, 9, head_dim); });
          Immediate<T> on(kernels);
          Rows<T> y(x);
          const test::Sequence places(start, 9);
          rope_angles(on, &places.rows, theta, angles);
          rope(on, y, head_dim, angles);
          // std::pow of the frequency may differ in the last bit, times a million.
          test::check_near("rope", y.view(), want, sizeof(T) == 4 ? 3e-7 : 1e-10);
          CHECK(y.padding_untouched());
        });
      }
}

TEST_CASE("rope's convention is the half rotation, not the interleaved one, and position 0 changes nothing") {
  RopeAngles<double> angles;
  const auto memory = test::slab([&](Arena& a) { angles.carve(a, 2, 4); });
  Immediate<double> on(reference_kernels<double>());
  const test::Sequence places(0, 2);
  rope_angles(on, &places.rows, 10000.0, angles);
  double x[] = {1, 2, 3, 4, 1, 2, 3, 4};
  rope(on, View<double>(x, 2, 4), 4, angles);
  for (int i = 0; i < 4; ++i) CHECK(x[i] == i + 1);
  CHECK(x[4] == doctest::Approx(1 * std::cos(1.0) - 3 * std::sin(1.0)));
  CHECK(x[6] == doctest::Approx(3 * std::cos(1.0) + 1 * std::sin(1.0)));
  CHECK(x[5] == doctest::Approx(2 * std::cos(0.01) - 4 * std::sin(0.01)));
  CHECK(x[7] == doctest::Approx(4 * std::cos(0.01) + 2 * std::sin(0.01)));
}

TEST_CASE("pairs that stand side by side become halves, and give the bits of halves") {
  const Index head_dim = 20;
  const Mat x = test::noise_mat(5, 3 * head_dim, 4);
  Mat shuffled = x;
  for (Index r = 0; r < x.rows; ++r)
    for (Index h = 0; h < x.cols; h += head_dim)
      for (Index j = 0; j < head_dim / 2; ++j) {
        shuffled(r, h + 2 * j) = x(r, h + j);
        shuffled(r, h + 2 * j + 1) = x(r, h + head_dim / 2 + j);
      }
  RopeAngles<float> angles;
  const auto memory = test::slab([&](Arena& a) { angles.carve(a, 5, head_dim); });
  Immediate<float> on(active_kernels<float>());
  const test::Sequence places(77, 5);
  rope_angles(on, &places.rows, 10000.0, angles);
  Rows<float> halves(x), adjacent(shuffled);
  rope(on, halves, head_dim, angles);
  rope(on, adjacent, head_dim, angles, RotaryPairs::adjacent);
  CHECK(test::same_bits<float>(halves.view(), adjacent.view()));
}

TEST_CASE("the bits of a row's angles do not depend on the chunk it comes in") {
  RopeAngles<float> whole, one;
  const auto memory = test::slab([&](Arena& a) {
    whole.carve(a, 600, 128);
    one.carve(a, 1, 128);
  });
  Immediate<float> on(active_kernels<float>());
  const test::Sequence places(100, 600);
  rope_angles(on, &places.rows, 10000.0, whole);
  for (Index i : {0, 1, 255, 256, 599}) {
    const test::Sequence place(100 + i, 1);
    rope_angles(on, &place.rows, 10000.0, one);
    CHECK(test::same_bits<float>(one.cos, whole.cos.row_range(i, 1)));
    CHECK(test::same_bits<float>(one.sin, whole.sin.row_range(i, 1)));
  }
}
