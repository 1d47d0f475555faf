// The two vocabularies of the text tests, and short ways to use them.
#ifndef DSVL_TESTS_TEXT_TOKENIZERS_HPP
#define DSVL_TESTS_TEXT_TOKENIZERS_HPP

#include <doctest/doctest.h>

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dsvl/io/json.hpp"
#include "dsvl/text/prompt.hpp"
#include "dsvl/text/tokenizer_json.hpp"
#include "support.hpp"

namespace test {

inline dsvl::Result<dsvl::Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  const auto config = folder / "tokenizer_config.json";
  return dsvl::read_tokenizer_json(read_file(folder / "tokenizer.json"), "tokenizer.json",
                                   std::filesystem::exists(config) ? read_file(config) : std::string());
}

/// The vocabulary that ships with the project: 536 tokens.
inline const dsvl::Tokenizer& tiny_tokenizer() {
  static const auto t = load_tokenizer(tiny_vl());
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  return *t;
}

/// The published vocabulary of 100 016 tokens, or null when it is not here.
inline const dsvl::Tokenizer* published_tokenizer() {
  static const auto path = shared("golden/tokenizer/tokenizer.json");
  if (path.empty()) return nullptr;
  static const auto t = load_tokenizer(path.parent_path());
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  return &*t;
}

inline std::vector<std::int32_t> encode(const dsvl::Tokenizer& t, std::string_view text,
                                        dsvl::ControlTokens control = dsvl::ControlTokens::allow) {
  dsvl::Buffer<std::int32_t> ids;
  const dsvl::Status status = t.encode(text, control, ids);
  REQUIRE_MESSAGE(status.ok(), status.text());
  return {ids.begin(), ids.end()};
}

inline std::vector<std::int32_t> integers(dsvl::json::Value array) {
  std::vector<std::int32_t> out;
  for (const dsvl::json::Value v : array) out.push_back(static_cast<std::int32_t>(v.integer().value_or(-1)));
  return out;
}

inline dsvl::json::Document parse_file(const std::filesystem::path& path) {
  auto document = dsvl::json::Document::parse(read_file(path), path.string());
  REQUIRE_MESSAGE(document.has_value(), document.error().text());
  return std::move(*document);
}

/// Reproducible random numbers below `n`.
struct Random {
  std::uint64_t state = 1;
  std::size_t below(std::size_t n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<std::size_t>(state >> 33) % n;
  }
};

/// Random characters of every kind that the pre-tokenizer tells apart, and of none.
inline std::string random_text(Random& random, std::size_t characters) {
  static constexpr char32_t kSome[] = {U' ', U' ', U'\t', U'\n', U'\r', U'a', U'e', U't', U'T', U'x', U'.', U',',
                                       U'(', U'<', U'0', U'7', U'é', U'ü', U'À', U'ж', U'中', U'、', U'　', U'한',
                                       U'½', U'²', U'１', U'Ａ', U'\u2028', U'\u0308', U'😁', U'\u00A0', U'\0'};
  std::string text;
  while (characters-- > 0) {
    const std::size_t kind = random.below(8);
    const char32_t any = static_cast<char32_t>(random.below(kind == 0 ? 0x110000 : kind == 1 ? 0x3000 : 0x80));
    dsvl::utf8::append(text, kind < 3 ? any : kSome[random.below(std::size(kSome))]);
  }
  return text;
}

/// Segments and texts for messages, which are views: kept until the test program ends.
inline std::span<const dsvl::Segment> parts(std::vector<dsvl::Segment> segments) {
  static std::deque<std::vector<dsvl::Segment>> kept;
  return kept.emplace_back(std::move(segments));
}
inline std::string_view keep(std::string text) {
  static std::deque<std::string> kept;
  return kept.emplace_back(std::move(text));
}

}  // namespace test

#endif  // DSVL_TESTS_TEXT_TOKENIZERS_HPP
