// StopStrings: it finds stop strings in a stream of text.
//
// It stands between Utf8Stream and the answer's text, passes on what is certainly before any stop string, and holds
// back only bytes that could still become one. The outcome does not depend on how the text is cut into pushes: the stop
// string that is complete first counts (the longest, if several end at the same byte).
#ifndef DSVL_TEXT_STOP_HPP
#define DSVL_TEXT_STOP_HPP

#include "../base/host_macros_push.hpp"

#include <string>
#include <string_view>

#include "../base/status.hpp"
#include "../base/utf8.hpp"
#include "text_buffer.hpp"

DSVL_BEGIN_NAMESPACE

/// A set of stop strings, and the end of the text that could still become one of them.
class StopStrings {
 public:
  static constexpr std::size_t kMost = 64;         ///< stop strings at most
  static constexpr std::size_t kMostBytes = 4096;  ///< bytes at most of all of them together

  /// Takes the memory for the largest set, so that set() and push() need none. Check ready().
  explicit StopStrings(Allocator* from = nullptr) noexcept : stops_(from), ends_(from), held_(from) {
    ready_ = stops_.reserve(kMostBytes) && ends_.reserve(kMost) && held_.reserve(2 * kMostBytes);
  }
  /// False when the constructor had no memory.
  [[nodiscard]] bool ready() const noexcept { return ready_; }

  /// Replaces the stop strings and begins anew.
  ///
  /// Codes  bad_argument when one is empty, bad_text when one is not UTF-8 (it could end inside a character, and leave
  ///        half of it), limit when they are too many or too long
  Status set(std::span<const std::string> stops) noexcept {
    stops_.clear();
    ends_.clear();
    reset();
    for (const std::string& s : stops) {
      if (s.empty()) return fail(Code::bad_argument, "a stop string is empty");
      DSVL_CHECK_STATUS(utf8::validate(s, "a stop string"));
      if (ends_.size() == kMost || s.size() > kMostBytes - stops_.size())
        return fail(Code::limit, "%zu stop strings: at most %zu are taken, of %zu bytes together", stops.size(), kMost,
                    kMostBytes);
      stops_.append(s);
      if (!ends_.push_back(stops_.size())) return fail(Code::out_of_memory, "no memory for stop strings");
    }
    return {};
  }

  /// Takes more text and appends to `to` (a std::string or a TextBuffer) what may be shown. True once a stop string was
  /// met, which itself is never shown; everything pushed after that is dropped.
  ///
  /// Cost   per byte one comparison with each stop string that ends in that byte
  template <class To>
  bool push(std::string_view text, To& to) {
    for (const char c : text) {
      if (stopped_) return true;
      held_.push_back(c);
      std::size_t longest = 0;
      for_each([&](std::string_view s) {
        if (s.size() > longest && s.back() == c && held_.view().ends_with(s)) longest = s.size();
      });
      if (longest > 0) {
        stopped_ = true;
        to.append(held_.view().substr(0, held_.size() - longest));
        held_.clear();
      } else if (held_.size() >= kMostBytes) {
        release(to);  // bounds the memory, however long the pushed text is
      }
    }
    release(to);
    return stopped_;
  }

  /// Appends the text that was held back, at the end of the answer: it did not become a stop string.
  template <class To>
  void flush(To& to) {
    to.append(held_.view());
    held_.clear();
  }

  /// True once a stop string was met.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// Bytes that are held back.
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  /// Begins a new text with the same stop strings.
  void reset() noexcept {
    held_.clear();
    stopped_ = false;
  }

 private:
  /// Calls f with each stop string.
  template <class F>
  void for_each(F&& f) const {
    std::size_t begin = 0;
    for (const std::size_t end : ends_) f(stops_.view().substr(begin, end - begin)), begin = end;
  }

  /// Passes on all but the longest suffix of held_ that is a prefix of a stop string.
  template <class To>
  void release(To& to) {
    std::size_t keep = 0;
    const std::string_view held = held_.view();
    for_each([&](std::string_view s) {
      std::size_t n = s.size() - 1 < held.size() ? s.size() - 1 : held.size();
      while (n > keep && !held.ends_with(s.substr(0, n))) --n;
      if (n > keep) keep = n;
    });
    to.append(held.substr(0, held.size() - keep));
    held_.remove_prefix(held.size() - keep);
  }

  TextBuffer stops_;          // the strings, end to end
  Buffer<std::size_t> ends_;  // offset of the end of each
  TextBuffer held_;           // text that has not been passed on
  bool ready_ = false, stopped_ = false;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_STOP_HPP
