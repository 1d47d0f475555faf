#include "engine.hpp"

#include <algorithm>
#include <cmath>

#include "logprobs.hpp"

namespace server {

namespace {

/// How long the engine works before it looks for newcomers and for those who left.
constexpr auto kSlice = std::chrono::milliseconds(20);

double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

bool is_late(const Job& job) { return Clock::now() > job.asked().deadline; }

std::string_view finish_label(const Letter& last) {
  if (last.late) return "timeout";
  return dsvl::name(last.finish);
}

}  // namespace

dsvl::Result<std::unique_ptr<Engine>> Engine::open(const dsvl::Model& model, const EngineOptions& options,
                                                   Metrics& metrics) {
  auto scheduler = dsvl::Scheduler::open(model, {.sessions = options.sessions, .session = options.session});
  if (!scheduler) return scheduler.error();
  std::unique_ptr<Engine> engine(new Engine(std::move(*scheduler), options, metrics));
  for (int i = 0; i < options.sessions; ++i) {
    auto session = engine->scheduler_.session();
    if (!session) return session.error();
    engine->seats_.push_back({std::move(*session)});
  }
  engine->thread_ = std::thread([self = engine.get()] { self->run(); });
  return engine;
}

Engine::Engine(dsvl::Scheduler scheduler, const EngineOptions& options, Metrics& metrics)
    : options_(options), metrics_(metrics), scheduler_(std::move(scheduler)) {}

Engine::~Engine() {
  cancel_all();
  {
    const std::scoped_lock lock(mutex_);
    draining_ = stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// --- called by connections ---------------------------------------------------------------------

Admission Engine::submit(const std::shared_ptr<Job>& job) {
  const int choices = job->asked().choices;
  {
    const std::scoped_lock lock(mutex_);
    if (draining_) return Admission::draining;
    if (of_client(job->asked().client) + choices > options_.share) return Admission::share;
    const std::size_t taken = waiting_.size() + working_.size();
    if (taken + static_cast<std::size_t>(choices) > static_cast<std::size_t>(options_.sessions + options_.queue))
      return Admission::full;
    for (int i = 0; i < choices; ++i) waiting_.push_back({job, i, Clock::now()});
  }
  changed_.notify_all();
  return Admission::taken;
}

void Engine::leave(Job& job) {
  job.cancel().cancel();
  const std::scoped_lock lock(mutex_);
  waiting_.remove_if([&](const Work& w) { return w.job.get() == &job; });
}

void Engine::refuse() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
}

void Engine::cancel_all() {
  const std::scoped_lock lock(mutex_);
  for (const Work& work : waiting_) work.job->cancel().cancel();
  for (const auto& job : working_) job->cancel().cancel();
  changed_.notify_all();
}

bool Engine::wait_until_idle(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return waiting_.empty() && working_.empty(); });
}

int Engine::working() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(working_.size());
}

int Engine::waiting() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(waiting_.size());
}

int Engine::retry_after() const {
  const std::scoped_lock lock(mutex_);
  const double turns = static_cast<double>(waiting_.size() + 1) / options_.sessions;
  return static_cast<int>(std::clamp(std::ceil(turns * usual_seconds_), 1.0, 60.0));
}

int Engine::of_client(const std::string& client) const {
  const auto same = [&](const Work& w) { return w.job->asked().client == client; };
  const auto seated = seated_.find(client);
  return static_cast<int>(std::count_if(waiting_.begin(), waiting_.end(), same)) +
         (seated == seated_.end() ? 0 : seated->second);
}

// --- the engine's thread -----------------------------------------------------------------------

void Engine::run() {
  while (seat_next()) {
    scheduler_.step(kSlice);
    for (Seat& seat : seats_)
      if (seat.answer) serve(seat);
  }
}

bool Engine::seat_next() {
  for (;;) {
    std::optional<Work> work;
    Seat* free = nullptr;
    {
      std::unique_lock lock(mutex_);
      drop_vain_ones();
      if (waiting_.empty() && working_.empty()) {
        changed_.notify_all();  // whoever waits until idle
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return false;
      }
      for (Seat& seat : seats_)
        if (!seat.answer) free = &seat;
      if (free) work = next();
      if (!work) return true;
      working_.push_back(work->job);
      ++seated_[work->job->asked().client];
    }
    begin(*free, std::move(*work));
  }
}

/// Answers that nobody waits for, and those whose time has passed before they began.
void Engine::drop_vain_ones() {
  waiting_.remove_if([&](const Work& work) {
    const bool late = is_late(*work.job);
    if (!late && !work.job->cancel().cancelled()) return false;
    Letter last;
    last.choice = work.choice;
    last.over = true, last.late = late, last.finish = dsvl::Finish::cancelled;
    metrics_.count("dsvl_answers_total", "finish=\"" + std::string(finish_label(last)) + "\"");
    work.job->post(std::move(last));
    return true;
  });
}

