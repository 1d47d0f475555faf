// ask --record and replay: a question with everything that its answer depends on, in one JSON file.
#ifndef DSVL_CLI_RECORD_HPP
#define DSVL_CLI_RECORD_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "library.hpp"
#include "pictures.hpp"
#include "setup.hpp"

namespace cli {

/// A token of an answer.
struct RecordedToken {
  std::int32_t id = 0;
  double log_probability = 0;
};

/// A picture of the question. What came through a pipe is kept whole, a file by its name.
struct RecordedPicture {
  std::string name, hash;
  std::vector<std::byte> bytes;
};

/// What asking with --record leaves.
struct Record {
  std::string version, kernels, model;  ///< of dsvl; what the answer was computed with; what there is to say of the model
  std::string directory;                ///< relative paths of the arguments begin here
  std::vector<std::string> arguments;   ///< of dsvl ask
  std::string question, schema;         ///< the texts, wherever they came from
  std::vector<RecordedPicture> pictures;
  std::vector<std::int32_t> prompt;
  std::vector<RecordedToken> tokens;
  std::string finish;
};

/// Where a record is asked again.
struct Replay {
  Record record;
  std::vector<std::string> options;  ///< of dsvl ask, which win over the recorded ones
  std::string pictures;              ///< the folder of the recorded pictures; empty: where they were
};

/// Everything about a question but its answer. `arguments` are those of dsvl ask.
Record begin_record(std::span<const std::string> arguments, const std::string& question, const std::string& schema,
                    std::span<const NamedPicture> pictures, const Talk& talk);

dsvl::Status write_record(const Record& record, const std::string& file);
dsvl::Result<Record> read_record(const std::string& file);

/// The pictures of a replay, as the arguments name them. Prints what is wrong; the exit code then.
std::optional<int> find_pictures(const Replay& replay, const std::vector<std::string>& arguments,
                                 std::vector<NamedPicture>& to);

/// Runs an answer to its end and prints whether it is the recorded one, or else the first token that differs, and what
/// else is not as it was. `now` is this answer's beginning. Returns the exit code.
int compare(const Replay& replay, const Record& now, dsvl::Answer& answer, const Talk& talk);

}  // namespace cli

#endif  // DSVL_CLI_RECORD_HPP
