// ask<T>(): a question whose answer is a struct. See constraint/typed.hpp for how a struct is described.
#ifndef DSVL_CHAT_ASK_TYPED_HPP
#define DSVL_CHAT_ASK_TYPED_HPP

#include "../base/host_macros_push.hpp"

#include "../constraint/answer_filter.hpp"
#include "../constraint/typed.hpp"
#include "session.hpp"

DSVL_BEGIN_NAMESPACE

/// Asks, and reads the answer into a T. `filter` holds the answer to T's schema; `options` give all else. It works
/// until the answer is there.
///
/// Codes  those of the answer, limit (it ended before it was whole: max_tokens, the context), those of Schema::compile
///        for bounds that the description has wrong
template <class T>
Result<T> ask(Session& session, AnswerFilter& filter, std::span<const Picture> pictures, std::string_view question,
              GenerateOptions options = {}) {
  DSVL_TRY(schema, Schema::compile(schema_of<T>()));
  filter.use(schema);
  options.constraint = &filter;
  Answer answer = session.ask(pictures, question, options);
  DSVL_CHECK_STATUS(answer.each([](const Piece&) {}));
  if (answer.is_whole()) return read_as<T>(answer.text());
  return fail(Code::limit, "the answer ended (%.20s) before it was whole, behind %zu tokens",
              name(answer.finish()).data(), answer.ids().size());
}
/// Asks about one picture.
template <class T>
Result<T> ask(Session& session, AnswerFilter& filter, const Picture& picture, std::string_view question,
              GenerateOptions options = {}) {
  return ask<T>(session, filter, std::span<const Picture>(&picture, 1), question, std::move(options));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_ASK_TYPED_HPP
