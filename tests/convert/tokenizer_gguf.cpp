// A tokenizer through a GGUF file and back: the same ids, and what is refused.
#include "dsvl/convert/tokenizer_gguf_writer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/failing_allocator.hpp"
#include "support.hpp"
#include "text/tokenizers.hpp"

using namespace dsvl;

namespace {

TokenizerJson source_in(const std::filesystem::path& folder) {
  const auto config = folder / "tokenizer_config.json";
  auto source = parse_tokenizer_json(test::read_file(folder / "tokenizer.json"), "tokenizer.json",
                                     std::filesystem::exists(config) ? test::read_file(config) : std::string());
  REQUIRE_MESSAGE(source.has_value(), source.error().text());
  return std::move(*source);
}
const TokenizerJson& tiny() {
  static const TokenizerJson source = source_in(test::tiny_vl());
  return source;
}

/// The head of a file with that tokenizer and nothing else.
std::string head_of(const TokenizerSpec& spec, Index vocab) {
  GgufHead head;
  const Status status = write_tokenizer_gguf(head, spec, vocab);
  REQUIRE_MESSAGE(status.ok(), status.text());
  return head.text();
}
Result<Tokenizer> read(const std::string& text, Allocator* from = nullptr) {
  DSVL_TRY(file, Gguf::parse(std::as_bytes(std::span(text)), "t.gguf", from));
  return read_tokenizer_gguf(file, "t.gguf", from);
}
Tokenizer through_gguf(const TokenizerSpec& spec, Index vocab) {
  auto t = read(head_of(spec, vocab));
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  return std::move(*t);
}

void check_same(const Tokenizer& got, const Tokenizer& want) {
  CHECK(got.vocab_size() == want.vocab_size());
  CHECK(got.bos() == want.bos());
  CHECK(got.eos() == want.eos());
  std::size_t other = 0;
  for (std::int32_t id = -1; id <= want.vocab_size(); ++id)
    other += got.token_bytes(id) != want.token_bytes(id) || got.is_special(id) != want.is_special(id);
  CHECK(other == 0);
  const auto compare = [&](std::string_view text) {
    CAPTURE(text);
    for (const auto control : {ControlTokens::as_text, ControlTokens::allow}) {
      const auto ids = test::encode(got, text, control);
      CHECK(ids == test::encode(want, text, control));
      CHECK(got.decode(ids, {.skip_special = false}) == text);
    }
  };
  const auto cases = test::parse_file(test::data("tokenizer/cases.json"));
  CHECK(cases.root().size() == 68);
  for (const json::Value c : cases.root()) compare(c.find("text").string().value());
  test::Random random;
  for (int round = 0; round < 200; ++round) compare(test::random_text(random, random.below(60)));
}

/// The tiny tokenizer as a head whose entry `key` is another one, or is not there.
template <class T>
std::string with(std::string_view key, const T& value) {
  GgufHead head;
  REQUIRE(write_tokenizer_gguf(head, tiny().spec(), 640).ok());
  return head.set(key, value).text();
}
std::string without(std::string_view key) {
  std::string text = head_of(tiny().spec(), 640);
  const std::size_t at = text.find(key);
  REQUIRE(at != text.npos);
  text[at] = 'X';
  return text;
}
std::vector<std::int32_t> types() {
  const std::string text = head_of(tiny().spec(), 640);
  const auto file = Gguf::parse(std::as_bytes(std::span(text)), "t.gguf");
  REQUIRE(file);
  std::vector<std::int32_t> out;
  for (const gguf::Value type : file->value("tokenizer.ggml.token_type"))
    out.push_back(static_cast<std::int32_t>(type.integer().value()));
  return out;
}

void refused(const std::string& text, Code code, const char* why) {
  const Status s = read(text).error();
  CAPTURE(s.text());
  CHECK(s.code() == code);
  CHECK(std::string(s.text()).find(why) != std::string::npos);
  CHECK(std::string(s.text()).starts_with("t.gguf: "));
}

}  // namespace

TEST_CASE("the vocabulary that ships gives the same ids through GGUF") {
  const TokenizerSpec spec = tiny().spec();
  check_same(through_gguf(spec, 536), test::tiny_tokenizer());
  check_same(through_gguf(spec, 640), test::tiny_tokenizer());
}

