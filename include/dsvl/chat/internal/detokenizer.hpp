// StreamingDetokenizer: from generated ids to text that may be shown.
#ifndef DSVL_CHAT_INTERNAL_DETOKENIZER_HPP
#define DSVL_CHAT_INTERNAL_DETOKENIZER_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/utf8.hpp"
#include "../../base/view.hpp"
#include "../../text/stop.hpp"
#include "../../text/tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

/// Whole characters only, nothing of a stop text, no white space in front (the template puts a space there itself).
class StreamingDetokenizer {
 public:
  /// Without a tokenizer there is no text. Takes memory for answers of up to `bytes` from `from`; check ready().
  StreamingDetokenizer(const Tokenizer* tokenizer, Index bytes, Allocator* from) noexcept
      : tokenizer_(tokenizer), stops_(from), characters_(from), text_(from) {
    ready_ = stops_.ready() && characters_.reserve(kMostCharacters) && text_.reserve(static_cast<std::size_t>(bytes));
  }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  static constexpr std::size_t bytes_for(Index bytes) noexcept {
    return static_cast<std::size_t>(bytes) + kMostCharacters + 4 * StopStrings::kMostBytes + 1024;
  }

  /// Begins anew. Codes: those of StopStrings::set.
  Status begin(std::span<const std::string> stops) noexcept {
    restart();
    return stops_.set(stops);
  }
  /// The same with the stop texts that are there.
  void restart() noexcept {
    stops_.reset();
    utf8_ = {};
    characters_.clear();
    text_.clear();
    taken_ = 0;
    begun_ = false;
  }

  /// One more token; may make text visible.
  void push(std::int32_t id) noexcept {
    if (!tokenizer_ || tokenizer_->is_special(id)) return;
    utf8_.push(tokenizer_->token_bytes(id), characters_);
    show();
  }
  /// The end: what was held back becomes visible too.
  void flush() noexcept {
    utf8_.flush(characters_);
    show();
    if (!stops_.stopped()) stops_.flush(text_);
  }
  /// What became visible since the last call; good until the next push or flush.
  std::string_view take() noexcept {
    const std::string_view fresh = text_.view().substr(taken_);
    taken_ = text_.size();
    return fresh;
  }

  [[nodiscard]] bool stopped() const noexcept { return stops_.stopped(); }
  /// No room was left for a part of the text.
  [[nodiscard]] bool full() const noexcept { return text_.full(); }
  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }

 private:
  static constexpr std::size_t kMostCharacters = 4096;  // of one token; longer ones ask for memory

  void show() noexcept {
    if (!begun_) {
      const std::size_t first = characters_.view().find_first_not_of(" \t\r\n");
      characters_.remove_prefix(first == std::string_view::npos ? characters_.size() : first);
      begun_ = !characters_.empty();
    }
    stops_.push(characters_.view(), text_);
    characters_.clear();
  }

  const Tokenizer* tokenizer_;
  StopStrings stops_;
  Utf8Stream utf8_;
  TextBuffer characters_, text_;
  std::size_t taken_ = 0;
  bool begun_ = false, ready_ = false;
};

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_DETOKENIZER_HPP
