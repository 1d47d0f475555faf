// Resolving the references of a schema: a relative URI against its base, and the parts of a fragment.
//
// Source: RFC 3986, 5.2 and 5.3; RFC 6901 for JSON pointers in fragments.
#ifndef DSVL_CONSTRAINT_URI_HPP
#define DSVL_CONSTRAINT_URI_HPP

#include <string>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// A URI in its parts; which of them are there is part of it.
struct Uri {
  std::string scheme, authority, path, query, fragment;   ///< without their delimiters
  bool has_authority = false, has_query = false, has_fragment = false;  ///< whether the delimiters are there

  /// Takes any text apart.
  static Uri read(std::string_view text) {
    Uri out;
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
      out.has_fragment = true;
      out.fragment = text.substr(hash + 1);
      text = text.substr(0, hash);
    }
    if (const auto mark = text.find('?'); mark != std::string_view::npos) {
      out.has_query = true;
      out.query = text.substr(mark + 1);
      text = text.substr(0, mark);
    }
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && colon > 0 && text.find('/') >= colon) {
      out.scheme = text.substr(0, colon);
      text = text.substr(colon + 1);
    }
    if (text.starts_with("//")) {
      const auto slash = text.find('/', 2);
      out.has_authority = true;
      out.authority = text.substr(2, slash == std::string_view::npos ? slash : slash - 2);
      text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
    }
    out.path = text;
    return out;
  }
  /// The URI without its fragment.
  [[nodiscard]] std::string resource() const {
    return (scheme.empty() ? "" : scheme + ":") + (has_authority ? "//" + authority : "") + path +
           (has_query ? "?" + query : "");
  }
  /// This reference as seen from `base`.
  [[nodiscard]] Uri against(const Uri& base) const {
    Uri out = *this;
    if (!scheme.empty()) return out.path = remove_dots(path), out;
    out.scheme = base.scheme;
    if (has_authority) return out.path = remove_dots(path), out;
    out.has_authority = base.has_authority;
    out.authority = base.authority;
    if (path.empty()) {
      out.path = base.path;
      if (!has_query) out.has_query = base.has_query, out.query = base.query;
      return out;
    }
    if (path[0] != '/') {
      const auto slash = base.path.rfind('/');
      out.path = (slash != std::string::npos ? base.path.substr(0, slash + 1) : base.has_authority ? "/" : "") + path;
    }
    out.path = remove_dots(out.path);
    return out;
  }

 private:
  static std::string remove_dots(std::string_view in) {
    std::string out;
    while (!in.empty()) {
      if (in.starts_with("../")) in.remove_prefix(3);
      else if (in.starts_with("./")) in.remove_prefix(2);
      else if (in.starts_with("/./")) in.remove_prefix(2);
      else if (in == "/.") in = "/";
      else if (in.starts_with("/../") || in == "/..") {
        in = in == "/.." ? std::string_view("/") : in.substr(3);
        const auto slash = out.rfind('/');
        out.erase(slash == std::string::npos ? 0 : slash);
      } else if (in == "." || in == "..") in = {};
      else {
        const auto end = in.find('/', 1);
        out += in.substr(0, end);
        in = end == std::string_view::npos ? std::string_view() : in.substr(end);
      }
    }
    return out;
  }
};

/// A text whose %XX are resolved.
inline std::string percent_decode(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_URI_HPP
