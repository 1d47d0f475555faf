// ask<T>(): a question whose answer is a struct. See constraint/typed.hpp for how a struct is described.
#ifndef DSVL_CHAT_ASK_TYPED_HPP
#define DSVL_CHAT_ASK_TYPED_HPP

#include "../base/host_macros_push.hpp"

#include "../constraint/constraint.hpp"
#include "../constraint/typed.hpp"
#include "session.hpp"

DSVL_BEGIN_NAMESPACE

/// Asks, and reads the answer into a T. The model was loaded with LoadOptions::constraints; `options` give all but the
/// constraint. It works until the answer is there.
///
/// Codes  those of the answer, limit (it ended before it was whole: max_tokens, the context), those of Schema::compile
///        for bounds that the description has wrong
/// Cost   that of an answer, and about a millisecond to compile T's schema
template <class T>
Result<T> ask(Session& session, std::span<const Picture> pictures, std::string_view question,
              GenerateOptions options = {}) {
  DSVL_TRY(schema, Schema::compile(schema_of<T>()));
  options.constraint = &schema;
  Answer answer = session.ask(pictures, question, options);
  DSVL_CHECK_STATUS(answer.each([](const Piece&) {}));
  if (answer.is_whole()) return read_as<T>(answer.text());
  return fail(Code::limit, "the answer ended (%.20s) before it was whole, behind %zu tokens",
              name(answer.finish()).data(), answer.ids().size());
}
/// Asks about one picture.
template <class T>
Result<T> ask(Session& session, const Picture& picture, std::string_view question, GenerateOptions options = {}) {
  return ask<T>(session, std::span<const Picture>(&picture, 1), question, std::move(options));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_ASK_TYPED_HPP
