// Weights in blocks of rows.
#include <doctest/doctest.h>

#include <dsvl/base/matrix.hpp>

using namespace dsvl;

TEST_CASE("stacked matrices are one, and a row is found in whichever block it lies") {
  float q[6] = {}, k[2] = {}, v[4] = {};
  Matrix m;
  CHECK(m.empty());
  REQUIRE(m.stack({Format::f32, q, 3, 2}));
  REQUIRE(m.stack({Format::f32, k, 1, 2}));
  REQUIRE(m.stack({Format::f32, v, 2, 2}));
  CHECK((m.rows == 6 && m.cols == 2 && m.block_count == 3 && m.bytes() == 48));
  const auto at = [](const float* p) { return reinterpret_cast<const std::byte*>(p); };
  CHECK(m.row(0) == at(q));
  CHECK(m.row(2) == at(q + 4));
  CHECK(m.row(3) == at(k));
  CHECK(m.row(4) == at(v));
  CHECK(m.row(5) == at(v + 2));
}

TEST_CASE("what differs in format or width is not stacked, nor is a fourth block, and nothing changes then") {
  const float x[8] = {};
  Matrix m(Format::f32, x, 2, 2);
  CHECK_FALSE(m.stack({Format::bf16, x, 2, 2}));
  CHECK_FALSE(m.stack({Format::f32, x, 2, 3}));
  REQUIRE(m.stack({Format::f32, x, 2, 2}));
  REQUIRE(m.stack({Format::f32, x, 2, 2}));
  CHECK_FALSE(m.stack({Format::f32, x, 2, 2}));
  CHECK((m.rows == 6 && m.block_count == 3));
}

TEST_CASE("rows of 16-bit formats are half as long") {
  static_assert(row_bytes(Format::f32, 5) == 20 && row_bytes(Format::bf16, 5) == 10 && row_bytes(Format::f16, 5) == 10);
  for (int f = 0; f < kFormats; ++f) CHECK(name(static_cast<Format>(f)) != "unknown");
}
