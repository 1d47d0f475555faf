// json::Writer: it writes a JSON text piece by piece.
//
// The programs use it for their machine-readable output, and the writer of safetensors for the header.
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

/// The text as a JSON string, quotes included. Bytes from 0x80 on pass unchanged, so give it UTF-8.
DSVL_COLD inline std::string escape(std::string_view text) {
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

/// Writes commas and quotes. The caller has to end what it begins, and to give every member a key; nothing is checked.
class Writer {
 public:
  Writer& begin_object() { return open('{'); }  ///< begins an object
  Writer& end_object() { return close('}'); }   ///< ends it
  Writer& begin_array() { return open('['); }   ///< begins an array
  Writer& end_array() { return close(']'); }    ///< ends it
  /// Writes a member's name; its value has to follow.
  Writer& key(std::string_view name) {
    separate();
    (out_ += escape(name)) += ':';
    first_ = true;  // so that the value gets no comma in front
    return *this;
  }
  /// Writes a string.
  Writer& value(std::string_view text) { return raw(escape(text)); }
  /// Writes a string.
  Writer& value(const char* text) { return value(std::string_view(text)); }
  /// Writes true or false.
  Writer& value(bool yes) { return raw(yes ? "true" : "false"); }
  /// Writes an integer.
  template <std::integral T>
  Writer& value(T number) { return raw(std::to_string(number)); }
  /// Writes a number with the fewest of 15 to 17 digits that read back the same; null for NaN and infinity, which JSON
  /// does not have.
  Writer& value(double number) {
    if (!std::isfinite(number)) return null();
    char text[40];
    for (int digits = 15; digits <= 17; ++digits) {
      std::snprintf(text, sizeof text, "%.*g", digits, number);
      double back = 0;
      if (std::sscanf(text, "%lf", &back) == 1 && back == number) break;
    }
    for (char& c : text)
      if (c == ',') c = '.';  // the host's locale may have a decimal comma
    return raw(text);
  }
  /// Writes null.
  Writer& null() { return raw("null"); }

  /// The text so far.
  [[nodiscard]] const std::string& text() const noexcept { return out_; }

 private:
  /// Writes a comma, except in front of the first element.
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
  bool first_ = true;  // the next element needs no comma in front
};

}  // namespace json
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JSON_WRITER_HPP
