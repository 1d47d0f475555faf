// Definitions of chat/scheduler.hpp and of SchedulerState.
#ifndef DSVL_CHAT_INTERNAL_SCHEDULER_CALLS_HPP
#define DSVL_CHAT_INTERNAL_SCHEDULER_CALLS_HPP

#include "../../base/host_macros_push.hpp"

#include "planning.hpp"
#include "scheduler_state.hpp"
#include "session_answers.hpp"
#include "session_calls.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

// --- SchedulerState -----------------------------------------------------------------------------

/// Moves a member to the end of a list. False when it is not there.
inline bool move_to_end(Buffer<SessionState*>& list, SessionState& member) noexcept {
  SessionState** const at = std::find(list.begin(), list.end(), &member);
  if (at == list.end()) return false;
  std::rotate(at, at + 1, list.end());
  return true;
}

/// The facts that the sizes of a scheduler follow from.
DSVL_COLD inline SessionShape shape_of(const ModelState& model, const SessionOptions& options) noexcept {
  return {model.network->net, model.config, options.limits, model.executor(options.host).workers()};
}

DSVL_INLINE SchedulerState::SchedulerState(std::shared_ptr<const ModelState> model, const SchedulerOptions& options)
    : model_(std::move(model)), options_(options),
      executor_(model_->executor(options.session.host)),
      pages_(std::make_shared<PagePool>(shape_of(*model_, options_.session).page_bytes(),
                                        options.session.host.allocator)),
      images_(make_images(shape_of(*model_, options_.session), options.session.host.allocator)),
      slab_(options.session.host.allocator),
      decoding_(model_->network->net.decoder, options_.session.limits, executor_.workers(), options.sessions),
      pace_(std::chrono::duration<double>(options.pause).count(), decoding_.chunk()) {}

DSVL_INLINE Status SchedulerState::open() {
  const auto lay_out = [&](Arena& arena) {
    decoding_.lay_out(arena);
    members_ = arena.buffer<SessionState*>("members", options_.sessions);
    turns_ = arena.buffer<SessionState*>("members", options_.sessions);
    pass_ = arena.buffer<Share>("members", options_.sessions);
  };
  if (carve_slab(slab_, lay_out) && (!images_ || images_->open()) && pages_->reserve(extra_pages())) return {};
  return fail(Code::out_of_memory, "no memory for a scheduler of %td sessions: %zu bytes", options_.sessions, bytes());
}

DSVL_INLINE std::size_t SchedulerState::bytes() const noexcept {
  return slab_.size() + pages_->bytes_of(extra_pages()) + (images_ ? images_->bytes() : 0);
}

DSVL_INLINE Status SchedulerState::join(SessionState& member) noexcept {
  // A fork may ask for another context than its parent's. What was planned for a member is the scheduler's.
  const Index context = member.options().limits.context, most = options_.session.limits.context;
  if (context > most)
    return fail(Code::limit, "a session of %td tokens of context: the scheduler has %td for each", context, most);
  if (members_.push_back(&member) && turns_.push_back(&member)) return {};
  return fail(Code::limit, "one session too many: the scheduler has room for %td (SchedulerOptions::sessions)",
              options_.sessions);
}

DSVL_INLINE void SchedulerState::leave(SessionState& member) noexcept {
  const auto in_pass = [&](const Share& s) { return s.member == &member; };
  if (std::any_of(pass_.begin(), pass_.end(), in_pass)) {
    decoding_.abandon();
    pass_.clear();
  }
  for (Buffer<SessionState*>* const list : {&members_, &turns_})
    if (move_to_end(*list, member)) (void)list->resize(list->size() - 1);  // cannot fail, since it gets shorter
}

DSVL_INLINE void SchedulerState::begins(SessionState& member) noexcept {
  (void)move_to_end(members_, member);
  (void)move_to_end(turns_, member);
}

/// Each member that is worked on stops for its own cancellation or error only.
DSVL_INLINE Status SchedulerState::advance(SessionState& member, const Control& control) noexcept {
  if (inside_) return fail(Code::bad_argument, "a progress callback can not work with sessions of its scheduler");
  for (;;) {
    DSVL_CHECK_STATUS(member.take_trouble());
    if (member.ready()) return {};
    if (control.cancelled()) return fail(Code::cancelled, "the answer was cancelled");
    if (control.late()) return {};
    step(control.cancel ? (std::min)(control.deadline, Clock::now() + kLook) : control.deadline);
  }
}

DSVL_INLINE bool SchedulerState::step(Clock::time_point deadline) noexcept {
  if (!inside_) {
    const FloatEnvironment ours;
    inside_ = true;
    if (!decoding_.busy()) {
      advance_pictures(deadline);
      begin_pass();
    }
    if (decoding_.busy()) run_pass(deadline);
    inside_ = false;
  }
  return std::any_of(members_.begin(), members_.end(), [](const SessionState* m) { return m->in_work(); });
}

