// AnswerFilter: holds an answer to a Constraint. It is what GenerateOptions::constraint points to.
//
//   auto tables = constraint::TokenTrie::build(*model.tokenizer());       // once per model
//   auto schema = Schema::compile(text);                                  // once per schema
//   auto filter = AnswerFilter::open(*tables, *model.tokenizer());        // once per session
//   filter->use(*schema);
//   session.ask(picture, question, {.constraint = &*filter});
#ifndef DSVL_CONSTRAINT_ANSWER_FILTER_HPP
#define DSVL_CONSTRAINT_ANSWER_FILTER_HPP

#include "../base/host_macros_push.hpp"

#include <memory>
#include <utility>

#include "../text/token_filter.hpp"
#include "constraint.hpp"
#include "mask.hpp"

DSVL_BEGIN_NAMESPACE

/// The vocabulary of a model as constraints need it: made once, immutable, shared by all filters.
using TokenTables = constraint::TokenTrie;

/// The state of one constrained answer, in memory that open() takes. It moves between answers, not during one.
class AnswerFilter final : public TokenFilter {
 public:
  /// Takes the memory of a filter, bytes_for(tables). `tables` and `tokenizer`, of which they were made, must outlive
  /// it.
  ///
  /// Codes  out_of_memory
  static Result<std::unique_ptr<AnswerFilter>> open(const TokenTables& tables, const Tokenizer& tokenizer,
                                                    const constraint::MatchLimits& limits = {},
                                                    Allocator* from = nullptr) noexcept {
    std::unique_ptr<AnswerFilter> filter(new (std::nothrow) AnswerFilter(tables, tokenizer, from));
    if (!filter || !filter->matcher_.open(limits) || !filter->maker_.open(tables) ||
        !filter->mask_.resize(tables.vocabulary() / 64 + 1))
      return fail(Code::out_of_memory, "no memory to hold answers to a constraint: %zu bytes",
                  bytes_for(tables, limits));
    return filter;
  }
  /// Bytes that open() takes.
  static std::size_t bytes_for(const TokenTables& tables, const constraint::MatchLimits& limits = {}) noexcept {
    return constraint::Matcher::bytes_for(limits) + constraint::MaskMaker::bytes_for(tables) +
           (tables.vocabulary() / 64 + 1) * 8 + kAlignment;
  }
  /// Holds the answers that begin from now on to `constraint`, which must stay as long as they can be worked on.
  void use(const Constraint& constraint) noexcept { constraint_ = &constraint; }

  Status begin(const Tokenizer* tokenizer) noexcept override {
    if (!constraint_) return fail(Code::bad_argument, "the filter of an answer has no constraint: call use()");
    if (tokenizer != &tokenizer_) return fail(Code::bad_argument, "the filter of an answer is for another model");
    matcher_.begin(constraint_->grammar());
    return {};
  }
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
      const auto [id, size] = tables_.longest({bytes + at, known - at});
      if (size == 0) break;
      ids[count++] = id;
      at += size;
    }
    return count;
  }

 private:
  AnswerFilter(const TokenTables& tables, const Tokenizer& tokenizer, Allocator* from) noexcept
      : tables_(tables), tokenizer_(tokenizer), matcher_(from), maker_(from), mask_(from) {}

  const TokenTables& tables_;
  const Tokenizer& tokenizer_;
  const Constraint* constraint_ = nullptr;
  constraint::Matcher matcher_;
  constraint::MaskMaker maker_;
  Buffer<std::uint64_t> mask_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_ANSWER_FILTER_HPP
