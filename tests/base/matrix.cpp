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
  CHECK(m.row(0).group == at(q));
  CHECK(m.row(2).group == at(q + 4));
  CHECK(m.row(3).group == at(k));
  CHECK(m.row(4).group == at(v));
  CHECK(m.row(5).group == at(v + 2));
  CHECK(m.row(5).within == 0);
}

TEST_CASE("rows of quantised weights lie in groups of sixteen, and formats may differ from block to block") {
  std::byte q[32 * 34 * 2] = {}, v[16 * 18 * 2] = {};
  Matrix m;
  REQUIRE(m.stack({Format::q8_0, q, 32, 64}));
  REQUIRE(m.stack({Format::q4_0, v, 16, 64}));
  CHECK(m.bytes() == sizeof q + sizeof v);
  CHECK((m.row(5).group == q && m.row(5).within == 5 && m.row(5).format == Format::q8_0));
  CHECK((m.row(17).group == q + sizeof q / 2 && m.row(17).within == 1));
  CHECK((m.row(47).group == v && m.row(47).within == 15 && m.row(47).format == Format::q4_0));
  CHECK_FALSE(m.stack({Format::f32, q, 1, 64}));
  CHECK((fits(Format::q8_0, 32, 64) && !fits(Format::q8_0, 8, 64) && !fits(Format::q8_0, 32, 48)));
  CHECK((!fits(Format::q4_k, 32, 64) && fits(Format::q4_k, 16, 512) && fits(Format::f16, 3, 5)));
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

TEST_CASE("a row takes what its format's blocks take") {
  static_assert(row_bytes(Format::f32, 5) == 20 && row_bytes(Format::bf16, 5) == 10 && row_bytes(Format::f16, 5) == 10);
  static_assert(row_bytes(Format::q8_0, 64) == 68 && row_bytes(Format::q4_0, 64) == 36);
  static_assert(row_bytes(Format::q4_k, 512) == 288 && row_bytes(Format::q6_k, 512) == 420);
  for (int f = 0; f < kFormats; ++f) CHECK(name(static_cast<Format>(f)) != "unknown");
}
