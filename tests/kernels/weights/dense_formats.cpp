#include <doctest/doctest.h>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

TEST_CASE("unpack and add_unpacked equal the reference bit for bit at every width, misaligned too") {
  for (const Format format : kAllFormats) {
    for (const Index n : kWidths) {
      for (const Index misaligned : {0, 1, 2, 3}) {
        CAPTURE(name(format));
        CAPTURE(n);
        const auto w = weights(format, n, 21, misaligned);
        const auto start = noise(static_cast<std::size_t>(n), 2);
        std::vector<float> got = start, want = start;
        float_kernels().add_unpacked({format, w.data() + misaligned, 0}, got.data(), n);
        reference_kernels<float>().add_unpacked({format, w.data() + misaligned, 0}, want.data(), n);
        CHECK(same_bits(got, want));
        float_kernels().unpack({format, w.data() + misaligned, 0}, got.data(), n);
        reference_kernels<float>().unpack({format, w.data() + misaligned, 0}, want.data(), n);
        CHECK(same_bits(got, want));
      }
    }
  }
}
