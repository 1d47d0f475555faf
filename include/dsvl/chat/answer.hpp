// Answer: what the model says, token by token, when you ask for the next.
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
#include "options.hpp"
#include "seen.hpp"

DSVL_BEGIN_NAMESPACE

class Session;

namespace detail {

class SessionState;

/// Ties an Answer to its session. The session knows where the tie of its answer is, and leaves there how the answer
/// stood when it goes on to something else. An error that nobody looked at is reported when the tie goes.
class AnswerTie {
 public:
  /// To the answer that `session` has just begun.
  explicit AnswerTie(std::shared_ptr<SessionState> session) noexcept;
  /// Of an answer that could not begin.
  explicit AnswerTie(const Status& error) noexcept : finish_(Finish::error), status_(error) {}
  AnswerTie(AnswerTie&& other) noexcept;
  AnswerTie& operator=(AnswerTie&& other) noexcept;
  ~AnswerTie();

  /// Null when the session has gone on to something else.
  [[nodiscard]] SessionState* session() const noexcept { return session_.get(); }
  /// These two count as looking at an error.
  [[nodiscard]] Finish finish() const noexcept;
  [[nodiscard]] Status status() const noexcept;
  [[nodiscard]] Usage usage() const noexcept;

  /// The session goes on to something else, and this is how the answer stood.
  void cut(Finish finish, const Status& status, const Usage& usage) noexcept;

 private:
  void take(AnswerTie& other) noexcept;
  void let_go() noexcept;

  std::shared_ptr<SessionState> session_;
  Logger log_;
  // Without a session.
  Finish finish_ = Finish::none;
  Status status_;
  Usage usage_;
  mutable bool seen_ = false;  // the error, if there is one
};

}  // namespace detail

/// An answer being generated: a handle, which moves and does not copy. At most one per session is going on: asking,
/// scoring, Session::clear and Session::rewind end the one before, whose finish(), status() and usage() stay as they
/// were then, while its texts, ids and logits are empty from then on. Keeps its session's memory alive as long as it is
/// the session's answer. One that was moved from has ended with an error and is empty.
///
/// When it ends with an error, and goes away before anybody called status() or finish(), the session's logger gets a
/// warning with the error's text.
class [[nodiscard]] Answer {
 public:
  /// The next token; nothing at the end or on an error (see finish()). Runs the decoder once at most. The piece's text
  /// is good until the next call.
  std::optional<Piece> next();
  /// The same within about `budget`: a token when one was reached, otherwise nothing; finish() is then Finish::none as
  /// long as there is more to do. Work is left behind a tile, of a fifth of a millisecond as a rule, so a game loop can
  /// call this every frame. It covers everything that Session::start leaves to do, pictures included. Not cut into
  /// slices are decoding a picture file (hand in pixels) and choosing a token.
  std::optional<Piece> step(std::chrono::nanoseconds budget);
  /// Runs to the end, calling `show(piece)` for each token; returns status().
  template <class Show>
  Status each(Show&& show) {
    while (auto piece = next()) show(*piece);
    return status();
  }

  /// Why it ended; Finish::cancelled also when the session went on to something else before it had ended.
  [[nodiscard]] Finish finish() const noexcept;
  /// Ok while all is well and at every regular end; otherwise what went wrong (cancelled included).
  [[nodiscard]] Status status() const noexcept;
  [[nodiscard]] Usage usage() const noexcept;
  /// The pictures that came with this question, as far as they were looked at: sizes, how they were scaled and padded,
  /// their tokens. When a picture was the error its entry is the last, and not `done`. Good until the session ends this
  /// answer.
  [[nodiscard]] std::span<const SeenPicture> seen() const noexcept;

  /// What has been said so far, without white space in front. Good until the next call of next(), step() or rewind(),
  /// and of the session's that ends this answer; copy what you keep.
  [[nodiscard]] std::string_view text() const noexcept;
  /// Generated ids so far, the end token included. Good as long as text().
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept;
  /// Ids of the whole prompt, each picture as its run of image tokens. Good until the session ends this answer.
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept;
  /// (vocab) logits that the last token was chosen from; before the first next(), those the first will be chosen from.
  /// The same bits with drafts and without. Empty after the end, while a step() is under way, and behind a rewind()
  /// until the next token. Good as long as text().
  [[nodiscard]] std::span<const float> logits() const noexcept;

  /// Takes back all but the first `tokens` tokens (of ids()); next() chooses anew behind them, with `sampling` from
  /// then on: with the options it had the same tokens, with another seed, temperature, ban or bias others. Costs a pass
  /// over one token. Codes: bad_argument (the answer is over or shorter, a step() is under way, an option is out of its
  /// range; then nothing has changed).
  Status rewind(std::size_t tokens, const SamplerOptions& sampling);

 private:
  friend class Session;
  explicit Answer(detail::AnswerTie tie) noexcept : tie_(std::move(tie)) {}

  detail::AnswerTie tie_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_ANSWER_HPP
