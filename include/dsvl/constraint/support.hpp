// kConstraints: lets a model hold its answers to JSON schemas, patterns and choices.
//
//   auto model = Model::load(path, {.constraints = &kConstraints});
//   auto schema = Schema::compile(text);                               // once; any number of answers may use it
//   session->ask(picture, question, {.constraint = &*schema});
#ifndef DSVL_CONSTRAINT_SUPPORT_HPP
#define DSVL_CONSTRAINT_SUPPORT_HPP

#include "../base/host_macros_push.hpp"

#include <memory>
#include <utility>

#include "answer_filter.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// The tree of a model's tokens, which all its filters share.
class TrieTables final : public FilterTables {
 public:
  /// Makes the tree of a tokenizer, which must outlive this.
  ///
  /// Codes  out_of_memory
  /// Cost   about 60 ms for 102 400 tokens
  static Result<std::unique_ptr<const FilterTables>> make(const Tokenizer& tokenizer, Allocator* from) noexcept {
    DSVL_TRY(trie, TokenTrie::build(tokenizer, from));
    std::unique_ptr<const FilterTables> tables(new (std::nothrow) TrieTables(std::move(trie), tokenizer));
    if (!tables) return fail(Code::out_of_memory, "no memory for the tables of constraints");
    return tables;
  }
  /// About how many bytes they are: vocabularies of 1 000 to 102 400 tokens take 50 to 66 each.
  static std::size_t bytes_for(Index vocab) noexcept { return static_cast<std::size_t>(vocab) * 60; }
  /// The most bytes of a filter.
  static std::size_t filter_bytes(Index vocab) noexcept {
    return AnswerFilter::bytes_for(static_cast<std::size_t>(vocab));
  }

  Result<std::unique_ptr<TokenFilter>> open_filter(Allocator* from) const noexcept override {
    return AnswerFilter::open(trie_, tokenizer_, from);
  }

 private:
  TrieTables(TokenTrie trie, const Tokenizer& tokenizer) noexcept : trie_(std::move(trie)), tokenizer_(tokenizer) {}

  TokenTrie trie_;
  const Tokenizer& tokenizer_;
};

}  // namespace constraint

/// For LoadOptions::constraints. The model keeps tables of its vocabulary (about 6 MB for the published ones), and each
/// session the state of one answer (about 1 MB); plan() counts both.
inline constexpr ConstraintSupport kConstraints = {&constraint::TrieTables::make, &constraint::TrieTables::bytes_for,
                                                   &constraint::TrieTables::filter_bytes};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_SUPPORT_HPP
