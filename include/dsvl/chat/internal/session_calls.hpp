// Definitions of chat/session.hpp and chat/answer.hpp: the public calls, each a few lines over SessionState.
//
// A handle that was moved from has no state, so every call checks that first.
#ifndef DSVL_CHAT_INTERNAL_SESSION_CALLS_HPP
#define DSVL_CHAT_INTERNAL_SESSION_CALLS_HPP

#include "../../base/host_macros_push.hpp"

#include "../../engine/complete_limits.hpp"
#include "../calibration.hpp"
#include "loading.hpp"
#include "../session.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

// --- Answer -------------------------------------------------------------------------------------

namespace detail {

DSVL_INLINE AnswerTie::AnswerTie(std::shared_ptr<SessionState> session) noexcept
    : session_(std::move(session)), log_(session_->options().host.log) {
  session_->tie(this);
}
DSVL_INLINE AnswerTie::AnswerTie(AnswerTie&& other) noexcept { take(other); }
DSVL_INLINE AnswerTie& AnswerTie::operator=(AnswerTie&& other) noexcept {
  if (this != &other) let_go(), take(other);
  return *this;
}
DSVL_INLINE AnswerTie::~AnswerTie() { let_go(); }

DSVL_INLINE void AnswerTie::take(AnswerTie& other) noexcept {
  session_ = std::move(other.session_);
  log_ = std::exchange(other.log_, Logger());
  finish_ = std::exchange(other.finish_, Finish::error);
  status_ = std::exchange(other.status_, fail(Code::bad_argument, "this answer was moved from, and is empty"));
  usage_ = std::exchange(other.usage_, Usage());
  whole_ = std::exchange(other.whole_, false);
  seen_ = other.seen_;
  if (session_) session_->tie(this);
}
DSVL_INLINE void AnswerTie::let_go() noexcept {
  const bool failed = (session_ ? session_->finish() : finish_) == Finish::error;
  if (failed && !seen_ && log_.write) {
    const Status& error = session_ ? session_->status() : status_;
    log_(Level::warning,
         fail(error.code(), "an answer failed and nobody looked at its status: %s", error.text()).text());
  }
  if (session_) session_->tie(nullptr);
  session_.reset();
}
DSVL_INLINE void AnswerTie::cut(Finish finish, const Status& status, const Usage& usage, bool whole) noexcept {
  whole_ = whole;
  finish_ = finish;
  status_ = status;
  usage_ = usage;
  session_.reset();  // never the last pointer, since the session itself is calling
}

DSVL_INLINE Finish AnswerTie::finish() const noexcept {
  const Finish now = session_ ? session_->finish() : finish_;
  seen_ = seen_ || now == Finish::error;
  return now;
}
DSVL_INLINE Status AnswerTie::status() const noexcept {
  static_cast<void>(finish());  // counts as looking at an error
  return session_ ? session_->status() : status_;
}
DSVL_INLINE Usage AnswerTie::usage() const noexcept { return session_ ? session_->usage() : usage_; }
DSVL_INLINE bool AnswerTie::whole() const noexcept { return session_ ? session_->whole() : whole_; }

}  // namespace detail

