// Errors as values: Code, Status, Result<T>.
//
// Every function that touches the outside world (files, pictures, prompts, memory, limits, cancellation) returns one of
// these, and the type is the same in every build mode. A Status names the thing, what was found and what was needed.
#ifndef DSVL_BASE_STATUS_HPP
#define DSVL_BASE_STATUS_HPP

#include "host_macros_push.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// The kind of an error, for programs that react to it; the text of the Status has the details.
enum class Code : unsigned char {
  ok,             ///< no error
  not_found,      ///< a file, tensor or key that is needed is not there
  io,             ///< the system refused to open, map, read or write
  bad_file,       ///< a file is not what it claims to be (truncated, malformed, hostile)
  unsupported,    ///< well formed, but not something dsvl implements
  bad_shape,      ///< a tensor or view has other dimensions than needed
  bad_argument,   ///< the caller passed something that makes no sense here
  bad_text,       ///< a text is not UTF-8, or not allowed in its place
  out_of_memory,  ///< the allocator had no memory
  limit,          ///< a declared limit (context, pictures, sizes) would be exceeded
  cancelled,      ///< a CancelToken was set
};

/// The code's name ("bad_file"), for logs and machines.
constexpr std::string_view name(Code code) noexcept {
  switch (code) {
    case Code::ok: return "ok";
    case Code::not_found: return "not_found";
    case Code::io: return "io";
    case Code::bad_file: return "bad_file";
    case Code::unsupported: return "unsupported";
    case Code::bad_shape: return "bad_shape";
    case Code::bad_argument: return "bad_argument";
    case Code::bad_text: return "bad_text";
    case Code::out_of_memory: return "out_of_memory";
    case Code::limit: return "limit";
    case Code::cancelled: return "cancelled";
  }
  return "unknown";
}

/// Success, or a code with one line of text. It holds its text itself, so making or copying one never allocates; it is
/// 385 bytes, of which only the text is copied.
class [[nodiscard]] Status {
 public:
  static constexpr std::size_t kCapacity = 383;  ///< bytes of text; longer texts are cut, and end in "..."

  /// Success.
  Status() noexcept { text_[0] = '\0'; }
  /// An error; `text` is copied. fail() is more convenient.
  Status(Code code, std::string_view text) noexcept : code_(code) {
    const std::size_t n = text.size() < kCapacity ? text.size() : kCapacity;
    std::memcpy(text_, text.data(), n);
    text_[n] = '\0';
    if (text.size() > kCapacity) std::memcpy(text_ + kCapacity - 3, "...", 3);
  }

  /// Copies the code and the text. It is not inlined, because it occurs at every return of an error.
  DSVL_NO_INLINE Status(const Status& from) noexcept { *this = from; }
  /// Copies the code and the text; assigning to itself is allowed.
  DSVL_NO_INLINE Status& operator=(const Status& from) noexcept {
    code_ = from.code_;
    std::memmove(text_, from.text_, std::strlen(from.text_) + 1);
    return *this;
  }
  ~Status() = default;

  /// True for success.
  [[nodiscard]] bool ok() const noexcept { return code_ == Code::ok; }
  /// True for success.
  explicit operator bool() const noexcept { return ok(); }
  /// The kind of error, Code::ok for success.
  [[nodiscard]] Code code() const noexcept { return code_; }
  /// The text: zero-terminated, one line, no trailing newline; empty when ok. Valid as long as this object.
  [[nodiscard]] const char* text() const noexcept { return text_; }

 private:
  Code code_ = Code::ok;
  char text_[kCapacity + 1];
};

/// A Status from a printf format: `return fail(Code::bad_file, "%s: header of %zu bytes", name, n);`
DSVL_PRINTF_LIKE(2, 3)
/// Makes an error from a printf format: `return fail(Code::bad_file, "%s: header of %zu bytes", name, n);`
inline Status fail(Code code, const char* format, ...) noexcept {
  char text[Status::kCapacity + 8];
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const std::size_t length = n < 0 ? 0 : static_cast<std::size_t>(n);
  return Status(code, std::string_view(text, length < sizeof text ? length : sizeof text - 1));
}

/// A value, or the Status that says why there is none. The members are a subset of std::expected's.
template <class T>
class [[nodiscard]] Result {
 public:
  /// A value.
  Result(T value) noexcept : value_(std::move(value)) {}  // NOLINT: implicit by design
  /// An error, which must not be ok().
  Result(Status error) noexcept : error_(std::move(error)) {  // NOLINT: implicit by design
    DSVL_ASSERT(!error_.ok());
  }

  /// True when there is a value.
  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  /// True when there is a value.
  explicit operator bool() const noexcept { return has_value(); }
  /// The error; ok() when there is a value.
  [[nodiscard]] const Status& error() const noexcept { return error_; }

  /// The value, which must be there; DSVL_ASSERT checks it.
  T& operator*() & noexcept { DSVL_ASSERT(value_); return *value_; }
  /// The value, read only.
  const T& operator*() const& noexcept { DSVL_ASSERT(value_); return *value_; }
  /// The value, to be moved from.
  T&& operator*() && noexcept { DSVL_ASSERT(value_); return std::move(*value_); }
  /// A member of the value.
  T* operator->() noexcept { DSVL_ASSERT(value_); return &*value_; }
  /// A member of the value, read only.
  const T* operator->() const noexcept { DSVL_ASSERT(value_); return &*value_; }

 private:
  std::optional<T> value_;
  Status error_;
};

/// Returns 0 when ok; otherwise prints "error: …" to `out` and returns 1. For the main() of small programs.
inline int report(const Status& status, std::FILE* out = stderr) noexcept {
  if (status.ok()) return 0;
  std::fprintf(out, "error: %s\n", status.text());
  return 1;
}

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_STATUS_HPP
