// Scheduler: many sessions of one model that decode together (continuous batching).
//
//   #include <dsvl/chat/scheduler.hpp>
//
//   auto scheduler = dsvl::Scheduler::open(*model, {.sessions = 8});
//   auto a = scheduler->session(), b = scheduler->session();
//   auto first = a->start({}, "What is a kite?"), second = b->start({}, "What is a knot?");
//   while (scheduler->step()) {
//     while (auto piece = first.poll()) show(piece->text);
//     while (auto piece = second.poll()) show(piece->text);
//   }
//
// Decoding a token reads all weights. Sessions that decode in one pass read them once, so eight answers take little
// longer than two. The answers are the same as those of sessions alone, bit for bit, whoever shares a pass with whom.
#ifndef DSVL_CHAT_SCHEDULER_HPP
#define DSVL_CHAT_SCHEDULER_HPP

#include "../base/host_macros_push.hpp"

#include <chrono>

#include "plan.hpp"
#include "session.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {
class SchedulerState;
}

/// Choices for a scheduler. Scheduler::open copies them.
struct SchedulerOptions {
  /// Sessions at a time, 1 to 1024, forks included. The memory for what they compute in together follows from it.
  Index sessions = 8;
  /// What every session is opened with. limits.chunk and logit_rows, the format of keys and values, and the host are
  /// those of all; `pictures` and `cached_tokens` are shared. Without a number of pictures there are places for as many
  /// as all sessions together could have.
  SessionOptions session = {};
  /// How long, at most, a pass is drawn out by prompts and pictures of some while others wait for their next token.
  /// It is kept by measuring, so a pass may be off by a few milliseconds. More is better for those who begin, less for
  /// those who are under way. Nobody else's answer changes with it. From 0 to an hour.
  std::chrono::milliseconds pause{40};
};

/// Sessions that decode together. Those that session() opens, and their forks, are its members: each is a Session like
/// any other, and costs memory for its keys and values, its text and its logits. Activations and towers are there once
/// (see plan(path, SchedulerOptions)).
///
/// The scheduler, its sessions and their answers are used by one thread at a time, and work on the host's executor or
/// the model's threads. Members come and go at any token. When one is asked for a token (Answer::next, Session::ask),
/// all that have something to compute go on with it. An answer whose token was not taken waits, and keeps nobody.
///
/// A pass has the next token of every answer whose last one was taken, with its drafts, and prompts beside them, a
/// chunk at a time. No answer is left out of a pass for want of room. Prompts take turns, so each goes on within as
/// many passes as there are sessions. Pictures are encoded between passes, in the order of their questions. Scoring has
/// the passes over its continuations for itself. A progress callback must not work with sessions of the scheduler.
class Scheduler {
 public:
  /// Takes the memory that sessions share. `options.session.host` must outlive the scheduler, its sessions and its
  /// answers. Opening a session takes the rest; after that there is no more, as with a session alone.
  ///
  /// Codes  bad_argument (sessions, pause), unsupported (SessionOptions::attention_maps), and those of Session::open
  static Result<Scheduler> open(const Model& model, const SchedulerOptions& options = {});

  /// Opens a session, which keeps the scheduler's state alive.
  ///
  /// Codes  limit (there are as many as options say; one whose Answer is still there counts), out_of_memory,
  ///        bad_argument (it was moved from)
  Result<Session> session();
  /// Opens one with its own choices: `system`, `keep_generated_ids`, limits.context and limits.text_bytes may differ
  /// from options().session, with a context up to that one. Take options().session, and change a copy.
  ///
  /// Codes  bad_argument (something else differs), bad_text, limit, out_of_memory
  Result<Session> session(const SessionOptions& options);

  /// Works for about `budget`, until a pass is over at the latest, and overruns it like Answer::step. Answers then have
  /// tokens to poll(), next() or step() for; one whose token is not taken does not go on. False when no answer is in
  /// work any more.
  bool step(std::chrono::nanoseconds budget = (std::chrono::nanoseconds::max)());

  /// The options, with complete limits; empty ones if it was moved from.
  [[nodiscard]] SchedulerOptions options() const;
  /// Sessions that are open, forks included.
  [[nodiscard]] Index sessions() const noexcept;
  /// Bytes that it took for what its sessions share; each takes Session::bytes() more.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  explicit Scheduler(std::shared_ptr<detail::SchedulerState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::SchedulerState> state_;
};

/// Makes a plan for a model with a scheduler all of whose sessions are open; see plan(path, SessionOptions).
///
/// Codes  those of Model::load for the settings, those of Scheduler::open for the limits
Result<Plan> plan(const std::filesystem::path& path, const SchedulerOptions& options, const LoadOptions& load = {});

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "implementation.hpp"
#include "internal/scheduler_calls.hpp"
#endif

#endif  // DSVL_CHAT_SCHEDULER_HPP