DSVL_INLINE std::optional<Piece> Answer::next() { return step((std::chrono::nanoseconds::max)()); }
DSVL_INLINE std::optional<Piece> Answer::step(std::chrono::nanoseconds budget) {
  return tie_.session() ? tie_.session()->step(deadline_in(budget)) : std::nullopt;
}
DSVL_INLINE bool Answer::prepare(std::chrono::nanoseconds budget) {
  return tie_.session() && tie_.session()->prepare(deadline_in(budget));
}
DSVL_INLINE Finish Answer::finish() const noexcept { return tie_.finish(); }
DSVL_INLINE Status Answer::status() const noexcept { return tie_.status(); }
DSVL_INLINE bool Answer::is_whole() const noexcept { return tie_.whole(); }
DSVL_INLINE Usage Answer::usage() const noexcept { return tie_.usage(); }
DSVL_INLINE std::string_view Answer::text() const noexcept {
  return tie_.session() ? tie_.session()->text() : std::string_view();
}
DSVL_INLINE std::span<const std::int32_t> Answer::ids() const noexcept {
  return tie_.session() ? tie_.session()->ids() : std::span<const std::int32_t>();
}
DSVL_INLINE std::span<const std::int32_t> Answer::prompt_ids() const noexcept {
  return tie_.session() ? tie_.session()->prompt_ids() : std::span<const std::int32_t>();
}
DSVL_INLINE std::span<const SeenPicture> Answer::pictures() const noexcept {
  return tie_.session() ? tie_.session()->pictures() : std::span<const SeenPicture>();
}
DSVL_INLINE AnswerAttention Answer::attention() const noexcept {
  return tie_.session() ? tie_.session()->attention() : AnswerAttention();
}
DSVL_INLINE std::span<const float> Answer::logits() const noexcept {
  return tie_.session() ? tie_.session()->logits() : std::span<const float>();
}
DSVL_INLINE Status Answer::rewind(std::size_t tokens, const SamplerOptions& sampling) {
  if (tie_.session()) return tie_.session()->rewind_answer(tokens, sampling);
  return fail(Code::bad_argument, "an answer that was moved from, or whose session has gone on, can not go back");
}

// --- Session ------------------------------------------------------------------------------------

namespace detail {

/// Refuses a number of attention maps that is none.
///
/// Codes  bad_argument
DSVL_COLD inline Status check_maps(const SessionOptions& options) noexcept {
  if (options.attention_maps >= 0) return {};
  return fail(Code::bad_argument, "attention_maps is %td, must be 0 (none) or more", options.attention_maps);
}

/// Completes a session's options: what is not given comes from the model, and limits get their defaults.
///
/// Codes  those of complete_limits; bad_text (the system text)
DSVL_COLD inline Result<SessionOptions> chosen_options(const Model& model, const SessionOptions& options) {
  const auto& state = model.state();
  DSVL_CHECK_STATUS(check_maps(options));
  SessionOptions chosen = options;
  if (!chosen.host.allocator) chosen.host.allocator = state->host.allocator;
  if (!chosen.host.log.write) chosen.host.log = state->host.log;
  if (!chosen.host.decode_picture.decode) chosen.host.decode_picture = state->host.decode_picture;
  DSVL_TRY(limits, complete_limits(options.limits, state->config, state->network->net.decoder));
  chosen.limits = limits;
  if (limits.context > state->info.default_context)
    chosen.host.log(Level::warning, "the context is longer than the " + std::to_string(state->info.default_context) +
                                        " tokens the models were trained with");
  DSVL_CHECK_STATUS(utf8::validate(chosen.system, "the system text"));
  return chosen;
}

/// Refuses a session that was moved from.
///
/// Codes  bad_argument
DSVL_COLD inline Status check_there(const std::shared_ptr<SessionState>& state) noexcept {
  return state ? Status() : fail(Code::bad_argument, "this session was moved from, and is empty");
}

}  // namespace detail

DSVL_INLINE Result<Session> Session::open(const Model& model, const SessionOptions& options) {
  DSVL_TRY(chosen, detail::chosen_options(model, options));
  auto session = std::make_shared<detail::SessionState>(model.state(), chosen);
  DSVL_CHECK_STATUS(session->open());
  return Session(std::move(session));
}

