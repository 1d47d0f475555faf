// Stop strings over a stream of text.
//
// Between Utf8Stream and whoever shows the answer: passes on what is certainly before any stop string, holds back only
// bytes that could still become one. The outcome does not depend on how the text is cut into pushes: the stop string
// that is complete first counts (the longest, if several end at the same byte).
#ifndef DSVL_TEXT_STOP_HPP
#define DSVL_TEXT_STOP_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/status.hpp"

DSVL_BEGIN_NAMESPACE

class StopStrings {
 public:
  StopStrings() = default;

  /// Codes: bad_argument when one is empty.
  static Result<StopStrings> make(std::vector<std::string> stops) {
    for (const std::string& s : stops)
      if (s.empty()) return fail(Code::bad_argument, "a stop string is empty");
    StopStrings made;
    made.stops_ = std::move(stops);
    return made;
  }

  /// Appends to `to` what may be shown; true once a stop string was met, which itself is never shown. After that
  /// everything pushed is dropped. Cost: per byte one comparison with each stop string that ends in it.
  bool push(std::string_view text, std::string& to) {
    for (const char c : text) {
      if (stopped_) return true;
      held_.push_back(c);
      std::size_t longest = 0;
      for (const std::string& s : stops_)
        if (s.size() > longest && s.back() == c && held_.ends_with(s)) longest = s.size();
      if (longest == 0) continue;
      stopped_ = true;
      to.append(held_, 0, held_.size() - longest);
      held_.clear();
    }
    release(to);
    return stopped_;
  }

  /// The end of the text: what was held back did not become a stop string.
  void flush(std::string& to) {
    to += held_;
    held_.clear();
  }

  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// Bytes held back.
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  /// As new, with the same stop strings.
  void reset() noexcept {
    held_.clear();
    stopped_ = false;
  }

 private:
  /// Passes on all but the longest end of held_ that is the beginning of a stop string.
  void release(std::string& to) {
    std::size_t keep = 0;
    for (const std::string& s : stops_) {
      std::size_t n = s.size() - 1 < held_.size() ? s.size() - 1 : held_.size();
      while (n > keep && !held_.ends_with(std::string_view(s).substr(0, n))) --n;
      if (n > keep) keep = n;
    }
    to.append(held_, 0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
  }

  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_STOP_HPP
