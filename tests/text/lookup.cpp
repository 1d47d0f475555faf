// Guesses from where the last few ids stood before.
#include <doctest/doctest.h>

#include <algorithm>
#include <dsvl/text/lookup.hpp>
#include <random>
#include <vector>

using namespace dsvl;
using Ids = std::vector<std::int32_t>;

namespace {

Ids guess(const Ids& history, const Ids& source, Index most, Index longest = 4, Index shortest = 2) {
  const auto found = look_up(history, source, most, longest, shortest);
  return {found.begin(), found.end()};
}

/// The definition: every end of the history, from the longest on, against every place of the source, from the last on.
Ids wanted(const Ids& history, const Ids& source, std::size_t most, std::size_t longest, std::size_t shortest) {
  for (std::size_t n = longest; n >= shortest; --n) {
    if (n > history.size()) continue;
    const Ids end(history.end() - static_cast<std::ptrdiff_t>(n), history.end());
    for (std::size_t behind = source.size(); behind-- > n;) {
      const auto at = source.begin() + static_cast<std::ptrdiff_t>(behind);
      if (Ids(at - static_cast<std::ptrdiff_t>(n), at) != end) continue;
      return {at, at + static_cast<std::ptrdiff_t>(std::min(most, source.size() - behind))};
    }
  }
  return {};
}

}  // namespace

TEST_CASE("the ids that followed the same end are guessed, at most as many as asked for") {
  const Ids source = {1, 2, 3, 4, 5, 6};
  CHECK(guess({9, 2, 3}, source, 2) == Ids{4, 5});
  CHECK(guess({9, 2, 3}, source, 10) == Ids{4, 5, 6});
  CHECK(guess({9, 2, 3}, source, 0).empty());
  CHECK(guess({9, 9, 3}, source, 2).empty());
  CHECK(guess({9, 9, 3}, source, 2, 4, 1) == Ids{4, 5});
}

TEST_CASE("a longer end counts before a later place, and of equal ends the latest place") {
  const Ids source = {7, 1, 2, 3, 50, 8, 2, 3, 60, 9, 2, 3, 70};
  CHECK(guess({1, 2, 3}, source, 1) == Ids{50});
  CHECK(guess({5, 2, 3}, source, 1) == Ids{70});
  CHECK(guess({1, 2, 3}, source, 1, 2) == Ids{70});
  CHECK(guess({8, 2, 3}, source, 1, 3, 3) == Ids{60});
  CHECK(guess({5, 2, 3}, source, 1, 3, 3).empty());
}

TEST_CASE("a history is looked up in itself, and its own end is no guess") {
  CHECK(guess({1, 2, 3, 1, 2}, {1, 2, 3, 1, 2}, 5) == Ids{3, 1, 2});
  CHECK(guess({1, 2}, {1, 2}, 5).empty());
  CHECK(guess({4, 4, 4, 4}, {4, 4, 4, 4}, 5) == Ids{4});
  CHECK(guess({0, 1, 2}, {0, 1, 2}, 5).empty());
}

TEST_CASE("too little history and too little to look in are no guess") {
  CHECK(guess({}, {1, 2, 3}, 5, 4, 1).empty());
  CHECK(guess({2}, {1, 2, 3}, 5).empty());
  CHECK(guess({2}, {1, 2, 3}, 5, 4, 1) == Ids{3});
  CHECK(guess({1, 2, 3}, {}, 5, 4, 1).empty());
  CHECK(guess({1, 2, 3}, {3}, 5, 4, 1).empty());
}

TEST_CASE("any history in any source gives what the definition says, from the source's own memory") {
  std::mt19937 random(4);
  int guesses = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto any = [&](std::size_t size) {
      Ids out(size);
      for (std::int32_t& id : out) id = static_cast<std::int32_t>(random() % 3);
      return out;
    };
    const Ids history = any(random() % 12), other = any(random() % 20);
    const Ids& source = random() % 2 ? history : other;
    const std::size_t most = random() % 6, shortest = 1 + random() % 3, longest = shortest + random() % 4;
    const auto found =
        look_up(history, source, static_cast<Index>(most), static_cast<Index>(longest), static_cast<Index>(shortest));
    REQUIRE(Ids(found.begin(), found.end()) == wanted(history, source, most, longest, shortest));
    if (found.empty()) continue;
    ++guesses;
    CHECK((found.data() > source.data() && found.data() + found.size() <= source.data() + source.size()));
  }
  CHECK(guesses > 5000);
}
