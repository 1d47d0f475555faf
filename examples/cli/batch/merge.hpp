// dsvl batch merge: the rows of all shards as one file, in the order of their ids, and what is missing.
#ifndef DSVL_CLI_BATCH_MERGE_HPP
#define DSVL_CLI_BATCH_MERGE_HPP

#include "../commands.hpp"

namespace cli::batch {

int run_merge(Arguments arguments);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_MERGE_HPP
