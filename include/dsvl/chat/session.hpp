// Session: one conversation with a model. Answer: what it says, token by token, when you ask for the next.
//
//   auto session = dsvl::Session::open(*model);
//   auto answer = session->ask("photo.jpg", "What is in this picture?");
//   while (auto piece = answer.next()) show(piece->text);
//
// A session belongs to one thread at a time (only CancelToken::cancel may come from elsewhere); different sessions of
// one model are independent. It keeps its model alive. After any error it is as it was before the call that failed.
#ifndef DSVL_CHAT_SESSION_HPP
#define DSVL_CHAT_SESSION_HPP

#include "model.hpp"
#include "options.hpp"
#include "picture.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {
class SessionState;
}

/// An answer being generated: a handle, cheap to move. At most one per session is going on; asking again ends the one
/// before. Keeps its session's memory alive.
class Answer {
 public:
  /// Runs the decoder once and returns the next token; nothing at the end or on an error (see finish()).
  std::optional<Piece> next();
  /// Runs to the end, calling `show(piece)` for each token; returns status().
  template <class Show>
  Status each(Show&& show) {
    while (auto piece = next()) show(*piece);
    return status();
  }

  [[nodiscard]] Finish finish() const noexcept;
  /// Ok while all is well and at every regular end; otherwise what went wrong (cancelled included).
  [[nodiscard]] Status status() const noexcept;
  /// What has been said so far, without white space in front.
  [[nodiscard]] std::string_view text() const noexcept;
  /// Generated ids so far, the end token included.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept;
  [[nodiscard]] Usage usage() const noexcept;
  /// Ids of the whole prompt, each picture as its run of image tokens.
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept;
  /// (vocab) logits that the last token was chosen from; before the first next(), those the first will be chosen from.
  /// Empty after the end.
  [[nodiscard]] std::span<const float> logits() const noexcept;

 private:
  friend class Session;
  Answer(std::shared_ptr<detail::SessionState> session, std::uint64_t number) noexcept
      : session_(std::move(session)), number_(number) {}
  [[nodiscard]] bool is_current() const noexcept;

  std::shared_ptr<detail::SessionState> session_;
  std::uint64_t number_ = 0;
};

class Session {
 public:
  /// Takes all memory that the limits call for. Codes: bad_argument, out_of_memory.
  static Result<Session> open(const Model& model, const SessionOptions& options = {});

  /// The next turn of the conversation. Pictures come before the text (or where GenerateOptions::placeholders says).
  /// Encodes what is new and prefills; errors are in the Answer's status(). Text is taken literally: nothing a user
  /// types becomes a control token. Codes: bad_text (not UTF-8), bad_argument (empty, placeholders and pictures differ
  /// in number, an option out of range), limit (context, pictures), what reading pictures gives, out_of_memory,
  /// cancelled.
  Answer ask(std::string_view question, const GenerateOptions& options = {});
  Answer ask(const Picture& picture, std::string_view question, const GenerateOptions& options = {});
  Answer ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options = {});

  /// For base models, and for prompts of your own: no template, no history; the text follows bos (and the pictures).
  Answer complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options = {});
  /// The same from ids, bos included if it is wanted; each picture stands as its run of image tokens. Works without a
  /// tokenizer (pieces then have no text).
  Answer generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                  const GenerateOptions& options = {});

  /// Forgets the conversation and its pictures.
  void clear();

  /// Tokens the session has room for, and bytes it took from the allocator when it opened.
  [[nodiscard]] Index context() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  explicit Session(std::shared_ptr<detail::SessionState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::SessionState> state_;
};

DSVL_END_NAMESPACE

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "session_impl.hpp"
#endif

#endif  // DSVL_CHAT_SESSION_HPP
