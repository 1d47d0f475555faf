// Readers of official files: what is wrong with a file is said with its line.
#include "../../examples/cli/evaluation/records.hpp"

#include <doctest/doctest.h>

#include "../../examples/cli/base64.hpp"
#include "../../examples/cli/evaluation/statistics.hpp"
#include "../../examples/cli/evaluation/table.hpp"

using namespace cli::evaluation;

namespace {

template <class T>
std::string error_of(const dsvl::Result<T>& result) {
  return result ? "no error" : std::string(result.error().text());
}
bool says(const std::string& text, std::string_view part) { return cli::python::contains(text, part); }

}  // namespace

TEST_CASE("values of a list and of a dictionary are found with their lines, and their members' too") {
  const auto list = values_of(" [\n{\"a\": [1, \"]\\\"\"]},\n 7, \"x\" ,null\n] \n", "f");
  REQUIRE_MESSAGE(list, list.error().text());
  REQUIRE(list->size() == 4);
  CHECK((*list)[0].text == "{\"a\": [1, \"]\\\"\"]}");
  CHECK((*list)[0].line == 2);
  CHECK((*list)[1].text == "7");
  CHECK((*list)[3].text == "null");
  CHECK((*list)[3].line == 3);
  const auto members = values_of("{\n\"v1\": {},\n\"v2\":{\"x\":1}}", "f");
  REQUIRE(members);
  REQUIRE(members->size() == 2);
  CHECK((*members)[1].key == "v2");
  CHECK((*members)[1].line == 3);
  const auto inner = values_of("{\"info\": {\"a\": []},\n\"data\": [\n1,\n2]}", "f", "data");
  REQUIRE(inner);
  CHECK((*inner)[1].line == 4);
  CHECK(values_of("[]", "f")->empty());
  CHECK(values_of("{}", "f")->empty());
}

