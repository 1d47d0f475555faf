// Definitions of chat/session.hpp.
#ifndef DSVL_CHAT_SESSION_IMPL_HPP
#define DSVL_CHAT_SESSION_IMPL_HPP

#include "../base/float_environment.hpp"
#include "model_impl.hpp"
#include "session.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

// --- beginning an answer ------------------------------------------------------------------------

DSVL_INLINE void SessionState::begin(const GenerateOptions& options) {
  if (finish_ == Finish::none && number_ != 0) end(Finish::cancelled);  // the one before was abandoned
  ++number_;
  generate_ = options;
  answer_ids_.clear();
  pending_.reset();
  sampler_.reset();
  transcript_.reset();
  prompt_ids_.clear();
  wanted_.clear();
  finish_ = Finish::none;
  status_ = {};
  usage_ = {};
}

DSVL_INLINE std::uint64_t SessionState::end_begin(const Status& status) {
  if (!status.ok()) {
    status_ = status;
    finish_ = status.code() == Code::cancelled ? Finish::cancelled : Finish::error;
  }
  return number_;
}

DSVL_INLINE Status SessionState::needs_tokenizer() const noexcept {
  if (tokenizer()) return {};
  return fail(Code::unsupported, "the model has no tokenizer.json, so it takes token ids only (Session::generate)");
}

/// What generating needs, so that bad options are found before any work is done.
DSVL_INLINE Status SessionState::prepare(const GenerateOptions& options) {
  if (options.max_tokens < 1)
    return fail(Code::bad_argument, "max_tokens is %td, must be at least 1", options.max_tokens);
  DSVL_TRY(sampler, Sampler::make(options.sampling, model_->config.decoder.vocab, from_));
  DSVL_TRY(stops, StopStrings::make(options.stop));
  sampler_.emplace(std::move(sampler));
  transcript_.emplace(tokenizer(), std::move(stops));
  return {};
}

/// What a user gives: the pictures first, or where the text has placeholders on purpose.
inline std::vector<Segment> content_of(std::size_t pictures, std::string_view text, bool placeholders) {
  if (placeholders) return split_placeholders(text);
  std::vector<Segment> content(pictures, Segment::image());
  content.push_back(Segment::plain(text));
  return content;
}

inline Status check_places(std::span<const Segment> content, std::size_t pictures) noexcept {
  const auto is_place = [](const Segment& s) { return s.kind == Segment::Kind::image; };
  return check_pictures(static_cast<std::size_t>(std::count_if(content.begin(), content.end(), is_place)), pictures);
}

// Arguments are copied before begin(): they may be the text or the ids of the answer that it ends.

DSVL_INLINE std::uint64_t SessionState::ask(std::span<const Picture> pictures, std::string_view question,
                                            const GenerateOptions& options) {
  const FloatEnvironment ours;
  std::vector<Segment> content = content_of(pictures.size(), question, options.placeholders);
  const Status readable = question.empty() ? fail(Code::bad_argument, "the question is empty")
                                           : utf8::validate(question, "the question");
  begin(options);
  in_conversation_ = true;
  std::vector<Message> turns = turns_;
  std::vector<const EncodedPicture*> places = turn_pictures_;
  const Status status = [&]() -> Status {
    DSVL_CHECK_STATUS(needs_tokenizer());
    DSVL_CHECK_STATUS(prepare(options));
    DSVL_CHECK_STATUS(readable);
    DSVL_CHECK_STATUS(check_places(content, pictures.size()));
    turns.push_back(Message::user(std::move(content)));
    ChatTemplate how;
    how.style = model_->config.layout == Layout::original ? ChatTemplate::Style::original : ChatTemplate::Style::hf;
    how.system = options_.system;
    DSVL_TRY(prompt, render_chat(turns, how));
    std::vector<ImageSpan> spans;
    DSVL_CHECK_STATUS(encode_segments(prompt, spans));
    return take_prompt(spans, pictures, places);
  }();
  if (status.ok()) turns_ = std::move(turns), turn_pictures_ = std::move(places);
  return end_begin(status);
}

