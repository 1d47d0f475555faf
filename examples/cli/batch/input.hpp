// Input: one question of a batch, as its record has it.
#ifndef DSVL_CLI_BATCH_INPUT_HPP
#define DSVL_CLI_BATCH_INPUT_HPP

#include "../library.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cli::batch {

/// A picture of an input: a file, or base64 that stands in the record.
struct InputPicture {
  std::string name;            ///< as the record has it; of base64 "data:" and a hash of it
  std::filesystem::path file;  ///< empty: `base64` is the picture
  std::string base64;
};

/// What a record says of itself where it differs from the command line.
struct InputOptions {
  std::optional<std::string> system;
  std::string schema;                ///< JSON; "true": any JSON
  std::vector<std::string> choices;
  std::optional<dsvl::Index> max_tokens;
  std::optional<double> temperature, top_p;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;     ///< beside those of the command line
  bool placeholders = false;         ///< the question says where pictures stand
};

struct Input {
  std::string id, question;
  std::vector<InputPicture> pictures;
  InputOptions options;
  std::string problem;             ///< what is wrong with the record, which then gets a row with this error
  std::vector<std::string> cells;  ///< of a table's row, which are repeated in front of the answer
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_INPUT_HPP
