#include <doctest/doctest.h>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>

#include <set>
#include <string>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "support.hpp"

using dsvl::Code;
using dsvl::json::Document;
using dsvl::json::Value;

namespace {

std::string parse_error(std::string_view text) {
  return test::error_of(Document::parse(text, "some.json"));
}
using test::has;

}  // namespace

TEST_CASE("a JSON text is read into values of its kinds") {
  const auto document = Document::parse(
      R"({"null":null,"yes":true,"no":false,"int":-7,"real":2.5e-1,)"
      R"("text":"a\"\u00e9\u0000b","list":[1,[2,3],{}],"last":1})",
      "some.json");
  REQUIRE(document);
  const Value root = document->root();
  CHECK(root.is_object());
  CHECK(root.size() == 8);
  CHECK(root.find("null").is_null());
  CHECK(root.find("yes").boolean() == true);
  CHECK(root.find("no").boolean() == false);
  CHECK(root.find("int").integer() == -7);
  CHECK(root.find("int").number() == -7.0);
  CHECK(root.find("real").number() == 0.25);
  CHECK_FALSE(root.find("real").integer());
  CHECK(root.find("text").string() == std::string_view("a\"\xC3\xA9\0b", 6));
  CHECK(root.find("list").size() == 3);
  CHECK(root.find("list")[1][1].integer() == 3);
  CHECK(root.find("list")[2].is_object());
  CHECK(root.find("list")[3].missing());
  CHECK(root.find("last").integer() == 1);
  CHECK(root[6].key() == "list");
  CHECK(root[7].integer() == 1);
  CHECK(root.find("text").kind() == dsvl::json::Kind::string);
}

TEST_CASE("asking a value for what it is not gives nothing") {
  const auto document = Document::parse("[1]", "some.json");
  REQUIRE(document);
  const Value one = document->root()[0];
  CHECK(one.find("key").missing());
  CHECK(one[0].missing());
  CHECK(one.size() == 0);
  CHECK(one.begin() == one.end());
  CHECK_FALSE(one.string());
  CHECK_FALSE(one.boolean());
  const Value missing = document->root().find("key").find("deeper")[3];
  CHECK(missing.missing());
  CHECK_FALSE(missing.is_null());
  CHECK_FALSE(missing.integer());
  CHECK_FALSE(missing.number());
  CHECK(missing.key().empty());
  CHECK(missing.begin() == missing.end());
}

TEST_CASE("iteration visits members in the order of the text and skips what is inside them") {
  const auto document = Document::parse(R"({"b":[[1],[2]],"a":{"x":{"y":1}},"c":3})", "some.json");
  REQUIRE(document);
  std::string keys;
  for (const Value member : document->root()) keys += member.key();
  CHECK(keys == "bac");
  dsvl::Index sum = 0;
  for (const Value row : document->root().find("b"))
    for (const Value value : row) sum += *value.integer();
  CHECK(sum == 3);
}

/// Nothing where addresses, and so sizes, are shorter.
static std::optional<dsvl::Index> fitting(std::int64_t x) {
  if (!std::in_range<dsvl::Index>(x)) return std::nullopt;
  return static_cast<dsvl::Index>(x);
}

TEST_CASE("integers are those that are written as such and fit") {
  const auto document = Document::parse(
      "[9223372036854775807,9223372036854775808,-9223372036854775808,3.0,3e0,-0]", "some.json");
  REQUIRE(document);
  const Value root = document->root();
  CHECK(root[0].integer() == fitting(9223372036854775807));
  CHECK_FALSE(root[1].integer());
  CHECK(root[1].number() == 9223372036854775808.0);
  CHECK(root[2].integer() == fitting(std::numeric_limits<std::int64_t>::min()));
  CHECK_FALSE(root[3].integer());
  CHECK(root[3].number() == 3.0);
  CHECK_FALSE(root[4].integer());
  CHECK(root[5].integer() == 0);
}

TEST_CASE("values stay good when their document is moved and its text is gone") {
  std::string text = R"({"key":"value"})";
  auto parsed = Document::parse(text, "some.json");
  REQUIRE(parsed);
  const Value value = parsed->root().find("key");
  text.assign(text.size(), '?');
  const Document moved = std::move(*parsed);
  CHECK(value.string() == "value");
  CHECK(moved.root().find("key").string() == "value");
  CHECK(parsed->root().missing());
}

TEST_CASE("an error names the text, the byte and the fault") {
  CHECK(has(parse_error(""), "bad_file: some.json: byte 1: "));
  CHECK(has(parse_error("[1,2"), "some.json: byte 5: "));
  CHECK(has(parse_error("[1] x"), "expected end of input"));
  CHECK(parse_error("[tru]") == "bad_file: some.json: byte 5: syntax error while parsing value - invalid literal");
  CHECK(has(parse_error("{'a':1}"), "object key"));
  CHECK(has(parse_error("[1,]"), "some.json: byte 4"));
  CHECK(has(parse_error("// no\n1"), "invalid"));
  CHECK(has(parse_error("[1e999]"), "overflow"));
  CHECK(has(parse_error("NaN"), "invalid literal"));
  CHECK(has(parse_error("\"\xFF\""), "ill-formed UTF-8"));
  CHECK(has(parse_error("\"\xC0\x80\""), "ill-formed UTF-8"));
  CHECK(has(parse_error(R"("\ud800")"), "surrogate"));
  CHECK(has(parse_error("\"a\nb\""), "control character"));
  CHECK(has(parse_error(std::string_view("1\0 2", 4)), "some.json: byte 1: a NUL byte"));
}

