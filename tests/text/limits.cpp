// The limits of tokenizers and stop strings, each from both sides.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "dsvl/text/stop.hpp"
#include "tokenizers.hpp"

using namespace dsvl;

namespace {

/// A tokenizer with all bytes, and an added token of so many bytes with that id.
Status with_added(std::size_t bytes, std::size_t id) {
  std::vector<std::string> symbols;
  for (char32_t letter = 0; letter < 0x180; ++letter) {
    if (kByteAlphabet.byte(letter) < 0) continue;
    symbols.emplace_back();
    utf8::append(symbols.back(), letter);
  }
  const std::vector<std::string_view> tokens(symbols.begin(), symbols.end());
  const std::string added(bytes, 'x');
  const TokenizerSpec::Added more{static_cast<std::int32_t>(id), added};
  TokenizerSpec spec;
  spec.tokens = tokens;
  spec.added = {&more, 1};
  return Tokenizer::build(spec).error();
}

}  // namespace

TEST_CASE("an added token has up to 512 bytes, and there are up to 2^20 ids") {
  CHECK(with_added(kMaxAddedToken, 300).ok());
  CHECK(with_added(kMaxAddedToken + 1, 300).code() == Code::bad_file);
  CHECK(with_added(3, kMaxVocabulary - 1).ok());
  CHECK(with_added(3, kMaxVocabulary).code() == Code::limit);
}

TEST_CASE("stop strings are taken up to their number, and up to their bytes together") {
  StopStrings stops;
  REQUIRE(stops.ready());
  const auto set = [&](std::size_t count, std::size_t bytes) {
    std::vector<std::string> list(count, "x");
    list.back() += std::string(bytes - count, 'y');
    return stops.set(list).code();
  };
  CHECK(set(StopStrings::kMost, 100) == Code::ok);
  CHECK(set(StopStrings::kMost + 1, 100) == Code::limit);
  CHECK(set(2, StopStrings::kMostBytes) == Code::ok);
  CHECK(set(2, StopStrings::kMostBytes + 1) == Code::limit);
}
