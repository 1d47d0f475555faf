#include "dsvl/constraint/typed.hpp"

#include <doctest/doctest.h>

#include <array>

#include "dsvl/constraint/constraint.hpp"

namespace shop {

enum class Currency { euro, dollar };
constexpr auto name_values(Currency) {
  return std::array<std::pair<std::string_view, Currency>, 2>{{{"EUR", Currency::euro}, {"USD", Currency::dollar}}};
}
struct Item {
  std::string name;
  int quantity = 0;
};
template <class Fields>
void describe(Fields& f, Item& i) {
  f("name", i.name, {.min_length = 1, .max_length = 20});
  f("quantity", i.quantity, {.minimum = 1});
}
struct Invoice {
  std::string number;
  double total = 0;
  bool paid = false;
  Currency currency = Currency::euro;
  std::vector<Item> items;
  std::optional<std::string> note;
  std::uint8_t pages = 0;
};
template <class Fields>
void describe(Fields& f, Invoice& i) {
  f("number", i.number, {.pattern = "^[A-Z]{2}-\\d+$"});
  f("total", i.total, {.minimum = 0, .multiple_of = 0.01});
  f("paid", i.paid);
  f("currency", i.currency);
  f("items", i.items, {.max_items = 2});
  f("note", i.note, {.max_length = 5});
  f("pages", i.pages);
}

}  // namespace shop

using namespace dsvl;

TEST_CASE("a struct's description is its schema and its reader") {
  const auto schema = Schema::compile(schema_of<shop::Invoice>());
  REQUIRE_MESSAGE(schema.has_value(), std::string(schema.error().text()));
  const std::string text = R"({"number":"AB-12","total":19.90,"paid":true,"currency":"USD","items":[{"name":"Ink \"b\"","quantity":2}],"note":null,"pages":255})";
  CHECK(*schema->matches(text));
  const auto invoice = read_as<shop::Invoice>(text);
  REQUIRE_MESSAGE(invoice.has_value(), std::string(invoice.error().text()));
  CHECK(invoice->number == "AB-12");
  CHECK(invoice->total == 19.9);
  CHECK(invoice->paid);
  CHECK(invoice->currency == shop::Currency::dollar);
  REQUIRE(invoice->items.size() == 1);
  CHECK(invoice->items[0].name == "Ink \"b\"");
  CHECK(invoice->items[0].quantity == 2);
  CHECK_FALSE(invoice->note.has_value());
  CHECK(invoice->pages == 255);
  const auto with = [&](const char* from, const char* to) {
    std::string other = text;
    other.replace(other.find(from), std::string(from).size(), to);
    return other;
  };
  CHECK(*schema->matches(with("null", "\"abcde\"")));
  CHECK(*read_as<shop::Invoice>(with("null", "\"abcde\""))->note == "abcde");
  // What the schema refuses does not come; what comes from elsewhere is an error that names the field.
  for (const auto& [from, to, field] : std::vector<std::array<const char*, 3>>{
           {"255", "256", "pages"}, {"255", "-1", "pages"}, {"USD", "CNY", "currency"}, {"true", "1", "paid"},
           {"2}", "2.5}", "items"}, {"\"AB-12\"", "7", "number"}, {"\"note\":null,", "", "note"}}) {
    INFO(to);
    CHECK_FALSE(*schema->matches(with(from, to)));
    const auto wrong = read_as<shop::Invoice>(with(from, to));
    REQUIRE_FALSE(wrong.has_value());
    CHECK(std::string(wrong.error().text()).find(field) != std::string::npos);
  }
  CHECK_FALSE(read_as<shop::Invoice>(with("\"note\":null,", "")).has_value());
  for (const char* to : {"19.999", "-1"}) CHECK_FALSE(*schema->matches(with("19.90", to)));
  CHECK_FALSE(*schema->matches(with("null", "\"abcdef\"")));
  CHECK_FALSE(read_as<shop::Invoice>("[]").has_value());
  CHECK_FALSE(read_as<shop::Invoice>("{").has_value());
}
