// Tables of relative positions: reversed as they are, or resized first.
#include <dsvl/vision/rel_pos_table.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;

TEST_CASE("a relative table comes out last row first, exactly, when its length fits") {
  for (const Format format : {Format::f32, Format::bf16, Format::f16}) {
    test::Weights w(1, format);
    Matrix stored;
    w.matrix("t", stored, 27, 5);  // in three blocks of rows
    std::vector<float> out(27 * 5);
    resize_rel_pos_table(stored, 27, out.data());
    for (Index r = 0; r < 27; ++r)
      for (Index c = 0; c < 5; ++c) CHECK(static_cast<double>(out[static_cast<std::size_t>(r * 5 + c)]) == w["t"](26 - r, c));
  }
}

TEST_CASE("a longer or shorter table is interpolated along its length, then reversed") {
  for (const Index rows : {1, 2, 13, 39, 127})
    for (const Index stored_rows : {1, 2, 27, 127}) {
      test::Weights w(1);
      Matrix stored;
      w.matrix("t", stored, stored_rows, 3);
      std::vector<float> out(static_cast<std::size_t>(rows * 3));
      resize_rel_pos_table(stored, rows, out.data());
      const Mat want = test::resize_table(w["t"], rows);
      for (Index r = 0; r < rows; ++r)
        for (Index c = 0; c < 3; ++c)
          CHECK(static_cast<double>(out[static_cast<std::size_t>(r * 3 + c)]) == doctest::Approx(want(rows - 1 - r, c)).epsilon(1e-6));
    }
}

TEST_CASE("two points between three: the numbers of an interpolation worked by hand") {
  const float three[] = {0, 6, 12};
  float out[2];
  resize_rel_pos_table({Format::f32, three, 3, 1}, 2, out);  // at 0.25 and 1.75
  CHECK(out[1] == 1.5f);
  CHECK(out[0] == 10.5f);
}
