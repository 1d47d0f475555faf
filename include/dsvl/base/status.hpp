// Errors as values: Code, Status, Result<T>.
//
// Whatever touches the outside world (files, pictures, prompts, memory, limits, cancellation) answers with one of
// these, in every build mode the same type. A Status names the thing, what was found and what was needed.
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

/// What kind of thing went wrong; the text of the Status says which.
enum class Code : unsigned char {
  ok,
  not_found,      ///< a file, tensor or key that is needed is not there
  io,             ///< the system refused to open, map or read
  bad_file,       ///< a file is there and is not what it claims to be (truncated, malformed, hostile)
  unsupported,    ///< well formed, but not something dsvl implements
  bad_shape,      ///< a tensor or view has other dimensions than needed
  bad_argument,   ///< the caller passed something that makes no sense here
  bad_text,       ///< text that is not UTF-8, or not allowed where it stands
  out_of_memory,  ///< the allocator said no
  limit,          ///< a declared limit (context, pictures, sizes) would be exceeded
  cancelled,      ///< a CancelToken was set
};

/// Short name of a code, for logs and machines ("bad_file").
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

/// Success, or a code with one line of text. Holds its text inline: making or copying one never allocates.
class [[nodiscard]] Status {
 public:
  static constexpr std::size_t kCapacity = 383;  ///< longer texts are cut, and end in "..."

  Status() noexcept { text_[0] = '\0'; }
  Status(Code code, std::string_view text) noexcept : code_(code) {
    const std::size_t n = text.size() < kCapacity ? text.size() : kCapacity;
    std::memcpy(text_, text.data(), n);
    text_[n] = '\0';
    if (text.size() > kCapacity) std::memcpy(text_ + kCapacity - 3, "...", 3);
  }

  DSVL_NO_INLINE Status(const Status& from) noexcept { *this = from; }
  DSVL_NO_INLINE Status& operator=(const Status& from) noexcept {
    code_ = from.code_;
    std::memmove(text_, from.text_, std::strlen(from.text_) + 1);
    return *this;
  }
  ~Status() = default;

  [[nodiscard]] bool ok() const noexcept { return code_ == Code::ok; }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] Code code() const noexcept { return code_; }
  /// Zero-terminated, one line, no trailing newline; empty when ok.
  [[nodiscard]] const char* text() const noexcept { return text_; }

 private:
  Code code_ = Code::ok;
  char text_[kCapacity + 1];
};

/// A Status from a printf format: `return fail(Code::bad_file, "%s: header of %zu bytes", name, n);`
DSVL_PRINTF_LIKE(2, 3)
inline Status fail(Code code, const char* format, ...) noexcept {
  char text[Status::kCapacity + 8];
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const std::size_t length = n < 0 ? 0 : static_cast<std::size_t>(n);
  return Status(code, std::string_view(text, length < sizeof text ? length : sizeof text - 1));
}

/// A value or the Status that says why there is none. Members are named as in std::expected.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : value_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Status error) noexcept : error_(std::move(error)) {  // NOLINT: implicit by design
    DSVL_ASSERT(!error_.ok());
  }

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  /// The error; ok() when there is a value.
  [[nodiscard]] const Status& error() const noexcept { return error_; }

  T& operator*() & noexcept { DSVL_ASSERT(value_); return *value_; }
  const T& operator*() const& noexcept { DSVL_ASSERT(value_); return *value_; }
  T&& operator*() && noexcept { DSVL_ASSERT(value_); return std::move(*value_); }
  T* operator->() noexcept { DSVL_ASSERT(value_); return &*value_; }
  const T* operator->() const noexcept { DSVL_ASSERT(value_); return &*value_; }

 private:
  std::optional<T> value_;
  Status error_;
};

/// Prints nothing and returns 0 when ok; otherwise prints "error: …" to `out` and returns 1. For small programs.
inline int report(const Status& status, std::FILE* out = stderr) noexcept {
  if (status.ok()) return 0;
  std::fprintf(out, "error: %s\n", status.text());
  return 1;
}

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_STATUS_HPP
