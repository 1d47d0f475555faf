// Definitions of chat/session.hpp: the public calls, each a few lines over SessionState.
#ifndef DSVL_CHAT_SESSION_IMPL_HPP
#define DSVL_CHAT_SESSION_IMPL_HPP

#include "../base/host_macros_push.hpp"

#include "limits_impl.hpp"
#include "model_impl.hpp"
#include "session.hpp"
#include "session_branch_impl.hpp"

DSVL_BEGIN_NAMESPACE

// --- Answer -------------------------------------------------------------------------------------

DSVL_INLINE std::optional<Piece> Answer::next() { return step((std::chrono::nanoseconds::max)()); }
DSVL_INLINE std::optional<Piece> Answer::step(std::chrono::nanoseconds budget) {
  if (!is_current()) return std::nullopt;
  const auto now = Clock::now(), latest = (Clock::time_point::max)();
  return session_->step(budget < latest - now ? now + budget : latest);
}
DSVL_INLINE bool Answer::is_current() const noexcept { return session_ && session_->current(number_); }
DSVL_INLINE Finish Answer::finish() const noexcept { return is_current() ? session_->finish() : Finish::cancelled; }
DSVL_INLINE Status Answer::status() const noexcept {
  if (is_current()) return session_->status();
  return fail(Code::bad_argument, "this answer is over: its session has begun another");
}
DSVL_INLINE std::string_view Answer::text() const noexcept {
  return is_current() ? session_->text() : std::string_view();
}
DSVL_INLINE std::span<const std::int32_t> Answer::ids() const noexcept {
  return is_current() ? session_->ids() : std::span<const std::int32_t>();
}
DSVL_INLINE std::span<const std::int32_t> Answer::prompt_ids() const noexcept {
  return is_current() ? session_->prompt_ids() : std::span<const std::int32_t>();
}
DSVL_INLINE Usage Answer::usage() const noexcept { return is_current() ? session_->usage() : Usage(); }
DSVL_INLINE std::span<const float> Answer::logits() const noexcept {
  return is_current() ? session_->logits() : std::span<const float>();
}
DSVL_INLINE Status Answer::rewind(std::size_t tokens) {
  if (!is_current()) return status();
  return session_->rewind_answer(tokens);
}

// --- Session ------------------------------------------------------------------------------------

namespace detail {

/// The options with everything that is not given taken from the model.
inline Result<SessionOptions> chosen_options(const Model& model, const SessionOptions& options) {
  const auto& state = model.state();
  SessionOptions chosen = options;
  if (!chosen.host.allocator) chosen.host.allocator = state->host.allocator;
  if (!chosen.host.log.write) chosen.host.log = state->host.log;
  DSVL_TRY(limits, complete_limits(options.limits, state->config, state->network->net.decoder));
  chosen.limits = limits;
  if (limits.context > state->info.default_context)
    chosen.host.log(Level::warning, "the context is longer than the 4096 tokens the models were trained with");
  DSVL_CHECK_STATUS(utf8::validate(chosen.system, "the system text"));
  return chosen;
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
DSVL_INLINE Answer Session::ask(std::span<const Picture> pictures, std::string_view question,
                                const GenerateOptions& options) {
  Answer answer = start(pictures, question, options);
  state_->make_ready();
  return answer;
}
DSVL_INLINE Answer Session::start(std::span<const Picture> pictures, std::string_view question,
                                  const GenerateOptions& options) {
  return {state_, state_->ask(pictures, question, options)};
}
DSVL_INLINE Answer Session::complete(std::span<const Picture> pictures, std::string_view text,
                                     const GenerateOptions& options) {
  Answer answer{state_, state_->complete(pictures, text, options)};
  state_->make_ready();
  return answer;
}
DSVL_INLINE Answer Session::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                     const GenerateOptions& options) {
  Answer answer{state_, state_->generate(ids, pictures, options)};
  state_->make_ready();
  return answer;
}

DSVL_INLINE Result<std::vector<Score>> Session::score(std::span<const Picture> pictures, std::string_view question,
                                                      std::span<const std::string_view> continuations,
                                                      const GenerateOptions& options) {
  state_->ask(pictures, question, options);
  return state_->score(continuations);
}

DSVL_INLINE Result<std::vector<double>> Session::classify(std::span<const Picture> pictures, std::string_view question,
                                                          std::span<const std::string_view> choices,
                                                          const GenerateOptions& options) {
  std::vector<std::string> spaced;
  for (const std::string_view choice : choices) spaced.emplace_back(1, ' ').append(choice);
  const std::vector<std::string_view> continuations(spaced.begin(), spaced.end());
  DSVL_TRY(scores, score(pictures, question, continuations, options));
  std::vector<double> shares;
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const Score& s : scores) largest = std::max<double>(largest, s.log_likelihood);
  for (const Score& s : scores) sum += shares.emplace_back(std::exp(s.log_likelihood - largest));
  for (double& share : shares) share /= sum;
  return shares;
}

DSVL_INLINE Result<std::vector<double>> Session::log_probabilities(std::string_view text,
                                                                   const GenerateOptions& options) {
  const Tokenizer* const tokenizer = state_->model().tokenizer ? &*state_->model().tokenizer : nullptr;
  if (!tokenizer || !tokenizer->bos())
    return fail(Code::unsupported, "the model has no tokenizer with a token to begin with");
  const std::int32_t bos = *tokenizer->bos();
  state_->generate({&bos, 1}, {}, options);
  DSVL_TRY(scores, state_->score({&text, 1}));
  return std::move(scores[0].tokens);
}

DSVL_INLINE Result<Session> Session::fork(Index context) {
  DSVL_TRY(state, state_->fork(context));
  return Session(std::move(state));
}
DSVL_INLINE Status Session::rewind(std::size_t turns) { return state_->rewind_turns(turns); }
DSVL_INLINE std::size_t Session::turns() const noexcept { return state_->turns(); }
DSVL_INLINE void Session::clear() { state_->clear(); }
DSVL_INLINE Index Session::context() const noexcept { return state_->engine().cache().context(); }
DSVL_INLINE std::size_t Session::bytes() const noexcept { return state_->bytes(); }

DSVL_END_NAMESPACE

#include "saved_impl.hpp"

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_SESSION_IMPL_HPP
