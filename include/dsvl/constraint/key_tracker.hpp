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
  explicit KeyTracker(Allocator* from = nullptr) noexcept
      : keys_(from), beginnings_(from), levels_(from), log_(from) {}
  /// Takes memory for so many names of open objects, and so many open objects and arrays. False when there is none.
  [[nodiscard]] bool open(std::size_t keys, std::size_t levels) noexcept {
    return keys_.resize(keys) && beginnings_.resize(keys * kCharacters) && levels_.resize(levels) &&
           log_.reserve(kLog);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(std::size_t keys, std::size_t levels) noexcept {
    return keys * (1 + kCharacters) * 8 + levels * sizeof(Level) + kLog * sizeof(Change) + 4 * kAlignment;
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
      if (change.of == Change::Of::level) levels_[change.at] = change.level;
      else (change.of == Change::Of::key ? keys_ : beginnings_)[change.at] = change.hash;
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
  /// True inside a name with which some name of the same object begins, as far as it is there.
  [[nodiscard]] bool begins_another() const noexcept {
    if (!inside_key()) return false;
    if (now_.hash == kNothing) return true;
    for (std::uint32_t b = levels_[now_.levels - 1].first_beginning; b < now_.key_beginnings; ++b)
      if (beginnings_[b] == now_.hash) return true;
    return false;
  }
  /// The hash of the name that it is inside of, as far as it is there.
  [[nodiscard]] std::uint64_t hash() const noexcept { return now_.hash; }
  /// The hash behind one more character.
  static std::uint64_t behind(std::uint64_t hash, std::uint32_t code) noexcept {
    return (hash ^ code) * 1099511628211ull;
  }
  /// True when the innermost object has the name with this hash.
  [[nodiscard]] bool has(std::uint64_t hash) const noexcept {
    for (std::uint32_t k = levels_[now_.levels - 1].first_key; k < now_.keys; ++k)
      if (keys_[k] == finished(hash)) return true;
    return false;
  }
  /// Names of the innermost object.
  [[nodiscard]] std::uint32_t names() const noexcept { return now_.keys - levels_[now_.levels - 1].first_key; }

 private:
  static constexpr std::size_t kLog = 2048;  // a token has at most 512 bytes, each of which changes two entries
  static constexpr std::size_t kCharacters = 4;  // of a name on average; what has no room is not among the beginnings
  static constexpr std::uint64_t kNothing = 14695981039346656037ull;  // the hash of no characters
  struct Level { std::uint32_t first_key, first_beginning; bool object; };
  struct Change {
    enum class Of : std::uint8_t { level, key, beginning } of;
    std::uint32_t at;
    Level level;
    std::uint64_t hash;
  };
  struct State {
    std::uint32_t levels = 0, keys = 0;
    std::uint32_t beginnings = 0, key_beginnings = 0;  // in use; where those of the name at hand begin
    bool quoted = false, escaped = false, is_key = false, expects_key = false;
    std::uint8_t missing = 0, digits = 0;  // bytes of a character, and digits of an escape, that are not there yet
    std::uint32_t code = 0, high = 0;      // what there is of it; the first half of a pair
    std::uint64_t hash = 0;                // of the name so far, by characters: they may be spelled in two ways
  };

  bool refuse_as_full() noexcept { return full_ = true, false; }
  static std::uint64_t finished(std::uint64_t hash) noexcept { return hash ^ hash >> 31; }
  void add_character(std::uint32_t code) noexcept {
    now_.hash = behind(now_.hash, code);
    if (!now_.is_key || now_.beginnings == beginnings_.size() || log_.size() == kLog) return;
    (void)log_.push_back({Change::Of::beginning, now_.beginnings, {}, beginnings_[now_.beginnings]});
    beginnings_[now_.beginnings++] = now_.hash;
  }
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
    if (has(now_.hash)) return false;
    if (now_.keys == keys_.size() || log_.size() == kLog) return refuse_as_full();
    (void)log_.push_back({Change::Of::key, now_.keys, {}, keys_[now_.keys]});
    keys_[now_.keys++] = finished(now_.hash);
    return true;
  }
  bool outside_string(char c) noexcept {
    switch (c) {
      case '{':
      case '[':
        if (now_.levels == levels_.size() || log_.size() == kLog) return refuse_as_full();
        (void)log_.push_back({Change::Of::level, now_.levels, levels_[now_.levels], 0});
        levels_[now_.levels++] = {now_.keys, now_.beginnings, c == '{'};
        now_.expects_key = c == '{';
        return true;
      case '}':
      case ']':
        if (now_.levels > 0) {
          now_.keys = levels_[--now_.levels].first_key;
          now_.beginnings = levels_[now_.levels].first_beginning;
        }
        now_.expects_key = false;
        return true;
      case ',': now_.expects_key = now_.levels > 0 && levels_[now_.levels - 1].object; return true;
      case ':': now_.expects_key = false; return true;
      case '"':
        now_.quoted = true;
        now_.is_key = now_.expects_key;
        now_.hash = kNothing;
        now_.key_beginnings = now_.beginnings;
        return true;
      default: return true;
    }
  }

  Buffer<std::uint64_t> keys_;        // of all open objects, outer ones first
  Buffer<std::uint64_t> beginnings_;  // of these: the hash behind each character
  Buffer<Level> levels_;
  Buffer<Change> log_;          // what was overwritten since mark()
  State now_, marked_;
  bool full_ = false;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_KEY_TRACKER_HPP
