// Official files in JSON: a list, a dictionary, or a line for each record. Every record is parsed alone, so that files
// of any size can be read, and an error can say on which line it is.
#ifndef DSVL_CLI_EVALUATION_RECORDS_HPP
#define DSVL_CLI_EVALUATION_RECORDS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dsvl/base/status.hpp>
#include <dsvl/io/json.hpp>

#include "python.hpp"

namespace cli::evaluation {

/// Where something stands, for messages: "pope.json:12".
struct Place {
  std::string_view file;
  std::size_t line = 0;

  [[nodiscard]] std::string text() const { return std::string(file) + ":" + std::to_string(line); }
  /// Codes  bad_file
  [[nodiscard]] dsvl::Status wrong(const std::string& what) const {
    return dsvl::fail(dsvl::Code::bad_file, "%s: %s", text().c_str(), what.c_str());
  }
};

/// A value of a JSON text that is not parsed yet.
struct RawValue {
  std::string_view key;   ///< its name as written between the quotes, when it is a member
  std::string_view text;
  std::size_t line = 0;   ///< on which it begins, from 1
};

/// Finds where the values of a JSON text begin and end. What is between is left for the parser to check.
class JsonCutter {
 public:
  JsonCutter(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  /// Elements or members of the outermost list or dictionary.
  ///
  /// Codes  bad_file (cut off, or something else)
  dsvl::Result<std::vector<RawValue>> all() {
    DSVL_TRY(values, children());
    skip_space();
    if (at_ < text_.size()) return wrong("something stands behind the end");
    return values;
  }

 private:
  [[nodiscard]] dsvl::Status wrong(const char* what) const { return Place{what_, line_}.wrong(what); }
  [[nodiscard]] dsvl::Status cut_off() const { return wrong("the file ends here, in the middle: it is cut off"); }
  [[nodiscard]] char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    for (; at_ < text_.size() && (now() == ' ' || now() == '\n' || now() == '\r' || now() == '\t'); ++at_)
      line_ += now() == '\n';
  }
  dsvl::Status skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (now() == '"') return ++at_, dsvl::Status();
      if (now() == '\\') ++at_;
      else line_ += now() == '\n';
    }
    return cut_off();
  }
  dsvl::Status skip_value() {
    std::size_t depth = 0;
    do {
      const char c = now();
      if (at_ >= text_.size()) return cut_off();
      if (c == '"') {
        DSVL_CHECK_STATUS(skip_string());
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && depth-- == 0) return wrong("a value is missing here");
      if (c == ',' && depth == 0) return wrong("a value is missing here");
      line_ += c == '\n';
      ++at_;
      if (depth == 0 && c != '}' && c != ']') at_ = std::min(text_.find_first_of(",]} \n\r\t", at_), text_.size());
    } while (depth > 0);
    return {};
  }
  dsvl::Status read_key(std::string_view& key) {
    skip_space();
    if (at_ >= text_.size()) return cut_off();
    if (now() != '"') return wrong("a name is missing here");
    const std::size_t begin = at_ + 1;
    DSVL_CHECK_STATUS(skip_string());
    key = text_.substr(begin, at_ - 1 - begin);
    skip_space();
    if (now() != ':') return at_ < text_.size() ? wrong("a colon is missing here") : cut_off();
    return ++at_, dsvl::Status();
  }
  dsvl::Result<std::vector<RawValue>> children() {
    skip_space();
    const char open = now(), close = open == '{' ? '}' : ']';
    if (open != '{' && open != '[') return wrong("neither a JSON list nor a dictionary");
    ++at_;
    std::vector<RawValue> values;
    for (skip_space(); now() != close || !values.empty(); ++at_) {
      RawValue value;
      if (open == '{') DSVL_CHECK_STATUS(read_key(value.key));
      skip_space();
      value.line = line_;
      const std::size_t begin = at_;
      DSVL_CHECK_STATUS(skip_value());
      value.text = text_.substr(begin, at_ - begin);
      values.push_back(value);
      skip_space();
      if (at_ >= text_.size()) return cut_off();
      if (now() == close) break;
      if (now() != ',') return wrong("a comma is missing here");
    }
    ++at_;
    return values;
  }

  std::string_view text_, what_;
  std::size_t at_ = 0, line_ = 1;
};

