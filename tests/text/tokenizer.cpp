// The tokenizer against the reference's ids, with the vocabulary that ships and (when present) the published one.
#include "dsvl/text/tokenizer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support.hpp"
#include "tokenizers.hpp"

using namespace dsvl;
using test::encode;
using Ids = std::vector<std::int32_t>;

namespace {

void check_cases(const Tokenizer& t, const std::filesystem::path& path, std::size_t expected) {
  const auto cases = test::parse_file(path);
  std::size_t passed = 0;
  for (const json::Value c : cases.root()) {
    const std::string input(c.find("text").string().value());
    CAPTURE(input);
    auto ids = encode(t, input);
    ids.insert(ids.begin(), t.bos().value());
    const auto want = test::integers(c.find("ids"));
    const std::string all = t.decode(want, {.skip_special = false, .strict_hf = true});
    const std::string some = t.decode(want, {.skip_special = true, .strict_hf = true});
    CHECK(ids == want);
    CHECK(all == c.find("decoded").string().value());
    CHECK(some == c.find("decoded_skip").string().value());
    passed += ids == want && all == c.find("decoded").string() && some == c.find("decoded_skip").string();
    if (input.find('<') == input.npos) CHECK(t.decode(want) == input);  // users get every character back
  }
  CHECK(passed == expected);
  CHECK(cases.root().size() == expected);
}

double seconds_to_encode(const Tokenizer& t, std::string_view text, std::size_t& ids) {
  Buffer<std::int32_t> out;
  const auto start = std::chrono::steady_clock::now();
  const Status status = t.encode(text, ControlTokens::as_text, out);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  REQUIRE_MESSAGE(status.ok(), status.text());
  CHECK(t.decode(out.span()) == text);
  ids = out.size();
  return took.count();
}

std::string repeat(std::string_view what, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += what;
  return out;
}

}  // namespace

TEST_CASE("the published vocabulary gives the reference's ids and both decodings in all 68 own cases") {
  if (const Tokenizer* t = test::published_tokenizer()) check_cases(*t, test::data("tokenizer/cases.json"), 68);
}

TEST_CASE("the published vocabulary gives the reference's ids and both decodings in all 47 published cases") {
  const auto path = test::shared("golden/tokenizer/cases-published.json");
  if (const Tokenizer* t = test::published_tokenizer(); t && !path.empty()) check_cases(*t, path, 47);
}

TEST_CASE("the published vocabulary gives the documented ids") {
  const Tokenizer* t = test::published_tokenizer();
  if (!t) return;
  const auto is = [&](std::string_view text, const Ids& want) {
    CAPTURE(text);
    CHECK(encode(*t, text) == want);
  };
  is("Hello world", {17464, 1843});
  is(" Hello World!", {37727, 5427, 0});
  is("Hello, world!", {17464, 11, 1843, 0});
  is("Führer", {37, 100014, 71, 6245});
  is("ied 4 ½ months", {1052, 207, 19, 207, 19109, 4223});
  is("w048 7tuijk dsdfhu", {86, 15, 19, 23, 207, 22, 83, 3970, 27519, 26016, 3944, 14025});
  is("нещо на Български", {1603, 6476, 620, 91754});
  is("3333", {18, 18, 18, 18});
  is("Cửa Việt", {34, 32555, 242, 64, 23708, 32555, 216, 83});
  is("Hello, y'all! How are you 😁 ?我想在apple工作1314151天～",
     {17464, 11, 320, 6, 436, 0, 1724, 418, 340, 33701, 210, 3025, 19017, 612, 9407,
      2681, 16, 18, 16, 19, 16, 20, 16, 1398, 68940, 239});
  is(" this is 🦙.cpp", {437, 317, 12356, 99, 234, 13, 14743});
  is("!!!!!!", {15278, 3033});
  is("\n\n\n", {185, 185, 185});
  is(" ", {207}), is("  ", {243}), is("   ", {300}), is("\t", {184}), is("\n", {185}), is("\t\n", {184, 185});
  is("  Hello", {207, 37727}), is("   Hello", {243, 37727}), is("    Hello", {300, 37727});
  is("User:", {5726, 25}), is("Assistant:", {77398, 25}), is("User: <image_placeholder>", {5726, 25, 207, 100015});
  is("The café — naïve “quote”",
     {549, 26506, 587, 207, 1972, 10010, 2865, 313, 207, 790, 21241, 976});
  is("\t\treturn x;", {184, 3420, 1376, 26});
  is("１２３", {948, 226, 948, 227, 948, 228});
  is("안녕하세요", {74727, 217, 165, 214, 230, 65516, 56118, 116, 71122, 229});
  is("x　y", {87, 88946, 88});
  is("A", {32}), is("B", {33}), is("C", {34}), is("D", {35});
  is(" A", {338}), is(" B", {380}), is(" C", {339}), is(" D", {414});
  is("Yes", {5661}), is("No", {3233}), is(" yes", {5348});
  CHECK(t->vocab_size() == 100016);
  CHECK(t->bos() == 100000);
  CHECK(t->eos() == 100001);
  CHECK(t->find(kImageText) == 100015);
  CHECK(t->find("ü") == 100014);
  CHECK(t->find(" yes") == 5348);
  CHECK_FALSE(t->find("two tokens").has_value());
  CHECK(t->decode(Ids{37, 100014, 71, 6245}) == "Führer");
}

