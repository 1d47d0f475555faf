// Errors as values.
#include <doctest/doctest.h>

#include <dsvl/base/status.hpp>
#include <memory>
#include <string>

using namespace dsvl;

TEST_CASE("a Status is ok by default, and otherwise keeps its code and its text") {
  const Status fine;
  CHECK(fine.ok());
  CHECK(static_cast<bool>(fine));
  CHECK(std::string(fine.text()).empty());
  const Status bad = fail(Code::bad_file, "%s: header of %d bytes", "x.safetensors", 7);
  CHECK_FALSE(bad.ok());
  CHECK(bad.code() == Code::bad_file);
  CHECK(std::string(bad.text()) == "x.safetensors: header of 7 bytes");
}

TEST_CASE("a text that is too long is cut and says so, whatever way it came in") {
  const std::string just(Status::kCapacity, 'a'), more(Status::kCapacity + 1, 'b'), far(5000, 'c');
  CHECK(std::string(Status(Code::io, just).text()) == just);
  CHECK(std::string(fail(Code::io, "%s", just.c_str()).text()) == just);
  for (const Status& s : {Status(Code::io, more), fail(Code::io, "%s", more.c_str()), fail(Code::io, "%s", far.c_str()), Status(Code::io, far)}) {
    const std::string text = s.text();
    CHECK(text.size() == Status::kCapacity);
    CHECK(text.substr(text.size() - 3) == "...");
  }
}

TEST_CASE("every code has a name of its own") {
  for (int a = 0; a <= static_cast<int>(Code::cancelled); ++a) {
    CHECK(name(static_cast<Code>(a)) != "unknown");
    for (int b = 0; b < a; ++b) CHECK(name(static_cast<Code>(a)) != name(static_cast<Code>(b)));
  }
}

TEST_CASE("a Result holds a value or the error that says why there is none; values may be move-only") {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(3));
  REQUIRE(value);
  CHECK(value.error().ok());
  CHECK(**value == 3);
  const std::unique_ptr<int> taken = *std::move(value);
  CHECK(*taken == 3);
  const Result<int> error(fail(Code::limit, "no"));
  CHECK_FALSE(error.has_value());
  CHECK(error.error().code() == Code::limit);
}

namespace {
Result<int> half(int x) {
  if (x % 2) return fail(Code::bad_argument, "%d is odd", x);
  return x / 2;
}
Result<int> quarter(int x) {
  DSVL_TRY(once, half(x));
  DSVL_TRY(twice, half(once));
  return twice;
}
Status check_quarter(int x) {
  DSVL_CHECK_STATUS(half(x).error());
  if (const auto q = quarter(x); !q) return q.error();
  return {};
}
}  // namespace

TEST_CASE("DSVL_TRY and DSVL_CHECK_STATUS go on with the value or leave with the error") {
  CHECK(*quarter(12) == 3);
  CHECK(std::string(quarter(6).error().text()) == "3 is odd");
  CHECK(check_quarter(8).ok());
  CHECK(std::string(check_quarter(5).text()) == "5 is odd");
  CHECK(std::string(check_quarter(2).text()) == "1 is odd");
}

TEST_CASE("report prints the error and gives the exit code") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  CHECK(report({}, file) == 0);
  CHECK(report(fail(Code::io, "no disk"), file) == 1);
  std::rewind(file);
  char text[64] = {};
  CHECK(std::fread(text, 1, sizeof text, file) == 15);
  CHECK(std::string(text) == "error: no disk\n");
  std::fclose(file);
}
