// Definitions of session_state.hpp: opening, beginning an answer, working on it, ending it.
//
// A call that computes sets the floating point environment first (FloatEnvironment), because the host may have changed
// it on this thread.
#ifndef DSVL_CHAT_INTERNAL_SESSION_ANSWERS_HPP
#define DSVL_CHAT_INTERNAL_SESSION_ANSWERS_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/float_environment.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

// --- opening -------------------------------------------------------------------------------------

/// The image cache of a session that is no fork; null when it takes no pictures.
DSVL_COLD inline std::shared_ptr<ImageCache> make_images(const SessionShape& shape, Allocator* from) {
  if (shape.limits.pictures == 0) return nullptr;
  return std::make_shared<ImageCache>(shape.net, shape.config.preprocess, shape.limits, shape.workers, from);
}

DSVL_INLINE SessionState::SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options,
                                       SharedParts shared)
    : model_(std::move(model)), options_(options),
      executor_(model_->executor(options.host)), first_(shared.pages == nullptr),
      images_(first_ ? make_images(shape(), options.host.allocator) : std::move(shared.images)),
      group_(std::move(shared.group)), slab_(options.host.allocator),
      parts_(shape(), model_->roles(),
             first_ ? std::make_shared<PagePool>(shape().page_bytes(), options.host.allocator)
                    : std::move(shared.pages),
             images_, group_ ? &group_->decoding() : nullptr, image_limits(options_), options_.host) {}

DSVL_INLINE SessionState::~SessionState() {
  if (group_) group_->leave(*this);
}

/// Takes the slab, the pages and, unless it shares those of others, the image cache.
DSVL_INLINE Status SessionState::open(Index shared_pages) {
  if (group_) DSVL_CHECK_STATUS(group_->join(*this));
  const Limits& limits = options_.limits;
  const auto no_memory = [&](std::size_t bytes) {
    return fail(Code::out_of_memory, "no memory for a session: %zu bytes for a context of %td tokens", bytes,
                limits.context);
  };
  std::size_t needed = 0;
  const auto lay_out = [&](Arena& arena) { parts_.lay_out(arena, shape()), needed = arena.peak(); };
  if (!carve_slab(slab_, lay_out)) return no_memory(needed);
  const FilterTables* const tables = model_->filter_tables.get();
  if (!parts_.generation.open(model_->config.decoder.vocab, limits.text_bytes, tables)) return no_memory(needed);
  if (first_ && images_ && !images_->open()) return no_memory(images_->bytes());
  PrefixCache& cache = parts_.cache;
  if (!cache.reserve(shared_pages, group_ ? 0 : 1) || (first_ && !cache.pool()->reserve(shape().cached_pages())))
    return no_memory(cache.pool()->bytes_of(cache.kv().pages()));
  cache_bytes_ = cache.reserved_bytes() + (first_ ? cache.pool()->bytes_of(shape().cached_pages()) : 0);
  parts_.queue.reserve(limits.pictures);
  return {};
}

DSVL_INLINE std::size_t SessionState::bytes() const noexcept {
  return slab_.size() + cache_bytes_ + (first_ && images_ ? images_->bytes() : 0);
}

// --- beginning an answer -------------------------------------------------------------------------

DSVL_INLINE void SessionState::tie(AnswerTie* handle) noexcept {
  answer_.tie = handle;
  if (handle || answer_.phase == Phase::over) return;
  answer_.dropped = true;
  answer_.cancel = nullptr;
  answer_.progress = {};
  parts_.generation.held().drop();
  parts_.queue.abandon();  // so that another session can have the picture encoder
}

/// Ends the answer because the session goes on to something else. Its handle keeps how it stood.
DSVL_INLINE void SessionState::leave_answer() {
  if (const Status trouble = take_trouble(); !trouble.ok()) {
    end_with(trouble);
  } else if (answer_.phase != Phase::over) {
    answer_.status = fail(Code::cancelled, "the answer had not ended when its session went on to something else");
    end(Finish::cancelled);
  }
  if (answer_.tie) answer_.tie->cut(answer_.finish, answer_.status, answer_.usage, whole());
  answer_.tie = nullptr;
}

