// The sequence of splits, piece by piece.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dsvl/text/pretokenizer.hpp"
#include "tokenizers.hpp"

using namespace dsvl;

namespace {

std::vector<std::string> pieces(std::string_view text) {
  std::vector<std::uint8_t> classes(text.size());
  pretokenizer::classify(text, classes);
  std::vector<std::string> out;
  pretokenizer::split(classes, 0, text.size(),
                      [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); });
  return out;
}

using Pieces = std::vector<std::string>;

// An independent reading of the specification: every step as a search for its pattern at each character in turn.
std::vector<std::u32string> naive(const std::u32string& text) {
  using unicode::classify;
  const auto run = [](const std::u32string& s, std::size_t at, int set) {
    std::size_t n = at;
    while (n < s.size() && (classify(s[n]) & set)) ++n;
    return n - at;
  };
  using Run = decltype(run);
  using Text = const std::u32string&;
  using Match = std::size_t (*)(Text, std::size_t, const Run&);  // length of the match at a place, 0: none
  static constexpr Match kSteps[] = {
      [](Text s, std::size_t at, const Run&) -> std::size_t { return s[at] == '\r' || s[at] == '\n'; },
      [](Text s, std::size_t at, const Run& f) -> std::size_t {
        const std::size_t after = f(s, at + 1, unicode::kLetter);
        return after && (classify(s[at]) & unicode::kSpace) ? 1 + after : f(s, at, unicode::kLetter);
      },
      [](Text s, std::size_t at, const Run& f) -> std::size_t {
        const std::size_t after = f(s, at + 1, unicode::kPunct);
        return after && (classify(s[at]) & unicode::kSpace) ? 1 + after : f(s, at, unicode::kPunct);
      },
      [](Text s, std::size_t at, const Run& f) -> std::size_t {
        const std::size_t n = f(s, at, unicode::kSpace);
        return at + n == s.size() ? n : 0;
      },
      [](Text s, std::size_t at, const Run& f) -> std::size_t { return f(s, at, unicode::kCjkChar); },
      [](Text s, std::size_t at, const Run&) -> std::size_t { return (classify(s[at]) & unicode::kNumber) != 0; }};
  std::vector<std::u32string> now{text};
  for (const Match match : kSteps) {
    std::vector<std::u32string> next;
    for (const std::u32string& piece : now) {
      std::u32string gap;
      for (std::size_t at = 0; at < piece.size();) {
        const std::size_t n = match(piece, at, run);
        if (n == 0) { gap += piece[at++]; continue; }
        if (!gap.empty()) next.push_back(std::exchange(gap, {}));
        next.push_back(piece.substr(at, n));
        at += n;
      }
      if (!gap.empty()) next.push_back(gap);
    }
    now = next;
  }
  return now;
}

}  // namespace

TEST_CASE("each step splits what the steps before have left") {
  CHECK(pieces("Hello, world!") == Pieces{"Hello", ",", " world", "!"});
  CHECK(pieces("café naïve") == Pieces{"caf", "é", " na", "ï", "ve"});
  CHECK(pieces("(x") == Pieces{"(", "x"});
  CHECK(pieces("\n\n \r") == Pieces{"\n", "\n", " ", "\r"});
  CHECK(pieces("3333 4") == Pieces{"3", "3", "3", "3", " ", "4"});
  CHECK(pieces("x　y") == Pieces{"x", "　", "y"});  // U+3000 joins y in step 2, stays in 3, leaves in 5
  CHECK(pieces("　") == Pieces{"　"});
  CHECK(pieces("a   b  ") == Pieces{"a", "  ", " b", "  "});
  CHECK(pieces("１２③½") == Pieces{"１", "２", "③", "½"});
  CHECK(pieces("天天1天") == Pieces{"天天", "1", "天"});
  CHECK(pieces("😁😁!") == Pieces{"😁😁", "!"});
  CHECK(pieces("").empty());
}

TEST_CASE("random texts split exactly as a naive search for each pattern does") {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    const std::string text = test::random_text(random, random.below(40));
    std::u32string characters;
    for (std::size_t at = 0; at < text.size(); at += utf8::read(text, at).bytes)
      characters += utf8::read(text, at).code;
    Pieces want;
    for (const std::u32string& piece : naive(characters)) {
      want.emplace_back();
      for (const char32_t c : piece) utf8::append(want.back(), c);
    }
    CHECK(pieces(text) == want);
  }
}

TEST_CASE("tables are sorted, with gaps, and know the odd members") {
  const std::span<const unicode::CodepointRange> tables[] = {unicode::kLetters, unicode::kPunctuation, unicode::kCjk,
                                                    unicode::kSpaces, unicode::kNumbers};
  for (const auto table : tables)
    for (std::size_t i = 0; i < table.size(); ++i) {
      CHECK(table[i].first <= table[i].last);
      if (i > 0) CHECK(table[i].first > table[i - 1].last + 1);
    }
  for (const char32_t no_letter : {U'\u00AA', U'\u00BA', U'\u01BB', U'\u01C0', U'\u0561'})
    CHECK_FALSE((unicode::classify(no_letter) & unicode::kLetter));
  CHECK((unicode::classify(U'\u3000') & (unicode::kSpace | unicode::kPunct | unicode::kCjkChar)) ==
        (unicode::kSpace | unicode::kPunct | unicode::kCjkChar));
  CHECK((unicode::classify(U'Q') & unicode::kPunct));
  CHECK((unicode::classify(U'Ⅻ') & unicode::kNumber));
  CHECK_FALSE((unicode::classify(U'\u200B') & unicode::kSpace));
}
