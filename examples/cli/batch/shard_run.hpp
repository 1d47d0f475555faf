// One shard from its inputs to its files.
#ifndef DSVL_CLI_BATCH_SHARD_RUN_HPP
#define DSVL_CLI_BATCH_SHARD_RUN_HPP

#include <string>

#include "progress.hpp"
#include "runner.hpp"

namespace cli::batch {

/// What all shards of a run have in common.
struct ShardRun {
  const Inputs& inputs;
  const Scan& scan;
  const RunKey& run;
  Runner& runner;
  Progress& progress;
  std::string output;  ///< empty: rows go to standard output, and nothing is kept
  Again again;
  std::size_t shards;  ///< in all
};

/// Answers what has no row yet in shard `shard`, from 0.
///
/// Codes  those of Journal, cancelled
dsvl::Status run_shard(const ShardRun& run, std::size_t shard);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_SHARD_RUN_HPP