TEST_CASE("a key may not be there twice in one object") {
  CHECK(parse_error(R"({"a":1,"b":{"a":2}})").empty());
  CHECK(has(parse_error(R"({"a":1,"b":2,"a":3})"), "bad_file: some.json: byte 16: the key 'a' is there twice"));
  CHECK(has(parse_error(R"([{"x":{"a":1,"\u0061":2}}])"), "the key 'a' is there twice"));
  std::string large = "{";
  for (int i = 0; i < 5000; ++i) large += "\"k" + std::to_string(i) + "\":[" + std::to_string(i) + "],";
  CHECK(parse_error(large + "\"last\":1}").empty());
  CHECK(has(parse_error(large + "\"k77\":1}"), "the key 'k77' is there twice"));
}

TEST_CASE("texts that are too deep, or have too long tokens, are refused") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_error(nested(dsvl::json::kMaxDepth)).empty());
  CHECK(has(parse_error(nested(dsvl::json::kMaxDepth + 1)), "limit: some.json: byte 65: arrays and objects are nested"));
  CHECK(has(parse_error(std::string(1000000, '[')), "nested too deep"));
  CHECK(parse_error('"' + std::string(60000, 'x') + '"').empty());
  CHECK(has(parse_error("[\"" + std::string(70000, 'x') + "\"]"), "limit: some.json: byte 1: a string or number"));
  CHECK(has(parse_error("[1, " + std::string(70000, '1') + "]"), "limit: some.json: byte 3: a string or number"));
  CHECK(has(parse_error("[1, \"" + std::string(70000, '\\') + "\"]"), "a string or number is too long"));
}

TEST_CASE("a hostile name is made printable before it stands in an error") {
  const std::string error = parse_error("{\"\\u001b[2J\\n\":1,\"\\u001b[2J\\n\":2}");
  CHECK(has(error, "the key '?[2J?' is there twice"));
  CHECK(std::string(dsvl::Printable(std::string(120, 'x')).text()) == std::string(120, 'x'));
  CHECK(std::string(dsvl::Printable(std::string(100, 'x') + std::string(100, 'y')).text()) ==
        std::string(40, 'x') + "..." + std::string(77, 'y'));
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i) umlauts += "\xC3\xA4";
  const std::string cut = dsvl::Printable(umlauts).text();
  CHECK(cut.size() == 39 + 3 + 76);
  CHECK(cut.substr(37, 7) == "\xC3\xA4...\xC3\xA4");
  CHECK(std::string(dsvl::Printable("a\x80z\xE2\x82").text()) == "a?z??");
}

TEST_CASE("every truncation of a text is an error") {
  const std::string text = R"({"model":{"dims":[1,2.5,-3],"name":"tïny","ok":true},"none":null})";
  REQUIRE(parse_error(text).empty());
  for (std::size_t n = 0; n < text.size(); ++n) CHECK_FALSE(parse_error(text.substr(0, n)).empty());
}

TEST_CASE("no flipped bit in a text does harm") {
  const std::string text = R"({"a":[1,2.5e3,"x\u00e9\n"],"b":{"c":null,"d":true}})";
  int refused = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      refused += parse_error(flipped).empty() ? 0 : 1;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("an allocator that says no at any place gives out_of_memory") {
  std::string text = "{";
  for (int i = 0; i < 300; ++i) text += "\"key " + std::to_string(i) + "\":\"some longer value\",";
  text += "\"end\":0}";
  const int requests = test::refuse_each([&](dsvl::Allocator& allocator) {
    return Document::parse(text, "some.json", &allocator).error();
  });
  CHECK(requests > 8);
}

TEST_CASE("a large vocabulary is read with every key in place") {
  const auto path = test::shared("golden/tokenizer/tokenizer.json");
  if (path.empty()) return;
  const std::string text = test::read_file(path);
  const auto document = Document::parse(text, "tokenizer.json");
  REQUIRE(document);
  const Value vocab = document->root().find("model").find("vocab");
  CHECK(vocab.size() > 90000);
  std::set<dsvl::Index> ids;
  for (const Value entry : vocab) ids.insert(entry.integer().value_or(-1));
  CHECK(ids.size() == vocab.size());
  CHECK(*ids.begin() >= 0);
}

TEST_CASE("what the writer writes can be read again") {
  dsvl::json::Writer out;
  out.begin_object();
  out.key("text").value("a\"\\\n\x01\xC3\xA9");
  out.key("list").begin_array().value(1).value(-2.5).value(true).null();
  out.value(std::nan("")).value(HUGE_VAL).end_array();
  out.key("empty").begin_object().end_object();
  out.key("tenth").value(0.1).key("big").value(std::int64_t{9007199254740993}).end_object();
  const auto document = Document::parse(out.text(), "written");
  REQUIRE(document);
  const Value root = document->root();
  CHECK(root.find("text").string() == "a\"\\\n\x01\xC3\xA9");
  CHECK(root.find("list").size() == 6);
  CHECK(root.find("list")[1].number() == -2.5);
  CHECK(root.find("list")[4].is_null());
  CHECK(root.find("list")[5].is_null());
  CHECK(root.find("empty").size() == 0);
  CHECK(root.find("tenth").number() == 0.1);
  CHECK(root.find("big").integer() == fitting(9007199254740993));
}
