// Rows: what comes of an input, as a line of JSON, a line of OpenAI's batch form, or a row of a table. A row has
// nothing that depends on the run, so that rows of different runs can be compared byte by byte.
#ifndef DSVL_CLI_BATCH_ROWS_HPP
#define DSVL_CLI_BATCH_ROWS_HPP

#include <optional>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "keys.hpp"

namespace cli::batch {

/// What came of an input.
struct Outcome {
  dsvl::Status status;          ///< an error, or ok and the rest counts
  std::string answer = {};
  dsvl::Finish finish = dsvl::Finish::none;
  dsvl::Index prompt_tokens = 0, answer_tokens = 0;
  std::optional<bool> whole = {};  ///< whether it is all that a schema or choices ask for, where there are some
};

/// What stands beside a row in the second file.
struct RunNote {
  Key content = {};         ///< hash of the pictures' files
  std::uint64_t stamp = 0;  ///< their sizes and times
  double seconds = 0;       ///< from the beginning of the answer to its end, beside others
  dsvl::Usage usage = {};
};

class RowWriter {
 public:
  RowWriter(const Inputs& inputs, RunKey run);

  /// The line in front of all rows; empty for forms that have none.
  [[nodiscard]] std::string header() const;
  /// A row with its line end.
  [[nodiscard]] std::string row(const Input& input, const Outcome& outcome) const;

 private:
  [[nodiscard]] std::string json_row(const Input& input, const Outcome& outcome) const;
  [[nodiscard]] std::string openai_row(const Input& input, const Outcome& outcome) const;
  [[nodiscard]] std::string table_row(const Input& input, const Outcome& outcome) const;

  Form form_;
  RecordKind kind_;
  std::vector<std::string> columns_;  // of the input
  bool has_id_ = false;               // among them
  RunKey run_;
};

/// The id of a row that a RowWriter wrote. `columns` are those of its header.
///
/// Codes  bad_file
dsvl::Result<std::string> id_of_row(const std::string& row, RecordKind kind, const std::vector<std::string>& columns);
/// Whether such a row is an error.
bool row_failed(const std::string& row, RecordKind kind, const std::vector<std::string>& columns);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_ROWS_HPP
