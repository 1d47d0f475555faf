// Masks against every token fed byte by byte, and answers drawn with masks.
#include "dsvl/constraint/mask.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>

#include "../text/tokenizers.hpp"
#include "dsvl/constraint/constraint.hpp"
#include "random_schemas.hpp"

using namespace dsvl;
using constraint::MaskMaker;
using constraint::Matcher;
using constraint::TokenTrie;

namespace {

/// A matcher with masks over one vocabulary.
struct Masked {
  explicit Masked(const Tokenizer& of) : tokenizer(of), trie(std::move(*TokenTrie::build(of))) {
    REQUIRE(matcher.open());
    REQUIRE(maker.open(trie));
    mask.resize(trie.vocabulary() / 64 + 1);
  }
  void make() { maker.make(matcher, mask); }
  [[nodiscard]] bool allowed(std::int32_t id) const {
    return mask[static_cast<std::size_t>(id) / 64] >> (static_cast<std::size_t>(id) % 64) & 1u;
  }
  std::vector<std::int32_t> list() const {
    std::vector<std::int32_t> out;
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id)
      if (allowed(id)) out.push_back(id);
    return out;
  }
  /// Compares the mask with every token fed byte by byte.
  bool right() {
    make();
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
      const std::string_view bytes = tokenizer.token_bytes(id);
      const bool text = !bytes.empty() && !tokenizer.is_special(id);
      if (allowed(id) == (text && matcher.allows(bytes))) continue;
      MESSAGE("token " << id << " \"" << std::string(bytes) << "\" is " << std::string(allowed(id) ? "allowed" : "not allowed"));
      return false;
    }
    return true;
  }
  const Tokenizer& tokenizer;
  TokenTrie trie;
  Matcher matcher;
  MaskMaker maker;
  std::vector<std::uint64_t> mask;
};

const char* const kSchemas[] = {
    R"(true)",
    R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},
        "tags":{"type":"array","items":{"type":"string","maxLength":12}}},"required":["name","age"],"additionalProperties":false})",
    R"({"type":"string","minLength":5,"maxLength":20})",
    R"({"type":"string","minLength":3})",
    R"({"type":"string","pattern":"^[a-z\u00e0-\u00ff]+( [a-z]+){0,3}$"})",
    R"({"type":"string","pattern":"abc"})",
    R"({"type":"object","additionalProperties":{"type":"integer"},"propertyNames":{"maxLength":5}})",
    R"({"type":"object","properties":{"foo":true,"foobar":{"type":"null"}},"patternProperties":{"^b":{"type":"boolean"}}})",
    R"({"anyOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"number","multipleOf":0.01}},"required":["kind"]},
        {"type":"object","properties":{"kind":{"const":"\u00e4b"},"y":{"type":"string","format":"date"}},"required":["kind"]},
        {"type":"array","contains":{"type":"null"},"maxItems":4}]})",
    R"({"$defs":{"tree":{"type":"object","properties":{"v":{"type":"string"},"c":{"type":"array","items":{"$ref":"#/$defs/tree"}}},
        "required":["v"],"additionalProperties":false}},"$ref":"#/$defs/tree"})",
};

/// A token of the mask at random.
std::int32_t draw(const std::vector<std::int32_t>& allowed, std::mt19937_64& random) {
  return allowed[random() % allowed.size()];
}

std::size_t compare_with_brute_force(const Tokenizer& tokenizer, int walks, int steps, std::uint64_t seed) {
  Masked m(tokenizer);
  std::mt19937_64 random(seed);
  std::size_t states = 0;
  for (const JsonOptions options : {JsonOptions{}, JsonOptions{true, false}, JsonOptions{false, true}})
    for (const char* text : kSchemas)
      for (int w = 0; w < walks; ++w) {
        const auto c = Schema::compile(text, options);
        REQUIRE_MESSAGE(c.has_value(), std::string(c.error().text()));
        m.matcher.begin(c->grammar());
        for (int s = 0; s < steps; ++s) {
          INFO(std::string(text));
          REQUIRE(m.right());
          ++states;
          const auto allowed = m.list();
          if (allowed.empty()) break;
          REQUIRE(m.matcher.accept(tokenizer.token_bytes(draw(allowed, random))));
          REQUIRE_FALSE(m.matcher.full());
        }
      }
  return states;
}

}  // namespace

TEST_CASE("a mask has exactly the tokens that the grammar takes byte by byte") {
  const std::size_t states = compare_with_brute_force(test::tiny_tokenizer(), 6, 25, 1);
  MESSAGE(states << " states of the shipped vocabulary");
}

TEST_CASE("a mask of the published vocabulary has exactly the tokens that the grammar takes byte by byte") {
  if (const Tokenizer* published = test::published_tokenizer()) {
    const std::size_t states = compare_with_brute_force(*published, 1, 5, 2);
    MESSAGE(states << " states of the published vocabulary");
  }
}