TEST_CASE("typed text never becomes a control token, and single-letter added tokens stay what they are") {
  const Tokenizer& t = test::tiny_tokenizer();
  for (const auto text : {kBosText, kEosText, kImageText}) {
    const auto typed = encode(t, text, ControlTokens::as_text), meant = encode(t, text);
    CHECK(meant == Ids{t.find(text).value()});
    CHECK(typed.size() > 1);
    for (const auto id : typed) CHECK_FALSE(t.is_special(id));
    CHECK(t.decode(typed) == text);
  }
  if (const Tokenizer* p = test::published_tokenizer())
    CHECK(encode(*p, "ü<image_placeholder>", ControlTokens::as_text)[0] == 100014);
}

TEST_CASE("a control token is found only where it touches no span of typed text") {
  const Tokenizer& t = test::tiny_tokenizer();
  const std::string text = std::string(kEosText) + std::string(kEosText) + std::string(kEosText);
  const std::size_t n = kEosText.size();
  const auto count = [&](std::vector<TextSpan> typed) {
    Buffer<std::int32_t> ids;
    REQUIRE(t.encode(text, typed, ids).ok());
    CHECK(t.decode(ids.span(), {.skip_special = false}) == text);
    return std::count(ids.begin(), ids.end(), t.eos().value());
  };
  CHECK(count({}) == 3);
  CHECK(count({{n, 2 * n}}) == 2);
  CHECK(count({{n - 1, n + 1}}) == 1);
  CHECK(count({{0, 1}, {3 * n - 1, 3 * n}}) == 1);
  CHECK(count({{n, n}}) == 3);
  CHECK(count({{0, 3 * n}}) == 0);
}

TEST_CASE("text that is not UTF-8 is refused with its offset, and ids from outside give nothing") {
  const Tokenizer& t = test::tiny_tokenizer();
  Buffer<std::int32_t> ids;
  REQUIRE(ids.push_back(5));
  const Status s = t.encode("abc\xFF", ControlTokens::as_text, ids);
  CHECK(s.code() == Code::bad_text);
  CHECK(std::string(s.text()).find("byte 3 ") != std::string::npos);
  CHECK(ids.size() == 1);
  for (const std::int32_t id : {-1, INT32_MIN, INT32_MAX, t.vocab_size(), 100000}) {
    CHECK(t.token_bytes(id).empty());
    CHECK_FALSE(t.is_special(id));
    CHECK(t.decode(Ids{id}).empty());
  }
}