DSVL_INLINE std::uint64_t SessionState::complete(std::span<const Picture> pictures, std::string_view text,
                                                 const GenerateOptions& options) {
  const FloatEnvironment ours;
  std::vector<Segment> content = content_of(pictures.size(), text, options.placeholders);
  const Status readable = utf8::validate(text, "the text");
  begin(options);
  in_conversation_ = false;
  return end_begin([&]() -> Status {
    DSVL_CHECK_STATUS(needs_tokenizer());
    DSVL_CHECK_STATUS(prepare(options));
    DSVL_CHECK_STATUS(readable);
    DSVL_CHECK_STATUS(check_places(content, pictures.size()));
    std::vector<ImageSpan> spans;
    DSVL_CHECK_STATUS(encode_segments(completion(std::move(content)), spans));
    std::vector<const EncodedPicture*> places;
    return take_prompt(spans, pictures, places);
  }());
}

DSVL_INLINE std::uint64_t SessionState::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                                 const GenerateOptions& options) {
  const FloatEnvironment ours;
  Buffer<std::int32_t> copy(from_);
  const bool copied = copy.append(ids.data(), ids.size());
  begin(options);
  in_conversation_ = false;
  return end_begin([&]() -> Status {
    if (!copied) return fail(Code::out_of_memory, "no memory for the prompt's ids");
    prompt_ids_ = std::move(copy);
    DSVL_CHECK_STATUS(prepare(options));
    std::vector<ImageSpan> spans;
    DSVL_CHECK_STATUS(find_images(spans));
    std::vector<const EncodedPicture*> places;
    return take_prompt(spans, pictures, places);
  }());
}

/// Where the runs of image tokens are: each as long as a picture takes.
DSVL_INLINE Status SessionState::find_images(std::vector<ImageSpan>& spans) const {
  const Index run = model_->config.image_tokens(), count = static_cast<Index>(prompt_ids_.size());
  for (const std::int32_t id : prompt_ids_)
    if (id < 0 || id >= model_->config.decoder.vocab)
      return fail(Code::bad_argument, "token id %d is outside the vocabulary of %td", id, model_->config.decoder.vocab);
  for (Index i = 0; model_->image_token && i < count;) {
    const std::int32_t* const begin = prompt_ids_.data() + i;
    const auto other = [&](std::int32_t id) { return id != *model_->image_token; };
    const Index found = std::find_if(begin, begin + std::min<Index>(run, count - i), other) - begin;
    if (found == 0) { ++i; continue; }
    if (found < run)
      return fail(Code::bad_argument, "a picture takes %td image tokens, the prompt has a run of %td", run, found);
    spans.push_back({i, run});
    i += run;
  }
  return {};
}

DSVL_INLINE Status SessionState::encode_segments(const Prompt& prompt, std::vector<ImageSpan>& spans) {
  // Without pictures the image token may be unknown; any id will do, since no place asks for it.
  return encode_prompt(*tokenizer(), prompt, model_->image_token.value_or(-1), model_->config.image_tokens(),
                       prompt_ids_, spans);
}

DSVL_INLINE Status SessionState::add_pictures(std::span<const Picture> pictures,
                                              std::vector<const EncodedPicture*>& into) {
  if (!pictures.empty() && !model_->image_token)
    return fail(Code::bad_argument, "no token stands for pictures: give LoadOptions::image_token");
  for (const Picture& picture : pictures) {
    DSVL_TRY(encoded, album_.add(picture, {turn_pictures_, into}, model_->config.image_tokens(),
                                 model_->config.decoder.hidden, *engine_, control(), usage_));
    into.push_back(encoded);
  }
  return {};
}