TEST_CASE("the published vocabulary gives the same ids through GGUF") {
  const Tokenizer* const want = test::published_tokenizer();
  if (!want) return;
  const TokenizerJson source = source_in(test::shared("golden/tokenizer/tokenizer.json").parent_path());
  check_same(through_gguf(source.spec(), 102400), *want);
}

TEST_CASE("the file has a row for every id, and says which stand for something") {
  const std::string text = head_of(tiny().spec(), 640);
  const auto file = Gguf::parse(std::as_bytes(std::span(text)), "t.gguf");
  REQUIRE(file);
  CHECK(file->value("tokenizer.ggml.model").string() == "gpt2");
  CHECK(file->value("tokenizer.ggml.pre").string() == "deepseek-llm");
  CHECK(file->value("tokenizer.ggml.bos_token_id").integer() == Index{533});
  CHECK(file->value("tokenizer.ggml.eos_token_id").integer() == Index{534});
  const gguf::Value tokens = file->value("tokenizer.ggml.tokens");
  REQUIRE(tokens.size() == 640);
  CHECK(tokens[0].string() == "!");
  CHECK(tokens[533].string() == kBosText);
  CHECK(tokens[535].string() == kImageText);
  CHECK(tokens[536].string() == "[PAD536]");
  CHECK(tokens[639].string() == "[PAD639]");
  CHECK(file->value("tokenizer.ggml.token_type").element_kind() == gguf::Kind::i32);
  const std::vector<std::int32_t> found = types();
  REQUIRE(found.size() == 640);
  CHECK(found[0] == 1);
  CHECK(found[532] == 1);
  CHECK(found[533] == 3);
  CHECK(found[536] == 5);
  CHECK(file->value("tokenizer.ggml.merges").size() == tiny().spec().merges.size());
}

TEST_CASE("lists come back as they were: holes, added tokens that are not special, no bos") {
  const TokenizerJson& source = tiny();
  std::vector<std::string_view> tokens(source.source.tokens.begin(), source.source.tokens.end());
  tokens.resize(533);
  const std::vector<TokenizerSpec::Added> added{{536, "\xC3\xBC", false}, {540, kEosText, true}};
  const TokenizerSpec spec{tokens, source.spec().merges, added, {}, 540};
  const std::string text = head_of(spec, 600);
  const auto file = Gguf::parse(std::as_bytes(std::span(text)), "t.gguf");
  REQUIRE(file);
  CHECK(file->value("tokenizer.ggml.bos_token_id").missing());
  const auto back = parse_tokenizer_gguf(*file, "t.gguf");
  REQUIRE_MESSAGE(back.has_value(), back.error().text());
  const TokenizerSpec got = back->spec();
  CHECK(std::vector<std::string_view>(got.tokens.begin(), got.tokens.end()) == tokens);
  REQUIRE(got.merges.size() == spec.merges.size());
  std::size_t other = 0;
  for (std::size_t i = 0; i < got.merges.size(); ++i)
    other += got.merges[i].left != spec.merges[i].left || got.merges[i].right != spec.merges[i].right;
  CHECK(other == 0);
  REQUIRE(got.added.size() == 2);
  CHECK(got.added[0].id == 536);
  CHECK(got.added[0].text == "\xC3\xBC");
  CHECK_FALSE(got.added[0].special);
  CHECK(got.added[1].special);
  CHECK_FALSE(got.bos.has_value());
  CHECK(got.eos == 540);
  const Tokenizer t = through_gguf(spec, 600);
  CHECK(t.vocab_size() == 541);
  CHECK(t.find("\xC3\xBC") == 536);
  CHECK(t.token_bytes(538).empty());
}

TEST_CASE("padding is no token, also where a file calls it user-defined") {
  std::vector<std::int32_t> list = types();
  for (std::int32_t& type : list) type = type == 5 ? 4 : type;
  const auto t = read(with("tokenizer.ggml.token_type", list));
  REQUIRE_MESSAGE(t.has_value(), t.error().text());
  CHECK(t->vocab_size() == 536);
  CHECK_FALSE(t->find("[PAD600]").has_value());
  check_same(*t, test::tiny_tokenizer());
}

