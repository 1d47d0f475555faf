// Definitions of chat/internal/session_state.hpp: opening, the phases of an answer, its end.
#ifndef DSVL_CHAT_INTERNAL_SESSION_PHASES_HPP
#define DSVL_CHAT_INTERNAL_SESSION_PHASES_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/float_environment.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

// --- opening ------------------------------------------------------------------------------------

inline std::shared_ptr<PagePool> make_pool(const ModelState& model, const SessionOptions& options) {
  const DecoderDims& d = model.config.decoder;
  const Index bytes = kv_page_bytes<float>(d.heads, d.layers, *options.limits.kv);
  return std::make_shared<PagePool>(static_cast<std::size_t>(bytes), options.host.allocator);
}

inline std::shared_ptr<ImageCache> make_gallery(const ModelState& model, const SessionOptions& options,
                                             Executor& executor) {
  if (options.limits.pictures == 0) return nullptr;
  return std::make_shared<ImageCache>(model.network->net, model.config.preprocess, options.limits, executor.workers(),
                                   options.host.allocator);
}

inline Index cached_pages(const Limits& limits) noexcept { return ceil_div(limits.cached_tokens, kKvBlock); }

DSVL_INLINE SessionState::SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options,
                                       std::shared_ptr<PagePool> pool, std::shared_ptr<ImageCache> gallery)
    : model_(std::move(model)), options_(options),
      executor_(options.host.executor ? *options.host.executor : model_->executor()),
      first_(pool == nullptr), gallery_(first_ ? make_gallery(*model_, options, executor_) : std::move(gallery)),
      slab_(options.host.allocator), steady_(options.host.allocator), scratch_(options.host.allocator),
      engine_(model_->network->net.decoder, options.limits, executor_,
              first_ ? make_pool(*model_, options) : std::move(pool)),
      intake_(gallery_,
              {.max_pixels = options.limits.picture_pixels,
               .apply_exif_orientation = options.apply_exif_orientation,
               .clip_gray16 = options.clip_gray16,
               .background = options.background},
              options.host.decode_picture, options.host.allocator) {}

DSVL_INLINE SessionState::~SessionState() {
  release_pictures(new_pictures_, 0);
  release_pictures(pictures_, 0);
}

DSVL_INLINE Status SessionState::open(Index shared_pages) {
  const Limits& limits = options_.limits;
  const auto no_memory = [&](std::size_t bytes) {
    return fail(Code::out_of_memory, "no memory for a session: %zu bytes for a context of %td tokens", bytes,
                limits.context);
  };
  std::size_t needed = 0;
  if (!carve_slab(slab_, [&](Arena& arena) { lay_out(arena), needed = arena.peak(); })) return no_memory(needed);
  sampler_.emplace(model_->config.decoder.vocab, &steady_);
  transcript_.emplace(tokenizer(), limits.text_bytes, &steady_);
  if (!sampler_->ready() || !transcript_->ready()) return no_memory(needed);
  if (first_ && gallery_ && !gallery_->open()) return no_memory(gallery_->bytes());
  PrefixCache& cache = engine_.cache();
  if (!cache.reserve(shared_pages) || (first_ && !cache.pool()->reserve(cached_pages(limits))))
    return no_memory(cache.pool()->bytes_of(cache.kv().pages()));
  intake_.reserve(limits.pictures);
  return {};
}