/// Fills the cache with prompt_ids_. `places` has the pictures of earlier turns; `pictures` are added behind them, and
/// encoded only when all else is right.
DSVL_INLINE Status SessionState::take_prompt(std::span<const ImageSpan> spans, std::span<const Picture> pictures,
                                             std::vector<const EncodedPicture*>& places) {
  const Index count = static_cast<Index>(prompt_ids_.size());
  if (count == 0) return fail(Code::bad_argument, "the prompt is empty");
  if (count > engine_->context())
    return fail(Code::limit, "the prompt takes %td tokens, the context holds %td", count, engine_->context());
  DSVL_CHECK_STATUS(check_pictures(spans.size(), places.size() + pictures.size()));
  DSVL_CHECK_STATUS(add_pictures(pictures, places));
  if (!wanted_.resize(prompt_ids_.size())) return fail(Code::out_of_memory, "no memory for the prompt's ids");
  for (std::size_t i = 0; i < prompt_ids_.size(); ++i) wanted_[i] = {prompt_ids_[i]};
  for (std::size_t p = 0; p < spans.size(); ++p)
    for (Index r = 0; r < spans[p].count; ++r) {
      Slot& slot = wanted_[static_cast<std::size_t>(spans[p].first + r)];
      slot = {slot.id, r, places[p]->hash, places[p]->row(r)};
    }
  sampler_->begin(prompt_ids_.span());
  return prefill();
}

DSVL_INLINE Status SessionState::prefill() {
  const std::size_t most =
      std::min<std::size_t>(cached_.size(), wanted_.size() - 1);  // the last token always runs: its logits are needed
  const auto differ = std::mismatch(cached_.begin(), cached_.begin() + static_cast<Index>(most), wanted_.begin());
  const std::size_t reused = static_cast<std::size_t>(differ.first - cached_.begin());
  engine_->rewind(static_cast<Index>(reused));
  if (!cached_.resize(reused)) return fail(Code::out_of_memory, "no memory for the cache's ids");
  usage_.prompt_tokens = static_cast<Index>(wanted_.size());
  usage_.reused_tokens = static_cast<Index>(reused);
  const auto began = Clock::now();
  const Status status = extend(wanted_.span().subspan(reused), Stage::prefill);
  usage_.prefill = Album::seconds_since(began);
  return status;
}

/// Runs slots through the engine; cached_ always says what the engine's cache holds, also after an error.
DSVL_INLINE Status SessionState::extend(std::span<const Slot> slots, Stage stage) {
  if (!inputs_.resize(slots.size()) || !cached_.reserve(cached_.size() + slots.size()))
    return fail(Code::out_of_memory, "no memory for %zu tokens", slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i)
    inputs_[i] = {slots[i].id, slots[i].input};
  const Index before = engine_->position();
  const Status status = engine_->extend(inputs_.span(), stage, control());
  const bool kept = cached_.append(slots.data(), static_cast<std::size_t>(engine_->position() - before));
  DSVL_ASSERT(kept);
  static_cast<void>(kept);
  return status;
}

// --- going on, and ending -----------------------------------------------------------------------

DSVL_INLINE std::optional<Piece> SessionState::next() {
  if (finish_ != Finish::none || number_ == 0) return std::nullopt;
  const FloatEnvironment ours;
  const auto began = Clock::now();
  if (generate_.cancel && generate_.cancel->cancelled())
    return end_with(fail(Code::cancelled, "the answer was cancelled"));
  if (pending_) {
    if (engine_->position() == engine_->context()) return end(Finish::context_full), rest();
    const Slot slot{*pending_};
    if (const Status status = extend({&slot, 1}, Stage::decode); !status.ok()) return end_with(status);
    pending_.reset();
  }
  const auto choice = sampler_->choose(engine_->logits(), static_cast<std::uint64_t>(engine_->position()));
  usage_.decode += Album::seconds_since(began);
  if (!choice) return end_with(choice.error());
  last_ = *choice;
  answer_ids_.push_back(choice->id);
  ++usage_.answer_tokens;
  if (tokenizer() && tokenizer()->eos() == choice->id) return end(Finish::eos), rest();
  sampler_->accept(choice->id);
  transcript_->push(choice->id);
  pending_ = choice->id;
  if (transcript_->stopped()) end(Finish::stop);
  else if (usage_.answer_tokens >= generate_.max_tokens) end(Finish::length);
  return Piece{transcript_->take(), choice->id, choice->log_probability};
}

/// Text that was held back until the end, with the token that ended it; usually there is none.
DSVL_INLINE std::optional<Piece> SessionState::rest() {
  const std::string_view text = transcript_->take();
  if (text.empty()) return std::nullopt;
  return Piece{text, last_.id, last_.log_probability};
}

