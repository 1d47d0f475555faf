// dsvl batch --dry-run: what would go wrong, what memory it takes, and how long it would be.
#ifndef DSVL_CLI_BATCH_DRY_RUN_HPP
#define DSVL_CLI_BATCH_DRY_RUN_HPP

#include "runner.hpp"

namespace cli::batch {

/// Looks at every record and every picture's file, without decoding it, and prints what is wrong. Returns how many
/// inputs it spoils.
std::size_t print_faults(const Inputs& inputs, const Scan& scan, const Settings& settings, ProgressLine& progress);
/// Prints the memory of a run.
void print_memory(const Settings& settings, const dsvl::SchedulerOptions& options);
/// Answers some inputs, evenly spread, throws the answers away, and prints how long all would take.
///
/// Codes  cancelled
dsvl::Status print_time(Runner& runner, const Scan& scan, std::size_t shards);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_DRY_RUN_HPP
