// What dsvl-game is made of: how it counts times, which memory it draws into, and what the character says of a frame.
#include "../../examples/game/character.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <random>

#include "../../examples/game/report.hpp"

using namespace game;

TEST_CASE("quantiles of a histogram are those of the sorted times, rounded up to a hundredth") {
  std::mt19937 random(7);
  std::vector<double> times(2000);
  Histogram histogram;
  for (double& ms : times) histogram.add(ms = std::uniform_real_distribution<double>(0, 20)(random));
  std::sort(times.begin(), times.end());
  for (const double q : {0.5, 0.99, 0.999}) {
    const double exact = times[static_cast<std::size_t>(q * 2000) - 1];
    CHECK(histogram.quantile(q) >= exact);
    CHECK(histogram.quantile(q) <= exact + 0.01 + 1e-9);
  }
  CHECK(histogram.longest() == times.back());
  CHECK(histogram.quantile(1) == times.back());
}

TEST_CASE("times beyond what a histogram shows count as longer than any limit") {
  Histogram histogram;
  for (const double ms : {1.0, 2.0, 3.0, 400.0}) histogram.add(ms);
  CHECK(histogram.share_beyond(2.5) == 0.5);
  CHECK(histogram.share_beyond(40) == 0.25);
  CHECK(histogram.between(1, 3) == 2);
  CHECK(histogram.quantile(0.99) == 400);
  CHECK(Histogram().quantile(0.5) == 0);
}

TEST_CASE("bars tell what was reached and what was not, in every report") {
  Measurements m;
  for (int i = 0; i < 100; ++i) m.answering.add(4), m.step_cpu.add(2.1), m.step_wall.add(i < 3 ? 6 : 2.1);
  const auto bars = bars_of(m);
  REQUIRE(bars.size() == 3);
  CHECK(bars[0].is_reached());
  CHECK(bars[1].is_reached());
  CHECK_FALSE(bars[2].is_reached());  // 3 % by the clock
  CHECK(report_text(m).find("3.00 %, limit 2.0: NOT REACHED") != std::string::npos);
  CHECK(report_json(m).find(R"("value":3,"limit":2,"unit":"%","reached":false)") != std::string::npos);
  CHECK(report_svg(m).find("with an answer: 100 frames, p50 4.00") != std::string::npos);
  m.step_cpu.add(2.51);
  CHECK_FALSE(bars_of(m)[1].is_reached());
}

TEST_CASE("lines are broken between words, and no word is lost") {
  const std::string text = "A small blue square at the top right and a small red triangle in the center.";
  std::string wrapped = wrap(text, 2, 200);
  CHECK(std::count(wrapped.begin(), wrapped.end(), '\n') > 2);
  std::replace(wrapped.begin(), wrapped.end(), '\n', ' ');
  CHECK(wrapped == text);
  CHECK(wrap("incomprehensibilities", 2, 10) == "incomprehensibilities");
  CHECK(wrap("", 2, 10).empty());
}

TEST_CASE("a frame that is looked at is not drawn into") {
  Screen screen(false);
  REQUIRE(screen.is_open());
  Frame& first = screen.next();
  CHECK(&screen.next() == &first);
  first.held = true;
  CHECK(&screen.next() != &first);
  first.held = false;
  CHECK(&screen.next() == &first);
}

namespace {

/// The sky of some seed in a frame, whole.
void draw(const Sky& sky, Frame& frame) {
  frame.canvas().fill({0, 0, kWidth, kHeight}, {0, 0, 0, 255});
  sky.draw(frame.canvas());
  frame.finish();
}

/// What a character says of ten skies, and how much of that is true; the screen is blank as soon as it may be.
std::pair<std::string, int> look(const dsvl::Model& model, bool nv12) {
  auto character = Character::wake(model);
  REQUIRE(character);
  Screen screen(nv12);
  std::string said;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Sky sky(seed);
    Frame& frame = screen.next();
    draw(sky, frame);
    character->look(frame, sky.next_question());
    CHECK(frame.held);
    while (character->is_busy()) {
      character->think(std::chrono::microseconds(500));
      Frame& other = screen.next();
      CHECK((&other == &frame) == !frame.held);
      other.canvas().fill({0, 0, kWidth, kHeight}, {255, 255, 255, 255});
      other.finish();
    }
    CHECK_FALSE(frame.held);
    REQUIRE(character->status().ok());
    said += character->words() + '\n';
  }
  CHECK(character->answered() == 10);
  return {said, character->right()};
}

}  // namespace

TEST_CASE("the character says what was on the screen when it looked, in RGBA and in NV12") {
  const Sdl sdl;
  dsvl::LoadOptions load;
  load.threads = 1;
  const auto model = dsvl::Model::load("examples/models/tiny-vl", load);
  REQUIRE(model);
  const auto [rgba, rgba_right] = look(*model, false);
  const auto [nv12, nv12_right] = look(*model, true);
  INFO(rgba << nv12);
  CHECK(rgba_right >= 8);
  CHECK(nv12_right >= 8);
  CHECK(rgba.find("A large ") != std::string::npos);  // all of it is described
}
