// AnswerFilter: holds the answers of one session to constraints. Sessions of a model that was loaded with
// LoadOptions::constraints have one each.
#ifndef DSVL_CONSTRAINT_ANSWER_FILTER_HPP
#define DSVL_CONSTRAINT_ANSWER_FILTER_HPP

#include "../base/host_macros_push.hpp"

#include <memory>
#include <utility>

#include "../text/token_filter.hpp"
#include "mask.hpp"

DSVL_BEGIN_NAMESPACE

/// The state of one constrained answer, in memory that open() takes.
class AnswerFilter final : public TokenFilter {
 public:
  /// Takes the memory of a filter, at most bytes_for(vocabulary). `trie` and `tokenizer`, of which it was made, must
  /// outlive it.
  ///
  /// Codes  out_of_memory
  static Result<std::unique_ptr<TokenFilter>> open(const constraint::TokenTrie& trie, const Tokenizer& tokenizer,
                                                   Allocator* from = nullptr) noexcept {
    std::unique_ptr<AnswerFilter> filter(new (std::nothrow) AnswerFilter(trie, tokenizer, from));
    if (!filter || !filter->matcher_.open({}) || !filter->maker_.open(trie) ||
        !filter->mask_.resize(trie.vocabulary() / 64 + 1))
      return fail(Code::out_of_memory, "no memory to hold answers to a constraint: %zu bytes",
                  bytes_for(trie.vocabulary()));
    return std::unique_ptr<TokenFilter>(std::move(filter));
  }
  /// The most bytes that open() takes for a vocabulary.
  static std::size_t bytes_for(std::size_t vocabulary) noexcept {
    return constraint::Matcher::bytes_for({}) + constraint::MaskMaker::bytes_for(vocabulary) +
           (vocabulary / 64 + 1) * 8 + kAlignment;
  }

  void begin(const Constraint& constraint) noexcept override;  // in implementation.hpp
  Result<std::span<const std::uint64_t>> allowed(std::span<const std::int32_t> end_tokens) noexcept override {
    maker_.make(matcher_, mask_.span());
    if (matcher_.full())
      return fail(Code::limit, "behind %zu bytes the constraint needs more memory than MatchLimits give it",
                  matcher_.bytes());
    for (const std::int32_t id : end_tokens) {
      const auto i = static_cast<std::size_t>(id);
      if (id < 0 || i / 64 >= mask_.size()) continue;
      const std::uint64_t bit = std::uint64_t{1} << i % 64;
      mask_[i / 64] = matcher_.whole() ? mask_[i / 64] | bit : mask_[i / 64] & ~bit;
    }
    return std::span<const std::uint64_t>(mask_.span());
  }
  bool accept(std::int32_t id) noexcept override {
    return !tokenizer_.is_special(id) && !tokenizer_.token_bytes(id).empty() &&
           matcher_.accept(tokenizer_.token_bytes(id));
  }
  [[nodiscard]] bool whole() const noexcept override { return matcher_.whole() && !matcher_.full(); }
  std::size_t forced(std::span<std::int32_t> ids) noexcept override {
    char bytes[256];
    const std::size_t known = matcher_.forced(bytes);
    std::size_t count = 0;
    for (std::size_t at = 0; at < known && count < ids.size();) {
      const auto [id, size] = trie_.longest({bytes + at, known - at});
      if (size == 0) break;
      ids[count++] = id;
      at += size;
    }
    return count;
  }

 private:
  AnswerFilter(const constraint::TokenTrie& trie, const Tokenizer& tokenizer, Allocator* from) noexcept
      : trie_(trie), tokenizer_(tokenizer), matcher_(from), maker_(from), mask_(from) {}

  const constraint::TokenTrie& trie_;
  const Tokenizer& tokenizer_;
  constraint::Matcher matcher_;
  constraint::MaskMaker maker_;
  Buffer<std::uint64_t> mask_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_ANSWER_FILTER_HPP
