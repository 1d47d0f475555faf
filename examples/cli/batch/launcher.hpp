// Launchers: which of several tasks this process is, as the program says that started it, in environment variables.
//
// Sources: the manuals of Open MPI (mpirun), MPICH (Hydra), Slurm (sbatch, srun), GNU parallel and Kubernetes (Job).
#ifndef DSVL_CLI_BATCH_LAUNCHER_HPP
#define DSVL_CLI_BATCH_LAUNCHER_HPP

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <dsvl/base/function_ref.hpp>
#include <dsvl/base/status.hpp>

#include "../shards.hpp"

namespace cli::batch {

/// Reads an environment variable; null when it is not set.
using Environment = dsvl::FunctionRef<const char*(const char*)>;

/// One of several processes that work on the same inputs.
struct Task {
  std::string launcher;     ///< empty: nobody started several
  std::size_t rank = 0;     ///< from 0
  std::size_t size = 0;     ///< tasks in all; 0: the launcher does not say
  std::size_t on_node = 0;  ///< tasks on this machine; 0: the launcher does not say
  bool mpi = false;         ///< Open MPI, which binds a task to a core
};

namespace detail {

inline std::optional<std::size_t> number_in(Environment environment, const char* variable) {
  const char* const text = environment(variable);
  if (!text) return std::nullopt;
  const std::string_view digits(text);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// The ranks of a parallel program. Open MPI comes first: started by it, a task may also see its daemon's variables of
/// Slurm. Those of Slurm count within a step only; a batch script has them without being a task.
inline Task find_rank(Environment environment) {
  struct Names { const char *launcher, *rank, *size, *on_node, *only_with; };
  static constexpr Names kNames[] = {
      {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", nullptr},
      {"MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", nullptr},
      {"Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", nullptr, "SLURM_STEP_ID"}};
  for (const Names& names : kNames) {
    const auto rank = number_in(environment, names.rank), size = number_in(environment, names.size);
    if (!rank || !size || *rank >= *size || (names.only_with && !environment(names.only_with))) continue;
    const auto on_node = names.on_node ? number_in(environment, names.on_node) : std::nullopt;
    return {names.launcher, *rank, *size, on_node.value_or(0), &names == kNames};
  }
  return {};
}

/// The place of an array's task, and how many there are.
///
/// Codes  bad_argument (the array has only some of its numbers, so a place cannot be told)
inline dsvl::Result<Task> find_array(Environment environment) {
  const auto number = [&](const char* name) { return number_in(environment, name); };
  const auto id = number("SLURM_ARRAY_TASK_ID"), count = number("SLURM_ARRAY_TASK_COUNT");
  if (!id || !count || *count == 0) return Task();
  const auto first = number("SLURM_ARRAY_TASK_MIN"), last = number("SLURM_ARRAY_TASK_MAX");
  const std::size_t step = *count > 1 && first && last ? (*last - *first) / (*count - 1) : 1;
  const std::size_t place = first && step > 0 ? (*id - *first) / step : *count;
  if (!last || place >= *count || *first + place * step != *id || *first + (*count - 1) * step != *last)
    return dsvl::fail(dsvl::Code::bad_argument,
                      "task %zu is one of %zu of a Slurm array whose numbers are no range, so its shard is unknown",
                      *id, *count);
  return Task{"a Slurm array", place, *count, 0, false};
}

}  // namespace detail

/// The task that this process is. With `counted` false, launchers that do not say how many tasks there are (GNU
/// parallel, Kubernetes) are looked for too; by themselves they often hand out different inputs.
///
/// Codes  bad_argument
inline dsvl::Result<Task> find_task(Environment environment, bool counted) {
  const Task inner = detail::find_rank(environment);
  DSVL_TRY(outer, detail::find_array(environment));
  if (inner.size > 1 || (inner.size == 1 && outer.size == 0)) {
    if (outer.size == 0) return inner;
    return Task{inner.launcher + " within " + outer.launcher, outer.rank * inner.size + inner.rank,
                outer.size * inner.size, inner.on_node, inner.mpi};
  }
  if (outer.size > 0) return outer;
  if (counted) return Task();
  if (const auto job = detail::number_in(environment, "PARALLEL_SEQ"); job && *job > 0)
    return Task{"GNU parallel", *job - 1, 0, 0, false};
  if (const auto index = detail::number_in(environment, "JOB_COMPLETION_INDEX"))
    return Task{"Kubernetes", *index, 0, 0, false};
  return Task();
}

/// The shards that a task takes: of `count`, or of as many as there are tasks when that is 0. A task takes every shard
/// whose number leaves its rank when it is divided by the number of tasks, `tasks` where the launcher does not say.
///
/// Codes  bad_argument
inline dsvl::Result<Shards> shards_of(const Task& task, std::size_t count, std::size_t tasks) {
  if (tasks == 0) tasks = task.size > 0 ? task.size : count;
  if (count == 0) count = tasks;
  if (task.rank >= tasks)
    return dsvl::fail(dsvl::Code::bad_argument, "task %zu of %s has no shard: there are %zu tasks", task.rank + 1,
                      task.launcher.c_str(), tasks);
  Shards shards{{}, count};
  for (std::size_t i = task.rank; i < count; i += tasks) shards.taken.push_back(i + 1);
  return shards;
}

/// What is to be said about the processors of a task of `threads` threads, on a machine of `cores`; empty when there is
/// nothing.
inline std::string remark_on_cores(const Task& task, std::size_t threads, std::size_t cores) {
  if (task.mpi && threads == 1 && task.on_node > 0 && task.on_node < cores)
    return "Open MPI has bound this process to one core of " + std::to_string(cores) + ", so it has one thread; " +
           "mpirun --bind-to none gives it all of them";
  if (task.on_node > 1 && threads > 1 && threads * task.on_node > cores)
    return std::to_string(task.on_node) + " processes on this machine have " + std::to_string(threads) +
           " threads each, for " + std::to_string(cores) + " cores; --threads " +
           std::to_string(cores / task.on_node > 0 ? cores / task.on_node : 1) + " keeps them out of each other's way";
  return {};
}

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_LAUNCHER_HPP
