// Stop strings: what is shown, what is held back.
#include <doctest/doctest.h>

#include <string>

#include "dsvl/text/stop.hpp"
#include "tokenizers.hpp"

using namespace dsvl;

namespace {

StopStrings make(const std::vector<std::string>& stops) {
  StopStrings made;
  REQUIRE(made.ready());
  REQUIRE(made.set(stops).ok());
  return made;
}

}  // namespace

TEST_CASE("only what can still become a stop string is held back") {
  auto stops = make({"User:", "\n\n"});
  std::string out;
  CHECK_FALSE(stops.push("The UseU", out));
  CHECK(out == "The Use");
  CHECK(stops.held() == 1);
  CHECK_FALSE(stops.push("ser", out));
  CHECK(out == "The Use");
  CHECK_FALSE(stops.push("s\n", out));
  CHECK(out == "The UseUsers");
  CHECK(stops.push("\nUser", out));
  CHECK(out == "The UseUsers");
  CHECK(stops.push("more", out));
  stops.flush(out);
  CHECK(out == "The UseUsers");
  stops.reset();
  CHECK_FALSE(stops.push("Use", out));
  stops.flush(out);
  CHECK(out == "The UseUsersUse");
}

TEST_CASE("the stop that is complete first counts, and of several at once the longest") {
  auto stops = make({"b", "abc"});
  std::string out;
  CHECK(stops.push("xabc", out));
  CHECK(out == "xa");
  stops = make({"bc", "abc"});
  out.clear();
  CHECK(stops.push("xabcd", out));
  CHECK(out == "x");
  const std::vector<std::string> empty = {"a", ""}, many(StopStrings::kMost + 1, "x"), large = {std::string(5000, 'x')};
  CHECK(stops.set(empty).code() == Code::bad_argument);
  CHECK(stops.set(many).code() == Code::limit);
  CHECK(stops.set(large).code() == Code::limit);
  const std::vector<std::string> half = {"\xA9"};  // would leave the other half of an e with an accent
  CHECK(stops.set(half).code() == Code::bad_text);
  CHECK_FALSE(make({}).push("anything", out));
  CHECK(out == "xanything");
}

TEST_CASE("the outcome does not depend on how the text is cut") {
  test::Random random;
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::string> strings(1 + random.below(3));
    for (auto& s : strings)
      for (std::size_t n = 1 + random.below(4); n > 0; --n) s += "ab"[random.below(2)];
    std::string text;
    for (std::size_t n = random.below(30); n > 0; --n) text += "aabbc"[random.below(5)];
    auto whole = make(strings), cut = make(strings);
    std::string from_whole, from_cut;
    whole.push(text, from_whole);
    whole.flush(from_whole);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = 1 + random.below(4);
      cut.push(std::string_view(text).substr(at, n), from_cut);
      at += n;
      for (const auto& s : strings) CHECK(from_cut.find(s) == std::string::npos);
      CHECK(cut.held() < 4);
    }
    cut.flush(from_cut);
    CHECK(from_cut == from_whole);
    CHECK(cut.stopped() == whole.stopped());
    CHECK(text.starts_with(from_cut));
  }
}
