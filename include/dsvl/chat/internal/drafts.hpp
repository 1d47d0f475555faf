// Drafts: guesses of the tokens that come next, from texts in which the last few tokens stood before.
#ifndef DSVL_CHAT_INTERNAL_DRAFTS_HPP
#define DSVL_CHAT_INTERNAL_DRAFTS_HPP

#include "../../run/arena.hpp"
#include "../../text/lookup.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

class Drafts {
 public:
  void carve(Arena& arena, Index context) noexcept {
    for (Buffer<std::int32_t>* ids : {&given_, &last_answer_, &history_})
      *ids = arena.buffer<std::int32_t>("ids", 2 * context + 2);
  }

  /// A text that the answer may repeat, and the answer before; both may be empty and are copied.
  void set(std::span<const std::int32_t> given, std::span<const std::int32_t> last_answer) noexcept {
    if (!given_.assign(given.data(), given.size())) given_.clear();
    (void)last_answer_.assign(last_answer.data(), last_answer.size());  // an answer fits the context
  }
  /// The tokens so far are those of a prompt.
  void begin(std::span<const std::int32_t> prompt) noexcept { (void)history_.assign(prompt.data(), prompt.size()); }
  void accept(std::int32_t id) noexcept { (void)history_.push_back(id); }
  /// Takes tokens back, until `count` are left.
  void truncate(std::size_t count) noexcept { (void)history_.resize(count); }

  /// The tokens so far: the prompt and the answer.
  [[nodiscard]] std::span<const std::int32_t> history() const noexcept { return history_.span(); }

  /// At most `most` tokens that may follow; empty when the last few stood nowhere before. Cost: a few passes over the
  /// three texts.
  [[nodiscard]] std::span<const std::int32_t> guess(Index most) const noexcept {
    std::span<const std::int32_t> found = look_up(history(), given_.span(), most, 4, 1);
    if (found.empty()) found = look_up(history(), last_answer_.span(), most);
    if (found.empty()) found = look_up(history(), history(), most);
    return found;
  }

 private:
  Buffer<std::int32_t> given_, last_answer_, history_;
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_DRAFTS_HPP