DSVL_INLINE void SessionState::lay_out(Arena& arena) noexcept {
  const Limits& limits = options_.limits;
  const Index context = limits.context;
  engine_.lay_out(arena);
  intake_.carve(arena, context, context / model_->config.image_tokens() + 1);
  conversation_.carve(arena, limits.text_bytes, context);
  pictures_ = arena.buffer<ImageEmbedding*>("pictures in use", context);
  new_pictures_ = arena.buffer<ImageEmbedding*>("pictures in use", context);
  prompt_ = arena.buffer<Segment>("prompt", 3 * context + 8);
  spans_ = arena.buffer<ImageSpan>("prompt", context);
  slots_ = arena.buffer<TokenKey>("prompt", context);
  inputs_ = arena.buffer<TokenInput<float>>("prompt", context);
  for (Buffer<std::int32_t>* ids : {&prompt_ids_, &answer_ids_, &last_answer_ids_, &draft_ids_, &history_})
    *ids = arena.buffer<std::int32_t>("ids", 2 * context + 2);
  const auto room = [&](BumpAllocator& of, const char* name, std::size_t bytes) {
    std::byte* const at = arena.array<std::byte>(name, static_cast<Index>(bytes));
    if (!arena.measuring()) of.use({at, bytes});
  };
  room(steady_, "sampler and transcript",
       Sampler::bytes_for(model_->config.decoder.vocab) + StreamingDetokenizer::bytes_for(limits.text_bytes));
  // What encoding a text takes, unless it is one word of that length.
  room(scratch_, "text scratch", 8 * static_cast<std::size_t>(limits.text_bytes) + (std::size_t{64} << 10));
}

/// Of the cache's pages, those kept for earlier conversations included.
DSVL_INLINE std::size_t SessionState::cache_bytes() const noexcept {
  const Index pages = ceil_div(options_.limits.context, kKvBlock) + 1;
  return engine_.cache().pool()->bytes_of(pages + (first_ ? cached_pages(options_.limits) : 0));
}

DSVL_INLINE std::size_t SessionState::bytes() const noexcept {
  return slab_.size() + cache_bytes() + (first_ && gallery_ ? gallery_->bytes() : 0);
}

// --- beginning an answer ------------------------------------------------------------------------

/// The session goes on to something else: its answer ends, and its handle keeps how it stood.
DSVL_INLINE void SessionState::leave_answer() {
  if (phase_ != Phase::over) {
    status_ = fail(Code::cancelled, "the answer had not ended when its session went on to something else");
    end(Finish::cancelled);
  }
  if (tie_) tie_->cut(finish_, status_, usage_);
  tie_ = nullptr;
}

DSVL_INLINE void SessionState::begin(const GenerateOptions& options) {
  leave_answer();
  cancel_ = options.cancel;
  progress_ = options.progress;
  max_tokens_ = options.max_tokens;
  draft_ = options.draft;
  finish_ = Finish::none;
  status_ = {};
  usage_ = {};
  seen_row_.reset();
  intake_.begin({});  // forgets what the answer before saw
}

/// The work may begin, or the answer is over at once, and has nothing of the one before.
DSVL_INLINE void SessionState::begun(const Status& status) {
  phase_ = Phase::pictures;
  if (status.ok()) return;
  end_with(status);
  transcript_->restart();
  answer_ids_.clear();
  prompt_ids_.clear();
}

DSVL_INLINE Status SessionState::needs_tokenizer() const noexcept {
  if (tokenizer()) return {};
  return fail(Code::unsupported, "the model has no tokenizer.json, so it takes token ids only (Session::generate)");
}

/// What generating needs, so that bad options are found before any work is done.
DSVL_INLINE Status SessionState::prepare(const GenerateOptions& options) {
  if (options.max_tokens < 1)
    return fail(Code::bad_argument, "max_tokens is %td, must be at least 1", options.max_tokens);
  if (options.draft < 0 || options.draft >= options_.limits.logit_rows)
    return fail(Code::bad_argument, "draft is %td, must be from 0 to %td (Limits::logit_rows - 1)", options.draft,
                options_.limits.logit_rows - 1);
  DSVL_CHECK_STATUS(set_sampling(options.sampling));
  draft_ids_.clear();
  // A draft is only a guess: what can not be one (too long, not UTF-8) is none.
  if (options.draft > 0 && tokenizer() && !options.draft_text.empty() &&
      !tokenizer()->encode(options.draft_text, ControlTokens::as_text, draft_ids_, &scratch_).ok())
    draft_ids_.clear();
  (void)last_answer_ids_.assign(answer_ids_.data(), answer_ids_.size());  // of the same size
  answer_ids_.clear();
  return transcript_->begin(options.stop);
}

