// Random schemas with bounded lengths, and random answers to them.
#ifndef DSVL_TESTS_CONSTRAINT_RANDOM_SCHEMAS_HPP
#define DSVL_TESTS_CONSTRAINT_RANDOM_SCHEMAS_HPP

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace test {

/// Makes schemas. Every one has values that satisfy it.
class RandomSchemas {
 public:
  explicit RandomSchemas(std::uint64_t seed) : random_(seed) {}
  nlohmann::ordered_json next(int depth = 0) {
    nlohmann::ordered_json s;
    switch (pick(depth > 2 ? 7 : 11)) {
      case 0: s["type"] = "boolean"; return s;
      case 1: s["type"] = "null"; return s;
      case 2: return text();
      case 3: return number();
      case 4: s["enum"] = {"red", "green", 3, nullptr, "gr\u00fcn", 2.5}; return s;
      case 5: s["const"] = {{"a", 1}, {"b", {true, "x\"y"}}}; return s;
      case 6: return text();
      case 7:
      case 8: return object(depth);
      case 9: return array(depth);
      default:
        for (int i = 0, n = 2 + pick(2); i < n; ++i) s[pick(3) ? "anyOf" : "anyOf"].push_back(next(depth + 1));
        return s;
    }
  }
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::mt19937_64& engine() { return random_; }

 private:
  nlohmann::ordered_json text() {
    static const char* const kPatterns[] = {"^[a-z]{1,8}$", "^\\d{3}-\\d{2}$", "^(ab|cd)*e{0,3}$", "^\\w{2,5}\\s?\\w?$", "^[^\"]{1,4}$"};
    static const char* const kFormats[] = {"date", "time", "date-time", "uuid", "ipv4", "ipv6"};
    nlohmann::ordered_json s;
    s["type"] = "string";
    s["maxLength"] = 1 + pick(40);
    switch (pick(5)) {
      case 0: s["minLength"] = pick(s["maxLength"].get<int>()); break;
      case 1: s["pattern"] = kPatterns[pick(5)]; s["maxLength"] = 12; break;
      case 2: s["format"] = kFormats[pick(6)]; s["maxLength"] = 60; break;
      case 3: s["not"] = {{"pattern", "a"}}; break;
      default: break;
    }
    return s;
  }
  nlohmann::ordered_json number() {
    nlohmann::ordered_json s;
    s["type"] = pick(2) ? "integer" : "number";
    const int low = pick(2000) - 1000;
    if (pick(2)) s["minimum"] = low - 0.125;
    if (pick(2)) s["exclusiveMaximum"] = low + 4 + pick(500);
    if (pick(3) == 0) s["multipleOf"] = pick(2) ? 0.25 : 3.0;
    return s;
  }
  nlohmann::ordered_json object(int depth) {
    nlohmann::ordered_json s;
    s["type"] = "object";
    const int n = pick(4);
    for (int i = 0; i < n; ++i) {
      const std::string name = std::string(1, static_cast<char>('a' + i)) + (pick(2) ? "_name" : "\u00e9");
      s["properties"][name] = next(depth + 1);
      if (pick(3)) s["required"].push_back(name);
    }
    switch (pick(4)) {
      case 0:
        s["additionalProperties"] = text();
        s["propertyNames"] = {{"maxLength", 6}};
        s["maxProperties"] = n + 2;
        break;
      case 1:
        s["additionalProperties"] = false;
        s["patternProperties"]["^x[0-9]+$"] = number();
        s["maxProperties"] = n + 2;
        break;
      default: s["additionalProperties"] = false;
    }
    return s;
  }
  nlohmann::ordered_json array(int depth) {
    nlohmann::ordered_json s;
    s["type"] = "array";
    if (pick(2)) s["prefixItems"] = {next(depth + 1), next(depth + 1)};
    s["items"] = next(depth + 1);
    s["maxItems"] = 2 + pick(3);
    if (pick(2)) s["minItems"] = pick(3);
    return s;
  }
  std::mt19937_64 random_;
};

}  // namespace test

#endif  // DSVL_TESTS_CONSTRAINT_RANDOM_SCHEMAS_HPP
