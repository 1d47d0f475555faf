// Fields: reads the members of a JSON object into typed sizes, and remembers the first thing that was wrong.
#ifndef DSVL_MODEL_FIELDS_HPP
#define DSVL_MODEL_FIELDS_HPP

#include "../base/host_macros_push.hpp"

#include <cfloat>
#include <string>
#include <vector>

#include "../base/status.hpp"
#include "../io/json.hpp"
#include "../io/printable.hpp"

DSVL_BEGIN_NAMESPACE

/// One object of a configuration file. Getters never fail: they give the default and note the error, and status() is
/// asked once at the end. A null counts as absent, as it does in Python's configurations.
class Fields {
 public:
  static constexpr Index kMaxSize = Index{1}
                                    << 24;  ///< of any one dimension: far above every model, far below overflow

  /// `where` is how messages call the file; `path` leads to this object inside it ("text_config.").
  Fields(json::Value object, std::string where, Status& status, std::string path = {})
      : object_(object), where_(std::move(where)), path_(std::move(path)), status_(status) {}

  [[nodiscard]] bool has(std::string_view key) const noexcept { return !value(key).missing(); }
  /// Written down as null (which the getters take for absent).
  [[nodiscard]] bool is_null(std::string_view key) const noexcept { return object_.find(key).is_null(); }
  [[nodiscard]] Fields child(std::string_view key) const {
    const json::Value v = value(key);
    if (!v.missing() && !v.is_object()) wrong(key, v, "an object");
    return Fields(v, where_, status_, path_ + std::string(key) + ".");
  }
  /// The same, and an error when it is not there.
  [[nodiscard]] Fields required_child(std::string_view key) const {
    if (!has(key)) absent(key);
    return child(key);
  }

  /// A dimension: an integer in [1, kMaxSize].
  [[nodiscard]] Index size(std::string_view key, Index otherwise) const { return integer(key, otherwise, 1, kMaxSize); }
  [[nodiscard]] Index required_size(std::string_view key) const {
    if (!has(key)) absent(key);
    return size(key, 1);
  }
  [[nodiscard]] Index integer(std::string_view key, Index otherwise, Index low, Index high) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    const auto n = v.integer();
    if (n && *n >= low && *n <= high) return *n;
    wrong(key, v, low == high ? std::to_string(low) : "an integer" + range(low, high));
    return otherwise;
  }
  /// A number above 0 that a float can hold.
  [[nodiscard]] double positive(std::string_view key, double otherwise) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    if (const auto n = v.number(); n && *n >= double{FLT_MIN} && *n <= double{FLT_MAX}) return *n;
    wrong(key, v, "a number above 0 that a float can hold");
    return otherwise;
  }
  [[nodiscard]] bool flag(std::string_view key, bool otherwise) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    if (const auto b = v.boolean()) return *b;
    wrong(key, v, "true or false");
    return otherwise;
  }
  [[nodiscard]] std::string_view text(std::string_view key, std::string_view otherwise) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    if (const auto s = v.string()) return *s;
    wrong(key, v, "a string");
    return otherwise;
  }
  /// A list of at most 256 integers in [low, high].
  [[nodiscard]] std::vector<Index> integers(std::string_view key, std::vector<Index> otherwise, Index low,
                                            Index high) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    std::vector<Index> out;
    if (v.is_array() && v.size() <= 256)
      for (const json::Value e : v)
        if (const auto n = e.integer(); n && *n >= low && *n <= high) out.push_back(*n);
    if (v.is_array() && out.size() == v.size()) return out;
    wrong(key, v, "a list of integers" + range(low, high));
    return otherwise;
  }
  /// Three numbers (RGB); false when absent.
  bool triple(std::string_view key, float (&out)[3]) const {
    const json::Value v = value(key);
    if (v.missing()) return false;
    for (std::size_t c = 0; c < 3; ++c) {
      const auto n = v.size() == 3 ? v[c].number() : std::nullopt;
      if (!v.is_array() || !n) return wrong(key, v, "a list of three numbers"), false;
      out[c] = static_cast<float>(*n);
    }
    return true;
  }

  /// Notes an error of the caller's finding: "config.json: text_config.hidden_size is 0, needs to be …".
  void refuse(Code code, std::string_view key, const std::string& why) const {
    refuse_whole(code, path_ + std::string(key) + " " + why);
  }
  /// The same for what is no single key's fault.
  void refuse_whole(Code code, const std::string& why) const {
    if (status_.ok()) status_ = fail(code, "%s: %s", Printable(where_).text(), why.c_str());
  }
  [[nodiscard]] json::Value value(std::string_view key) const noexcept {
    const json::Value v = object_.find(key);
    return v.is_null() ? json::Value() : v;
  }

 private:
  void absent(std::string_view key) const { refuse(Code::bad_file, key, "is not there, and has no default"); }
  static std::string range(Index low, Index high) {
    return " from " + std::to_string(low) + " to " + std::to_string(high);
  }
  void wrong(std::string_view key, json::Value found, const std::string& needed) const {
    refuse(Code::bad_file, key, "is " + spelled(found) + ", needs to be " + needed);
  }
  static std::string spelled(json::Value v) {
    if (const auto i = v.integer()) return std::to_string(*i);
    if (const auto s = v.string()) return "'" + std::string(Printable(*s).text()) + "'";
    if (const auto b = v.boolean()) return *b ? "true" : "false";
    if (!v.number())
      return v.is_array() ? "an array of " + std::to_string(v.size()) : "an " + std::string(name(v.kind()));
    char text[32];
    std::snprintf(text, sizeof text, "%g", *v.number());
    return text;
  }

  json::Value object_;
  std::string where_, path_;
  Status& status_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_FIELDS_HPP
