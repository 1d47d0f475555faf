// Answer: what the model says, token by token, when you ask for the next.
//
// Session::ask and its like make one. The work happens inside next() and step(), on the thread that calls them.
#ifndef DSVL_CHAT_ANSWER_HPP
#define DSVL_CHAT_ANSWER_HPP

#include "../base/host_macros_push.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "../base/host.hpp"
#include "answer_attention.hpp"
#include "options.hpp"
#include "seen.hpp"

DSVL_BEGIN_NAMESPACE

class Session;

namespace detail {

class SessionState;

/// The link between an Answer and its session. It moves with the Answer, and tells the session its new address. When
/// the session goes on to something else, it calls cut() and leaves here how the answer stood. An error that was never
/// looked at is logged when the tie goes.
class AnswerTie {
 public:
  /// A tie to the answer that `session` has just begun.
  explicit AnswerTie(std::shared_ptr<SessionState> session) noexcept;
  /// The tie of an answer that could not begin, and has no session.
  explicit AnswerTie(const Status& error) noexcept : finish_(Finish::error), status_(error) {}
  /// Takes the tie over. `other` then has no session, and an error that says so.
  AnswerTie(AnswerTie&& other) noexcept;
  /// Lets its own answer go first.
  AnswerTie& operator=(AnswerTie&& other) noexcept;
  /// Unties the session, which keeps the answer as it stands until it goes on to something else.
  ~AnswerTie();

  /// The session; null when it has gone on to something else, or never began.
  [[nodiscard]] SessionState* session() const noexcept { return session_.get(); }
  /// The reason why the answer ended. An error counts as looked at from then on.
  [[nodiscard]] Finish finish() const noexcept;
  /// The answer's status. An error counts as looked at from then on.
  [[nodiscard]] Status status() const noexcept;
  /// The answer's counts so far.
  [[nodiscard]] Usage usage() const noexcept;

  /// True when the answer satisfies its constraint as a whole.
  [[nodiscard]] bool whole() const noexcept;

  /// Called by the session when it goes on to something else, with the answer as it stood. Lets go of the session.
  void cut(Finish finish, const Status& status, const Usage& usage, bool whole) noexcept;

 private:
  /// Takes everything from `other`, for both moves.
  void take(AnswerTie& other) noexcept;
  /// Logs an error that was not looked at, and unties the session.
  void let_go() noexcept;

  std::shared_ptr<SessionState> session_;  // null once the answer is cut
  Logger log_;                             // of the session's host
  // The answer as it stood, where there is no session to ask.
  Finish finish_ = Finish::none;
  Status status_;
  Usage usage_;
  bool whole_ = false;
  mutable bool seen_ = false;  // an error was looked at, so no warning is due
};

}  // namespace detail

/// An answer being generated. It is a handle, which moves and does not copy, and keeps its session's memory alive as
/// long as it is the session's answer.
///
/// A session has one answer at a time. Asking, scoring, Session::clear and Session::rewind end the one before: its
/// finish(), status() and usage() stay as they were, and its texts, ids and logits are empty from then on. An answer
/// that was moved from has ended with an error and is empty.
///
/// When an answer ends with an error and is destroyed before its status() or finish() was called, the session's logger
/// gets a warning with the error's text.
class [[nodiscard]] Answer {
 public:
  /// The next token; nothing at the end or after an error (see finish()). It runs the decoder once at most. The piece's
  /// text is valid until the next call.
  std::optional<Piece> next();
  /// Works for about `budget`, and returns a token when one was reached, otherwise nothing; finish() is Finish::none as
  /// long as there is more to do. Work is interrupted between two tiles, of a fifth of a millisecond as a rule, so a
  /// game loop can call this every frame. It covers everything that Session::start leaves to do, pictures included. Two
  /// things are not cut into slices: decoding a picture file (hand in pixels instead) and choosing a token.
  std::optional<Piece> step(std::chrono::nanoseconds budget);
  /// The next token if it can be had without computing: step() without a budget. It takes what a scheduler's step has
  /// made ready (see chat/scheduler.hpp).
  std::optional<Piece> poll() { return step(std::chrono::nanoseconds(0)); }
  /// Works for about `budget` like step(), but chooses no token: true once logits() are those that the first one will
  /// be chosen from, as they are when Session::ask returns. False while there is more to do, when the answer is over
  /// (see finish()), and once a token was chosen. For who wants probabilities only, in slices (see Gate::yes_no).
  bool prepare(std::chrono::nanoseconds budget);
  /// Runs to the end, calls `show(piece)` for each token, and returns status().
  template <class Show>
  Status each(Show&& show) {
    while (auto piece = next()) show(*piece);
    return status();
  }

  /// Why it ended, or Finish::none. It is Finish::cancelled also when the session went on to something else before the
  /// answer had ended.
  [[nodiscard]] Finish finish() const noexcept;
  /// True when the answer has ended, and its text is a whole of what GenerateOptions::constraint asked for: it then
  /// parses and satisfies the schema, whatever finish() is. False without a constraint, as long as it has not ended,
  /// and when a stop string or a limit cut it off in the middle.
  [[nodiscard]] bool is_whole() const noexcept;
  /// Ok while all is well and at every regular end; otherwise what went wrong, a cancellation included.
  [[nodiscard]] Status status() const noexcept;
  /// Tokens, passes and seconds so far.
  [[nodiscard]] Usage usage() const noexcept;
  /// The pictures of this question, as far as they were looked at: their sizes, how they were cut, scaled and padded,
  /// and where their tokens are. When a picture was the error, its entry is the last and is not `done`. Valid until the
  /// session goes on to something else.
  [[nodiscard]] std::span<const SeenPicture> pictures() const noexcept;
  /// How much the answer's tokens so far looked at the pictures of the prompt, where SessionOptions::attention_maps
  /// asks for it; else there are no maps. Valid as long as text().
  [[nodiscard]] AnswerAttention attention() const noexcept;

  /// The text so far, without white space in front. Valid until the next call of next(), step() or rewind(), and until
  /// the session goes on to something else; copy what you keep.
  [[nodiscard]] std::string_view text() const noexcept;
  /// The generated ids so far, the end token included. Valid as long as text().
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept;
  /// The ids of the whole prompt, each picture as its run of image tokens. Valid until the session goes on to something
  /// else.
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept;
  /// (vocab) logits that the last token was chosen from; before the first next(), those that the first one will be
  /// chosen from. They are the same bits with drafts and without. Empty after the end, while a step() is under way, and
  /// after a rewind() until the next token. Valid as long as text().
  [[nodiscard]] std::span<const float> logits() const noexcept;

  /// Takes back all of ids() but the first `tokens`. next() chooses anew behind them, with `sampling` from then on: the
  /// options of before give the same tokens again, another seed, temperature, ban or bias gives others. Costs a pass
  /// over one token.
  ///
  /// Codes  bad_argument (the answer is over or shorter, a step() is under way, an option is out of its range); nothing
  ///        has changed then
  Status rewind(std::size_t tokens, const SamplerOptions& sampling);

 private:
  friend class Session;
  explicit Answer(detail::AnswerTie tie) noexcept : tie_(std::move(tie)) {}

  detail::AnswerTie tie_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_ANSWER_HPP
