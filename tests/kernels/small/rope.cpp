#include <doctest/doctest.h>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

TEST_CASE("rope agrees with the reference for every head size, and a head's bits do not depend on the others") {
  for (const Index head_dim : {2, 4, 10, 12, 16, 18, 32, 34, 64, 80, 128, 256}) {
    CAPTURE(head_dim);
    const Index heads = 3;
    std::vector<float> cos(static_cast<std::size_t>(head_dim / 2)), sin(cos.size());
    for (std::size_t i = 0; i < cos.size(); ++i) {
      const double angle = 0.37 * static_cast<double>(i + 1);
      cos[i] = static_cast<float>(std::cos(angle));
      sin[i] = static_cast<float>(std::sin(angle));
    }
    const auto x = noise(static_cast<std::size_t>(heads * head_dim), 41);
    auto got = x, alone = x;
    auto want = widen(x);
    float_kernels().rope(got.data(), heads, head_dim, cos.data(), sin.data());
    reference_kernels<double>().rope(want.data(), heads, head_dim, widen(cos).data(), widen(sin).data());
    for (Index h = 0; h < heads; ++h)
      float_kernels().rope(alone.data() + h * head_dim, 1, head_dim, cos.data(), sin.data());
    CHECK(relative_error(got, want) < 1e-7);
    CHECK(same_bits(got, alone));
  }
}

TEST_CASE("rope by a quarter turn swaps the halves of a head") {
  std::vector<float> x = {1, 2, 3, 4};
  const float cos[] = {0, 0}, sin[] = {1, 1};
  float_kernels().rope(x.data(), 1, 4, cos, sin);
  CHECK(x == std::vector<float>{-3, -4, 1, 2});
}
