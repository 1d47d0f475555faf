// Runner: has a model answer inputs, several at a time in one pass each (dsvl/chat/scheduler.hpp).
//
//   Feeder: groups, pictures decoded ─> seats: a session each, with the questions of a group one after the other
//                                        └─ a seat without a group helps another one with its group
//
// A group's pictures are encoded and read by its first question. Those behind it in the same session find all of that;
// a seat that helps finds all but the last page of 64 tokens. Answers are the same, whoever shares a pass with whom.
#ifndef DSVL_CLI_BATCH_RUNNER_HPP
#define DSVL_CLI_BATCH_RUNNER_HPP

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <dsvl/chat/scheduler.hpp>

#include "constraints.hpp"
#include "feeder.hpp"
#include "rows.hpp"

namespace cli::batch {

/// Takes what came of an input. An error ends the run.
using Sink = std::function<dsvl::Status(const Input& input, const Outcome& outcome, const RunNote& note)>;

/// The options of a scheduler for these inputs: as much memory as the largest of them needs, since more would change no
/// answer.
dsvl::SchedulerOptions scheduler_options(const Settings& settings, const Scan& scan, dsvl::Index sessions,
                                         const dsvl::ModelInfo& info);

class Runner {
 public:
  Runner(const dsvl::Model& model, const Inputs& inputs, const Settings& settings, Constraints& constraints)
      : model_(model), inputs_(inputs), settings_(settings), constraints_(constraints) {}

  /// Codes  those of Scheduler::open
  dsvl::Status open(const dsvl::SchedulerOptions& options);
  /// Answers the items of a todo list. What is wrong with one is an outcome of that one. Answers that are under way
  /// when it is cancelled are left out.
  ///
  /// Codes  those of `sink`, cancelled
  dsvl::Status run(std::span<const Item> items, const Sink& sink);

 private:
  /// A session, and what it is at.
  struct Seat {
    std::optional<dsvl::Session> session = {};  // none: its system text could not be had
    std::string system = {};                    // of the session
    std::shared_ptr<Group> group = {};
    Input input = {};
    std::optional<dsvl::Answer> answer = {};
    std::shared_ptr<const dsvl::Constraint> constraint = {};  // null: the answer is free
    Clock::time_point began = {};
  };

  /// Works on a seat until it waits for the model, or there is nothing for it to do.
  dsvl::Status serve(Seat& seat, Feeder& feeder, const Sink& sink);
  /// A group with an item left; null when there is none for this seat.
  std::shared_ptr<Group> find_group(const Seat& seat, Feeder& feeder);
  /// Begins with an input; an error is its outcome.
  dsvl::Status start(Seat& seat);
  dsvl::Status seat_for(Seat& seat, const std::string& system);
  dsvl::GenerateOptions generate(const Input& input) const;
  dsvl::Status conclude(Seat& seat, const Sink& sink);
  [[nodiscard]] bool cancelled() const { return settings_.generate.cancel && settings_.generate.cancel->cancelled(); }

  const dsvl::Model& model_;
  const Inputs& inputs_;
  const Settings& settings_;
  Constraints& constraints_;
  std::optional<dsvl::Scheduler> scheduler_;
  std::vector<Seat> seats_;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_RUNNER_HPP
