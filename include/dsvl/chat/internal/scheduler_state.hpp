// SchedulerState: decides which rows the next pass has, runs it, and lets its sessions know.
//
//   pictures of one session, a slice -> rows of a pass: tokens of all, then prompts -> the pass -> logits of each
//
// Which session has rows in which pass, and how many, changes when a token is there and not which one it is, because
// every row is a function of its own sequence (see engine/decoding.hpp).
// Source: Orca, OSDI 2022, for scheduling by passes; arXiv:2308.16369 for prompts in chunks beside tokens.
#ifndef DSVL_CHAT_INTERNAL_SCHEDULER_STATE_HPP
#define DSVL_CHAT_INTERNAL_SCHEDULER_STATE_HPP

#include "../../base/host_macros_push.hpp"

#include <algorithm>

#include "../../base/float_environment.hpp"
#include "../scheduler.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// How many rows of prompts a pass takes beside tokens that others wait for, so that it is not drawn out by more than a
/// given time. It learns from the passes that it sees.
class PrefillPace {
 public:
  /// Aims at passes that are `pause` seconds longer than without prompts, and takes `most` rows at most.
  PrefillPace(double pause, Index most) noexcept : pause_(pause), most_(most), rows_(std::min<Index>(most, kFirst)) {}

  /// Rows for the next pass, of which `spent` seconds of the pause have gone to pictures.
  [[nodiscard]] Index rows(double spent) const noexcept {
    const double left = pause_ > 0 ? std::max<double>(0, 1 - spent / pause_) : 0;
    return std::max<Index>(1, static_cast<Index>(static_cast<double>(rows_) * left));
  }
  /// Learns from a pass with `tokens` rows of tokens and `prompt` rows of prompts.
  void learn(double seconds, Index tokens, Index prompt) noexcept {
    if (tokens == 0) return;
    if (prompt == 0) return void(without_ = seconds);
    // Until a pass without prompts was seen, all rows are taken to cost the same.
    const double share = static_cast<double>(prompt) / static_cast<double>(tokens + prompt);
    const double longer = std::max<double>(without_ > 0 ? seconds - without_ : seconds * share, 1e-6);
    const double wanted = static_cast<double>(prompt) * pause_ / longer;
    const auto n = static_cast<double>(rows_);
    rows_ = std::clamp<Index>(static_cast<Index>(std::clamp<double>(wanted, n / 2, n * 2)), 1, most_);
  }

 private:
  static constexpr Index kFirst = 2;  // rows before anything was measured; they double at most from pass to pass

  double pause_;        // seconds
  Index most_, rows_;   // at most, and now
  double without_ = 0;  // seconds of the last pass without prompts
};

/// The state behind a Scheduler, which its sessions keep alive. It is used by one thread at a time.
class SchedulerState final : public SessionGroup {
 public:
  /// Takes options with complete limits. Call open() before anything else.
  SchedulerState(std::shared_ptr<const ModelState> model, const SchedulerOptions& options);
  /// Takes the memory that members share.
  ///
  /// Codes  out_of_memory
  Status open();

  [[nodiscard]] Decoding& decoding() noexcept override { return decoding_; }
  Status join(SessionState& member) noexcept override;
  void begins(SessionState& member) noexcept override;
  void leave(SessionState& member) noexcept override;
  Status advance(SessionState& member, const Control& control) noexcept override;
  /// One call of Scheduler::step.
  bool step(Clock::time_point deadline) noexcept;

  /// What a new member shares with the others. `self` is this object.
  [[nodiscard]] SharedParts shared(std::shared_ptr<SchedulerState> self) const noexcept {
    return {pages_, images_, std::move(self)};
  }
  /// The model, which lives as long as this.
  [[nodiscard]] const std::shared_ptr<const ModelState>& model() const noexcept { return model_; }
  /// The options, with complete limits.
  [[nodiscard]] const SchedulerOptions& options() const noexcept { return options_; }
  /// Members now.
  [[nodiscard]] Index sessions() const noexcept { return static_cast<Index>(members_.size()); }
  /// Bytes that open() took.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  /// Rows that a member has in the pass at hand.
  struct Share {
    SessionState* member;
    Index rows;
    bool prompt;  // of its prompt, or a token with its drafts
  };

  /// The longest time between two looks at the token of an answer that can be cancelled.
  static constexpr std::chrono::milliseconds kLook{20};
  /// The least time that pictures get between two passes, however short the pause is.
  static constexpr std::chrono::milliseconds kPictures{1};
  /// A chunk that is shared by the prompts of several members is short, so that a cancel is noticed soon.
  static constexpr Index kSharedPrompt = 64;

  void advance_pictures(Clock::time_point deadline) noexcept;
  void begin_pass() noexcept;
  void add(SessionState& member, DecodeRequest& request, Index most) noexcept;
  void run_pass(Clock::time_point deadline) noexcept;
  void finish_pass() noexcept;
  [[nodiscard]] Until end_of_pass() const noexcept;
  /// Pages of the pool beyond those of the members' contexts: prefixes of earlier conversations, and one into which a
  /// shared page can be copied.
  [[nodiscard]] Index extra_pages() const noexcept {
    return 1 + ceil_div(options_.session.limits.cached_tokens, kKvBlock);
  }

  std::shared_ptr<const ModelState> model_;  // outlives everything below
  SchedulerOptions options_;                 // with complete limits
  Executor& executor_;                       // the host's, or the model's threads
  std::shared_ptr<PagePool> pages_;          // of all members
  std::shared_ptr<ImageCache> images_;       // of all members; null: no pictures
  Buffer<std::byte> slab_;                   // of the decoding
  Decoding decoding_;                        // of all members
  Buffer<SessionState*> members_;            // in the order in which their answers began
  Buffer<SessionState*> turns_;              // the same; whose prompt got rows, or who begins, goes to the end
  Buffer<Share> pass_;                       // the pass at hand
  double picture_seconds_ = 0;               // that went to a picture since the last pass
  double pass_seconds_ = 0;                  // of the pass at hand
  bool inside_ = false;                      // step() runs, and may be calling the application
  PrefillPace pace_;                         // rows of prompts beside tokens
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SCHEDULER_STATE_HPP