/// One session's pictures are worked on at a time, in the order in which their questions came, since there is one
/// encoder. Where others are under way, they are worked on for a short time only. Who has no pictures begins at once.
DSVL_INLINE void SchedulerState::advance_pictures(Clock::time_point deadline) noexcept {
  picture_seconds_ = 0;
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (members_[i]->begins() && !members_[i]->has_pictures()) members_[i]->advance_pictures(deadline);
  const auto waits = [](const SessionState* m) { return m->has_pictures(); };
  SessionState** const first = std::find_if(members_.begin(), members_.end(), waits);
  if (first == members_.end()) return;
  const auto under_way = [](const SessionState* m) { return m->in_work() && !m->has_pictures(); };
  const auto began = Clock::now();
  if (std::any_of(members_.begin(), members_.end(), under_way))
    deadline = (std::min)(deadline, began + (std::max)(options_.pause, kPictures));
  (*first)->advance_pictures(deadline);
  picture_seconds_ = seconds_since(began);
}

/// Tokens of all members come first: there is room for them. What prompts get beside them depends on the pause. Without
/// tokens, a long prompt gets the pass for itself, and short ones share it.
DSVL_INLINE void SchedulerState::begin_pass() noexcept {
  pass_.clear();
  pass_seconds_ = 0;
  for (SessionState* const m : members_) {
    DecodeRequest* const request = m->request();
    if (request && request->stage() == Stage::decode) add(*m, *request, request->left());
  }
  const bool alone = pass_.empty();
  Index room = alone ? decoding_.chunk() : pace_.rows(picture_seconds_);
  for (SessionState* const m : turns_) {
    DecodeRequest* const request = room > 0 ? m->request() : nullptr;
    if (!request || request->stage() != Stage::prefill) continue;
    const Index before = decoding_.rows();
    if (alone && before > 0 && before + request->left() > kSharedPrompt) break;
    add(*m, *request, room);
    room -= decoding_.rows() - before;
  }
  for (const Share& s : pass_)
    if (s.prompt) (void)move_to_end(turns_, *s.member);
}

/// Adds at most `most` rows of a request to the pass. An error is the member's.
DSVL_INLINE void SchedulerState::add(SessionState& member, DecodeRequest& request, Index most) noexcept {
  const Index before = decoding_.rows();
  if (const Status status = decoding_.add(request, most); !status.ok()) return member.fail_later(status);
  const Index rows = decoding_.rows() - before;
  if (rows > 0) (void)pass_.push_back({&member, rows, request.stage() == Stage::prefill});
}

/// A cancelled pass is given up, and its only member learns of it when it is worked on.
DSVL_INLINE void SchedulerState::run_pass(Clock::time_point deadline) noexcept {
  const auto began = Clock::now();
  const Until until = end_of_pass();
  const Status status = decoding_.advance(executor_, {until.cancel, {}, (std::min)(deadline, until.deadline)});
  pass_seconds_ += seconds_since(began);
  if (status.ok() && !decoding_.busy()) finish_pass();
}

/// What stops the pass at any tile: the member's own token and deadline where it has the pass for itself. Where others
/// share it, a member that is cancelled or late leaves when the pass is over.
DSVL_INLINE Until SchedulerState::end_of_pass() const noexcept {
  return pass_.size() == 1 ? pass_[0].member->until() : Until();
}

/// The application is called last, when nothing of the pass is needed any more: it may let a session go.
DSVL_INLINE void SchedulerState::finish_pass() noexcept {
  Index tokens = 0, prompt = 0;
  for (const Share& s : pass_) (s.prompt ? prompt : tokens) += s.rows;
  const double row = pass_seconds_ / static_cast<double>(tokens + prompt);
  for (const Share& s : pass_) s.member->computed(row * static_cast<double>(s.rows));
  pace_.learn(pass_seconds_, tokens, prompt);
  while (!pass_.empty()) {
    const SessionState& member = *pass_[pass_.size() - 1].member;
    (void)pass_.resize(pass_.size() - 1);  // cannot fail, since it gets shorter
    member.report_progress();
  }
}

// --- plan ---------------------------------------------------------------------------------------

/// Adds the memory of a scheduler with all its sessions.
DSVL_COLD inline void plan_scheduler(const SessionShape& shape, Index sessions, Plan& out) {
  Decoding decoding(shape.net.decoder, shape.limits, shape.workers, sessions);
  const auto pages = std::make_shared<PagePool>(shape.page_bytes(), nullptr);
  SessionParts member(shape, {}, pages, nullptr, &decoding, {}, {});
  out.decoder = plan_part(Plan::Part::decoder, out, [&](Arena& arena) {
    decoding.lay_out(arena);
    for (Index i = 0; i < sessions; ++i) member.lay_out(arena, shape);
  });
  plan_images(shape, out);
  plan_cache(*pages, sessions * ceil_div(shape.limits.context, kKvBlock) + 1 + shape.cached_pages(), out);
}

}  // namespace detail