DSVL_INLINE Status SessionState::set_sampling(const SamplerOptions& sampling) noexcept {
  DSVL_CHECK_STATUS(sampler_->set(sampling));
  if (fork_ != 0) sampler_->reseed(fork_seed(sampling.seed, fork_));
  return {};
}

/// Of the prompt.
DSVL_INLINE Status SessionState::check_length(std::size_t tokens) const noexcept {
  const Index context = engine_.cache().context();
  if (tokens <= static_cast<std::size_t>(context)) return {};
  return fail(Code::limit,
              "the prompt takes %zu tokens, the context holds %td: ask less, rewind() or clear() the conversation, or "
              "open a session with a larger Limits::context (this model's positions end at %td)",
              tokens, context, model_->info.max_context);
}

inline Status check_places(std::span<const Segment> content, std::size_t pictures) noexcept {
  const auto is_place = [](const Segment& s) { return s.kind == Segment::Kind::image; };
  return check_pictures(static_cast<std::size_t>(std::count_if(content.begin(), content.end(), is_place)), pictures);
}

// Texts and ids that come in may be those of the answer that is ended by this: they are used before its memory is.

DSVL_INLINE void SessionState::ask(std::span<const Picture> pictures, std::string_view question,
                                   const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options);
  in_conversation_ = true;
  turn_ = conversation_.mark();
  begun([&]() -> Status {
    DSVL_CHECK_STATUS(needs_tokenizer());
    if (question.empty()) return fail(Code::bad_argument, "the question is empty");
    DSVL_CHECK_STATUS(utf8::validate(question, "the question"));
    DSVL_CHECK_STATUS(conversation_.add_question(pictures.size(), question, options.placeholders));
    DSVL_CHECK_STATUS(prepare(options));
    DSVL_CHECK_STATUS(check_places(conversation_.content(conversation_.turns() - 1), pictures.size()));
    ChatTemplate how;
    how.style = model_->config.layout == Layout::original ? ChatTemplate::Style::original : ChatTemplate::Style::hf;
    how.system = options_.system;
    DSVL_CHECK_STATUS(render_chat(conversation_.messages(), how, prompt_));
    DSVL_CHECK_STATUS(encode_segments(prompt_.span()));
    return take_prompt(pictures);
  }());
}

DSVL_INLINE void SessionState::complete(std::span<const Picture> pictures, std::string_view text,
                                        const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options);
  in_conversation_ = false;
  begun([&]() -> Status {
    DSVL_CHECK_STATUS(needs_tokenizer());
    DSVL_CHECK_STATUS(utf8::validate(text, "the text"));
    const Conversation::Mark before = conversation_.mark();
    DSVL_CHECK_STATUS(conversation_.add_question(pictures.size(), text, options.placeholders));
    const std::span<const Segment> content = conversation_.content(conversation_.turns() - 1);
    Status status = prepare(options);
    if (status.ok()) status = check_places(content, pictures.size());
    if (status.ok()) status = encode_segments(content);
    conversation_.rewind(before);  // it was there only to be encoded
    DSVL_CHECK_STATUS(status);
    return take_prompt(pictures);
  }());
}

DSVL_INLINE void SessionState::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                        const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options);
  in_conversation_ = false;
  begun([&]() -> Status {
    DSVL_CHECK_STATUS(check_length(ids.size()));
    if (!prompt_ids_.assign(ids.data(), ids.size())) return fail(Code::out_of_memory, "no memory for the prompt's ids");
    DSVL_CHECK_STATUS(prepare(options));
    DSVL_CHECK_STATUS(find_images());
    return take_prompt(pictures);
  }());
}

