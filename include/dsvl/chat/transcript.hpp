// Transcript: from generated ids to text that may be shown.
#ifndef DSVL_CHAT_TRANSCRIPT_HPP
#define DSVL_CHAT_TRANSCRIPT_HPP

#include <string>

#include "../text/stop.hpp"
#include "../text/tokenizer.hpp"
#include "../text/utf8.hpp"

DSVL_BEGIN_NAMESPACE

/// Whole characters only, nothing of a stop text, no white space in front (the template puts a space there itself).
class Transcript {
 public:
  /// Without a tokenizer there is no text.
  Transcript(const Tokenizer* tokenizer, StopStrings stops) : tokenizer_(tokenizer), stops_(std::move(stops)) {}

  /// One more token; may make text visible.
  void push(std::int32_t id) {
    if (!tokenizer_ || tokenizer_->is_special(id)) return;
    utf8_.push(tokenizer_->token_bytes(id), characters_);
    show();
  }
  /// The end: what was held back becomes visible too.
  void flush() {
    utf8_.flush(characters_);
    show();
    if (!stops_.stopped()) stops_.flush(text_);
  }
  /// What became visible since the last call; good until the next push or flush.
  std::string_view take() {
    const std::string_view fresh = std::string_view(text_).substr(taken_);
    taken_ = text_.size();
    return fresh;
  }

  [[nodiscard]] bool stopped() const noexcept { return stops_.stopped(); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void show() {
    if (!begun_) {
      const std::size_t first = characters_.find_first_not_of(" \t\r\n");
      characters_.erase(0, first == std::string::npos ? characters_.size() : first);
      begun_ = !characters_.empty();
    }
    stops_.push(characters_, text_);
    characters_.clear();
  }

  const Tokenizer* tokenizer_;
  StopStrings stops_;
  Utf8Stream utf8_;
  std::string characters_, text_;
  std::size_t taken_ = 0;
  bool begun_ = false;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_TRANSCRIPT_HPP
