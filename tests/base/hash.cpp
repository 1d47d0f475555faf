// Pictures are recognised by what they show.
#include <doctest/doctest.h>

#include <dsvl/base/hash.hpp>
#include <random>
#include <set>
#include <utility>
#include <vector>

using namespace dsvl;

namespace {

std::vector<std::uint8_t> rgb_bytes(Index width, Index height) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(3 * width * height));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * 37 + i / 7);
  return out;
}
Pixels rgb(const std::vector<std::uint8_t>& bytes, Index width, Index height) { return {bytes.data(), width, height, PixelFormat::rgb, 0}; }

}  // namespace

TEST_CASE("layout, stride and direction of the rows do not count, nor does alpha") {
  for (const Index width : {4, 5}) {
    constexpr Index kHeight = 3;
    const auto plain = rgb_bytes(width, kHeight);
    const ContentHash want = hash_pixels(rgb(plain, width, kHeight));
    for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra})
      for (const Index padding : {0, 11})
        for (const bool bottom_up : {false, true}) {
          const Index step = channels(format), stride = width * step + padding;
          std::vector<std::uint8_t> other(static_cast<std::size_t>(stride * kHeight), 0xEE);
          const bool swapped = format == PixelFormat::bgr || format == PixelFormat::bgra;
          for (Index y = 0; y < kHeight; ++y)
            for (Index x = 0; x < width; ++x)
              for (Index c = 0; c < 3; ++c)
                other[static_cast<std::size_t>((bottom_up ? kHeight - 1 - y : y) * stride + x * step + (swapped ? 2 - c : c))] =
                    plain[static_cast<std::size_t>((y * width + x) * 3 + c)];
          const Pixels p = bottom_up ? Pixels{other.data() + (kHeight - 1) * stride, width, kHeight, format, -stride}
                                     : Pixels{other.data(), width, kHeight, format, stride};
          CHECK(hash_pixels(p) == want);
        }
  }
}

TEST_CASE("a gray picture hashes like the same picture in colour") {
  const std::uint8_t gray[] = {1, 2, 3, 200, 5, 6}, colour[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 200, 200, 200, 5, 5, 5, 6, 6, 6};
  CHECK(hash_pixels({gray, 3, 2, PixelFormat::gray, 0}) == hash_pixels({colour, 3, 2, PixelFormat::rgb, 0}));
}

TEST_CASE("any changed value, any exchange of rows, and any other size changes the hash") {
  auto bytes = rgb_bytes(5, 4);
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  const auto add = [&](Index width, Index height) {
    const ContentHash h = hash_pixels(rgb(bytes, width, height));
    CHECK(seen.insert({h.a, h.b}).second);
  };
  add(5, 4), add(4, 5), add(10, 2), add(20, 1), add(1, 20), add(5, 3);
  for (std::uint8_t& b : bytes)
    for (const int bit : {0, 3, 7}) {
      b = static_cast<std::uint8_t>(b ^ 1 << bit);
      add(5, 4);
      b = static_cast<std::uint8_t>(b ^ 1 << bit);
    }
  std::swap_ranges(bytes.begin(), bytes.begin() + 15, bytes.begin() + 15);
  add(5, 4);
  CHECK(seen.size() == 6 + 60 * 3 + 1);
}

TEST_CASE("however a picture is cut into rows, its hash is that of the whole") {
  std::mt19937 random(3);
  for (const Index width : {1, 4, 7})
    for (const Index height : {1, 2, 9})
      for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::bgra, PixelFormat::gray}) {
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(width * height * channels(format)));
        for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
        const Pixels pixels{bytes.data(), width, height, format, 0};
        const ContentHash want = hash_pixels(pixels);
        for (int round = 0; round < 20; ++round) {
          PixelHasher hasher(pixels);
          while (!hasher.done()) hasher.advance(1 + static_cast<Index>(random() % 20));
          CHECK(hasher.hash() == want);
          hasher.advance(100);
          CHECK(hasher.hash() == want);
        }
      }
}

TEST_CASE("each advance reads whole rows, as many as hold the pixels asked for, and no row is forgotten") {
  const auto bytes = rgb_bytes(5, 6);
  struct Cut { Index pixels; int calls; };
  for (const Cut cut : {Cut{1, 6}, {5, 6}, {6, 3}, {10, 3}, {11, 2}, {29, 1}, {1000, 1}}) {
    PixelHasher hasher(rgb(bytes, 5, 6));
    int calls = 0;
    for (; !hasher.done(); ++calls) {
      CHECK_FALSE(hasher.hash() == hash_pixels(rgb(bytes, 5, 6)));
      hasher.advance(cut.pixels);
      hasher.advance(0);
    }
    CHECK(calls == cut.calls);
    CHECK(hasher.hash() == hash_pixels(rgb(bytes, 5, 6)));
  }
  CHECK(PixelHasher().done());
}
