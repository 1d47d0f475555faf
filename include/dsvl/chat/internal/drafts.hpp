// Drafts: guesses of the tokens that come next, from texts in which the last few tokens stood before.
//
// This is prompt lookup (text/lookup.hpp). Generation appends the guesses to its next pass, which checks all of them at
// once.
#ifndef DSVL_CHAT_INTERNAL_DRAFTS_HPP
#define DSVL_CHAT_INTERNAL_DRAFTS_HPP

#include "../../run/arena.hpp"
#include "../../text/lookup.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The three texts that guesses come from: one that the application gave, the answer before, and the sequence itself.
class Drafts {
 public:
  /// Declares room for twice `context` ids in each list. A text may be longer than what the context has left for it.
  void carve(Arena& arena, Index context) noexcept {
    for (Buffer<std::int32_t>* ids : {&given_, &last_answer_, &history_})
      *ids = arena.buffer<std::int32_t>("ids", 2 * context + 2);
  }

  /// Sets a text that the answer may repeat, and the answer before. Both may be empty, and are copied. A text that is
  /// too long is left out, because it is only a hint.
  void set(std::span<const std::int32_t> given, std::span<const std::int32_t> last_answer) noexcept {
    if (!given_.assign(given.data(), given.size())) given_.clear();
    (void)last_answer_.assign(last_answer.data(), last_answer.size());  // cannot fail, since an answer fits the context
  }
  /// Begins a sequence with the ids of its prompt.
  void begin(std::span<const std::int32_t> prompt) noexcept { (void)history_.assign(prompt.data(), prompt.size()); }
  /// Adds a token that was chosen.
  void accept(std::int32_t id) noexcept { (void)history_.push_back(id); }
  /// Takes tokens back, until `count` are left.
  void truncate(std::size_t count) noexcept { (void)history_.resize(count); }

  /// The sequence so far: the prompt and the answer.
  [[nodiscard]] std::span<const std::int32_t> history() const noexcept { return history_.span(); }

  /// At most `most` tokens that may follow, as a view of one of the lists; empty when the last few tokens occur nowhere
  /// before. The given text comes first, and there one token is enough to find the place, because the answer is
  /// expected to repeat it.
  ///
  /// Cost   a few passes over the three lists
  [[nodiscard]] std::span<const std::int32_t> guess(Index most) const noexcept {
    std::span<const std::int32_t> found = look_up(history(), given_.span(), most, 4, 1);
    if (found.empty()) found = look_up(history(), last_answer_.span(), most);
    if (found.empty()) found = look_up(history(), history(), most);
    return found;
  }

 private:
  Buffer<std::int32_t> given_, last_answer_, history_;  // the application's text, the answer before, the sequence
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_DRAFTS_HPP
