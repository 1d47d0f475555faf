// Every test of the official suite, and how much of it is refused by name.
#include <doctest/doctest.h>

#include <map>

#include "dsvl/constraint/constraint.hpp"
#include "schema_suite.hpp"

using namespace dsvl;

TEST_CASE("no instance of the official suite is judged wrongly, and few schemas are refused") {
  const auto suite = test::schema_suite();
  if (suite.empty()) return;
  std::size_t schemas = 0, taken = 0, listed = 0, listed_taken = 0, accepted = 0, refused = 0, formats = 0;
  std::map<std::string, int> reasons;
  for (const test::SuiteCase& one : suite) {
    const bool only_listed = test::only_listed_keywords(one.schema);
    ++schemas;
    listed += only_listed;
    const auto constraint = Schema::compile(one.schema.dump());
    if (!constraint) {
      // A schema that accepts nothing is an error as well, and a right one if no instance is valid.
      const bool nothing = std::none_of(one.tests.begin(), one.tests.end(), [](const auto& t) { return t["valid"].template get<bool>(); });
      if (constraint.error().code() == Code::bad_argument && nothing) {
        ++taken;
        listed_taken += only_listed;
        refused += one.tests.size();
        continue;
      }
      ++reasons[(only_listed ? "listed " : "") + one.file + ": " + constraint.error().text()];
      CHECK((constraint.error().code() == Code::unsupported || constraint.error().code() == Code::limit));
      continue;
    }
    ++taken;
    listed_taken += only_listed;
    for (const auto& instance : one.tests) {
      const std::string what = one.file + " | " + one.description + " | " + instance["description"].get<std::string>();
      INFO(what);
      INFO(one.schema.dump());
      // The suite's tests of formats take them as notes. Here a format that is not refused is enforced.
      if (one.file == "format" && what.find("only an annotation") != std::string::npos) {
        ++formats;
        CHECK_FALSE([&] { const auto m = constraint->matches(instance["data"].dump()); return m && *m; }());
        continue;
      }
      if (instance["valid"].get<bool>()) {
        const std::string text = test::write(one.schema, one.schema, instance["data"]);
        INFO(text);
        const auto result = constraint->matches(text);
        REQUIRE(result.has_value());
        CHECK(*result);
        ++accepted;
      } else {
        for (const std::string& text : test::all_orders(instance["data"])) {
          INFO(text);
          const auto result = constraint->matches(text);
          REQUIRE(result.has_value());
          CHECK_FALSE(*result);
        }
        ++refused;
      }
    }
  }
  for (const auto& [reason, times] : reasons) MESSAGE(times << " x " << reason);
  MESSAGE(taken << " of " << schemas << " schemas are enforced, " << listed_taken << " of " << listed
                << " that use listed keywords only; " << accepted << " instances accepted, " << refused << " refused, "
                << formats << " of formats");
  CHECK(taken * 10 >= schemas * 6);
  CHECK(listed_taken * 100 >= listed * 88);
}
