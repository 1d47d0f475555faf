// From a C++ struct to a schema, and from the JSON that it accepts back to the struct.
//
// A struct is described once, by a function beside it that names its fields:
//
//   struct Item { std::string name; int quantity = 0; };
//   template <class Fields> void describe(Fields& f, Item& i) {
//     f("name", i.name, {.max_length = 80});
//     f("quantity", i.quantity, {.minimum = 1});
//   }
//
// schema_of<Item>() calls it to write the schema, read_as<Item>(text) to read. Fields are bool, integers, float and
// double, std::string, enums (see name_values), std::vector, std::optional (null when empty) and described structs.
#ifndef DSVL_CONSTRAINT_TYPED_HPP
#define DSVL_CONSTRAINT_TYPED_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../io/json.hpp"
#include "../io/json_writer.hpp"

DSVL_BEGIN_NAMESPACE

/// What a field may hold. A bound that does not fit the field's type is ignored by none: it becomes part of the schema.
struct FieldBounds {
  std::optional<double> minimum = {}, maximum = {};  ///< of a number, both included
  std::optional<double> multiple_of = {};            ///< of a number
  std::optional<std::size_t> min_length = {}, max_length = {};  ///< of a string, in characters
  std::string_view pattern = {};                     ///< of a string: see Constraint::regex; it may match anywhere
  std::string_view format = {};  ///< of a string: "date", "time", "date-time", "uuid", "ipv4", "ipv6"
  std::optional<std::size_t> min_items = {}, max_items = {};  ///< of a vector
};

/// Integers beyond this are not exact in JSON as most programs read it, so they are out of the schema's bounds.
inline constexpr double kLargestExact = 9007199254740991.0;

namespace constraint {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// Writes the schema of a type. Bounds of a vector's or an optional's element are those of the field.
class SchemaWriter {
 public:
  /// Describes a field: describe() calls it.
  template <class T>
  void operator()(std::string_view name, T&, const FieldBounds& bounds = {}) {
    names_.push_back(name);
    writer_.key(name);
    write<T>(bounds);
  }
  /// The schema of T as an object of the writer.
  template <class T>
  void write(const FieldBounds& bounds) {
    if constexpr (IsOptional<T>::value) {
      writer_.begin_object().key("anyOf").begin_array();
      write<typename T::value_type>(bounds);
      writer_.begin_object().key("type").value("null").end_object().end_array().end_object();
    } else if constexpr (IsVector<T>::value) {
      writer_.begin_object().key("type").value("array").key("items");
      write<typename T::value_type>(bounds);
      if (bounds.min_items) writer_.key("minItems").value(*bounds.min_items);
      if (bounds.max_items) writer_.key("maxItems").value(*bounds.max_items);
      writer_.end_object();
    } else if constexpr (std::is_enum_v<T>) {
      writer_.begin_object().key("enum").begin_array();
      for (const auto& [name, value] : name_values(T{})) writer_.value(std::string_view(name));
      writer_.end_array().end_object();
    } else if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string>) {
      write_struct<T>();
    } else {
      write_simple<T>(bounds);
    }
  }
  /// The text so far.
  [[nodiscard]] const std::string& text() const { return writer_.text(); }

 private:
  template <class T>
  void write_struct() {
    const std::vector<std::string_view> outer = std::exchange(names_, {});
    writer_.begin_object().key("type").value("object").key("properties").begin_object();
    T nothing{};
    describe(*this, nothing);
    writer_.end_object().key("required").begin_array();
    for (const std::string_view name : names_) writer_.value(name);
    writer_.end_array().key("additionalProperties").value(false).end_object();
    names_ = outer;
  }
  template <class T>
  void write_simple(const FieldBounds& bounds) {
    writer_.begin_object().key("type");
    if constexpr (std::is_same_v<T, bool>) {
      writer_.value("boolean");
    } else if constexpr (std::is_same_v<T, std::string>) {
      writer_.value("string");
      if (bounds.min_length) writer_.key("minLength").value(*bounds.min_length);
      if (bounds.max_length) writer_.key("maxLength").value(*bounds.max_length);
      if (!bounds.pattern.empty()) writer_.key("pattern").value(bounds.pattern);
      if (!bounds.format.empty()) writer_.key("format").value(bounds.format);
    } else {
      static_assert(std::is_arithmetic_v<T>,
                    "a field is a bool, a number, a string, an enum, a vector, an optional, or "
                    "a struct with a describe() function");
      std::optional<double> least = bounds.minimum, most = bounds.maximum;
      if constexpr (std::is_integral_v<T>) {
        using Limits = std::numeric_limits<T>;
        const double lowest = (std::max)(static_cast<double>((Limits::min)()), -kLargestExact);
        const double highest = (std::min)(static_cast<double>((Limits::max)()), kLargestExact);
        least = (std::max)(least.value_or(lowest), lowest);
        most = (std::min)(most.value_or(highest), highest);
      }
      writer_.value(std::is_integral_v<T> ? "integer" : "number");
      if (least) writer_.key("minimum").value(*least);
      if (most) writer_.key("maximum").value(*most);
      if (bounds.multiple_of) writer_.key("multipleOf").value(*bounds.multiple_of);
    }
    writer_.end_object();
  }

