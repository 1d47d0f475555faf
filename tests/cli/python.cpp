// Python's rules for texts and numbers, against what Python 3.13 says.
#include "../../examples/cli/evaluation/python.hpp"

#include <doctest/doctest.h>

using namespace cli::python;

TEST_CASE("case, digits and white space of every character are Python's, sigmas at both sides too") {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  };
  const std::string sigma = "\xCE\xA3";
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string s;
    append(s, c);
    add(lower(s)), add(capitalize(s)), add(lower(s + sigma)), add(lower("A" + s + sigma));
    add(lower("A" + sigma + s)), add(lower("A" + sigma + s + "A"));
    add(is_digit(c) ? "1" : "0"), add(is_space(c) ? "1" : "0");
  }
  CHECK(hash == 0x76b3a4c44c3d6276);
}

TEST_CASE("capitalize takes the title case of the first character and lower case of the others") {
  CHECK(capitalize("the man from NYC") == "The man from nyc");
  CHECK(capitalize("\xC3\x9F"
                   "A") == "Ssa");  // ß
  CHECK(capitalize("\xC7\x86"
                   "ep") ==
        "\xC7\x85"
        "ep");  // ǆ becomes ǅ
  CHECK(capitalize("") == "");
}

TEST_CASE("white space is stripped and split at like Python's, whatever plane it comes from") {
  CHECK(strip("\x1C\xE3\x80\x80 a b\xC2\xA0\n") == "a b");
  CHECK(strip(" \t") == "");
  CHECK(split(" a\xE2\x80\x83 b\n").size() == 2);
  CHECK(split("").empty());
  CHECK(split("a  b", " ") == std::vector<std::string>{"a", "", "b"});
  CHECK(replace("   ", "  ", " ") == "  ");
  CHECK(length("\xC3\xA9t\xC3\xA9") == 3);
}

TEST_CASE("int and float take what Python takes") {
  CHECK(integer_text(" +0_0012 ") == "12");
  CHECK(integer_text("-0") == "0");
  CHECK(integer_text("\xD9\xA1\xD9\xA2") == "12");  // Arabic digits
  CHECK(integer_text("123456789012345678901234567890") == "123456789012345678901234567890");
  for (const char* no : {"", "1.0", "1e3", "1,000", "_1", "1_", "1__0", "- 1", "+-1", "0x10"}) CHECK(!integer_text(no));
  CHECK(to_float(" 1_000.5e-1 ") == 100.05);
  CHECK(to_float("5.") == 5);
  CHECK(to_float(".5") == 0.5);
  CHECK(to_float("-Infinity") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(to_float("nAn").value_or(0)));
  for (const char* no : {"", ".", "e5", "1e", "0x1p3", "1 2", "--1", "infinit", "1_.5", "1e5_"}) CHECK(!to_float(no));
}

TEST_CASE("floats are printed with the fewest digits, in the notation that Python chooses") {
  const struct {
    double value;
    const char* text;
  } cases[] = {{0, "0.0"},
               {-0.0, "-0.0"},
               {1, "1.0"},
               {0.1, "0.1"},
               {1e16, "1e+16"},
               {1e15, "1000000000000000.0"},
               {123456.789, "123456.789"},
               {1e-4, "0.0001"},
               {1e-5, "1e-05"},
               {1.5e-7, "1.5e-07"},
               {1e22, "1e+22"},
               {1.7976931348623157e308, "1.7976931348623157e+308"},
               {5e-324, "5e-324"},
               {-2.5, "-2.5"},
               {2.0 / 3, "0.6666666666666666"},
               {100, "100.0"}};
  for (const auto& [value, text] : cases) CHECK(float_text(value) == text);
}

TEST_CASE("rounding goes by the binary value, halves to even") {
  CHECK(round(0.25, 1) == 0.2);
  CHECK(round(0.35, 1) == 0.3);
  CHECK(round(2.675, 2) == 2.67);
  CHECK(float_text(round(7, 1)) == "7.0");
}
