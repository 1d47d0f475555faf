// Todo: the inputs of a shard that have no row yet, those that begin alike one after the other.
#ifndef DSVL_CLI_BATCH_TODO_HPP
#define DSVL_CLI_BATCH_TODO_HPP

#include <cstdint>
#include <vector>

#include "../setup.hpp"
#include "../shards.hpp"
#include "inputs.hpp"
#include "journal.hpp"
#include "keys.hpp"

namespace cli::batch {

/// An input, by its number.
struct Item {
  std::uint32_t input = 0;
  std::uint32_t shard = 0;   ///< from 0
  std::uint64_t group = 0;   ///< items with the same number begin alike
};

/// The inputs of the shards that are taken, and what the largest of them need.
struct Scan {
  std::vector<Item> items;             ///< in the order of the inputs
  std::size_t most_pictures = 0;       ///< of one input
  std::size_t most_text = 0;           ///< bytes of question and system text together
  dsvl::Index most_answer_tokens = 0;
  bool constrained = false;            ///< some have a schema or choices
};
/// Reads all inputs once. What they do not say stands in `settings`.
Scan scan(const Inputs& inputs, const Shards& shards, const Settings& settings);

/// How rows are looked at that are there.
struct Again {
  bool errors = false;  ///< rows with errors are computed again
  bool verify = false;  ///< pictures are compared by their contents, not by size and time
};

struct Todo {
  std::vector<Item> items;
  std::size_t inputs = 0;   ///< of the shard
  std::size_t done = 0;     ///< that have a row
  std::size_t doubled = 0;  ///< that stand in the inputs before, word by word, and get no second row
};
/// The items of one shard that have to be computed. Rows that are not good any more are dropped from the journal, where
/// there is one.
Todo make_todo(const Inputs& inputs, const Scan& scan, std::size_t shard, const RunKey& run, Again again,
               Journal* journal);

/// Hash of the contents of the pictures' files; those that cannot be read count as empty.
Key content_of(const Input& input);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_TODO_HPP