/// The values of a list or a dictionary.
inline dsvl::Result<std::vector<RawValue>> values_of(std::string_view text, std::string_view what) {
  return JsonCutter(text, what).all();
}
/// The values of a member of a dictionary. Lines are the file's.
///
/// Codes  bad_file (also: there is no such member)
inline dsvl::Result<std::vector<RawValue>> values_of(std::string_view text, std::string_view what,
                                                     std::string_view member) {
  DSVL_TRY(members, values_of(text, what));
  for (const RawValue& m : members) {
    if (m.key != member) continue;
    DSVL_TRY(values, values_of(m.text, what));
    for (RawValue& value : values) value.line += m.line - 1;
    return values;
  }
  return dsvl::fail(dsvl::Code::bad_file, "%.*s: has no \"%.*s\"", static_cast<int>(what.size()), what.data(),
                    static_cast<int>(member.size()), member.data());
}
/// JSON lines: one value on each line that is not blank.
inline std::vector<RawValue> lines_of(std::string_view text) {
  std::vector<RawValue> values;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    const std::size_t first = whole.find_first_not_of(" \t\r");
    const std::size_t last = whole.find_last_not_of(" \t\r");
    if (first != whole.npos) values.push_back({{}, whole.substr(first, last + 1 - first), line});
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return values;
}

/// str(value) of what Python's json reads.
inline std::string python_text(dsvl::json::Value value) {
  if (const auto text = value.string()) return std::string(*text);
  if (const auto whole = value.integer()) return std::to_string(*whole);
  if (const auto real = value.number()) return python::float_text(*real);
  if (const auto yes = value.boolean()) return *yes ? "True" : "False";
  if (!value.is_array()) return "None";
  std::string out;
  for (const dsvl::json::Value element : value) {
    const std::string text = python_text(element);
    (out += out.empty() ? "" : ", ") += element.is_string() ? "'" + text + "'" : text;
  }
  return "[" + out + "]";
}

/// A record with its place; the texts that are asked for live as long as it does.
class JsonRecord {
 public:
  /// Codes  bad_file (no JSON object)
  static dsvl::Result<JsonRecord> parse(const RawValue& raw, std::string_view file) {
    const Place place{file, raw.line};
    DSVL_TRY(document, dsvl::json::Document::parse(raw.text, place.text()));
    if (!document.root().is_object()) return place.wrong("the record is no JSON object");
    return JsonRecord(std::move(document), place);
  }

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] dsvl::json::Value operator[](std::string_view name) const { return document_.root().find(name); }
  [[nodiscard]] dsvl::json::Value root() const { return document_.root(); }
  /// Codes  bad_file (there is none, or it is no string)
  [[nodiscard]] dsvl::Result<std::string> string(std::string_view name) const {
    const auto text = (*this)[name].string();
    if (!text) return wrong(name, "string");
    return std::string(*text);
  }
  /// A string, or an integer as it is written.
  [[nodiscard]] dsvl::Result<std::string> id(std::string_view name) const {
    if (const auto number = (*this)[name].integer()) return std::to_string(*number);
    return string(name);
  }
  [[nodiscard]] dsvl::Result<std::vector<std::string>> strings(std::string_view name) const {
    std::vector<std::string> out;
    if (!(*this)[name].is_array()) return wrong(name, "list of strings");
    for (const dsvl::json::Value value : (*this)[name]) {
      if (!value.is_string()) return wrong(name, "list of strings");
      out.emplace_back(*value.string());
    }
    return out;
  }

 private:
  JsonRecord(dsvl::json::Document document, Place place) : document_(std::move(document)), place_(place) {}
  [[nodiscard]] dsvl::Status wrong(std::string_view name, const char* type) const {
    return place_.wrong("the record has no " + std::string(type) + " \"" + std::string(name) + "\"");
  }

  dsvl::json::Document document_;
  Place place_;
};

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_RECORDS_HPP
