// How the functions of c.h take structs that carry their size, give others back, and report what went wrong.
#ifndef DSVL_C_STRUCTS_HPP
#define DSVL_C_STRUCTS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../base/status.hpp"
#include "../base/view.hpp"
#include "../c.h"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

/// Most bytes that a struct may say it has: more is a `size` that was never set.
inline constexpr std::size_t kLargestStruct = 4096;

/// Refuses a struct without a sensible size. `name` is that of its type.
inline Status check_size(std::size_t size, const char* name) noexcept {
  if (size >= sizeof(std::size_t) && size <= kLargestStruct) return {};
  return fail(Code::bad_argument, "%s::size is %zu: zero the struct, and set size to its sizeof", name, size);
}

/// The struct as this library knows it: fields that the caller's header lacks are zero. Null gives all defaults.
///
/// Codes  bad_argument (no size), unsupported (something is set that this library does not know)
template <class T>
Result<T> read_struct(const T* from, const char* name) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  T value = {};
  if (!from) return value;
  DSVL_CHECK_STATUS(check_size(from->size, name));
  std::memcpy(&value, from, (std::min)(from->size, sizeof(T)));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(from);
  for (std::size_t i = sizeof(T); i < from->size; ++i)
    if (bytes[i] != 0)
      return fail(Code::unsupported, "%s has a field at byte %zu that dsvl %s does not know; it must be 0", name, i,
                  DSVL_VERSION_STRING);
  return value;
}

/// Hands a struct out: as much of it as the caller's header knows. Its `size` stays.
///
/// Codes  bad_argument (null, no size)
template <class T>
Status write_struct(T value, T* to, const char* name) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  if (!to) return fail(Code::bad_argument, "the %s to fill is NULL", name);
  DSVL_CHECK_STATUS(check_size(to->size, name));
  value.size = to->size;
  std::memcpy(to, &value, (std::min)(to->size, sizeof(T)));
  return {};
}

/// Writes a status where the caller wants it, as far as there is room, and gives its code.
inline dsvl_code report_to(dsvl_error* error, const Status& status) noexcept {
  const auto code = static_cast<dsvl_code>(status.code());
  if (!error || !check_size(error->size, "dsvl_error").ok()) return code;
  if (error->size >= offsetof(dsvl_error, text)) error->code = code;
  if (error->size <= offsetof(dsvl_error, text)) return code;
  const std::size_t room = (std::min)(error->size, sizeof(dsvl_error)) - offsetof(dsvl_error, text) - 1;
  const std::size_t length = (std::min)(std::strlen(status.text()), room);
  std::memcpy(error->text, status.text(), length);
  error->text[length] = '\0';
  return code;
}

/// Runs the body of a function of c.h, a callable that returns a Status, and reports how it went. What the standard
/// library throws, when there is no memory for a list or a text, ends here.
template <class Work>
dsvl_code guarded(dsvl_error* error, Work work) noexcept {
  const auto run = [&]() noexcept -> Status {
#if DSVL_HAS_EXCEPTIONS
    try {
      return work();
    } catch (...) {  // can only be std::bad_alloc or std::length_error
      return fail(Code::out_of_memory, "no memory for what was handed in");
    }
#else
    return work();
#endif
  };
  return report_to(error, run());
}

/// guarded() for a function that makes a handle: `work` returns a Result of a unique_ptr to it. T is its type in c.h.
template <class T, class Work>
dsvl_code make_handle(T** made, dsvl_error* error, Work work) noexcept {
  if (made) *made = nullptr;
  return guarded(error, [&]() -> Status {
    if (!made) return fail(Code::bad_argument, "the place for the handle is NULL");
    DSVL_TRY(handle, work());
    *made = reinterpret_cast<T*>(handle.release());
    return {};
  });
}

/// The error of a handle that is needed and is not there.
inline Status no_handle(const char* type) noexcept { return fail(Code::bad_argument, "the %s is NULL", type); }

/// A number of the caller's as an Index. Where that has 32 bits, larger ones become the largest, which no size may be.
inline Index to_index(std::int64_t number) noexcept {
  return static_cast<Index>(std::clamp(number, static_cast<std::int64_t>((std::numeric_limits<Index>::min)()),
                                       static_cast<std::int64_t>((std::numeric_limits<Index>::max)())));
}
/// The same with a default for 0.
inline Index to_index(std::int64_t number, Index otherwise) noexcept { return number ? to_index(number) : otherwise; }

/// The characters of a text of the caller's, in place.
///
/// Codes  bad_argument (null with a length)
inline Result<std::string_view> read_text(const dsvl_text& text, const char* name) noexcept {
  if (text.data || text.bytes == 0) return text.data ? std::string_view(text.data, text.bytes) : std::string_view();
  return fail(Code::bad_argument, "%s has %zu bytes at NULL", name, text.bytes);
}
/// The texts of a list, in place.
///
/// Codes  bad_argument (null with a length)
inline Result<std::vector<std::string_view>> read_texts(const dsvl_text* texts, std::size_t count, const char* name) {
  if (!texts && count > 0) return fail(Code::bad_argument, "the list of %s has %zu texts at NULL", name, count);
  std::vector<std::string_view> list;
  for (const dsvl_text& text : std::span(texts, count)) {
    DSVL_TRY(read, read_text(text, name));
    list.push_back(read);
  }
  return list;
}

}  // namespace c_interface

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_STRUCTS_HPP
