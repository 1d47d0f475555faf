// Planner: the models that can be chosen, and what the chosen one would take in memory before anything of it is loaded.
#ifndef DSVL_DESKTOP_PLANNER_HPP
#define DSVL_DESKTOP_PLANNER_HPP

#include "mailbox.hpp"
#include "talk.hpp"
#include "task_thread.hpp"

#include <optional>

namespace desktop {

class Planner {
 public:
  /// Both must outlive the planner.
  Planner(Mailbox& mailbox, TaskThread& background) : mailbox_(mailbox), background_(background) {}

  /// A model's folder or file, and the models that lie in it or beside it, join the list. Returns the one that was
  /// meant: it, or the first in a folder of models. A folder without any joins too, and its plan says what it lacks.
  std::string add(const std::string& path);
  [[nodiscard]] const std::vector<std::string>& models() const { return models_; }

  /// Has the choice planned, unless it is already. Costs little, so every frame may call it.
  void plan(const Choice& choice);
  /// Of the last choice; none while it is made, and when it failed.
  [[nodiscard]] const std::optional<dsvl::Plan>& plan() const { return plan_; }
  /// Why there is none; empty while it is made.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// Bytes that were free when it was made; 0: unknown.
  [[nodiscard]] std::uint64_t free_bytes() const { return free_; }

 private:
  void add_one(const std::filesystem::path& path);

  Mailbox& mailbox_;
  TaskThread& background_;
  std::vector<std::string> models_;
  std::optional<Choice> wanted_;
  std::optional<dsvl::Plan> plan_;
  std::string error_;
  std::uint64_t free_ = 0;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_PLANNER_HPP