  json::Writer writer_;
  std::vector<std::string_view> names_;  // of the struct that is written
};

/// Reads a value of a type from JSON.
class StructReader {
 public:
  /// Reads the members of `object`.
  explicit StructReader(json::Value object) noexcept : object_(object) {}
  /// Reads a field: describe() calls it.
  template <class T>
  void operator()(std::string_view name, T& to, const FieldBounds& = {}) {
    if (right_ && !read(object_.find(name), to)) {
      right_ = false;
      wrong_ = name;
    }
  }
  /// The name of a field that did not fit; empty when all did.
  [[nodiscard]] std::string_view wrong() const noexcept { return wrong_; }
  /// False when a field did not fit.
  [[nodiscard]] bool right() const noexcept { return right_; }

  /// Reads one value; false when it is of another type or does not fit.
  template <class T>
  static bool read(json::Value from, T& to) {
    if constexpr (IsOptional<T>::value) {
      to.reset();
      return from.is_null() || read(from, to.emplace());
    } else if constexpr (IsVector<T>::value) {
      to.clear();
      if (!from.is_array()) return false;
      for (const json::Value element : from) {
        typename T::value_type value{};
        if (!read(element, value)) return false;
        to.push_back(std::move(value));
      }
      return true;
    } else if constexpr (std::is_enum_v<T>) {
      const auto text = from.string();
      for (const auto& [name, value] : name_values(T{}))
        if (text && *text == name) return to = value, true;
      return false;
    } else if constexpr (std::is_same_v<T, bool>) {
      return from.is_boolean() ? (to = *from.boolean(), true) : false;
    } else if constexpr (std::is_same_v<T, std::string>) {
      return from.is_string() ? (to = *from.string(), true) : false;
    } else if constexpr (std::is_class_v<T>) {
      StructReader inside(from);
      if (!from.is_object()) return false;
      describe(inside, to);
      return inside.right();
    } else {
      return read_number(from, to);
    }
  }

 private:
  template <class T>
  static bool read_number(json::Value from, T& to) {
    const auto number = from.number();
    if (!number) return false;
    if constexpr (std::is_integral_v<T>) {
      // 12.0 is an integer too. Within kLargestExact a double has it exactly.
      const double x = *number;
      if (x != x || x < -kLargestExact || x > kLargestExact || x != static_cast<double>(static_cast<std::int64_t>(x)))
        return false;
      const auto whole = static_cast<std::int64_t>(x);
      return std::in_range<T>(whole) ? (to = static_cast<T>(whole), true) : false;
    } else {
      to = static_cast<T>(*number);
      return true;
    }
  }

  json::Value object_;
  bool right_ = true;
  std::string_view wrong_;
};

}  // namespace constraint

/// The schema of a described struct, for Schema::compile.
template <class T>
std::string schema_of() {
  constraint::SchemaWriter writer;
  writer.write<T>({});
  return writer.text();
}

/// A described struct from JSON.
///
/// Codes  those of json::Document::parse, bad_argument (a field is missing or does not fit; the error names the
///        outermost)
template <class T>
Result<T> read_as(std::string_view text) {
  DSVL_TRY(document, json::Document::parse(text, "the answer"));
  if (!document.root().is_object()) return fail(Code::bad_argument, "the answer is no object");
  T out{};
  constraint::StructReader reader(document.root());
  describe(reader, out);
  if (reader.right()) return out;
  const std::string name(reader.wrong());
  return fail(Code::bad_argument, "\"%.80s\" of the answer is missing, or is not what the field holds", name.c_str());
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_TYPED_HPP