/// Begins an answer that has no prompt yet. It can end with an error from here on, and the conversation can go back to
/// where it is now.
DSVL_INLINE void SessionState::begin(const GenerateOptions& options, bool in_conversation) {
  leave_answer();
  answer_ = {};
  answer_.cancel = options.cancel;
  answer_.deadline = options.deadline;
  answer_.progress = options.progress;
  answer_.in_conversation = in_conversation;
  answer_.turn = parts_.conversation.mark();
  parts_.queue.begin({});  // forgets what the answer before saw
  parts_.attention.begin({});
  if (group_) group_->begins(*this);
}

/// Lets the work begin, or ends the answer at once; then it has nothing of the one before.
DSVL_INLINE void SessionState::start_or_fail(const Status& status) {
  answer_.phase = Phase::pictures;
  if (status.ok()) return;
  end_with(status);
  parts_.generation.clear();
  parts_.prompt.clear();
}

/// Refuses texts where there is no tokenizer.
///
/// Codes  unsupported
DSVL_INLINE Status SessionState::check_tokenizer() const noexcept {
  if (model_->tokenizer) return {};
  return fail(Code::unsupported, "the model has no tokenizer.json, so it takes token ids only (Session::generate)");
}

/// Takes the options, so that bad ones are found before any work is done.
///
/// Codes  bad_argument, those of Generation::set
DSVL_INLINE Status SessionState::set_options(const GenerateOptions& options) {
  const Index rows = parts_.decoding.logit_rows();
  if (options.max_tokens < 1)
    return fail(Code::bad_argument, "max_tokens is %td, must be at least 1", options.max_tokens);
  if (options.draft < 0 || options.draft >= rows)
    return fail(Code::bad_argument, "draft is %td, must be from 0 to %td (Limits::logit_rows - 1)", options.draft,
                rows - 1);
  // The text is only a hint: one that cannot be encoded (too long, not UTF-8) gives no drafts.
  std::span<const std::int32_t> draft_text;
  if (options.draft > 0 && model_->tokenizer && !options.draft_text.empty() && utf8::validate(options.draft_text).ok())
    if (const auto ids = parts_.prompt.encode_beside(options.draft_text)) draft_text = *ids;
  return parts_.generation.set(options, fork_, draft_text);
}

/// Checks, once the prompt is made, everything that can be checked before pictures are looked at, and hands them to the
/// queue.
///
/// Codes  bad_argument, limit
DSVL_INLINE Status SessionState::take_pictures(std::span<const Picture> pictures) {
  const std::size_t earlier = answer_.in_conversation ? parts_.conversation.pictures().size() : 0;
  DSVL_CHECK_STATUS(parts_.prompt.check(earlier + pictures.size()));
  if (!pictures.empty() && !model_->image_token)
    return fail(Code::bad_argument, "no token stands for pictures: give LoadOptions::image_token");
  if (!pictures.empty() && !images_)
    return fail(Code::limit, "one picture too many: the session takes none (Limits::pictures is 0)");
  parts_.queue.begin(pictures);
  return {};
}

/// The prompt is made of all turns, this question among them. If it fails, the conversation goes back to the mark that
/// begin() set.
DSVL_INLINE void SessionState::ask(std::span<const Picture> pictures, std::string_view question,
                                   const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options, true);
  Conversation& conversation = parts_.conversation;
  start_or_fail([&]() -> Status {
    DSVL_CHECK_STATUS(check_tokenizer());
    if (question.empty()) return fail(Code::bad_argument, "the question is empty");
    DSVL_CHECK_STATUS(utf8::validate(question, "the question"));
    DSVL_CHECK_STATUS(conversation.add_question(pictures.size(), question, options.placeholders));
    DSVL_CHECK_STATUS(set_options(options));
    DSVL_CHECK_STATUS(
        PromptBuilder::check_places(conversation.content(conversation.turns() - 1), pictures.size()));
    DSVL_CHECK_STATUS(parts_.prompt.render(conversation, options_.system));
    return take_pictures(pictures);
  }());
}

