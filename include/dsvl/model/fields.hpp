// Fields: reads the members of a JSON object into typed values, and remembers the first thing that was wrong.
//
// The getters return plain values rather than Results, so that a reader is a list of assignments; the error is checked
// once, at the end. Messages name the file, the key with its path, what was found and what was needed.
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

/// One object of a configuration file. Getters never fail: they return the default and note the error in the Status
/// that the constructor was given. A null counts as absent, as it does in Python's configurations.
class Fields {
 public:
  /// Largest value of any one dimension: far above every model, far below overflow of a product of two.
  static constexpr Index kMaxSize = Index{1} << 24;

  /// `where` is how messages call the file; `path` leads to this object inside it ("text_config."). `status` keeps the
  /// first error and must outlive the object, as must the document.
  Fields(json::Value object, std::string where, Status& status, std::string path = {})
      : object_(object), where_(std::move(where)), path_(std::move(path)), status_(status) {}

  /// True when the key is there and not null.
  [[nodiscard]] bool has(std::string_view key) const noexcept { return !value(key).missing(); }
  /// True when the key is there with the value null, which the getters take for absent.
  [[nodiscard]] bool is_null(std::string_view key) const noexcept { return object_.find(key).is_null(); }
  /// The object under `key`. When it is absent, every getter of the result gives its default.
  [[nodiscard]] Fields child(std::string_view key) const {
    const json::Value v = value(key);
    if (!v.missing() && !v.is_object()) wrong(key, v, "an object");
    return Fields(v, where_, status_, path_ + std::string(key) + ".");
  }
  /// The object under `key`; an error when it is absent.
  [[nodiscard]] Fields required_child(std::string_view key) const {
    if (!has(key)) absent(key);
    return child(key);
  }

  /// A dimension: an integer in [1, kMaxSize].
  [[nodiscard]] Index size(std::string_view key, Index otherwise) const { return integer(key, otherwise, 1, kMaxSize); }
  /// A dimension; an error when it is absent.
  [[nodiscard]] Index required_size(std::string_view key) const {
    if (!has(key)) absent(key);
    return size(key, 1);
  }
  /// An integer in [low, high].
  [[nodiscard]] Index integer(std::string_view key, Index otherwise, Index low, Index high) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    const auto n = v.integer();
    if (n && *n >= low && *n <= high) return *n;
    wrong(key, v, low == high ? std::to_string(low) : "an integer" + range(low, high));
    return otherwise;
  }
  /// A number above 0 that a float can hold as a normal number.
  [[nodiscard]] double positive(std::string_view key, double otherwise) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    if (const auto n = v.number(); n && *n >= double{FLT_MIN} && *n <= double{FLT_MAX}) return *n;
    wrong(key, v, "a number above 0 that a float can hold");
    return otherwise;
  }
  /// True or false.
  [[nodiscard]] bool flag(std::string_view key, bool otherwise) const {
    const json::Value v = value(key);
    if (v.missing()) return otherwise;
    if (const auto b = v.boolean()) return *b;
    wrong(key, v, "true or false");
    return otherwise;
  }
  /// A string. The view is valid as long as the document and `otherwise` are.
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
  /// Three numbers (RGB). False, and `out` untouched or partly written, when absent or wrong.
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

  /// Notes an error that the caller found: "config.json: text_config.hidden_size is 0, needs to be …". Only the first
  /// error is kept, since later ones tend to follow from it.
  void refuse(Code code, std::string_view key, const std::string& why) const {
    refuse_whole(code, path_ + std::string(key) + " " + why);
  }
  /// Notes an error that is not the fault of a single key.
  void refuse_whole(Code code, const std::string& why) const {
    if (status_.ok()) status_ = fail(code, "%s: %s", Printable(where_).text(), why.c_str());
  }
  /// The value under `key`, missing when it is absent or null.
  [[nodiscard]] json::Value value(std::string_view key) const noexcept {
    const json::Value v = object_.find(key);
    return v.is_null() ? json::Value() : v;
  }

 private:
  /// Notes that a required key is not there.
  void absent(std::string_view key) const { refuse(Code::bad_file, key, "is not there, and has no default"); }
  /// The allowed range, for messages.
  static std::string range(Index low, Index high) {
    return " from " + std::to_string(low) + " to " + std::to_string(high);
  }
  /// Notes that a value is of the wrong type or out of range.
  void wrong(std::string_view key, json::Value found, const std::string& needed) const {
    refuse(Code::bad_file, key, "is " + spelled(found) + ", needs to be " + needed);
  }
  /// A value as messages show it; strings are made printable, since the file is not trusted.
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
