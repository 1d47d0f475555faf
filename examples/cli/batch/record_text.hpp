// RecordText: a text of many records, of which an index is in memory and the text is not, so that ten thousand records
// take little more than a hundred.
#ifndef DSVL_CLI_BATCH_RECORD_TEXT_HPP
#define DSVL_CLI_BATCH_RECORD_TEXT_HPP

#include "../library.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "csv.hpp"

namespace cli::batch {

class RecordText {
 public:
  /// Looks through a file; "-" is standard input, which is copied to a temporary file first, and so is any pipe.
  ///
  /// Codes  io, cancelled
  static dsvl::Result<RecordText> of_file(const std::string& name, RecordKind kind);
  /// Lines of a text.
  static RecordText of_lines(std::string lines);

  /// Records that are not blank.
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  /// The line on which record `i` begins, from 1.
  [[nodiscard]] std::size_t line(std::size_t i) const { return records_[i].line; }
  /// Bytes of record `i`.
  [[nodiscard]] std::size_t bytes(std::size_t i) const { return records_[i].size; }
  /// Record `i` without its line end. Any number of threads may read at a time.
  ///
  /// Codes  io
  [[nodiscard]] dsvl::Result<std::string> read(std::size_t i) const;
  /// True when the last record has no line end: it may have been torn while it was written.
  [[nodiscard]] bool torn() const { return torn_; }
  /// The file's name, for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using FilePointer = std::unique_ptr<std::FILE, Close>;
  struct Record {
    std::uint64_t at;
    std::uint32_t size, line;
  };

  static dsvl::Result<FilePointer> copy_pipe(const std::string& name);
  dsvl::Status index(RecordKind kind);
  void add(std::uint64_t at, std::uint64_t size, std::size_t line, bool blank);

  std::string name_, text_;                                        // text_: where there is no file
  FilePointer file_;
  std::unique_ptr<std::mutex> reading_ = std::make_unique<std::mutex>();  // guards the file's position
  std::vector<Record> records_;
  bool torn_ = false;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_RECORD_TEXT_HPP
