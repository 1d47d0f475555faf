// json::Writer: a JSON text, written piece by piece. For the programs' machine-readable output.
#ifndef DSVL_IO_JSON_WRITER_HPP
#define DSVL_IO_JSON_WRITER_HPP

#include <cmath>
#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace json {

/// The string as a JSON string, quotes included. Bytes from 0x80 on pass as they are: give it UTF-8.
inline std::string escape(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code;
    } else {
      out += c;
    }
  }
  return out += '"';
}

/// Puts commas and quotes; that every begin has its end, and every member its key, is up to the caller.
class Writer {
 public:
  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& key(std::string_view name) {
    separate();
    (out_ += escape(name)) += ':';
    first_ = true;  // no comma before the value
    return *this;
  }
  Writer& value(std::string_view text) { return raw(escape(text)); }
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(bool yes) { return raw(yes ? "true" : "false"); }
  template <std::integral T>
  Writer& value(T number) { return raw(std::to_string(number)); }
  /// The shortest of 15 to 17 digits that reads back the same; null when NaN or infinite, which JSON does not have.
  Writer& value(double number) {
    if (!std::isfinite(number)) return null();
    char text[40];
    for (int digits = 15; digits <= 17; ++digits) {
      std::snprintf(text, sizeof text, "%.*g", digits, number);
      double back = 0;
      if (std::sscanf(text, "%lf", &back) == 1 && back == number) break;
    }
    for (char& c : text)
      if (c == ',') c = '.';  // a locale's decimal comma
    return raw(text);
  }
  Writer& null() { return raw("null"); }

  [[nodiscard]] const std::string& text() const noexcept { return out_; }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  Writer& raw(std::string_view text) {
    separate();
    out_ += text;
    return *this;
  }
  Writer& open(char c) {
    separate();
    out_ += c;
    first_ = true;
    return *this;
  }
  Writer& close(char c) {
    out_ += c;
    first_ = false;
    return *this;
  }

  std::string out_;
  bool first_ = true;
};

}  // namespace json
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JSON_WRITER_HPP
