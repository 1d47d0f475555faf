// Reading tokenizer.json: both spellings, what is refused and how, broken files.
#include "dsvl/text/tokenizer_json.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support.hpp"
#include "tokenizers.hpp"

using namespace dsvl;

namespace {

const std::string& file() {
  static const std::string text = test::read_file(test::tiny_vl() / "tokenizer.json");
  return text;
}

/// The shipped file with the first `from` replaced by `to`.
std::string with(std::string_view from, std::string_view to) {
  std::string text = file();
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != text.npos, from);
  return text.replace(at, from.size(), to);
}

Status read(const std::string& text, std::string_view config = {}) {
  return read_tokenizer_json(text, "t.json", config).error();
}

void refused(const std::string& text, Code code, const char* why) {
  const Status s = read(text);
  CAPTURE(s.text());
  CHECK(s.code() == code);
  CHECK(std::string(s.text()).find(why) != std::string::npos);
  CHECK(std::string(s.text()).starts_with("t.json: "));
}

}  // namespace

TEST_CASE("merges may be written as pairs or as one string") {
  std::string text = file();
  const std::size_t merges = text.find("\"merges\"");
  REQUIRE(merges != text.npos);
  std::string out = text.substr(0, merges) + "\"merges\": [";
  const auto document = json::Document::parse(text, "t");
  const char* comma = "";
  for (const json::Value m : document->root().find("model").find("merges")) {
    std::string spelled;
    for (const char c : std::string(*m[0].string()) + " " + std::string(*m[1].string()))
      spelled += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    out += comma + ("\"" + spelled + "\"");
    comma = ",";
  }
  out += "]}}";
  const auto t = read_tokenizer_json(out, "t.json");
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  const std::string sentence = "User: What is in the picture?\n\nAssistant: There are 4 bars.";
  CHECK(test::encode(*t, sentence) == test::encode(test::tiny_tokenizer(), sentence));
  CHECK(test::encode(*t, sentence).size() < sentence.size() / 2);
}

TEST_CASE("bos and eos come from tokenizer_config.json as string or object, else by their known names") {
  const auto ids = [&](std::string_view config) {
    const auto t = read_tokenizer_json(file(), "t.json", config);
    REQUIRE_MESSAGE(t.has_value(), t.error().text());
    return std::pair(t->bos(), t->eos());
  };
  CHECK(ids("") == std::pair(std::optional(533), std::optional(534)));
  CHECK(ids("{\"bos_token\": null}") == std::pair(std::optional(533), std::optional(534)));
  CHECK(ids("{\"bos_token\": \"<image_placeholder>\", \"eos_token\": {\"content\": \"!\"}}") ==
        std::pair(std::optional(535), std::optional(0)));
  CHECK(read(file(), "{\"eos_token\": \"<none>\"}").code() == Code::bad_file);
  CHECK(read(file(), "{\"eos_token\": 2}").code() == Code::bad_file);
  CHECK(read(file(), "{").code() == Code::bad_file);
}

TEST_CASE("another kind of tokenizer is refused, naming what was found") {
  refused(with("\"BPE\"", "\"Unigram\""), Code::unsupported, "Unigram");
  refused(with("[\\r\\n]", "[\\r]"), Code::unsupported, "step 0");
  refused(with("[A-Za-z", "[A-Za-y"), Code::unsupported, "step 1");
  refused(with("[!-/:-~", "[^!-/:-~"), Code::unsupported, "step 2");
  refused(with("\\\\s+$", "\\\\s+"), Code::unsupported, "step 3 of the pre-tokenizer (Split '\\s+')");
  refused(with("\"Isolated\"", "\"Removed\""), Code::unsupported, "step 0");
  refused(with("\"Digits\"", "\"Whitespace\""), Code::unsupported, "Whitespace");
  refused(with("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}"), Code::unsupported, "NFC");
  refused(with("\"dropout\": null", "\"dropout\": 0.1"), Code::unsupported, "dropout");
  refused(with("\"ignore_merges\": false", "\"ignore_merges\": true"), Code::unsupported, "ignore_merges");
  refused(with("\"lstrip\": false", "\"lstrip\": true"), Code::unsupported, "lstrip");
  refused("{}", Code::bad_file, "model");
  refused("[1]", Code::bad_file, "model");
  refused("{\"model\": {}}", Code::unsupported, "pre_tokenizer");
}

TEST_CASE("contradictions inside the file are refused by name") {
  refused(with("\"!\": 0", "\"!\": 1"), Code::bad_file, "two tokens have the id 1");
  refused(with("\"!\": 0", "\"!\": -1"), Code::bad_file, "token '!'");
  refused(with("\"!\": 0", "\"!\": 4000000000"), Code::bad_file, "token '!'");
  refused(with("\"!\": 0", "\"!\": 0.5"), Code::bad_file, "token '!'");
  refused(with("\"!\": 0", "\"!!!\": 0"), Code::bad_file, "single byte 0x21");
  refused(with("\"id\": 534", "\"id\": 533"), Code::bad_file, "two added tokens have the id 533");
  refused(with("\"id\": 534", "\"id\": 7"), Code::bad_file, "id 7");
  refused(with("\"id\": 534", "\"id\": 99999999"), Code::bad_file, "added token 1");
  refused(with("\"content\": \"<image_placeholder>\"", "\"content\": \"<｜begin▁of▁sentence｜>\""), Code::bad_file,
          "same text");
  refused(with("\"content\": \"<image_placeholder>\"", "\"content\": \"\""), Code::bad_file, "added token 535");
  refused(with("\"content\": \"<image_placeholder>\"", "\"content\": \"" + std::string(600, 'x') + "\""),
          Code::bad_file, "600 bytes");
}

TEST_CASE("holes between ids are tokens that stand for nothing") {
  const auto t = read_tokenizer_json(with("\"id\": 535", "\"id\": 9999"), "t.json");
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  CHECK(t->vocab_size() == 10000);
  CHECK(t->token_bytes(600).empty());
  CHECK(t->find(kImageText) == 9999);
}

TEST_CASE("truncated and damaged files give an error or a tokenizer, never a crash") {
  const auto probe = [](const std::string& text) {
    const auto t = read_tokenizer_json(text, "t.json");
    if (!t.has_value()) return false;
    const auto ids = test::encode(*t, "User: é <image_placeholder> 12", ControlTokens::allow);
    return !t->decode(ids).empty();
  };
  CHECK(probe(file()));
  for (std::size_t n = 0; n < file().size() - 3; n += 251) CHECK_FALSE(probe(file().substr(0, n)));
  test::Random random;
  int survived = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text = file();
    for (std::size_t flips = 1 + random.below(3); flips > 0; --flips)
      text[random.below(text.size())] ^= static_cast<char>(1u << random.below(8));
    survived += probe(text);
  }
  CHECK(survived < 300);
}
