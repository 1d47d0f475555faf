// StreamingDetokenizer: from generated ids to text that may be shown.
//
//   ids -> bytes of tokens -> whole characters -> no white space in front -> no stop string -> text
//
// Each stage holds back what it cannot decide yet: the bytes of an unfinished character, and the beginning of what may
// become a stop string.
#ifndef DSVL_CHAT_INTERNAL_DETOKENIZER_HPP
#define DSVL_CHAT_INTERNAL_DETOKENIZER_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/utf8.hpp"
#include "../../base/view.hpp"
#include "../../text/stop.hpp"
#include "../../text/tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

/// The text of one answer at a time. It shows whole characters only, nothing of a stop string, and no white space in
/// front, since the template puts a space there itself.
class StreamingDetokenizer {
 public:
  /// Takes memory for answers of up to `bytes` bytes from `from`; check ready(). A null tokenizer means that there is
  /// no text.
  StreamingDetokenizer(const Tokenizer* tokenizer, Index bytes, Allocator* from) noexcept
      : tokenizer_(tokenizer), stops_(from), characters_(from), text_(from) {
    ready_ = stops_.ready() && characters_.reserve(kMostCharacters) && text_.reserve(static_cast<std::size_t>(bytes));
  }
  /// False when the constructor had no memory.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Bytes that the constructor allocates, with what alignment may add.
  static constexpr std::size_t bytes_for(Index bytes) noexcept {
    return static_cast<std::size_t>(bytes) + kMostCharacters + 4 * StopStrings::kMostBytes + 1024;
  }

  /// Begins a new answer with these stop strings.
  ///
  /// Codes  those of StopStrings::set
  Status begin(std::span<const std::string> stops) noexcept {
    restart();
    return stops_.set(stops);
  }
  /// Begins a new answer with the stop strings that are there.
  void restart() noexcept {
    stops_.reset();
    utf8_ = {};
    characters_.clear();
    text_.clear();
    taken_ = 0;
    begun_ = false;
  }

  /// Takes one more token, which may make text visible. Control tokens have no text.
  void push(std::int32_t id) noexcept {
    if (!tokenizer_ || tokenizer_->is_special(id)) return;
    utf8_.push(tokenizer_->token_bytes(id), characters_);
    show();
  }
  /// Ends the answer: what was held back becomes visible too, since no more tokens can complete it.
  void flush() noexcept {
    utf8_.flush(characters_);
    show();
    if (!stops_.stopped()) stops_.flush(text_);
  }
  /// The text that became visible since the last call; valid until the next push() or flush().
  std::string_view take() noexcept {
    const std::string_view fresh = text_.view().substr(taken_);
    taken_ = text_.size();
    return fresh;
  }

  /// True once a stop string was met.
  [[nodiscard]] bool stopped() const noexcept { return stops_.stopped(); }
  /// True when there was no room for a part of the text.
  [[nodiscard]] bool full() const noexcept { return text_.full(); }
  /// All text that is visible; valid until the next push() or flush().
  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }

 private:
  static constexpr std::size_t kMostCharacters = 4096;  // bytes of one token; a longer one asks for memory

  /// Passes whole characters on to the stop strings, without white space at the beginning of the answer.
  void show() noexcept {
    if (!begun_) {
      const std::size_t first = characters_.view().find_first_not_of(" \t\r\n");
      characters_.remove_prefix(first == std::string_view::npos ? characters_.size() : first);
      begun_ = !characters_.empty();
    }
    stops_.push(characters_.view(), text_);
    characters_.clear();
  }

  const Tokenizer* tokenizer_;          // null: no text
  StopStrings stops_;                   // hold back what may become one of them
  Utf8Stream utf8_;                     // holds back the bytes of an unfinished character
  TextBuffer characters_, text_;        // whole characters on their way, and the text that is visible
  std::size_t taken_ = 0;               // bytes of it that take() has returned
  bool begun_ = false, ready_ = false;  // a character other than white space has come; there was memory
};

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_DETOKENIZER_HPP