TEST_CASE("another kind of tokenizer in a GGUF file is refused, naming what was found") {
  refused(with("tokenizer.ggml.model", "llama"), Code::unsupported,
          "tokenizer.ggml.model is 'llama', supported is 'gpt2'");
  refused(with("tokenizer.ggml.model", 1u), Code::unsupported, "tokenizer.ggml.model is 'u32'");
  refused(without("tokenizer.ggml.model"), Code::unsupported, "tokenizer.ggml.model is 'missing'");
  refused(with("tokenizer.ggml.pre", "deepseek-coder"), Code::unsupported,
          "tokenizer.ggml.pre is 'deepseek-coder', supported is 'deepseek-llm'");
  refused(without("tokenizer.ggml.pre"), Code::unsupported, "tokenizer.ggml.pre is 'missing'");
  std::vector<std::int32_t> list = types();
  list[7] = 6;
  refused(with("tokenizer.ggml.token_type", list), Code::unsupported, "has the type 6, supported are 1, 3, 4 and 5");
  list[7] = 2;
  refused(with("tokenizer.ggml.token_type", list), Code::unsupported, "token 7 ");
  refused(with("tokenizer.ggml.token_type", std::vector<float>(640, 1.0f)), Code::unsupported, "token 0 '!'");
}

TEST_CASE("contradictions inside a GGUF file's tokenizer are refused by name") {
  using Strings = std::vector<std::string_view>;
  refused(without("tokenizer.ggml.tokens"), Code::bad_file, "there is no array of strings tokenizer.ggml.tokens");
  refused(with("tokenizer.ggml.tokens", "!"), Code::bad_file, "there is no array of strings tokenizer.ggml.tokens");
  refused(without("tokenizer.ggml.merges"), Code::bad_file, "there is no array of strings tokenizer.ggml.merges");
  refused(with("tokenizer.ggml.merges", std::vector<std::uint32_t>{1}), Code::bad_file, "tokenizer.ggml.merges");
  refused(with("tokenizer.ggml.token_type", std::vector<std::int32_t>(639, 1)), Code::bad_file,
          "tokenizer.ggml.token_type has 639 entries, tokenizer.ggml.tokens has 640");
  refused(without("tokenizer.ggml.token_type"), Code::bad_file, "tokenizer.ggml.token_type has 0 entries");
  refused(with("tokenizer.ggml.merges", Strings{"e r", "er"}), Code::bad_file, "merge 1 is not a pair of tokens");
  refused(with("tokenizer.ggml.merges", Strings{"e "}), Code::bad_file, "merge 0 is not a pair of tokens");
  refused(with("tokenizer.ggml.merges", Strings{"! \""}), Code::bad_file, "merge 0 joins or makes a token");
  refused(with("tokenizer.ggml.bos_token_id", "533"), Code::bad_file, "tokenizer.ggml.bos_token_id is not an integer");
  refused(with("tokenizer.ggml.eos_token_id", ~0u), Code::bad_file, "tokenizer.ggml.eos_token_id is not an integer");
  refused(with("tokenizer.ggml.eos_token_id", 600u), Code::bad_file, "bos or eos has the id 600, which is no token");
  std::vector<std::int32_t> list = types();
  list[0] = 5;
  refused(with("tokenizer.ggml.token_type", list), Code::bad_file, "single byte 0x21");
}

TEST_CASE("a tokenizer that cannot be written so that it reads back is refused") {
  const TokenizerSpec spec = tiny().spec();
  const auto code = [](const TokenizerSpec& s, Index vocab) {
    GgufHead head;
    const Status status = write_tokenizer_gguf(head, s, vocab);
    if (!status.ok()) CHECK(head.text() == GgufHead().text());
    return status.code();
  };
  CHECK(code(spec, 536) == Code::ok);
  CHECK(code(spec, 535) == Code::bad_argument);
  CHECK(code(spec, 100) == Code::bad_argument);
  CHECK(code(spec, -1) == Code::bad_argument);
  for (const TokenizerSpec::Merge merge : {TokenizerSpec::Merge{"a b", "c"}, {"", "c"}, {"a", ""}}) {
    TokenizerSpec other = spec;
    other.merges = {&merge, 1};
    CHECK(code(other, 536) == Code::bad_argument);
  }
  const TokenizerSpec::Added negative{-1, "x", false};
  TokenizerSpec other = spec;
  other.added = {&negative, 1};
  CHECK(code(other, 536) == Code::bad_argument);
}

TEST_CASE("an allocator that says no while a GGUF file's tokenizer is read gives out_of_memory") {
  const std::string text = head_of(tiny().spec(), 640);
  const int requests = test::refuse_each([&](Allocator& allocator) { return read(text, &allocator).error(); });
  CHECK(requests >= 8);
}