DSVL_INLINE void SessionState::end(Finish why) {
  finish_ = why;
  if (transcript_) transcript_->flush();
  if (!in_conversation_) return;
  in_conversation_ = false;
  if (why == Finish::error || (why == Finish::cancelled && answer_ids_.empty())) drop_turn();
  else keep_turn();
}

DSVL_INLINE std::optional<Piece> SessionState::end_with(const Status& status) {
  status_ = status;
  end(status.code() == Code::cancelled ? Finish::cancelled : Finish::error);
  return rest();
}

DSVL_INLINE void SessionState::keep_turn() {
  if (!options_.keep_generated_ids) return turns_.push_back(Message::assistant(transcript_->text()));
  std::vector<std::int32_t> ids = answer_ids_;
  if (finish_ == Finish::eos) ids.pop_back();
  // A picture's token that the model happened to choose would be the place of a picture in the next prompt.
  if (model_->image_token) std::erase(ids, *model_->image_token);
  turns_.push_back(Message::assistant(std::move(ids)));
}

/// The question goes as it came, and its pictures' places with it.
DSVL_INLINE void SessionState::drop_turn() {
  for (const Segment& s : turns_.back().content)
    if (s.kind == Segment::Kind::image) turn_pictures_.pop_back();
  turns_.pop_back();
}

DSVL_INLINE void SessionState::clear() {
  if (finish_ == Finish::none && number_ != 0) end(Finish::cancelled);
  ++number_;
  finish_ = Finish::cancelled;
  turns_.clear();
  turn_pictures_.clear();
  cached_.clear();
  engine_->rewind(0);
  album_.clear();
}

}  // namespace detail

// --- Answer -------------------------------------------------------------------------------------

DSVL_INLINE std::optional<Piece> Answer::next() { return is_current() ? session_->next() : std::nullopt; }
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
  return is_current() && session_->finish() == Finish::none ? session_->engine().logits() : std::span<const float>();
}

// --- Session ------------------------------------------------------------------------------------

DSVL_INLINE Result<Session> Session::open(const Model& model, const SessionOptions& options) {
  const auto& state = model.state();
  SessionOptions chosen = options;
  if (!chosen.host.allocator) chosen.host.allocator = state->host.allocator;
  if (!chosen.host.log.write) chosen.host.log = state->host.log;
  Limits& limits = chosen.limits;
  if (limits.context == 0) limits.context = state->info.default_context;
  if (limits.context > state->info.max_context)
    return fail(Code::limit, "a context of %td tokens: the model's positions end at %td", limits.context,
                state->info.max_context);
  if (limits.context > state->info.default_context)
    chosen.host.log(Level::warning, "the context is longer than the 4096 tokens the models were trained with");
  if (limits.pictures < 0 || limits.picture_pixels < 1)
    return fail(Code::bad_argument, "limits of %td pictures and %td pixels make no sense", limits.pictures,
                limits.picture_pixels);
  DSVL_CHECK_STATUS(utf8::validate(chosen.system, "the system text"));
  Executor& executor = chosen.host.executor ? *chosen.host.executor : state->executor();
  DSVL_TRY(engine,
           Engine::open(state->network->net, state->config.preprocess, limits, executor, chosen.host.allocator));
  auto session = std::make_shared<detail::SessionState>(state, chosen, std::move(engine), chosen.host.allocator);
  if (!session->reserve())
    return fail(Code::out_of_memory, "no memory for a session: the ids of a context of %td tokens", limits.context);
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
  return {state_, state_->ask(pictures, question, options)};
}
DSVL_INLINE Answer Session::complete(std::span<const Picture> pictures, std::string_view text,
                                     const GenerateOptions& options) {
  return {state_, state_->complete(pictures, text, options)};
}
DSVL_INLINE Answer Session::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                     const GenerateOptions& options) {
  return {state_, state_->generate(ids, pictures, options)};
}
DSVL_INLINE void Session::clear() { state_->clear(); }
DSVL_INLINE Index Session::context() const noexcept { return state_->engine().context(); }
DSVL_INLINE std::size_t Session::bytes() const noexcept { return state_->engine().slab_bytes(); }

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_SESSION_IMPL_HPP
