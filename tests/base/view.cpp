// Views, volumes and grids.
#include <doctest/doctest.h>

#include <dsvl/base/view.hpp>

using namespace dsvl;

TEST_CASE("ranges of rows and columns of a view are views of the same memory") {
  float data[24];
  for (int i = 0; i < 24; ++i) data[i] = static_cast<float>(i);
  const View<float> all(data, 4, 5, 6);
  CHECK(all.row(2)[3] == 15);
  const View<float> part = all.row_range(1, 2).col_range(3, 2);
  CHECK((part.rows == 2 && part.cols == 2 && part.stride == 6));
  CHECK(part.row(1)[1] == 16);
  const View<const float> constant = part;
  CHECK(constant.data == part.data);
  CHECK(View<float>(data, 4, 6).stride == 6);
  static_assert(!std::is_constructible_v<View<float>, View<const float>>);
  static_assert(!std::is_constructible_v<View<const double>, View<float>>);
}

TEST_CASE("a volume is channels first") {
  float data[24];
  for (int i = 0; i < 24; ++i) data[i] = static_cast<float>(i);
  const Volume<float> v(data, 2, 3, 4);
  CHECK(v.size() == 24);
  CHECK(*v.row(1, 2) == 20);
  const Volume<const float> constant = v;
  CHECK(constant.row(1, 2) == v.row(1, 2));
}

TEST_CASE("round_up and ceil_div") {
  static_assert(round_up(0, 16) == 0 && round_up(1, 16) == 16 && round_up(16, 16) == 16 && round_up(17, 16) == 32);
  static_assert(ceil_div(0, 5) == 0 && ceil_div(1, 5) == 1 && ceil_div(5, 5) == 1 && ceil_div(6, 5) == 2);
  static_assert(Grid{3, 4}.tokens() == 12 && Grid{3, 4} != Grid{4, 3});
}
