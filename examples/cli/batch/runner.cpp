#include "runner.hpp"

#include <algorithm>

#include <dsvl/base/thread_pool.hpp>

#include "../decoders.hpp"

namespace cli::batch {

namespace {

constexpr dsvl::Index kTemplateTokens = 64;  // the template's own words, with room to spare
constexpr std::size_t kMostFeeders = 4;      // each may hold a large picture while it decodes it

FeederOptions feeder_options(const Settings& settings, const dsvl::SchedulerOptions& scheduler, int threads) {
  FeederOptions out;
  const dsvl::SessionOptions& session = scheduler.session;
  out.limits.max_pixels = session.limits.picture_pixels;
  out.limits.apply_exif_orientation = session.apply_exif_orientation;
  out.limits.clip_gray16 = session.clip_gray16;
  out.limits.background = session.background;
  out.decoder = picture_decoder();
  out.cancel = settings.generate.cancel;
  out.threads = std::clamp<std::size_t>(static_cast<std::size_t>(threads), 1, kMostFeeders);
  out.ahead = static_cast<std::size_t>(std::max<dsvl::Index>(scheduler.sessions, 2));
  return out;
}

}  // namespace

dsvl::SchedulerOptions scheduler_options(const Settings& settings, const Scan& scan, dsvl::Index sessions,
                                         const dsvl::ModelInfo& info) {
  dsvl::SchedulerOptions out{.sessions = sessions, .session = settings.session, .pause = std::chrono::hours(1)};
  dsvl::Limits& limits = out.session.limits;
  const dsvl::Index allowed = limits.context > 0 ? limits.context : info.default_context;
  // A byte of text is a token at most.
  const dsvl::Index text = static_cast<dsvl::Index>(scan.most_text) + kTemplateTokens;
  const dsvl::Index seen = static_cast<dsvl::Index>(scan.most_pictures) * (info.image_tokens + 1);
  limits.context = std::min(allowed, text + seen + std::min(scan.most_answer_tokens, allowed));
  if (limits.text_bytes == 0) limits.text_bytes = 16 * allowed;  // as it would be with all of the context
  limits.pictures = static_cast<dsvl::Index>(scan.most_pictures) * sessions;
  return out;
}

dsvl::Status Runner::open(const dsvl::SchedulerOptions& options) {
  DSVL_TRY(scheduler, dsvl::Scheduler::open(model_, options));
  scheduler_.emplace(std::move(scheduler));
  for (dsvl::Index i = 0; i < options.sessions; ++i) {
    DSVL_CHECK_STATUS(seat_for(seats_.emplace_back(), settings_.session.system));
  }
  return {};
}

/// Gives a seat a session with this system text, which a session has for good.
dsvl::Status Runner::seat_for(Seat& seat, const std::string& system) {
  if (seat.session && seat.system == system) return {};
  seat.session.reset();
  dsvl::SessionOptions options = scheduler_->options().session;
  options.system = system;
  DSVL_TRY(session, scheduler_->session(options));
  seat.session.emplace(std::move(session));
  seat.system = system;
  return {};
}

dsvl::Status Runner::run(std::span<const Item> items, const Sink& sink) {
  const int threads = settings_.load.threads > 0 ? settings_.load.threads : dsvl::available_threads();
  Feeder feeder(inputs_, items, feeder_options(settings_, scheduler_->options(), threads));
  for (;;) {
    for (Seat& seat : seats_) DSVL_CHECK_STATUS(serve(seat, feeder, sink));
    if (cancelled()) break;
    const bool working = std::any_of(seats_.begin(), seats_.end(), [](const Seat& s) { return s.answer.has_value(); });
    if (working) {
      scheduler_->step();
      continue;
    }
    seats_[0].group = feeder.take(true);
    if (!seats_[0].group) break;
  }
  for (Seat& seat : seats_) seat.answer.reset(), seat.group.reset();
  return cancelled() ? dsvl::fail(dsvl::Code::cancelled, "stopped") : dsvl::Status();
}

std::shared_ptr<Group> Runner::find_group(const Seat& seat, Feeder& feeder) {
  if (seat.group && seat.group->left()) return seat.group;
  if (auto group = feeder.take(false)) return group;
  std::shared_ptr<Group> best;
  for (const Seat& other : seats_) {
    const std::shared_ptr<Group>& group = other.group;
    if (!group || !group->begun || !group->left()) continue;
    if (!best || group->items.size() - group->next > best->items.size() - best->next) best = group;
  }
  return best;
}

dsvl::Status Runner::serve(Seat& seat, Feeder& feeder, const Sink& sink) {
  for (;;) {
    if (seat.answer) {
      while (seat.answer->poll()) seat.group->begun = true;
      if (seat.answer->finish() == dsvl::Finish::none) return {};
      if (cancelled()) return {};
      DSVL_CHECK_STATUS(conclude(seat, sink));
    }
    if (cancelled()) return {};
    seat.group = find_group(seat, feeder);
    if (!seat.group) return {};
    seat.input = inputs_.read(seat.group->items[seat.group->next++].input);
    for (InputPicture& picture : seat.input.pictures) picture.base64.clear();
    seat.began = Clock::now();
    if (const dsvl::Status status = start(seat); !status.ok())
      DSVL_CHECK_STATUS(sink(seat.input, {status}, {seat.group->content, seat.group->stamp}));
  }
}

dsvl::Status Runner::start(Seat& seat) {
  const Input& input = seat.input;
  if (!input.problem.empty()) return dsvl::Status(dsvl::Code::bad_file, input.problem);
  DSVL_CHECK_STATUS(seat.group->error);
  DSVL_CHECK_STATUS(seat_for(seat, input.options.system.value_or(settings_.session.system)));
  DSVL_TRY(constraint, constraints_.find(input.options));
  seat.constraint = constraint;
  std::vector<dsvl::Picture> pictures;
  for (const dsvl::Image& image : seat.group->pictures) pictures.emplace_back(image.pixels());
  dsvl::GenerateOptions options = generate(input);
  options.constraint = constraint.get();
  seat.session->clear();
  seat.answer.emplace(seat.session->start(pictures, input.question, options));
  return {};
}

dsvl::GenerateOptions Runner::generate(const Input& input) const {
  dsvl::GenerateOptions out = settings_.generate;
  const InputOptions& own = input.options;
  if (own.max_tokens) out.max_tokens = *own.max_tokens;
  if (own.temperature) out.sampling.temperature = static_cast<float>(*own.temperature);
  if (own.top_p) out.sampling.top_p = static_cast<float>(*own.top_p);
  if (own.seed) out.sampling.seed = *own.seed;
  out.stop.insert(out.stop.end(), own.stop.begin(), own.stop.end());
  out.placeholders = own.placeholders;
  return out;
}

dsvl::Status Runner::conclude(Seat& seat, const Sink& sink) {
  const dsvl::Answer& answer = *seat.answer;
  Outcome outcome{answer.status()};
  outcome.answer = answer.text();
  outcome.finish = answer.finish();
  outcome.prompt_tokens = answer.usage().prompt_tokens;
  outcome.answer_tokens = answer.usage().answer_tokens;
  if (seat.constraint) outcome.whole = answer.is_whole();
  const RunNote note{seat.group->content, seat.group->stamp, seconds_since(seat.began), answer.usage()};
  const dsvl::Status status = sink(seat.input, outcome, note);
  seat.answer.reset();
  return status;
}

}  // namespace cli::batch
