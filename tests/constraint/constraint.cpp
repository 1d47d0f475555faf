#include "dsvl/constraint/constraint.hpp"
#include "dsvl/constraint/matcher.hpp"

#include <doctest/doctest.h>

#include <random>

#include "../text/tokenizers.hpp"
#include "random_schemas.hpp"

using namespace dsvl;

namespace {

bool matches(const Result<Constraint>& c, std::string_view text) {
  REQUIRE_MESSAGE(c.has_value(), std::string(c.error().text()));
  const auto result = c->matches(text);
  REQUIRE_MESSAGE(result.has_value(), std::string(result.error().text()));
  return *result;
}
bool schema_takes(std::string_view schema, std::string_view text, const JsonOptions& options = {}) {
  return matches(Schema::compile(schema, options), text);
}
std::string refusal(std::string_view schema) {
  const auto c = Schema::compile(schema);
  REQUIRE_FALSE(c.has_value());
  return std::string(name(c.error().code())) + ": " + c.error().text();
}

/// Gives memory a number of times, then none.
class Miser : public Allocator {
 public:
  explicit Miser(int times) : left_(times) {}
  void* allocate(std::size_t bytes, std::size_t alignment) noexcept override {
    return left_-- > 0 ? ::operator new(bytes, std::align_val_t(alignment), std::nothrow) : nullptr;
  }
  void deallocate(void* memory, std::size_t, std::size_t alignment) noexcept override {
    ::operator delete(memory, std::align_val_t(alignment));
  }

 private:
  int left_;
};

}  // namespace

TEST_CASE("regular expressions mean what ECMA-262 says") {
  struct { const char* pattern; std::vector<const char*> in, out; } const cases[] = {
      {"a|b", {"a", "b"}, {"", "ab", "c"}},
      {"(ab?){2,3}", {"aa", "abab", "aaab"}, {"a", "aaaa", "b"}},
      {"\\d{3}-\\w+\\s?", {"123-a_9", "000-Z "}, {"12-a", "123-", "123-a  "}},
      {"[^a-c\\]]+", {"xyz", "[", "\xC3\xA4"}, {"a", "]", ""}},
      {".", {"x", "\xE7\x8C\xAB", "\xF0\x9F\x98\xBA"}, {"", "\n", "xx", "\xE2\x80\xA8"}},
      {"\\u00e4\\x41\\u{1F63A}\\ud83d\\ude3a", {"\xC3\xA4" "A\xF0\x9F\x98\xBA\xF0\x9F\x98\xBA"}, {"A"}},
      {"(?:a+?)(?<n>b)*", {"a", "aab", "abb"}, {"", "b"}},
      {"^a$|^$", {"a", ""}, {"b", "aa"}},
      {"a(^b|c$)", {"ac"}, {"ab", "acb"}},
      {"[\\d\\-x]{2}", {"1-", "x9"}, {"y1", "1"}},
  };
  for (const auto& c : cases) {
    INFO(c.pattern);
    const auto regex = Constraint::regex(c.pattern);
    for (const char* text : c.in) CHECK_MESSAGE(matches(regex, text), text);
    for (const char* text : c.out) CHECK_MESSAGE(!matches(regex, text), text);
  }
  for (const char* pattern : {"(?=a)b", "a\\b", "(a)\\1", "\\p{L}", "a**", "(", ")", "[b-a]", "a{3,2}", "*", "[", "\\"})
    CHECK_MESSAGE(Constraint::regex(pattern).error().code() == Code::unsupported, pattern);
}

