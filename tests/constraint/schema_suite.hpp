// The official JSON-Schema-Test-Suite for draft 2020-12: reads it, and writes its instances as an answer would be.
#ifndef DSVL_TESTS_CONSTRAINT_SCHEMA_SUITE_HPP
#define DSVL_TESTS_CONSTRAINT_SCHEMA_SUITE_HPP

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dsvl/constraint/decimal.hpp"
#include "support.hpp"

namespace test {

using Json = nlohmann::ordered_json;

/// One schema of the suite with its instances.
struct SuiteCase {
  std::string file, description;
  Json schema, tests;
};

/// All schemas; none when the suite is not here.
inline std::vector<SuiteCase> schema_suite() {
  std::vector<SuiteCase> out;
  const auto folder = shared("golden/json-schema");
  if (folder.empty()) return out;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    for (const Json& one : Json::parse(read_file(file)))
      out.push_back({file.stem().string(), one["description"], one["schema"], one["tests"]});
  return out;
}

/// Lists the names of properties in the order in which a schema has them, then those of what it is made of.
inline void list_names(const Json& root, const Json& schema, std::vector<std::string>& names, int depth = 0) {
  if (!schema.is_object() || depth > 8) return;
  if (schema.contains("properties"))
    for (const auto& [name, ignored] : schema["properties"].items())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  if (schema.contains("$ref") && schema["$ref"].get<std::string>().starts_with("#/")) {
    const Json::json_pointer at(schema["$ref"].get<std::string>().substr(1));
    if (root.contains(at)) list_names(root, root[at], names, depth + 1);
  }
}

/// A number as answers write it: without exponent, and whole ones without a point.
inline std::string plain(const Json& value) {
  const auto number = dsvl::constraint::Decimal::read(value.dump());
  return value.is_number_float() && number ? number->text() : value.dump();
}

/// Writes an instance compactly, its properties in the schema's order and others last.
inline std::string write(const Json& root, const Json& schema, const Json& value) {
  static const Json kNone = true;
  std::string out;
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const bool prefix = schema.is_object() && schema.contains("prefixItems") && i < schema["prefixItems"].size();
      const Json& inside = prefix ? schema["prefixItems"][i]
                                  : schema.is_object() && schema.contains("items") ? schema["items"] : kNone;
      out += (i ? "," : "") + write(root, inside, value[i]);
    }
    return "[" + out + "]";
  }
  if (!value.is_object()) return plain(value);
  std::vector<std::string> names;
  list_names(root, schema, names);
  for (const auto& [name, ignored] : value.items())
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  for (const std::string& name : names) {
    if (!value.contains(name)) continue;
    const bool known = schema.is_object() && schema.contains("properties") && schema["properties"].contains(name);
    out += (out.empty() ? "" : ",") + Json(name).dump() + ":" +
           write(root, known ? schema["properties"][name] : kNone, value[name]);
  }
  return "{" + out + "}";
}

/// All orders in which the members of an instance can be written, up to `most`.
inline std::vector<std::string> all_orders(const Json& value, std::size_t most = 200) {
  if (value.is_array()) {
    std::vector<std::string> out{"["};
    for (std::size_t i = 0; i < value.size(); ++i) {
      std::vector<std::string> longer;
      for (const std::string& inside : all_orders(value[i], most))
        for (const std::string& before : out)
          if (longer.size() < most) longer.push_back(before + (i ? "," : "") + inside);
      out = longer;
    }
    for (std::string& text : out) text += "]";
    return out;
  }
  if (!value.is_object()) return {value.dump(), plain(value)};
  std::vector<std::string> names, out;
  for (const auto& [name, ignored] : value.items()) names.push_back(name);
  std::sort(names.begin(), names.end());
  do {
    std::vector<std::string> texts{"{"};
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::vector<std::string> longer;
      for (const std::string& inside : all_orders(value[names[i]], most))
        for (const std::string& before : texts)
          if (longer.size() < most) longer.push_back(before + (i ? "," : "") + Json(names[i]).dump() + ":" + inside);
      texts = longer;
    }
    for (const std::string& text : texts) out.push_back(text + "}");
  } while (out.size() < most && std::next_permutation(names.begin(), names.end()));
  return out;
}

/// True when a schema uses nothing but the keywords that are enforced by name, and notes.
inline bool only_listed_keywords(const Json& schema, bool is_schema = true) {
  static const std::vector<std::string> kListed = {
      "$schema", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "type",
      "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties",
      "maxProperties", "items", "prefixItems", "minItems", "maxItems", "enum", "const", "minLength", "maxLength",
      "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf",
      "allOf", "not", "if", "then", "else", "$ref", "$defs", "$anchor", "dependentRequired", "dependentSchemas"};
  if (schema.is_array()) return std::all_of(schema.begin(), schema.end(), [](const Json& s) { return only_listed_keywords(s); });
  if (!schema.is_object()) return true;
  for (const auto& [name, value] : schema.items()) {
    if (is_schema && std::find(kListed.begin(), kListed.end(), name) == kListed.end()) return false;
    if (is_schema && (name == "enum" || name == "const" || name == "default" || name == "examples" || name == "required" ||
                      name == "dependentRequired"))
      continue;
    const bool map = is_schema && (name == "properties" || name == "patternProperties" || name == "$defs" ||
                                   name == "dependentSchemas");
    if (!only_listed_keywords(value, !map)) return false;
  }
  return true;
}

}  // namespace test

#endif  // DSVL_TESTS_CONSTRAINT_SCHEMA_SUITE_HPP
