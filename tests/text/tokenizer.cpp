// The tokenizer against the reference's ids, with the vocabulary that ships and (when present) the published one.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "dsvl/io/json.hpp"
#include "dsvl/text/tokenizer_json.hpp"
#include "support.hpp"

using namespace dsvl;

namespace {

std::vector<std::int32_t> encode(const Tokenizer& t, std::string_view text, ControlTokens control) {
  Buffer<std::int32_t> ids;
  const Status status = t.encode(text, control, ids);
  REQUIRE_MESSAGE(status.ok(), status.text());
  return {ids.begin(), ids.end()};
}

std::vector<std::int32_t> integers(json::Value array) {
  std::vector<std::int32_t> out;
  for (const json::Value v : array) out.push_back(static_cast<std::int32_t>(v.integer().value_or(-1)));
  return out;
}

Result<Tokenizer> load(const std::filesystem::path& folder) {
  const auto config = folder / "tokenizer_config.json";
  return read_tokenizer_json(test::read_file(folder / "tokenizer.json"), "tokenizer.json",
                             std::filesystem::exists(config) ? test::read_file(config) : std::string());
}

const Tokenizer& tiny() {
  static const auto t = load(test::tiny_vl());
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  return *t;
}

/// The published vocabulary, or null when it is not here.
const Tokenizer* published() {
  static const auto path = test::shared("golden/tokenizer/tokenizer.json");
  if (path.empty()) return nullptr;
  static const auto t = load(path.parent_path());
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  return &*t;
}

void check_cases(const Tokenizer& t, const std::filesystem::path& path, std::size_t expected) {
  const std::string text = test::read_file(path);
  const auto cases = json::Document::parse(text, "cases");
  REQUIRE(cases.has_value());
  std::size_t passed = 0;
  for (const json::Value c : cases->root()) {
    const std::string input(c.find("text").string().value());
    CAPTURE(input);
    auto ids = encode(t, input, ControlTokens::allow);
    ids.insert(ids.begin(), t.bos().value());
    const auto want = integers(c.find("ids"));
    CHECK(ids == want);
    const std::string all = t.decode(want, {.skip_special = false, .strict_hf = true});
    const std::string some = t.decode(want, {.skip_special = true, .strict_hf = true});
    CHECK(all == c.find("decoded").string().value());
    CHECK(some == c.find("decoded_skip").string().value());
    CHECK(t.decode(want) == input.substr(0, 0) + t.decode(ids));
    passed += ids == want && all == c.find("decoded").string() && some == c.find("decoded_skip").string();
  }
  CHECK(passed == expected);
  MESSAGE(passed << " of " << cases->root().size() << " cases of " << path.filename().string());
}

}  // namespace

TEST_CASE("the published vocabulary gives the reference's ids and both decodings in all 68 own cases") {
  if (const Tokenizer* t = published()) check_cases(*t, test::data("tokenizer/cases.json"), 68);
}

TEST_CASE("the published vocabulary gives the reference's ids and both decodings in all 47 published cases") {
  const auto path = test::shared("golden/tokenizer/cases-published.json");
  if (const Tokenizer* t = published(); t && !path.empty()) check_cases(*t, path, 47);
}