DSVL_INLINE void SessionState::complete(std::span<const Picture> pictures, std::string_view text,
                                        const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options, false);
  start_or_fail([&]() -> Status {
    DSVL_CHECK_STATUS(check_tokenizer());
    DSVL_CHECK_STATUS(utf8::validate(text, "the text"));
    // The text may be that of the answer before, so the prompt is made of it before the options forget that.
    const Status made = parts_.prompt.take_text(text, pictures.size(), options.placeholders);
    DSVL_CHECK_STATUS(set_options(options));
    DSVL_CHECK_STATUS(made);
    return take_pictures(pictures);
  }());
}

DSVL_INLINE void SessionState::generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                        const GenerateOptions& options) {
  const FloatEnvironment ours;
  begin(options, false);
  start_or_fail([&]() -> Status {
    DSVL_CHECK_STATUS(parts_.prompt.check_length(std::ssize(ids)));
    // The ids may be those of the answer before, so they are taken before the options forget it.
    const Status made = parts_.prompt.take_ids(ids);
    DSVL_CHECK_STATUS(set_options(options));
    DSVL_CHECK_STATUS(made);
    return take_pictures(pictures);
  }());
}

// --- working -------------------------------------------------------------------------------------

/// Goes from phase to phase until logits are there or the deadline has passed.
DSVL_INLINE Status SessionState::advance(const Control& control) {
  if (group_) return group_->advance(*this, control);
  DSVL_CHECK_STATUS(look(control));
  if (answer_.phase == Phase::pictures || control.late()) return {};
  return parts_.generation.advance(executor_, control, answer_.usage);
}

/// Goes on with the pictures, if there are any, and begins the prefill when they are done.
DSVL_INLINE Status SessionState::look(const Control& control) {
  if (answer_.phase != Phase::pictures) return {};
  DSVL_CHECK_STATUS(parts_.queue.advance(executor_, control, answer_.usage));
  return parts_.queue.busy() ? Status() : begin_generating();
}

DSVL_INLINE void SessionState::advance_pictures(Clock::time_point deadline) {
  answer_.trouble = late() ? fail(Code::cancelled, "the deadline has passed") : look(control(deadline));
}

DSVL_INLINE DecodeRequest* SessionState::request() {
  if (!in_work() || answer_.phase != Phase::generating || stopped() || parts_.generation.context_full())
    return nullptr;
  const auto request = parts_.generation.request(answer_.usage);
  if (request) return *request;
  fail_later(request.error());
  return nullptr;
}

DSVL_INLINE void SessionState::report_progress() const {
  if (!ids().empty()) return answer_.progress(Stage::decode, 1, 1);
  const auto done = static_cast<double>(parts_.cache.size()), tokens = static_cast<double>(prompt_ids().size());
  answer_.progress(Stage::prefill, done, tokens);
}

DSVL_INLINE void SessionState::make_ready(Clock::time_point pause) {
  const FloatEnvironment ours;
  if (answer_.phase == Phase::over) return;
  if (const Status status = advance(control(pause)); !status.ok()) end_with(status);
  else if (!parts_.generation.ready() && late()) end(Finish::deadline);
}

DSVL_INLINE bool SessionState::prepare(Clock::time_point pause) {
  if (!ids().empty()) return false;
  make_ready(pause);
  return answer_.phase == Phase::generating && parts_.generation.ready();
}

/// Begins the prefill, once the pictures are encoded. Those of a conversation are its own from now on, others stay the
/// queue's until the end.
DSVL_INLINE Status SessionState::begin_generating() {
  std::span<ImageEmbedding* const> pictures = parts_.queue.embeddings();
  if (answer_.in_conversation) {
    // There is room for all of them, since each takes at least a token of the context.
    for (ImageEmbedding* p : pictures) (void)parts_.conversation.add_picture(p);
    parts_.queue.hand_over();
    pictures = parts_.conversation.pictures();
  }
  parts_.prompt.list_tokens(pictures, parts_.generation.tokens());
  parts_.attention.begin(parts_.prompt.places());
  answer_.phase = Phase::generating;
  return parts_.generation.begin(parts_.prompt.ids(), answer_.usage);
}