DSVL_INLINE Answer Session::ask(std::string_view question, const GenerateOptions& options) {
  return ask(std::span<const Picture>(), question, options);
}
DSVL_INLINE Answer Session::ask(const Picture& picture, std::string_view question, const GenerateOptions& options) {
  return ask(std::span<const Picture>(&picture, 1), question, options);
}
DSVL_INLINE Answer Session::ask(std::initializer_list<Picture> pictures, std::string_view question,
                                const GenerateOptions& options) {
  return ask(std::span<const Picture>(pictures.begin(), pictures.size()), question, options);
}
DSVL_INLINE Answer Session::ask(std::span<const Picture> pictures, std::string_view question,
                                const GenerateOptions& options) {
  Answer answer = start(pictures, question, options);
  if (state_) state_->make_ready();
  return answer;
}
DSVL_INLINE Answer Session::start(std::span<const Picture> pictures, std::string_view question,
                                  const GenerateOptions& options) {
  if (!state_) return Answer(detail::AnswerTie(detail::check_there(state_)));
  state_->ask(pictures, question, options);
  return Answer(detail::AnswerTie(state_));
}
DSVL_INLINE Answer Session::complete(std::span<const Picture> pictures, std::string_view text,
                                     const GenerateOptions& options) {
  if (!state_) return Answer(detail::AnswerTie(detail::check_there(state_)));
  state_->complete(pictures, text, options);
  state_->make_ready();
  return Answer(detail::AnswerTie(state_));
}
DSVL_INLINE Answer Session::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                     const GenerateOptions& options) {
  Answer answer = start(ids, pictures, options);
  if (state_) state_->make_ready();
  return answer;
}
DSVL_INLINE Answer Session::start(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                  const GenerateOptions& options) {
  if (!state_) return Answer(detail::AnswerTie(detail::check_there(state_)));
  state_->generate(ids, pictures, options);
  return Answer(detail::AnswerTie(state_));
}

DSVL_INLINE Result<std::vector<Score>> Session::score(std::span<const Picture> pictures, std::string_view question,
                                                      std::span<const std::string_view> continuations,
                                                      const GenerateOptions& options) {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  // The question is asked like any other; scoring ends it, and it does not become a turn.
  state_->ask(pictures, question, options);
  return state_->score(continuations);
}

DSVL_INLINE Result<std::vector<Score>> Session::score(std::span<const std::int32_t> prefix,
                                                      std::span<const Picture> pictures,
                                                      std::span<const std::span<const std::int32_t>> sequences,
                                                      const GenerateOptions& options) {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  state_->generate(prefix, pictures, options);
  return state_->score(sequences);
}

DSVL_INLINE Result<std::vector<double>> Session::classify(std::span<const Picture> pictures, std::string_view question,
                                                          std::span<const std::string_view> choices,
                                                          const GenerateOptions& options) {
  DSVL_TRY(scores, score(pictures, question, choices, options));
  return choice_probabilities(log_likelihoods(scores));
}

DSVL_INLINE Result<std::vector<double>> Session::log_probabilities(std::string_view text,
                                                                   const GenerateOptions& options) {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  const Tokenizer* const tokenizer = state_->model().tokenizer ? &*state_->model().tokenizer : nullptr;
  if (!tokenizer || !tokenizer->bos())
    return fail(Code::unsupported, "the model has no tokenizer with a token to begin with");
  const std::int32_t bos = *tokenizer->bos();
  // Scoring the text behind a prompt of bos alone gives the probability of each of its tokens.
  state_->generate({&bos, 1}, {}, options);
  DSVL_TRY(scores, state_->score({&text, 1}));
  return std::move(scores[0].tokens);
}

DSVL_INLINE Result<Session> Session::fork(Index context) {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  DSVL_TRY(state, state_->fork(context));
  return Session(std::move(state));
}
DSVL_INLINE Status Session::rewind(std::size_t turns) {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  return state_->rewind_turns(turns);
}
DSVL_INLINE std::size_t Session::turns() const noexcept { return state_ ? state_->turns() : 0; }
DSVL_INLINE void Session::clear() {
  if (state_) state_->clear();
}
DSVL_INLINE Index Session::context() const noexcept { return state_ ? state_->context() : 0; }
DSVL_INLINE std::size_t Session::bytes() const noexcept { return state_ ? state_->bytes() : 0; }

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_CALLS_HPP