TEST_CASE("names that run out lead into no dead end, whichever were said before, and the masks know it") {
  const char* const scarce[] = {
      R"({"type":"object","additionalProperties":false,"patternProperties":{"^[ab][0-2]$":{"const":1},"^(c|de+)$":{"const":2}},"maxProperties":12})",
      R"({"type":"object","additionalProperties":false,"patternProperties":{"^[a-h]$":{"const":1}},"minProperties":8})",
      R"({"type":"object","additionalProperties":{"const":0},"propertyNames":{"pattern":"^[a-c]{0,2}$"},"minProperties":10})",
      R"({"type":"object","additionalProperties":false,"properties":{"xa":{"const":3}},"patternProperties":{"^x[a-i]$":{"const":1},"^y{1,9}$":
          {"type":"object","additionalProperties":false,"patternProperties":{"^[p-y]$":{"const":1}},"minProperties":9}},"minProperties":15})",
      R"({"type":"object","additionalProperties":false,"patternProperties":{"^ä[ä-í]?$":{"const":1}},"minProperties":10})",
  };
  Masked m(test::tiny_tokenizer());
  std::mt19937_64 random(11);
  int ended = 0;
  for (const char* text : scarce)
    for (int walk = 0; walk < 20; ++walk) {
      INFO(text);
      const auto c = Schema::compile(text, {walk % 5 == 4, false});
      REQUIRE_MESSAGE(c.has_value(), std::string(c.error().text()));
      m.matcher.begin(c->grammar());
      std::string said;
      for (int s = 0; s < 600; ++s) {
        if (walk < 5 && s < 150) REQUIRE_MESSAGE(m.right(), said);
        else m.make();
        auto allowed = m.list();
        CHECK_MESSAGE((!allowed.empty() || m.matcher.whole()), said);
        ended += allowed.empty();
        if (allowed.empty()) break;
        // An object ends soon enough by itself, so the brace is taken last.
        const std::int32_t id = draw(allowed, random);
        if (m.tokenizer.token_bytes(id).find('}') != std::string_view::npos && random() % 4) continue;
        said += m.tokenizer.token_bytes(id);
        REQUIRE(m.matcher.accept(m.tokenizer.token_bytes(id)));
      }
      REQUIRE_FALSE(m.matcher.full());
    }
  CHECK(ended > 60);
  // So many names that no answer has them all cost no states.
  CHECK(Schema::compile(R"({"additionalProperties":false,"patternProperties":{"^[a-z]{2}$":{"const":1},"^[0-9]{3}$":{"const":2},
      "^[a-z]{3}$":{"const":3}}})").has_value());
  const auto impossible = Schema::compile(
      R"({"type":"object","additionalProperties":false,"patternProperties":{"^[a-h]$":true},"minProperties":9})");
  CHECK(impossible.error().code() == Code::bad_argument);
}

TEST_CASE("patterns and choices have exact masks as well") {
  Masked m(test::tiny_tokenizer());
  std::mt19937_64 random(3);
  const std::string_view words[] = {"yes", "no", "perhaps", "n\u00f3"};
  for (int w = 0; w < 30; ++w) {
    const auto c = w % 3 == 0 ? Constraint::choices(words)
                              : Constraint::regex(w % 3 == 1 ? ".*" : "(the|a) [a-z]+\\.( \\d{1,4}){0,2}");
    REQUIRE_MESSAGE(c.has_value(), std::string(c.error().text()));
    m.matcher.begin(c->grammar());
    for (int s = 0; s < 12; ++s) {
      REQUIRE(m.right());
      const auto allowed = m.list();
      if (allowed.empty()) break;
      REQUIRE(m.matcher.accept(m.tokenizer.token_bytes(draw(allowed, random))));
    }
  }
}

TEST_CASE("answers drawn from random logits at a high temperature end whole and satisfy their schemas") {
  Masked m(test::tiny_tokenizer());
  test::RandomSchemas schemas(7);
  std::normal_distribution<double> logit(0, 4);
  int whole = 0, answers = 0;
  std::ofstream written;  // for second_validator.sh
  if (const char* const file = std::getenv("DSVL_WRITE_ANSWERS")) written.open(file);
  else written.setstate(std::ios::failbit);
  for (int i = 0; i < 1000; ++i) {
    const std::string schema = schemas.next().dump();
    INFO(schema);
    const auto c = Schema::compile(schema);
    REQUIRE_MESSAGE(c.has_value(), std::string(c.error().text()));
    m.matcher.begin(c->grammar());
    std::string text;
    bool ended = false;
    for (int t = 0; t < 600 && !ended; ++t) {
      m.make();
      const std::int32_t kEnd = -1;
      std::vector<std::int32_t> allowed = m.list();
      if (m.matcher.whole()) allowed.push_back(kEnd);
      REQUIRE_MESSAGE(!allowed.empty(), text);
      std::vector<double> weights;
      for (std::size_t k = 0; k < allowed.size(); ++k) weights.push_back(std::exp(logit(schemas.engine()) / 5));
      const std::int32_t id = allowed[std::discrete_distribution<std::size_t>(weights.begin(), weights.end())(schemas.engine())];
      ended = id == kEnd;
      if (ended) break;
      const std::string_view bytes = m.tokenizer.token_bytes(id);
      text += bytes;
      REQUIRE(m.matcher.accept(bytes));
    }
    ++answers;
    whole += ended;
    if (!ended) continue;
    INFO(text);
    CHECK_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
    const auto again = c->matches(text);
    REQUIRE(again.has_value());
    CHECK(*again);
    if (written) written << nlohmann::json{{"schema", schema}, {"answer", text}}.dump() << '\n';
  }
  MESSAGE(whole << " of " << answers << " answers ended whole");
  CHECK(whole * 100 >= answers * 95);
}