/// One call of Answer::step: works until there is a token, the end, or no time left.
DSVL_INLINE std::optional<Piece> SessionState::step(Clock::time_point deadline) {
  if (answer_.phase == Phase::over) return std::nullopt;
  const FloatEnvironment ours;
  // Every tile looks at the token as well. This covers a token that is chosen from logits which are there already; the
  // queue does the same for pictures.
  if (answer_.phase != Phase::pictures && cancelled())
    return end_with(fail(Code::cancelled, "the answer was cancelled"));
  if (late()) return end(Finish::deadline), flush_tail();
  if (parts_.generation.context_full()) return end(Finish::context_full), flush_tail();
  if (const Status status = advance(control(deadline)); !status.ok()) return end_with(status);
  if (parts_.generation.ready()) return choose();
  if (late()) return end(Finish::deadline), flush_tail();
  return std::nullopt;
}

/// Chooses a token, and ends the answer if that was its last.
DSVL_INLINE std::optional<Piece> SessionState::choose() {
  Generation& generation = parts_.generation;
  const auto choice = generation.choose(answer_.usage);
  if (!choice) return end_with(choice.error());
  parts_.attention.keep(std::ssize(ids()) - 1, generation.attention());
  if (model_->roles().ends_answer(choice->id)) return end(Finish::eos), flush_tail();
  generation.advance_past(choice->id, answer_.usage);
  StreamingDetokenizer& text = generation.text();
  // The answer will become a turn, so it ends when the conversation has no room for a longer one.
  const bool text_full =
      text.full() || (answer_.in_conversation && !parts_.conversation.has_room(text.text().size()));
  if (text.stopped()) end(Finish::stop);
  else if (generation.long_enough()) end(Finish::length);
  else if (text_full) end(Finish::context_full);
  return Piece{text.take(), choice->id, choice->log_probability};
}

// --- ending --------------------------------------------------------------------------------------

/// The text that was held back until the end, with the token that ended it; usually there is none.
DSVL_INLINE std::optional<Piece> SessionState::flush_tail() {
  const std::string_view text = parts_.generation.text().take();
  if (text.empty()) return std::nullopt;
  const Choice& last = parts_.generation.last();
  return Piece{text, last.id, last.log_probability};
}

/// Ends the answer for a reason. A question in the conversation gets its answer as the next turn, or is forgotten when
/// there is no answer worth keeping.
DSVL_INLINE void SessionState::end(Finish why) {
  const bool started = parts_.generation.started();
  answer_.finish = why;
  answer_.phase = Phase::over;
  answer_.cancel = nullptr;  // it is the application's, and need not stay longer
  answer_.progress = {};
  parts_.queue.abandon();
  parts_.generation.end();
  if (!answer_.in_conversation) return;
  answer_.in_conversation = false;
  const bool silent = !started || ids().empty();
  const bool broken_off = why == Finish::cancelled || why == Finish::deadline;
  if (why == Finish::error || (broken_off && silent) || !keep_turn().ok())
    parts_.conversation.rewind(answer_.turn);  // the question goes as it came, and its pictures with it
}

/// Ends the answer with an error, and returns text that was held back. Work that its deadline stopped says that it was
/// cancelled, which is none.
DSVL_INLINE std::optional<Piece> SessionState::end_with(const Status& status) {
  if (status.code() == Code::cancelled && late() && !cancelled()) return end(Finish::deadline), flush_tail();
  answer_.status = status;
  end(status.code() == Code::cancelled ? Finish::cancelled : Finish::error);
  return flush_tail();
}

/// Adds the answer to the conversation, as its text or as its ids.
///
/// Codes  limit
DSVL_INLINE Status SessionState::keep_turn() {
  if (!options_.keep_generated_ids) return parts_.conversation.add_answer(text());
  std::span<const std::int32_t> ids = this->ids();
  // The template writes the tokenizer's end of sentence itself.
  if (answer_.finish == Finish::eos && model_->tokenizer && model_->tokenizer->eos() == ids.back())
    ids = ids.first(ids.size() - 1);
  // A picture's token that the model happened to choose would be the place of a picture in the next prompt.
  return parts_.conversation.add_answer(ids, model_->image_token);
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_ANSWERS_HPP