TEST_CASE("a pattern of a schema may match anywhere, in characters and not in bytes") {
  CHECK(schema_takes(R"({"pattern":"^.\u00e4"})", "\"\xE7\x8C\xAB\xC3\xA4x\""));
  CHECK(schema_takes(R"({"pattern":"b+"})", R"("aabc")"));
  CHECK_FALSE(schema_takes(R"({"pattern":"b+"})", R"("aac")"));
  CHECK(schema_takes(R"({"minLength":2,"maxLength":2})", "\"\xF0\x9F\x98\xBA\\n\""));
  CHECK(schema_takes(R"({"minLength":2,"maxLength":2})", R"("\ud83d\ude3aa")"));
  CHECK_FALSE(schema_takes(R"({"maxLength":1})", R"("\u0061b")"));
  CHECK_FALSE(schema_takes("true", R"("\ud83d")"));  // half a pair is no character
  CHECK_FALSE(schema_takes("true", "\"\xC3\""));
}

TEST_CASE("bounds and multiples are exact for every decimal near them") {
  std::mt19937 random(5);
  const auto text_of = [](int thousandths) {
    std::string out = thousandths < 0 ? "-" : "";
    const int n = std::abs(thousandths);
    out += std::to_string(n / 1000);
    if (n % 1000 == 0) return out;
    std::string fraction = std::to_string(1000 + n % 1000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    return out + "." + fraction;
  };
  for (int round = 0; round < 60; ++round) {
    const int low = static_cast<int>(random() % 60000) - 30000, high = low + static_cast<int>(random() % 3000);
    const int step = round % 3 == 0 ? 0 : static_cast<int>(random() % 700) + 1;
    const bool above = random() % 2, below = random() % 2, integer = round % 7 == 6;
    const std::string schema = std::string("{\"type\":\"") + (integer ? "integer" : "number") + "\",\"" +
                               (above ? "exclusiveMinimum" : "minimum") + "\":" + text_of(low) + ",\"" +
                               (below ? "exclusiveMaximum" : "maximum") + "\":" + text_of(high) +
                               (step ? ",\"multipleOf\":" + text_of(step) : "") + "}";
    INFO(schema);
    const auto c = Schema::compile(schema);
    int seen = 0;
    for (int v = low - 1100; v <= high + 1100; v += 1 + static_cast<int>(random() % 3)) {
      const bool right = (above ? v > low : v >= low) && (below ? v < high : v <= high) && (!step || v % step == 0) &&
                         (!integer || v % 1000 == 0);
      seen += right;
      if (!c) continue;
      INFO(text_of(v));
      CHECK(matches(c, text_of(v)) == right);
      if (right && v % 1000 != 0 && !integer) CHECK(matches(c, text_of(v) + "0"));
    }
    if (!c) CHECK(seen == 0);  // nothing satisfies it, and that is said
  }
  CHECK(schema_takes(R"({"minimum":0.1,"maximum":0.1})", "0.1"));
  CHECK_FALSE(schema_takes(R"({"minimum":0.1})", "0.0999999999999999999999"));
  CHECK(schema_takes(R"({"multipleOf":0.01})", "123456789012345678901234567890.25"));
  CHECK(schema_takes(R"({"maximum":0})", "-0"));
  CHECK_FALSE(schema_takes(R"({"type":"integer"})", "1.0"));  // the same number, and not how it is written
  CHECK_FALSE(schema_takes(R"({"type":"integer"})", "1.5"));
  CHECK_FALSE(schema_takes(R"({"type":"number"})", "01"));
}

TEST_CASE("formats are enforced to the day") {
  const auto date = [](const char* text) { return schema_takes(R"({"format":"date"})", text); };
  CHECK(date(R"("2024-02-29")"));
  CHECK(date(R"("2000-02-29")"));
  CHECK_FALSE(date(R"("1900-02-29")"));
  CHECK_FALSE(date(R"("2023-02-29")"));
  CHECK_FALSE(date(R"("2023-04-31")"));
  CHECK_FALSE(date(R"("2023-13-01")"));
  const auto time = [](const char* text) { return schema_takes(R"({"format":"time"})", text); };
  CHECK(time(R"("23:59:60Z")"));
  CHECK_FALSE(time(R"("22:59:60Z")"));
  CHECK(time(R"("08:30:06.283185+01:30")"));
  CHECK_FALSE(time(R"("08:30:06")"));
  const auto ipv6 = [](const char* text) { return schema_takes(R"({"format":"ipv6"})", text); };
  for (const char* text : {R"("::")", R"("::1")", R"("1:2:3:4:5:6:7:8")", R"("1::8")", R"("::ffff:192.168.0.1")", R"("1:2:3:4:5:6:7::")"})
    CHECK_MESSAGE(ipv6(text), text);
  for (const char* text : {R"("1::2::3")", R"("1:2:3:4:5:6:7")", R"("12345::")", R"("::1.2.3.256")", R"("1:2:3:4:5:6:7:8:9")", R"("1::2:3:4:5:6:7:8")"})
    CHECK_MESSAGE(!ipv6(text), text);
}

TEST_CASE("properties come in the schema's order, and others behind them in any order but never twice") {
  const char* const schema = R"({"properties":{"b":true,"a":true},"required":["c"]})";
  CHECK(schema_takes(schema, R"({"b":1,"a":2,"c":3})"));
  CHECK(schema_takes(schema, R"({"a":2,"x":0,"c":3,"y":0})"));
  CHECK_FALSE(schema_takes(schema, R"({"a":2,"b":1,"c":3})"));
  CHECK_FALSE(schema_takes(schema, R"({"c":3,"a":2})"));
  CHECK_FALSE(schema_takes(schema, R"({"c":3,"x":1,"x":1})"));
  CHECK_FALSE(schema_takes(schema, R"({"c":3,"c":3})"));
  CHECK_FALSE(schema_takes(schema, R"({"c":3,"\u0078":1})"));  // a name is not escaped without need
  CHECK_FALSE(schema_takes(schema, "{\"c\":3,\"\xC3\xA4\":1,\"\\u00e4\":1}"));
  CHECK(schema_takes(schema, "{\"c\":3,\"\xC3\xA4\":1,\"\\u00e5\":1,\"\xF0\x9F\x98\xBA\":1}"));
  CHECK_FALSE(schema_takes(schema, "{\"c\":3,\"\\ud83d\\ude3a\":1,\"\xF0\x9F\x98\xBA\":1}"));
  CHECK(schema_takes(schema, R"({"c":{"x":1},"x":{"x":1}})"));
  CHECK_FALSE(schema_takes(schema, R"({"c":{"x":1,"y":[],"x":2}})"));
}

TEST_CASE("the pretty form and the ASCII form are one form each") {
  const char* const schema = R"({"properties":{"a":{"type":"array","items":{"type":"object"}},"\u00e4":{"type":"string"}}})";
  const JsonOptions pretty{true, false}, ascii{false, true};
  CHECK(schema_takes(schema, "{\n  \"a\": [\n    {},\n    {\n      \"x\": 1\n    }\n  ],\n  \"\xC3\xA4\": \"\"\n}", pretty));
  CHECK_FALSE(schema_takes(schema, "{\n  \"a\": [\n    {}\n    ]\n}", pretty));
  CHECK_FALSE(schema_takes(schema, "{\"a\":[]}", pretty));
  CHECK(schema_takes(schema, "{}", pretty));
  CHECK(schema_takes(schema, R"({"\u00e4":"\u00C4\ud83d\ude3a"})", ascii));
  CHECK_FALSE(schema_takes(schema, "{\"\\u00e4\":\"\xC3\xA4\"}", ascii));
  CHECK_FALSE(schema_takes(schema, R"({"\u00e4":"\ud83dx"})", ascii));
}

TEST_CASE("what is not enforced is refused by its name and place") {
  CHECK(refusal(R"({"properties":{"a/b":{"items":{"uniqueItems":true}}}})").find("\"uniqueItems\" at \"#/properties/a~1b/items\"") != std::string::npos);
  CHECK(refusal(R"({"$defs":{"x":{"minimun":3}}})").find("\"minimun\" at \"#/$defs/x\"") != std::string::npos);
  CHECK(refusal(R"({"format":"email"})").starts_with("unsupported: \"format\" at \"#\""));
  CHECK(refusal("{\"pattern\":\"(?=x)\"}").starts_with("unsupported: at \"#/pattern\""));
  CHECK(refusal(R"({"$ref":"http://x.y/z"})").find("refers to another document") != std::string::npos);
  CHECK(refusal(R"({"$ref":"#/nowhere"})").starts_with("not_found"));
  CHECK(refusal(R"({"$ref":"#"})").find("refers to itself") != std::string::npos);
  CHECK(refusal(R"({"anyOf":[{"not":{"$ref":"#"}}]})").find("refers to itself") != std::string::npos);
  CHECK(refusal(R"({"type":"strin"})").starts_with("bad_argument"));
  CHECK(refusal(R"({"minLength":-1})").starts_with("bad_argument"));
  CHECK(refusal(R"({"required":"a"})").starts_with("bad_argument"));
  CHECK(refusal(R"({"multipleOf":0})").starts_with("bad_argument"));
  CHECK(refusal(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})").starts_with("bad_argument"));
  CHECK(refusal("[1").starts_with("bad_file"));
  CHECK(refusal("3").starts_with("bad_argument"));
}

TEST_CASE("a hostile schema is an error within bounds") {
  std::string deep = "true", wide = R"({"anyOf":[)", both = R"({"allOf":[)", chain = R"({"$defs":{)";
  for (int i = 0; i < 40; ++i) deep = R"({"not":)" + deep + "}";
  for (int i = 0; i < 30; ++i) both += std::string(i ? "," : "") + R"({"anyOf":[{"required":["a)" + std::to_string(i) + R"("]},{"required":["b)" + std::to_string(i) + "\"]}]}";
  for (int i = 0; i < 3000; ++i) wide += std::string(i ? "," : "") + R"({"type":"object","properties":{"p)" + std::to_string(i) + "\":{}}}";
  for (int i = 0; i < 5000; ++i)
    chain += std::string(i ? "," : "") + "\"d" + std::to_string(i) + R"(":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
  std::string names = R"({"properties":{)", depend = R"({"dependentRequired":{)";
  for (int i = 0; i < 60000; ++i) names += std::string(i ? "," : "") + "\"" + std::to_string(i) + "\":{}";
  for (int i = 0; i < 5000; ++i) depend += std::string(i ? "," : "") + "\"" + std::to_string(i) + "\":[\"x\"]";
  const std::string schemas[] = {
      names + "}}", depend + "}}", both + "]}", wide + "]}", chain + R"(,"d5000":true},"$ref":"#/$defs/d0"})",
      "{\"pattern\":\"(((((a{1,99}){1,99}){1,99}){1,99}){1,99})\"}", "{\"pattern\":\"a.{24}$\"}",
      R"({"maxLength":100000000000})", R"({"minItems":999999999})", R"({"minProperties":99999999,"maxProperties":99999999})",
      R"({"multipleOf":1e300})", R"({"multipleOf":1e-300,"minimum":1e9})",
      R"({"oneOf":[{"minimum":1},{"maximum":5},{"multipleOf":7},{"multipleOf":11},{"multipleOf":13},{"multipleOf":999983}]})"};
  for (const std::string& schema : schemas) {
    INFO(schema.substr(0, 120));
    const auto c = Schema::compile(schema);
    REQUIRE_FALSE(c.has_value());
    CHECK(c.error().code() == Code::limit);
  }
  CHECK(Schema::compile(deep).has_value());
  CHECK(Schema::compile(std::string(2 << 20, ' ') + "true").error().code() == Code::limit);
}

TEST_CASE("values inside each other end before the stack does, with no way into a dead end") {
  const auto list = Schema::compile(R"({"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
                                        "required":["next"],"additionalProperties":false})");
  REQUIRE(list.has_value());
  constraint::MatchLimits limits;
  limits.depth = 20;
  constraint::Matcher matcher;
  REQUIRE(matcher.open(limits));
  matcher.begin(list->grammar());
  int depth = 0;
  while (matcher.accept("{\"next\":")) ++depth;
  CHECK(depth > 10);
  CHECK(depth < 21);
  CHECK(matcher.accept("null"));
  for (int i = 0; i < depth; ++i) REQUIRE(matcher.accept("}"));
  CHECK(matcher.whole());
  CHECK_FALSE(matcher.full());
}

TEST_CASE("text that cannot be otherwise is known in advance") {
  const auto c = Schema::compile(R"({"type":"object","properties":{"name":{"type":"string"},"kind":{"const":"caf\u00e9"}},
                                     "required":["name","kind"],"additionalProperties":false})");
  REQUIRE(c.has_value());
  constraint::Matcher matcher;
  REQUIRE(matcher.open());
  matcher.begin(c->grammar());
  char text[64];
  CHECK(std::string(text, matcher.forced(text)) == "{\"name\":\"");
  REQUIRE(matcher.accept("{\"name\":\"x\""));
  CHECK(std::string(text, matcher.forced(text)) == ",\"kind\":\"caf");  // é may be escaped
  CHECK(std::string(text, matcher.forced(std::span<char>(text, 3))) == ",\"k");
  REQUIRE(matcher.accept(",\"kind\":\"caf\xC3\xA9\"}"));
  CHECK(matcher.whole());
  CHECK(matcher.over());
  CHECK(matcher.forced(text) == 0);
}

TEST_CASE("instances pass in every tokenisation") {
  const Tokenizer& tokenizer = test::tiny_tokenizer();
  test::RandomSchemas random(11);
  const auto c = Constraint::any_json();
  REQUIRE(c.has_value());
  constraint::Matcher matcher;
  REQUIRE(matcher.open());
  int instances = 0;
  for (; instances < 200; ++instances) {
    const std::string text = random.next().dump();
    INFO(text);
    matcher.begin(c->grammar());
    for (std::size_t at = 0; at < text.size();) {
      // Any token that stands here, not only the one that the tokenizer would take.
      std::vector<std::string_view> fit;
      for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id)
        if (const std::string_view bytes = tokenizer.token_bytes(id);
            !bytes.empty() && !tokenizer.is_special(id) && std::string_view(text).substr(at).starts_with(bytes))
          fit.push_back(bytes);
      REQUIRE_FALSE(fit.empty());
      const std::string_view bytes = fit[static_cast<std::size_t>(random.pick(static_cast<int>(fit.size())))];
      REQUIRE(matcher.allows(bytes));
      REQUIRE(matcher.accept(bytes));
      at += bytes.size();
    }
    CHECK(matcher.whole());
    CHECK_FALSE(matcher.accept("]"));
    CHECK(matcher.whole());  // what was refused has changed nothing
  }
  CHECK(instances == 200);
}

TEST_CASE("choices are whole texts") {
  const std::string_view words[] = {"yes", "yes, but", "n\xC3\xB3"};
  const auto c = Constraint::choices(words);
  for (const std::string_view word : words) CHECK(matches(c, word));
  for (const char* other : {"", "ye", "yes,", "no", "n\xC3"}) CHECK_FALSE(matches(c, other));
  CHECK(Constraint::choices({}).error().code() == Code::bad_argument);
  const std::string_view broken[] = {"\xFF"};
  CHECK(Constraint::choices(broken).error().code() == Code::bad_text);
}

TEST_CASE("without memory a constraint, a matcher and a vocabulary's tables are errors") {
  int times = 0;
  for (; times < 40; ++times) {
    Miser miser(times);
    const auto c = Schema::compile(R"({"type":"string","maxLength":3})", {}, {}, &miser);
    if (c) break;
    CHECK(c.error().code() == Code::out_of_memory);
  }
  CHECK(times > 3);
  Miser none(0);
  constraint::Matcher matcher(&none);
  CHECK_FALSE(matcher.open());
}