/// Whose client has the fewest answers in work; among equals who came first. So a client with many requests waits for
/// its own, not others for it.
std::optional<Engine::Work> Engine::next() {
  const auto seated = [&](const Work& work) {
    const auto at = seated_.find(work.job->asked().client);
    return at == seated_.end() ? 0 : at->second;
  };
  auto best = waiting_.end();
  for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
    if (at->choice > 0 && !at->job->prompt_known) continue;
    if (best == waiting_.end() || seated(*at) < seated(*best)) best = at;
  }
  if (best == waiting_.end()) return std::nullopt;
  Work work = std::move(*best);
  waiting_.erase(best);
  return work;
}

void Engine::begin(Seat& seat, Work work) {
  seat.work = std::move(work);
  seat.has_token = false;
  Job& job = *seat.work.job;
  const Asked& asked = job.asked();
  dsvl::GenerateOptions options = asked.options;
  options.sampling.seed += static_cast<std::uint64_t>(seat.work.choice);
  options.cancel = &job.cancel();
  if (asked.constraint) options.constraint = &*asked.constraint;
  // The logits of an answer's last token are gone when it has ended, so it ends a token later than asked (see read()).
  if (asked.top_logprobs > 0) ++options.max_tokens;
  std::vector<dsvl::Picture> pictures;
  for (const auto& file : asked.pictures) pictures.push_back(dsvl::Picture::bytes(file));
  seat.answer = seat.session.start(asked.ids, pictures, options);
}

/// Takes what an answer has ready, and posts it.
void Engine::serve(Seat& seat) {
  const std::shared_ptr<Job> kept = seat.work.job;  // its connection may be gone, and the seat is about to be left
  Job& job = *kept;
  const bool late = is_late(job);
  if (late) job.cancel().cancel();
  bool news = false;
  Letter letter = read(seat, news);
  letter.late = late && letter.finish == dsvl::Finish::cancelled;
  if (letter.over) letter.usage = seat.answer->usage(), letter.status = seat.answer->status();
  if (news && !seat.has_token) {
    seat.has_token = true;
    metrics_.first_token_after(seconds_since(seat.work.arrived));
    const auto seen = seat.answer->pictures();
    if (seat.work.choice == 0) letter.seen.assign(seen.begin(), seen.end());
  }
  if (news || letter.over) job.prompt_known = true;
  if (letter.over) {
    metrics_.count("dsvl_answers_total", "finish=\"" + std::string(finish_label(letter)) + "\"");
    get_up(seat);  // before the last letter, so that who has read it finds the seat free
  }
  if (news || letter.over) job.post(std::move(letter));
}

/// What came since the last time. The piece that comes with the end of an answer has text that was held back; its token
/// is an earlier one.
Letter Engine::read(Seat& seat, bool& news) {
  const Asked& asked = seat.work.job->asked();
  dsvl::Answer& answer = *seat.answer;
  Letter letter;
  letter.choice = seat.work.choice;
  while (const auto piece = answer.poll()) {
    news = true;
    letter.text += piece->text;
    const dsvl::Finish finish = answer.finish();
    const bool chosen = finish == dsvl::Finish::none || finish == dsvl::Finish::length || finish == dsvl::Finish::stop;
    if (asked.logprobs && chosen)
      letter.tokens.push_back({piece->id, piece->log_probability, likeliest(answer.logits(), asked.top_logprobs)});
    if (std::ssize(answer.ids()) < asked.options.max_tokens || finish != dsvl::Finish::none) continue;
    letter.over = true;
    letter.finish = dsvl::Finish::length;
    return letter;
  }
  letter.finish = answer.finish();
  letter.over = letter.finish != dsvl::Finish::none;
  return letter;
}

void Engine::get_up(Seat& seat) {
  const dsvl::Usage usage = seat.answer->usage();
  seat.answer.reset();
  metrics_.count("dsvl_prompt_tokens_total", {}, static_cast<std::uint64_t>(usage.prompt_tokens));
  metrics_.count("dsvl_cached_prompt_tokens_total", {}, static_cast<std::uint64_t>(usage.reused_tokens));
  metrics_.count("dsvl_completion_tokens_total", {}, static_cast<std::uint64_t>(usage.answer_tokens));
  const double seconds = seconds_since(seat.work.arrived);
  metrics_.answered_after(seconds);
  const std::shared_ptr<Job> job = std::exchange(seat.work, {}).job;
  const std::scoped_lock lock(mutex_);
  usual_seconds_ += 0.1 * (seconds - usual_seconds_);
  working_.erase(std::find(working_.begin(), working_.end(), job));
  const auto seated = seated_.find(job->asked().client);
  if (--seated->second == 0) seated_.erase(seated);
  changed_.notify_all();
}

}  // namespace server
