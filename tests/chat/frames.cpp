// Frames of cameras and videos: what is kept, what is reported, and what is asked.
#include <dsvl/chat/frames.hpp>

#include <limits>

#include "demo.hpp"

using namespace dsvl;
using namespace std::chrono_literals;

namespace {

struct Screen {
  Index width, height;
  std::vector<std::uint8_t> rgb;
  Screen(Index w, Index h, std::uint8_t level = 90) : width(w), height(h), rgb(static_cast<std::size_t>(3 * w * h), level) {}
  Screen& paint(Index x, Index y, std::uint8_t level) {
    rgb[static_cast<std::size_t>(3 * (y * width + x) + 1)] = level;
    return *this;
  }
  [[nodiscard]] Pixels pixels() const { return {rgb.data(), width, height}; }
};

bool same(const Rect& a, const Rect& b) { return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height; }

}  // namespace

TEST_CASE("a frame like the one before is not kept, and of another the changed rectangle is reported") {
  Frames frames({.most = 3});
  Screen screen(40, 30);
  const auto first = frames.add(screen.pixels(), 0ms);
  REQUIRE(first);
  CHECK(first->kept);
  CHECK(same(first->where, {0, 0, 40, 30}));
  const auto again = frames.add(screen.pixels(), 40ms);
  REQUIRE(again);
  CHECK(!again->kept);
  CHECK(again->pixels == 0);
  CHECK(frames.size() == 1);
  const auto changed = frames.add(screen.paint(7, 3, 91).paint(20, 11, 89).pixels(), 80ms);
  REQUIRE(changed);
  CHECK(changed->kept);
  CHECK(changed->pixels == 2);
  CHECK(same(changed->where, {7, 3, 14, 9}));
  CHECK(frames.size() == 2);
  CHECK(frames.time(1) == 80ms);
  CHECK(frames.add(Screen(41, 30).pixels(), 90ms)->pixels == 41 * 30);  // another size: all of it
}

TEST_CASE("what is within the tolerance is no change, and small steps add up until they are one") {
  Frames frames({.tolerance = 4});
  REQUIRE(frames.add(Screen(8, 8, 100).pixels(), 0ms));
  CHECK(!frames.add(Screen(8, 8, 103).pixels(), 1ms)->kept);
  CHECK(!frames.add(Screen(8, 8, 104).pixels(), 2ms)->kept);
  CHECK(frames.add(Screen(8, 8, 105).pixels(), 3ms)->kept);  // of the last one kept
}

TEST_CASE("a change of fewer pixels than asked for is reported and not kept, and small changes add up") {
  Frames frames({.least_share = 0.05});  // 5 of 100 pixels
  Screen screen(10, 10);
  REQUIRE(frames.add(screen.pixels(), 0ms));
  for (int i = 0; i < 4; ++i) screen.paint(i, 2, 200);
  const auto few = frames.add(screen.pixels(), 1ms);
  CHECK(!few->kept);
  CHECK(few->pixels == 4);
  CHECK(same(few->where, {0, 2, 4, 1}));
  CHECK(frames.add(screen.paint(9, 9, 200).pixels(), 2ms)->kept);
  CHECK(frames.size() == 2);
}

TEST_CASE("options out of their range are taken for the nearest in it, and a share that is no number for none") {
  Frames frames({.most = -3, .tolerance = -1, .least_share = std::numeric_limits<double>::quiet_NaN()});
  REQUIRE(frames.add(Screen(8, 8, 100).pixels(), 0ms));
  CHECK(frames.add(Screen(8, 8, 101).pixels(), 1ms)->kept);
  CHECK(frames.size() == 1);
}

TEST_CASE("the newest frames are kept, as copies, and in the formats of cameras too") {
  Frames frames({.most = 2});
  Screen screen(6, 4);
  for (int i = 0; i < 5; ++i) {
    screen.paint(i, 0, static_cast<std::uint8_t>(200 + i));
    REQUIRE(frames.add(screen.pixels(), std::chrono::milliseconds(i)));
  }
  CHECK(frames.size() == 2);
  CHECK(frames.time(0) == 3ms);
  CHECK(frames.pixels(0).data[3 * 3 + 1] == 203);
  CHECK(frames.pixels(0).data[3 * 4 + 1] == 90);
  std::vector<std::uint8_t> nv12(6 * 4 * 3 / 2, 128);
  CHECK(frames.add({nv12.data(), 6, 4, PixelFormat::nv12}, 9ms)->kept);
  CHECK(!frames.add({nv12.data(), 6, 4, PixelFormat::nv12}, 9ms)->kept);
  CHECK(frames.pixels(1).data[0] == 130);  // (128 - 16) * 255 / 219
  frames.clear();
  CHECK(frames.size() == 0);
  CHECK(frames.pictures().empty());
}

TEST_CASE("frames that are none, or whose times go back, are refused, and nothing has changed") {
  Frames frames;
  CHECK(frames.add({}, 0ms).error().code() == Code::bad_argument);
  CHECK(frames.add(Screen(4, 4).pixels(), -1ms).error().code() == Code::bad_argument);
  REQUIRE(frames.add(Screen(4, 4).pixels(), 100ms));
  CHECK(frames.add(Screen(4, 4, 1).pixels(), 99ms).error().code() == Code::bad_argument);
  CHECK(frames.size() == 1);
}

TEST_CASE("a question has all frames with their times in front of it") {
  Frames frames({.most = 3});
  Screen screen(32, 32);
  for (const auto time : {0ms, 1500ms, 83040ms}) REQUIRE(frames.add(screen.paint(3, 3, static_cast<std::uint8_t>(time / 1500ms)).pixels(), time));
  const auto text = frames.text("What has moved?");
  REQUIRE(text);
  CHECK(*text == "0:00 <image_placeholder>\n0:01.5 <image_placeholder>\n1:23.04 <image_placeholder>\nWhat has moved?");
  CHECK(frames.text("<image_placeholder>?").error().code() == Code::bad_argument);
  Session session = test::open_session();
  CHECK(frames.ask(session, "<image_placeholder>?").status().code() == Code::bad_argument);
  Answer answer = frames.ask(session, "What has moved?", {.max_tokens = 4});
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(answer.pictures().size() == 3);
  // The next question encodes the new frame only.
  session.clear();
  CHECK(!frames.add(screen.pixels(), 90000ms)->kept);
  REQUIRE(frames.add(screen.paint(9, 9, 7).pixels(), 90040ms)->kept);
  Answer next = frames.ask(session, "And now?", {.max_tokens = 4});
  REQUIRE(next.status().ok());
  REQUIRE(next.pictures().size() == 3);
  CHECK(next.pictures()[0].recognised);
  CHECK(next.pictures()[1].recognised);
  CHECK(!next.pictures()[2].recognised);
}
