// Inputs: the questions of a batch, from a folder, a list, JSON lines, OpenAI's batch form or a table. They are read
// one at a time, and any number of times.
#ifndef DSVL_CLI_BATCH_INPUTS_HPP
#define DSVL_CLI_BATCH_INPUTS_HPP

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "record_text.hpp"

namespace cli::batch {

enum class Form : unsigned char { automatic, folder, list, json, openai, csv };

/// What the command line says of the inputs.
struct InputChoice {
  std::string source;                  ///< a folder, a file, "-"
  Form form = Form::automatic;
  std::vector<std::string> questions;  ///< to each picture of a folder or list; the first: where a record has none
  std::string pictures;                ///< folder that names of pictures begin in; empty: that of the file
};

class Inputs {
 public:
  /// Looks through the records, without a look at pictures.
  ///
  /// Codes  io, bad_file, bad_argument (no question), cancelled
  static dsvl::Result<Inputs> open(const InputChoice& choice);

  [[nodiscard]] Form form() const { return form_; }
  [[nodiscard]] std::size_t size() const { return (records_.size() - first_) * questions_per_record(); }
  /// Input `i`. A record that is no input has a `problem`. Any number of threads may read at a time.
  [[nodiscard]] Input read(std::size_t i) const;
  /// The names of a table's columns.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// Between the cells of a table; none for other forms.
  [[nodiscard]] RecordKind kind() const { return kind_; }
  /// Files of a folder that are no pictures by their names.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  explicit Inputs(RecordText records) : records_(std::move(records)) {}
  static dsvl::Result<Inputs> open_folder(const InputChoice& choice);
  static dsvl::Result<Inputs> open_file(const InputChoice& choice);
  dsvl::Status read_header();
  [[nodiscard]] bool names_pictures() const { return form_ == Form::folder || form_ == Form::list; }
  [[nodiscard]] std::size_t questions_per_record() const { return names_pictures() ? questions_.size() : 1; }
  void read_name(const std::string& name, std::size_t question, Input& to) const;
  void read_table_row(const std::string& row, const std::string& place, Input& to) const;

  RecordText records_;
  Form form_ = Form::json;
  RecordKind kind_;
  std::vector<std::string> questions_, columns_;
  std::filesystem::path folder_;  // of names that are relative
  std::size_t first_ = 0;         // records in front of the inputs: a table's header
  std::size_t left_out_ = 0;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_INPUTS_HPP
