#include "watcher.hpp"

#include <algorithm>
#include <utility>

namespace robot {

namespace {

constexpr std::chrono::milliseconds kPatience{50};  // between looks at whether anybody wants more
constexpr std::chrono::milliseconds kSlice{5};      // of work, between payments for it
constexpr dsvl::Index kEmbeddings = 2;              // the picture that is asked about, and the one before
constexpr dsvl::Index kContext = 1024;              // enough for a picture, a question and an answer

}  // namespace

dsvl::Result<std::unique_ptr<Watcher>> Watcher::open(const dsvl::Model& model, const std::vector<Question>& questions,
                                                     const WatchOptions& options, Lines lines) {
  auto memory = std::make_unique<ResidentMemory>();
  dsvl::SessionOptions wanted;
  wanted.host.allocator = memory.get();
  wanted.limits.context = options.context > 0 ? options.context : std::min(kContext, model.info().default_context);
  wanted.limits.pictures = kEmbeddings;
  auto session = dsvl::Session::open(model, wanted);
  if (!session) return session.error();
  std::optional<dsvl::Gate> gate;
  if (std::any_of(questions.begin(), questions.end(), [](const Question& q) { return q.is_gate; })) {
    auto opened = dsvl::Gate::open(model);
    if (!opened) return opened.error();
    gate = std::move(*opened);
  }
  return std::unique_ptr<Watcher>(new Watcher(std::move(memory), std::move(*session), std::move(gate), questions,
                                              options, std::move(lines)));
}

Watcher::Watcher(std::unique_ptr<ResidentMemory> memory, dsvl::Session session, std::optional<dsvl::Gate> gate,
                 const std::vector<Question>& questions, const WatchOptions& options, Lines lines)
    : memory_(std::move(memory)), session_(std::move(session)), gate_(std::move(gate)), options_(options),
      lines_(std::move(lines)), share_(options.cpu_share),
      seen_({.most = 1, .tolerance = options.tolerance, .least_share = options.least_change}) {
  for (const Question& question : questions) topics_.push_back({question, false, 0, Hysteresis(question.thresholds)});
}

void Watcher::run(FrameSlot& slot, const dsvl::CancelToken& cancel) {
  while (!cancel.cancelled()) {
    const bool idle = !next(Clock::now());
    if (idle) say_stale();
    if (idle || !in_round()) {
      const FrameSlot::Taken taken = slot.take(latest_, idle ? kPatience : std::chrono::milliseconds(0));
      if (taken == FrameSlot::Taken::frame) absorb();
      if (taken == FrameSlot::Taken::ended && idle) break;
    }
    const Clock::time_point now = Clock::now();
    if (Topic* const topic = next(now)) ask(*topic, now, cancel);
    else share_.pay();
  }
  say_unchanged();
}

/// The question whose turn it is: of those that can be asked about current_ now, the one that was asked longest ago.
/// Null when there is none.
Watcher::Topic* Watcher::next(Clock::time_point now) {
  Topic* out = nullptr;
  for (Topic& topic : topics_)
    if (topic.due && !is_stale(topic, now) && (!out || topic.asked < out->asked)) out = &topic;
  return out;
}

// --- frames --------------------------------------------------------------------------------------

/// True when an answer that begins now would be about a frame that is no longer the newest there should be, or would be
/// too late.
bool Watcher::is_stale(const Topic& topic, Clock::time_point now) const {
  const Clock::duration age = now - current_.taken;
  if (topic.question.deadline.count() > 0 && age >= topic.question.deadline) return true;
  return options_.live && !in_round() && current_.interval.count() > 0 && age > current_.interval;
}

void Watcher::add_interval(Json& out) const {
  out["frame_interval_ms"] = nullptr;  // not known yet
  if (current_.interval.count() > 0) out["frame_interval_ms"] = milliseconds(current_.interval);
}

/// Says once of a frame that it has grown old before all was asked about it.
void Watcher::say_stale() {
  Json waiting = Json::array();
  for (const Topic& topic : topics_)
    if (topic.due) waiting.push_back(topic.question.name);
  if (waiting.empty() || std::exchange(stale_, current_.number) == current_.number) return;
  ++stale_frames_;
  Json out = line("stale", current_);
  add_interval(out);
  out["questions"] = std::move(waiting);
  lines_(out);
}

/// Takes in latest_: what was dropped before it, and whether it shows something new.
void Watcher::absorb() {
  ++looked_;
  const std::int64_t missed = latest_.number - current_.number - 1;
  const auto since_start = std::chrono::duration_cast<std::chrono::milliseconds>(latest_.taken - start_);
  film_ = std::max(film_, since_start);  // stamps of others may go back
  const auto change = seen_.add(latest_.pixels, film_);
  if (missed > 0) {
    dropped_ += missed;
    Json out = line("dropped");
    out["from"] = current_.number + 1;
    out["to"] = latest_.number - 1;
    lines_(out);
  }
  if (!change) {
    ++errors_;
    current_.number = latest_.number;
    Json out = line("error", latest_);
    out["message"] = change.error().text();
    lines_(out);
  } else if (change->kept) {
    say_unchanged();
    std::swap(current_, latest_);
    begun_ = false;
    for (Topic& topic : topics_) topic.due = true, topic.said.reset();
  } else {
    take_in_unchanged();
  }
  if (options_.status_every > 0 && current_.number % options_.status_every == 0) lines_(counts("status"));
}

/// latest_ shows what current_ shows: what was said of that holds still, and what was not said yet is about now.
void Watcher::take_in_unchanged() {
  ++unchanged_;
  ++alike_;
  current_.number = latest_.number;
  current_.taken = latest_.taken;
  current_.interval = latest_.interval;
  for (Topic& topic : topics_)
    if (topic.said && topic.gate.observe(*topic.said)) {
      Json out = line("gate", current_);
      out["question"] = topic.question.name;
      out["value"] = topic.gate.on();
      out["changed"] = true;
      out["probability"] = rounded(*topic.said, 1e4);
      lines_(out);
    }
}

void Watcher::say_unchanged() {
  if (alike_ == 0) return;
  Json out = line("unchanged", current_);
  out["frames"] = std::exchange(alike_, 0);
  lines_(out);
}

// --- questions -----------------------------------------------------------------------------------

void Watcher::ask(Topic& topic, Clock::time_point now, const dsvl::CancelToken& cancel) {
  const Question& question = topic.question;
  topic.due = false;
  topic.asked = ++turns_;
  begun_ = true;
  dsvl::GenerateOptions generate;
  generate.cancel = &cancel;
  generate.max_tokens = question.max_tokens;
  if (question.schema) generate.constraint = &*question.schema;
  if (question.deadline.count() > 0) generate.deadline = current_.taken + question.deadline;
  session_.clear();  // every question is the first of its conversation; what was computed of the picture stays
  const dsvl::Picture picture(current_.pixels);
  dsvl::Answer answer = session_.start({&picture, 1}, question.text, generate);
  work(answer, question.is_gate, generate.deadline);
  const dsvl::Finish finish = answer.finish();
  if (finish == dsvl::Finish::cancelled) return;

  const Clock::time_point end = Clock::now();
  const char* const kind = finish == dsvl::Finish::error      ? "error"
                           : finish == dsvl::Finish::deadline ? "deadline"
                           : question.is_gate                 ? "gate"
                                                              : "answer";
  Json out = line(kind, current_, end);
  out["duration_ms"] = milliseconds(end - now);
  add_interval(out);
  out["question"] = question.name;
  if (finish == dsvl::Finish::error) {
    ++errors_;
    out["message"] = answer.status().text();
    lines_(out);
  } else if (question.is_gate && finish != dsvl::Finish::deadline) {
    say_gate(topic, answer, std::move(out));
  } else {
    say_answer(topic, answer, std::move(out));
  }
}

/// Computes an answer, or what a gate needs of one, and sleeps in between as the share of the processors asks for.
void Watcher::work(dsvl::Answer& answer, bool is_gate, Clock::time_point deadline) {
  const auto slice = share_.limited() ? std::chrono::nanoseconds(kSlice) : std::chrono::nanoseconds::max();
  while (answer.finish() == dsvl::Finish::none) {
    if (is_gate && answer.prepare(slice)) return;
    if (!is_gate) (void)answer.step(slice);
    share_.pay(deadline);
  }
}

void Watcher::say_answer(const Topic& topic, const dsvl::Answer& answer, Json out) {
  const bool late = answer.finish() == dsvl::Finish::deadline;
  ++(late ? deadlines_ : answers_);
  const std::string text(answer.text());
  const bool whole = topic.question.schema ? answer.is_whole() : !late;
  if (!whole) out["value"] = nullptr;
  else out["value"] = topic.question.schema ? Json::parse(text, nullptr, false) : Json(text);
  if (!whole) out["text"] = text;  // as far as it came
  if (!late) out["finish"] = dsvl::name(answer.finish());
  lines_(out);
}

void Watcher::say_gate(Topic& topic, const dsvl::Answer& answer, Json out) {
  gate_->calibrate(topic.question.calibration);
  const auto said = gate_->yes_no(answer);
  if (!said) {  // logits that are not finite
    ++errors_;
    out["kind"] = "error";
    out["message"] = said.error().text();
    return lines_(out);
  }
  ++gates_;
  bool changed = false;
  if (said->mass >= topic.question.least_mass) {
    topic.said = said->probability;
    changed = topic.gate.observe(said->probability);
  }
  out["value"] = topic.gate.on();
  out["changed"] = changed;
  out["probability"] = rounded(said->probability, 1e4);
  out["mass"] = rounded(said->mass, 1e4);
  lines_(out);
}

Json Watcher::counts(const char* kind) const {
  Json out = line(kind);
  out["frame"] = current_.number;
  out["looked_at"] = looked_;
  out["unchanged"] = unchanged_;
  out["dropped"] = dropped_;
  out["stale"] = stale_frames_;
  out["answers"] = answers_;
  out["gates"] = gates_;
  out["deadlines"] = deadlines_;
  out["errors"] = errors_;
  out["seconds"] = std::round(share_.seconds() * 10) / 10;
  out["cpu_share"] = std::round(share_.reached() * 1000) / 1000;
  return out;
}

}  // namespace robot