TEST_CASE("files that are cut off anywhere are refused with the line of their end") {
  const std::string whole = "{\"data\": [\n{\"id\": 1, \"text\": \"a, [\\\"b\"},\n{\"id\": 2}\n]}";
  REQUIRE(values_of(whole, "f", "data"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = values_of(std::string_view(whole).substr(0, size), "f", "data");
    CHECK(!cut);
    CHECK(says(error_of(cut), "f:"));
  }
  CHECK(says(error_of(values_of("[1,\n2", "f")), "f:2"));
  CHECK(says(error_of(values_of("[1,\n,2]", "f")), "f:2"));
  CHECK(says(error_of(values_of("[1]\n[2]", "f")), "f:2"));
  CHECK(says(error_of(values_of("[1 2]", "f")), "comma"));
  CHECK(says(error_of(values_of("{\"a\" 2}", "f")), "colon"));
  CHECK(says(error_of(values_of("17", "f")), "neither"));
  CHECK(says(error_of(values_of("{}", "f", "data")), "\"data\""));
}

TEST_CASE("records say what they lack, where") {
  const std::string lines = "\n{\"id\": 5, \"text\": \"x\", \"list\": [\"a\"]}\r\n\n{\"id\": 1.5}\n[1]";
  const std::vector<RawValue> raw = lines_of(lines);
  REQUIRE(raw.size() == 3);
  const auto first = JsonRecord::parse(raw[0], "f.jsonl");
  REQUIRE(first);
  CHECK(*first->id("id") == "5");
  CHECK(*first->string("text") == "x");
  CHECK(first->strings("list")->size() == 1);
  const auto second = JsonRecord::parse(raw[1], "f.jsonl");
  REQUIRE(second);
  CHECK(says(error_of(second->string("text")), "f.jsonl:4: the record has no string \"text\""));
  CHECK(says(error_of(second->id("id")), "\"id\""));
  CHECK(says(error_of(JsonRecord::parse(raw[2], "f.jsonl")), "f.jsonl:5"));
  CHECK(says(error_of(JsonRecord::parse({{}, "{\"a\": }", 9}, "f.jsonl")), "f.jsonl:9"));
}

TEST_CASE("tables say on which line a record has other columns, or a quoted cell begins that has no end") {
  CHECK(says(error_of(read_table("a,b\n1,2\n\n1\n", "t.csv", ',', true)),
             "t.csv:4: the record has 1 cells, those before it have 2"));
  CHECK(says(error_of(read_table("a,b\n1,\"x\ny\"\n1,2,3\n", "t.csv", ',', true)), "t.csv:4"));
  CHECK(says(error_of(read_table("a,b\n1,\"x\n", "t.csv", ',', true)), "t.csv:2: a quoted cell"));
  CHECK(!read_table("a,\xFF\n", "t.csv", ',', true));
}

TEST_CASE("pandas 2 takes None for a missing cell, and cells that are written are read back") {
  const auto table = read_table("\xEF\xBB\xBFindex\tA\r\n1\tNone\r\n", "t", '\t', true);
  REQUIRE(table);
  CHECK(table->columns[0] == "index");
  CHECK(!table->records[0].cells[1]);
  for (const char* text : {"plain", "tab\there", "\"quoted\"", "two\nlines", "\"", " "}) {
    const std::string row = "x\t" + table_cell(Cell(text), '\t') + "\n";
    const auto back = read_table(row, "t", '\t', false);
    REQUIRE(back);
    CHECK(back->records[0].cells[1] == text);
  }
}

TEST_CASE("columns are typed as pandas types them in corners too") {
  const auto column = [](const std::vector<std::string>& cells) {
    std::string text;
    for (const std::string& cell : cells) text += "x," + cell + "\n";
    const auto table = read_table(text, "t", ',', false);
    REQUIRE(table);
    std::vector<std::string> out;
    for (const Record& record : table->records) out.push_back(record.cells[1].value_or("nan"));
    return out;
  };
  using Cells = std::vector<std::string>;
  CHECK(column({"true", "", "False"}) == Cells{"True", "nan", "False"});
  CHECK(column({"18446744073709551615", "05"}) == Cells{"18446744073709551615", "5"});
  CHECK(column({"9223372036854775808", "-5"}) == Cells{"9223372036854775808", "-5"});
  CHECK(column({"9223372036854775808", "1.5"}) == Cells{"9.223372036854778e+18", "1.5"});
  CHECK(column({"0.30000000000000004", " 1 "}) == Cells{"0.3", "1.0"});
  CHECK(column({"1e400", "1"}) == Cells{"1e400", "1"});
  CHECK(column({"5e-324", "1E+2"}) == Cells{"5e-324", "100.0"});
  CHECK(column({"1e", "1"}) == Cells{"1e", "1"});
  const auto blank = read_table("a\n \t \nb\n\t\n", "t", ',', false);
  REQUIRE(blank);
  CHECK(blank->records.size() == 2);
  CHECK(blank->records[1].line == 3);
}

TEST_CASE("base64 is decoded whole or not at all") {
  const auto text = [](std::string_view base64) {
    const auto bytes = cli::decode_base64(base64);
    if (!bytes) return std::string("(refused)");
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  };
  CHECK(text("QQ==") == "A");
  CHECK(text("QUI=") == "AB");
  CHECK(text("QUJD") == "ABC");
  CHECK(text("QUI") == "AB");
  CHECK(text("+/+/") == "\xFB\xFF\xBF");
  for (const char* bad : {"", "====", "Q", "QUJDR", "QU D", "QU-D"}) CHECK(text(bad) == "(refused)");
}

TEST_CASE("a mean of one score has no error, and none has no mean") {
  Mean mean;
  CHECK(std::isnan(mean.mean()));
  mean.add(1);
  CHECK(mean.mean() == 1);
  CHECK(std::isnan(mean.error()));
  for (int i = 0; i < 3; ++i) mean.add(0);
  CHECK(mean.error() == doctest::Approx(0.25));
  CHECK(mean.sum() == 1);
}