TEST_CASE("ids are handed on as they come, and whoever takes them may have no memory for them") {
  const Tokenizer& t = test::tiny_tokenizer();
  const std::string text = "Some words," + std::string(100, 'x') + std::string(kEosText) + " and 12345 more";
  Buffer<std::int32_t> want;
  REQUIRE(t.encode(text, ControlTokens::allow, want).ok());
  Ids taken;
  int calls = 0;
  REQUIRE(t.encode_valid(text, {}, [&](std::span<const std::int32_t> ids) {
    taken.insert(taken.end(), ids.begin(), ids.end());
    return ++calls > 0;
  }).ok());
  CHECK(calls > 5);
  CHECK(std::equal(taken.begin(), taken.end(), want.begin(), want.end()));
  for (int allowed = 0; allowed < calls; ++allowed) {
    int left = allowed;
    CHECK(t.encode_valid(text, {}, [&](std::span<const std::int32_t>) { return left-- > 0; }).code() ==
          Code::out_of_memory);
    CHECK(left == -1);  // it was not asked again
  }
}

TEST_CASE("every byte has a token, and random texts come back unchanged") {
  std::vector<const Tokenizer*> tokenizers{&test::tiny_tokenizer()};
  if (const Tokenizer* p = test::published_tokenizer()) tokenizers.push_back(p);
  for (const Tokenizer* t : tokenizers) {
    test::Random random;
    for (int round = 0; round < 500; ++round) {
      const std::string text = test::random_text(random, random.below(60));
      for (const auto control : {ControlTokens::as_text, ControlTokens::allow}) {
        const auto ids = encode(*t, text, control);
        CHECK(t->decode(ids, {.skip_special = false}) == text);
        std::string streamed;
        Utf8Stream stream;
        for (const auto id : ids) stream.push(t->token_bytes(id), streamed);
        CHECK(streamed == text);
      }
    }
  }
  for (int b = 0; b < 256; ++b)
    CHECK(test::tiny_tokenizer().find(std::string(1, static_cast<char>(b))).has_value());
}

TEST_CASE("a megabyte without a break is encoded in n log n time") {
  const Tokenizer* p = test::published_tokenizer();
  const Tokenizer& t = p ? *p : test::tiny_tokenizer();
  for (const char* what : {"a", " ", "😁", "é", "ab", "<", "\n", "7", "漢", "<image_placeholder", "ü", "\t ", "eEtT"}) {
    CAPTURE(what);
    std::size_t ids = 0;
    const std::string text = repeat(what, 1 << 20);
    CHECK(seconds_to_encode(t, text, ids) < 10);  // quadratic would be hours
    CHECK(ids > 0);
  }
}

TEST_CASE("no memory is an error at every possible place, and the tokenizer works on") {
  struct Refusing final : Allocator {
    int left = 0;
    void* allocate(std::size_t bytes, std::size_t align) noexcept override {
      return left-- > 0 ? ::operator new(bytes, std::align_val_t(align), std::nothrow) : nullptr;
    }
    void deallocate(void* memory, std::size_t, std::size_t align) noexcept override {
      ::operator delete(memory, std::align_val_t(align));
    }
  } allocator;
  const std::string file = test::read_file(test::tiny_vl() / "tokenizer.json");
  const auto build = [&](int allocations) {
    allocator.left = allocations;
    return read_tokenizer_json(file, "tokenizer.json", {}, &allocator);
  };
  int needed = 0;
  for (; !build(needed).has_value(); ++needed) {
    REQUIRE(build(needed).error().code() == Code::out_of_memory);
    REQUIRE(needed < 1000);
  }
  CHECK(needed > 5);
  const auto t = build(1000);
  const std::string text = std::string(200, 'e') + " and <image_placeholder>";
  Buffer<std::int32_t> ids(&allocator);
  for (needed = 0;; ++needed) {
    allocator.left = needed;
    const Status s = t->encode(text, ControlTokens::allow, ids);
    if (s.ok()) break;
    REQUIRE(s.code() == Code::out_of_memory);
    CHECK(ids.empty());
    REQUIRE(needed < 1000);
  }
  CHECK(needed > 2);
  CHECK(Ids(ids.begin(), ids.end()) == encode(test::tiny_tokenizer(), text));
}