/// Where the runs of image tokens are: each as long as a picture takes.
DSVL_INLINE Status SessionState::find_images() {
  const Index run = model_->config.image_tokens(), count = static_cast<Index>(prompt_ids_.size());
  spans_.clear();
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
    (void)spans_.push_back({i, run});  // as many as tokens would fit
    i += run;
  }
  return {};
}

DSVL_INLINE Status SessionState::encode_segments(std::span<const Segment> prompt) {
  // Without pictures the image token may be unknown; any id will do, since no place asks for it. What does not fit the
  // memory taken for ids (twice the context) is far too long, and is counted in memory of its own for the message.
  scratch_.reset();
  const std::int32_t image = model_->image_token.value_or(-1);
  const Index run = model_->config.image_tokens();
  const Status status = encode_prompt(*tokenizer(), prompt, image, run, prompt_ids_, spans_, &scratch_);
  if (status.code() != Code::out_of_memory) return status;
  Buffer<std::int32_t> ids(options_.host.allocator);
  Buffer<ImageSpan> spans(options_.host.allocator);
  scratch_.reset();
  DSVL_CHECK_STATUS(encode_prompt(*tokenizer(), prompt, image, run, ids, spans, &scratch_));
  DSVL_CHECK_STATUS(check_length(ids.size()));
  return status;
}

/// The prompt is in prompt_ids_ and spans_: checks what can be checked before pictures are looked at.
DSVL_INLINE Status SessionState::take_prompt(std::span<const Picture> pictures) {
  if (prompt_ids_.empty()) return fail(Code::bad_argument, "the prompt is empty");
  DSVL_CHECK_STATUS(check_length(prompt_ids_.size()));
  DSVL_CHECK_STATUS(check_pictures(spans_.size(), (in_conversation_ ? pictures_.size() : 0) + pictures.size()));
  if (!pictures.empty() && !model_->image_token)
    return fail(Code::bad_argument, "no token stands for pictures: give LoadOptions::image_token");
  if (!pictures.empty() && !gallery_)
    return fail(Code::limit, "one picture too many: the session takes none (Limits::pictures is 0)");
  intake_.begin(pictures);
  return {};
}

// --- working ------------------------------------------------------------------------------------

/// Goes from phase to phase until logits are there or it is late.
DSVL_INLINE Status SessionState::advance(const Control& control) {
  for (;;) {
    switch (phase_) {
      case Phase::pictures: {
        DSVL_CHECK_STATUS(intake_.advance(executor_, control, usage_));
        if (intake_.busy()) return {};
        DSVL_CHECK_STATUS(begin_prefill());
        break;
      }
      case Phase::chosen: DSVL_CHECK_STATUS(begin_decode()); break;
      case Phase::prefill:
      case Phase::decode: {
        const auto began = Clock::now();
        const Status status = engine_.advance(control);
        (phase_ == Phase::prefill ? usage_.prefill : usage_.decode) += seconds_since(began);
        DSVL_CHECK_STATUS(status);
        if (engine_.busy()) return {};
        if (phase_ == Phase::prefill) seen_row_ = row_;
        phase_ = Phase::ready;
        return {};
      }
      case Phase::ready:
      case Phase::over: return {};
    }
    if (control.late()) return {};
  }
}

DSVL_INLINE void SessionState::make_ready() {
  const FloatEnvironment ours;
  if (phase_ == Phase::over) return;
  if (const Status status = advance(control()); !status.ok()) end_with(status);
}

