// KeyTracker: which names an object has already, so that none is written twice.
//
// A grammar cannot know it, and a name that comes twice would make the object smaller than it looks. It reads JSON that
// the grammar accepts, and remembers hashes of 64 bits: two names that share one would be taken for the same, which
// refuses a name and never accepts a wrong one.
#ifndef DSVL_CONSTRAINT_KEY_TRACKER_HPP
#define DSVL_CONSTRAINT_KEY_TRACKER_HPP

#include <cstdint>
#include <string_view>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Follows a text. What it did since mark() can be taken back.
class KeyTracker {
 public:
  /// Takes its memory from `from` in open().
  explicit KeyTracker(Allocator* from = nullptr) noexcept : keys_(from), levels_(from), log_(from) {}
  /// Takes memory for so many names of open objects, and so many open objects and arrays. False when there is none.
  [[nodiscard]] bool open(std::size_t keys, std::size_t levels) noexcept {
    return keys_.resize(keys) && levels_.resize(levels) && log_.reserve(kLog);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(std::size_t keys, std::size_t levels) noexcept {
    return keys * 8 + levels * sizeof(Level) + kLog * sizeof(Change) + 3 * kAlignment;
  }
  /// Forgets everything.
  void begin() noexcept {
    now_ = {};
    full_ = false;
    mark();
  }
  /// What came until here stays; revert() goes back to here.
  void mark() noexcept {
    log_.clear();
    marked_ = now_;
  }
  /// Goes back to the last mark().
  void revert() noexcept {
    while (!log_.empty()) {
      const Change change = log_[log_.size() - 1];
      if (change.of_level) levels_[change.at] = change.level;
      else keys_[change.at] = change.key;
      (void)log_.resize(log_.size() - 1);
    }
    now_ = marked_;
  }
  /// Follows bytes; false when a name comes twice, or the memory does not suffice (see full()). Then call revert().
  [[nodiscard]] bool follow(std::string_view bytes) noexcept {
    for (const char c : bytes)
      if (!(now_.quoted ? inside_string(c) : outside_string(c))) return false;
    return true;
  }
  /// True once an object had too many names, or one text too many changes since mark().
  [[nodiscard]] bool full() const noexcept { return full_; }
  /// True inside a name of an object that has others.
  [[nodiscard]] bool inside_key() const noexcept {
    return now_.quoted && now_.is_key && now_.keys > levels_[now_.levels - 1].first_key;
  }
  /// True when an open object has a name.
  [[nodiscard]] bool has_keys() const noexcept { return now_.keys > 0; }

 private:
  static constexpr std::size_t kLog = 2048;  // a token has at most 512 bytes, each of which changes two entries
  struct Level { std::uint32_t first_key; bool object; };
  struct Change { bool of_level; std::uint32_t at; Level level; std::uint64_t key; };
  struct State {
    std::uint32_t levels = 0, keys = 0;
    bool quoted = false, escaped = false, is_key = false, expects_key = false;
    std::uint8_t missing = 0, digits = 0;  // bytes of a character, and digits of an escape, that are not there yet
    std::uint32_t code = 0, high = 0;      // what there is of it; the first half of a pair
    std::uint64_t hash = 0;                // of the name so far, by characters: they may be spelled in two ways
  };

  bool refuse_as_full() noexcept { return full_ = true, false; }
  void add_character(std::uint32_t code) noexcept { now_.hash = (now_.hash ^ code) * 1099511628211ull; }
  /// A character of a string, or a part of one, other than the closing quote.
  void spell(unsigned char c) noexcept {
    if (now_.digits > 0) {
      now_.code = now_.code << 4 | (c <= '9' ? c - '0' : (c | 0x20u) - 'a' + 10);
      if (--now_.digits > 0) return;
      const bool first = now_.code >= 0xD800 && now_.code < 0xDC00;
      if (!first) add_character(now_.high ? 0x10000 + ((now_.high - 0xD800) << 10) + (now_.code - 0xDC00) : now_.code);
      now_.high = first ? now_.code : 0;
    } else if (now_.escaped) {
      now_.escaped = false;
      constexpr std::string_view kLetters = "bfnrt", kCodes = "\b\f\n\r\t";
      const std::size_t which = kLetters.find(static_cast<char>(c));
      if (c == 'u') now_.digits = 4, now_.code = 0;
      else add_character(which == kLetters.npos ? c : static_cast<unsigned char>(kCodes[which]));
    } else if (c == '\\') {
      now_.escaped = true;
    } else if (c >= 0xC0) {
      now_.missing = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
      now_.code = c & (0x3Fu >> now_.missing);
    } else if (c >= 0x80) {
      now_.code = now_.code << 6 | (c & 0x3Fu);
      if (--now_.missing == 0) add_character(now_.code);
    } else {
      add_character(c);
    }
  }
  bool inside_string(char c) noexcept {
    if (c != '"' || now_.escaped) return spell(static_cast<unsigned char>(c)), true;
    now_.quoted = false;
    if (!now_.is_key) return true;
    const std::uint64_t hash = now_.hash ^ now_.hash >> 31;
    for (std::uint32_t k = levels_[now_.levels - 1].first_key; k < now_.keys; ++k)
      if (keys_[k] == hash) return false;
    if (now_.keys == keys_.size() || log_.size() == kLog) return refuse_as_full();
    (void)log_.push_back({false, now_.keys, {}, keys_[now_.keys]});
    keys_[now_.keys++] = hash;
    return true;
  }
  bool outside_string(char c) noexcept {
    switch (c) {
      case '{':
      case '[':
        if (now_.levels == levels_.size() || log_.size() == kLog) return refuse_as_full();
        (void)log_.push_back({true, now_.levels, levels_[now_.levels], 0});
        levels_[now_.levels++] = {now_.keys, c == '{'};
        now_.expects_key = c == '{';
        return true;
      case '}':
      case ']':
        if (now_.levels > 0) now_.keys = levels_[--now_.levels].first_key;
        now_.expects_key = false;
        return true;
      case ',': now_.expects_key = now_.levels > 0 && levels_[now_.levels - 1].object; return true;
      case ':': now_.expects_key = false; return true;
      case '"':
        now_.quoted = true;
        now_.is_key = now_.expects_key;
        now_.hash = 14695981039346656037ull;
        return true;
      default: return true;
    }
  }

  Buffer<std::uint64_t> keys_;  // of all open objects, outer ones first
  Buffer<Level> levels_;
  Buffer<Change> log_;          // what was overwritten since mark()
  State now_, marked_;
  bool full_ = false;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_KEY_TRACKER_HPP
