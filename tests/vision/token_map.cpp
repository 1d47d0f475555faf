// Points and boxes of a picture as tokens, and back.
#include <dsvl/vision/token_map.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dsvl;

namespace {

bool same(const Rect& a, const Rect& b) { return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height; }

// 600 x 300 in a square of 120, 30 rows of padding above and below; four tokens a side, of 30 pixels each.
constexpr TokenMap kWide({0, 0, 600, 300}, {0, 30, 120, 60}, 120, {4, 4});

}  // namespace

TEST_CASE("a point is in the token whose cell shows it, and outside of the picture in none") {
  CHECK(kWide.token_at(0, 0) == 4);
  CHECK(kWide.token_at(149.9, 149.9) == 4);
  CHECK(kWide.token_at(150, 149.9) == 5);
  CHECK(kWide.token_at(150, 150) == 9);
  CHECK(kWide.token_at(599.9, 299.9) == 11);
  for (const auto& [x, y] : {std::pair{-0.1, 5.0}, {5.0, -0.1}, {600.0, 5.0}, {5.0, 300.0}, {std::nan(""), 5.0},
                             {5.0, std::nan("")}, {std::numeric_limits<double>::infinity(), 5.0}})
    CHECK(!kWide.token_at(x, y));
  CHECK(!TokenMap().token_at(0, 0));
}

TEST_CASE("a box is in all tokens that show some of it, cut to the picture") {
  CHECK(same(kWide.tokens_in({0, 0, 600, 300}), {0, 1, 4, 2}));
  CHECK(same(kWide.tokens_in({-1e9, -1e9, 2e9, 2e9}), {0, 1, 4, 2}));
  CHECK(same(kWide.tokens_in({150, 0, 150, 150}), {1, 1, 1, 1}));
  CHECK(same(kWide.tokens_in({149, 0, 152, 151}), {0, 1, 3, 2}));
  CHECK(same(kWide.tokens_in({300, 10, 1e-9, 1e-9}), {2, 1, 1, 1}));
  CHECK(kWide.tokens_in({600, 0, 10, 10}).width == 0);
  CHECK(kWide.tokens_in({-10, 0, 10, 10}).width == 0);
  CHECK(kWide.tokens_in({std::nan(""), 0, 10, 10}).width == 0);
  CHECK(kWide.tokens_in({0, 0, std::nan(""), 10}).width == 1);  // no size: the point at its corner
}

TEST_CASE("a token shows a part of the picture, or nothing where its cell is padding") {
  const Box box = kWide.box_of(5);
  CHECK(box.x == doctest::Approx(150));
  CHECK(box.y == doctest::Approx(0));
  CHECK(box.width == doctest::Approx(150));
  CHECK(box.height == doctest::Approx(150));
  for (const Index padding : {0, 3, 12, 15, -1, 16}) CHECK(kWide.box_of(padding).empty());
}

TEST_CASE("the tokens of what a token shows are that token, for any picture, padding and region") {
  for (const Rect& source : {Rect{0, 0, 640, 480}, {0, 0, 3, 1000}, {1200, 300, 400, 111}, {7, 9, 1, 1}})
    for (const Index side : {128, 384, 1024})
      for (const Index count : {8, 24}) {
        const double most = static_cast<double>(std::max(source.width, source.height));
        const auto scaled = [&](Index n) { return std::max<Index>(14, std::lround(static_cast<double>(n * side) / most)); };
        const Rect content{(side - scaled(source.width)) / 2, (side - scaled(source.height)) / 2, scaled(source.width),
                           scaled(source.height)};
        const TokenMap map(source, content, side, {count, count});
        Index shown = 0;
        double area = 0;
        for (Index t = 0; t < count * count; ++t) {
          const Box box = map.box_of(t);
          if (box.empty()) continue;
          ++shown;
          area += box.width * box.height;
          CHECK(box.x >= static_cast<double>(source.x) - 1e-9);
          CHECK(box.x + box.width <= static_cast<double>(source.x + source.width) + 1e-9);
          CHECK(map.token_at(box.x + box.width / 2, box.y + box.height / 2) == t);
        }
        CHECK(shown > 0);
        CHECK(area == doctest::Approx(static_cast<double>(source.width * source.height)));
        const Rect all = map.tokens_in(Box::of(source));
        CHECK(all.width * all.height == shown);
      }
}