DSVL_INLINE Status SessionState::begin_prefill() {
  intake_.hand_over(new_pictures_);
  if (in_conversation_) {
    for (ImageEmbedding* p : new_pictures_) (void)pictures_.push_back(p);  // each takes more than a token
    new_pictures_.clear();
  }
  const std::span<ImageEmbedding* const> places = in_conversation_ ? pictures_.span() : new_pictures_.span();
  const std::size_t count = prompt_ids_.size();
  (void)slots_.resize(count);  // fits: take_prompt has looked
  (void)inputs_.resize(count);
  for (std::size_t i = 0; i < count; ++i) slots_[i] = {prompt_ids_[i]}, inputs_[i] = {prompt_ids_[i], nullptr};
  const Index hidden = model_->config.decoder.hidden;
  for (std::size_t p = 0; p < spans_.size(); ++p)
    for (Index r = 0; r < spans_[p].count; ++r) {
      const auto i = static_cast<std::size_t>(spans_[p].first + r);
      slots_[i] = {prompt_ids_[i], static_cast<std::int32_t>(r), places[p]->hash};
      inputs_[i] = {prompt_ids_[i], places[p]->rows + r * hidden};
    }
  prompt_end_ = slots_[count - 1];
  prompt_end_input_ = inputs_[count - 1];
  sampler_->begin(prompt_ids_.span());
  (void)history_.assign(prompt_ids_.data(), count);
  const auto reused = static_cast<std::size_t>(engine_.cache().reuse(slots_.span()));
  usage_.prompt_tokens = static_cast<Index>(count);
  usage_.reused_tokens = static_cast<Index>(reused);
  position_ = static_cast<Index>(count);
  row_ = 0;
  drafted_ = 0;
  phase_ = Phase::prefill;
  return engine_.begin({slots_.span().subspan(reused), inputs_.span().subspan(reused)}, 1, Stage::prefill);
}

/// One pass over the token in front (the chosen one, or the prompt's end again), and over guesses behind it.
DSVL_INLINE Status SessionState::begin_decode() {
  const bool at_prompt = answer_ids_.empty();
  slots_.clear();
  inputs_.clear();
  (void)slots_.push_back(at_prompt ? prompt_end_ : TokenKey{last_.id});
  (void)inputs_.push_back(at_prompt ? prompt_end_input_ : TokenInput<float>{last_.id, nullptr});
  drafted_ = 0;
  const Index room = std::min<Index>(engine_.cache().context() - position_, max_tokens_ - usage_.answer_tokens);
  if (draft_ > 0 && room > 0) guess(static_cast<std::size_t>(std::min<Index>(draft_, room)));
  for (const TokenKey& s : slots_.span().subspan(1)) (void)inputs_.push_back({s.id, nullptr});
  usage_.drafted += static_cast<Index>(drafted_);
  ++usage_.passes;
  row_ = 0;
  seen_row_.reset();  // the pass writes over them
  phase_ = Phase::decode;
  return engine_.begin({slots_.span(), inputs_.span()}, static_cast<Index>(slots_.size()), Stage::decode);
}

DSVL_INLINE void SessionState::guess(std::size_t most) {
  const Index n = static_cast<Index>(most);
  std::span<const std::int32_t> found = look_up(history_.span(), draft_ids_.span(), n, 4, 1);
  if (found.empty()) found = look_up(history_.span(), last_answer_ids_.span(), n);
  if (found.empty()) found = look_up(history_.span(), history_.span(), n);
  for (const std::int32_t id : found) {
    if (model_->image_token == id) break;  // in a prompt it stands for a picture's row, which a guess is not
    (void)slots_.push_back({id});
    ++drafted_;
  }
}

DSVL_INLINE std::optional<Piece> SessionState::step(Clock::time_point deadline) {
  if (phase_ == Phase::over) return std::nullopt;
  const FloatEnvironment ours;
  if (phase_ != Phase::pictures && cancel_ && cancel_->cancelled())
    return end_with(fail(Code::cancelled, "the answer was cancelled"));
  if (phase_ == Phase::chosen && position_ > engine_.cache().context()) return end(Finish::context_full), rest();
  if (const Status status = advance(control(deadline)); !status.ok()) return end_with(status);
  return phase_ == Phase::ready ? choose() : std::nullopt;
}