// --- Scheduler ----------------------------------------------------------------------------------

namespace detail {

/// Refuses options of sessions that a scheduler does not have.
///
/// Codes  unsupported
DSVL_COLD inline Status check_alone(const SessionOptions& options) noexcept {
  if (options.attention_maps == 0) return {};
  return fail(Code::unsupported, "attention_maps is %td, and sessions of a scheduler keep no attention maps: open a "
              "session of its own for them (Session::open)", options.attention_maps);
}
/// Checks what a scheduler has beside the options of sessions.
///
/// Codes  bad_argument, unsupported
DSVL_COLD inline Status check(const SchedulerOptions& options) noexcept {
  DSVL_CHECK_STATUS(check_alone(options.session));
  constexpr Index kMost = 1024;
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
  const auto pause = options.pause;
  if (options.sessions >= 1 && options.sessions <= kMost && pause.count() >= 0 && pause <= kLongest) return {};
  return fail(Code::bad_argument, "a scheduler of %td sessions (1 to %td) with a pause of %lld ms (0 to an hour)",
              options.sessions, kMost, static_cast<long long>(pause.count()));
}
/// Places for pictures, unless they were given, are as many as all sessions together would have: none is short of one
/// because of the others.
DSVL_COLD inline void share_pictures(const SchedulerOptions& asked, Limits& complete) noexcept {
  constexpr Index kMost = Index{1} << 20;  // of Limits::pictures
  if (asked.session.limits.pictures < 0) complete.pictures = std::min<Index>(complete.pictures * asked.sessions, kMost);
}

}  // namespace detail

DSVL_INLINE Result<Scheduler> Scheduler::open(const Model& model, const SchedulerOptions& options) {
  DSVL_CHECK_STATUS(detail::check(options));
  SchedulerOptions chosen = options;
  DSVL_TRY(session, detail::chosen_options(model, options.session));
  chosen.session = session;
  detail::share_pictures(options, chosen.session.limits);
  auto state = std::make_shared<detail::SchedulerState>(model.state(), chosen);
  DSVL_CHECK_STATUS(state->open());
  return Scheduler(std::move(state));
}

DSVL_INLINE Result<Session> Scheduler::session() { return session(options().session); }

DSVL_INLINE Result<Session> Scheduler::session(const SessionOptions& options) {
  if (!state_) return fail(Code::bad_argument, "this scheduler was moved from, and is empty");
  const SessionOptions& all = state_->options().session;
  const detail::ModelState& model = *state_->model();
  DSVL_CHECK_STATUS(detail::check_alone(options));
  SessionOptions own = options;
  DSVL_TRY(limits, complete_limits(options.limits, model.config, model.network->net.decoder));
  own.limits = limits;
  SessionOptions same = own;
  same.system = all.system;
  same.keep_generated_ids = all.keep_generated_ids;
  same.limits.context = all.limits.context;
  same.limits.text_bytes = all.limits.text_bytes;
  if (!(same == all) || own.limits.context > all.limits.context)
    return fail(Code::bad_argument,
                "a session of a scheduler may have a system text, keep_generated_ids, text_bytes and a context of up "
                "to %td tokens of its own; all else must be as in Scheduler::options().session", all.limits.context);
  DSVL_CHECK_STATUS(utf8::validate(own.system, "the system text"));
  auto member = std::make_shared<detail::SessionState>(state_->model(), own, state_->shared(state_));
  DSVL_CHECK_STATUS(member->open());
  return Session(std::move(member));
}

DSVL_INLINE bool Scheduler::step(std::chrono::nanoseconds budget) {
  return state_ && state_->step(deadline_in(budget));
}
DSVL_INLINE SchedulerOptions Scheduler::options() const {
  return state_ ? state_->options() : SchedulerOptions();
}
DSVL_INLINE Index Scheduler::sessions() const noexcept { return state_ ? state_->sessions() : 0; }
DSVL_INLINE std::size_t Scheduler::bytes() const noexcept { return state_ ? state_->bytes() : 0; }

DSVL_INLINE Result<Plan> plan(const std::filesystem::path& path, const SchedulerOptions& options,
                              const LoadOptions& load) {
  DSVL_CHECK_STATUS(detail::check(options));
  DSVL_TRY(place, detail::place_of(path, load));
  return detail::plan_from(place, options.session, load, [&](const detail::SessionShape& shape, Plan& out) {
    Limits limits = shape.limits;
    detail::share_pictures(options, limits);
    detail::plan_scheduler({shape.net, shape.config, limits, shape.workers}, options.sessions, out);
  });
}

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SCHEDULER_CALLS_HPP
