#include <doctest/doctest.h>

#include <dsvl/kernels/weights/interleave.hpp>

#include <string>

#include "../support.hpp"

using namespace dsvl;
using namespace test;
using kernels::scatter_block;
namespace block = kernels::block;

namespace {

/// Bytes of which no two near each other are equal.
std::vector<std::byte> any_bytes(Index count) {
  std::vector<std::byte> out(static_cast<std::size_t>(count));
  std::uint32_t state = 1;
  for (std::byte& b : out) b = static_cast<std::byte>((state = state * 1664525u + 1013904223u) >> 24);
  return out;
}

}  // namespace

TEST_CASE("rows are interleaved as they are block by block, from any address and for any number of groups") {
  for (const Format format : kQuantized)
    for (const Index groups : {1, 3})
      for (const Index blocks : {1, 2, 5})
        for (const Index misaligned : {0, 1}) {
          CAPTURE(name(format));
          CAPTURE(groups);
          CAPTURE(blocks);
          const StoredBlock stored = stored_block(format);
          const Index rows = groups * kGroupRows, cols = blocks * stored.cols, stride = row_bytes(format, cols);
          const auto from = any_bytes(rows * stride + misaligned);
          std::vector<std::byte> want(static_cast<std::size_t>(rows * stride)), got = want;
          for (Index r = 0; r < rows; ++r)
            for (Index c = 0; c < blocks; ++c)
              scatter_block(format, from.data() + misaligned + r * stride + c * (stored.bytes / stored.rows),
                            want.data() + (r - r % kGroupRows) * stride + c * stored.bytes, r % kGroupRows);
          interleave(format, from.data() + misaligned, rows, cols, got.data());
          CHECK(got == want);
        }
}

TEST_CASE("a scale or min that is infinite or NaN is seen in any row and block, and other bytes may be anything") {
  for (const Format format : kQuantized) {
    CAPTURE(name(format));
    const StoredBlock stored = stored_block(format);
    const Index rows = 2 * kGroupRows, cols = 3 * stored.cols;
    const kernels::BlockFields fields = block::fields(format);
    std::vector<std::byte> groups(static_cast<std::size_t>(rows * row_bytes(format, cols)), std::byte{0xFF});
    const auto put = [&](const kernels::BlockFields& f, int field, Index at, Index row, std::uint16_t bits) {
      std::memcpy(groups.data() + at * stored.bytes + f.field[field].place(0, row), &bits, sizeof bits);
    };
    const auto each = [&](auto&& call) {
      for (int f = 0; f < fields.count; ++f)
        for (Index at = 0; fields.field[f].word == 2 && at < 2 * 3; ++at)
          for (Index row = 0; row < kGroupRows; ++row) call(f, at, row);
    };
    each([&](int f, Index at, Index row) { put(fields, f, at, row, row % 2 ? 0x7BFF : 0xFBFF); });  // the largest halves
    CHECK(finite_scales(format, groups.data(), rows, cols));
    each([&](int f, Index at, Index row) {
      for (const auto bits : {std::uint16_t{0x7C00}, std::uint16_t{0xFC00}, std::uint16_t{0x7E01}}) {
        put(fields, f, at, row, bits);
        CHECK(!finite_scales(format, groups.data(), rows, cols));
      }
      put(fields, f, at, row, 0);
    });
    CHECK(finite_scales(format, groups.data(), rows, cols));
  }
}