DSVL_INLINE std::optional<Piece> SessionState::choose() {
  const auto began = Clock::now();
  const auto choice = sampler_->choose(engine_.logits(row_), static_cast<std::uint64_t>(position_));
  if (!choice) return end_with(choice.error());
  seen_row_ = row_;
  last_ = *choice;
  (void)answer_ids_.push_back(choice->id);
  ++usage_.answer_tokens;
  usage_.decode += seconds_since(began);
  transcript_->push(choice->id);  // an end token that is no control token is part of the text, as in the reference
  if (model_->ends_answer(choice->id)) return end(Finish::eos), rest();
  sampler_->accept(choice->id);
  go_on_behind(choice->id);
  const bool text_full =
      transcript_->full() || (in_conversation_ && !conversation_.has_room(transcript_->text().size()));
  if (transcript_->stopped()) end(Finish::stop);
  else if (usage_.answer_tokens >= max_tokens_) end(Finish::length);
  else if (text_full) end(Finish::context_full);
  return Piece{transcript_->take(), choice->id, choice->log_probability};
}

/// Where the next token's logits come from: the next row, when the guess was right; a pass over this token, when not.
DSVL_INLINE void SessionState::go_on_behind(std::int32_t id) {
  (void)history_.push_back(id);
  ++position_;
  if (static_cast<std::size_t>(row_) < drafted_ && slots_[static_cast<std::size_t>(row_) + 1].id == id) {
    ++row_;
    ++usage_.accepted;
    return;
  }
  engine_.cache().truncate(position_ - 1);  // guesses that were wrong
  drafted_ = 0;
  phase_ = Phase::chosen;
}

// --- ending -------------------------------------------------------------------------------------

/// Text that was held back until the end, with the token that ended it; usually there is none.
DSVL_INLINE std::optional<Piece> SessionState::rest() {
  const std::string_view text = transcript_->take();
  if (text.empty()) return std::nullopt;
  return Piece{text, last_.id, last_.log_probability};
}

DSVL_INLINE void SessionState::end(Finish why) {
  const bool began = phase_ == Phase::ready || phase_ == Phase::chosen || phase_ == Phase::decode;
  finish_ = why;
  phase_ = Phase::over;
  cancel_ = nullptr;  // the application's, and good until here
  progress_ = {};
  intake_.abandon();
  engine_.abandon();
  if (began) engine_.cache().truncate(position_);
  if (began) transcript_->flush();
  release_pictures(new_pictures_, 0);
  if (!in_conversation_) return;
  in_conversation_ = false;
  if (why == Finish::error || (why == Finish::cancelled && (!began || answer_ids_.empty())) || !keep_turn().ok())
    drop_turn();
}

DSVL_INLINE std::optional<Piece> SessionState::end_with(const Status& status) {
  status_ = status;
  end(status.code() == Code::cancelled ? Finish::cancelled : Finish::error);
  return rest();
}

DSVL_INLINE Status SessionState::keep_turn() {
  if (!options_.keep_generated_ids) return conversation_.add_answer(transcript_->text());
  std::span<const std::int32_t> ids = answer_ids_.span();
  // The template writes the tokenizer's end of sentence itself.
  if (finish_ == Finish::eos && tokenizer() && tokenizer()->eos() == ids.back()) ids = ids.first(ids.size() - 1);
  // A picture's token that the model happened to choose would be the place of a picture in the next prompt.
  return conversation_.add_answer(ids, model_->image_token);
}

/// The question goes as it came, and its pictures' places with it.
DSVL_INLINE void SessionState::drop_turn() {
  conversation_.rewind(turn_);
  release_pictures(pictures_, conversation_.pictures(conversation_.turns()));
}

DSVL_INLINE void SessionState::release_pictures(Buffer<ImageEmbedding*>& pictures, std::size_t keep) noexcept {
  for (std::size_t i = keep; i < pictures.size(); ++i) gallery_->release(pictures[i]);
  if (keep < pictures.size()) (void)pictures.resize(keep);
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_PHASES_HPP
