// Journal: the rows of one shard on the disk, each there exactly once whatever kills the run.
//
//   rows.jsonl.part   rows, as they come              rows.jsonl        all of them, when the shard is done
//   rows.run.jsonl.part   a note about each, a hash of the row in it    rows.run.jsonl
//                                                     rows.stats.json   counts
//
// A row is appended, then its note. On a restart a row counts if it is whole and a note has its hash; all else is
// thrown away and computed again. Files take their names one after the other, the rows last.
#ifndef DSVL_CLI_BATCH_JOURNAL_HPP
#define DSVL_CLI_BATCH_JOURNAL_HPP

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "../append_file.hpp"
#include "../console.hpp"
#include "rows.hpp"

namespace cli::batch {

/// A row that is there.
struct KeptRow {
  Key key, content;
  std::uint64_t stamp = 0;     ///< of the pictures' files
  bool failed = false;
  std::uint32_t row = 0, note = 0;  ///< their numbers in the two files
  bool dropped = false;        ///< it is to be computed again
};

/// The files of a shard.
struct JournalFiles {
  std::filesystem::path rows, notes, stats;  ///< when it is done; until then with ".part" behind the first two

  /// "rows.jsonl" of one shard alone, "rows-3-of-8.jsonl" of several.
  static JournalFiles of(const std::string& output, std::size_t shard, std::size_t count);
};

class Journal {
 public:
  /// Reads what is there. `header` stands in front of the rows, `about` in front of the notes.
  ///
  /// Codes  io, bad_file (what is there are no rows, or their notes are gone), bad_argument (another process has it)
  static dsvl::Result<Journal> open(JournalFiles files, RecordKind kind, std::string header, std::string about);

  /// The row with that key; null when there is none. Valid until begin().
  [[nodiscard]] KeptRow* find(const Key& key);
  [[nodiscard]] const std::vector<KeptRow>& kept() const { return kept_; }
  /// Whether the shard was done when it was opened.
  [[nodiscard]] bool finished() const { return finished_; }

  /// Throws away what was dropped or torn, and makes ready to append.
  ///
  /// Codes  io, bad_argument (another process has it)
  dsvl::Status begin();
  /// Codes  io
  dsvl::Status append(const std::string& row, const Input& input, const Key& key, bool failed, const RunNote& note);
  /// Waits for the disk, but not more often than every few seconds unless `now`.
  ///
  /// Codes  io
  dsvl::Status sync(bool now = false);
  /// Gives the files their names.
  ///
  /// Codes  io
  dsvl::Status finish(const std::string& stats);

 private:
  Journal(JournalFiles files, RecordKind kind, std::string header, std::string about)
      : files_(std::move(files)), kind_(kind), header_(std::move(header)), about_(std::move(about)) {}
  dsvl::Status lock();
  dsvl::Status load();
  dsvl::Status match(const RecordText& rows, const RecordText& notes);
  dsvl::Status rewrite();
  [[nodiscard]] std::filesystem::path rows_now() const;
  [[nodiscard]] std::filesystem::path notes_now() const;
  [[nodiscard]] std::size_t headers() const { return header_.empty() ? 0 : 1; }

  JournalFiles files_;
  RecordKind kind_;
  std::string header_, about_;
  std::vector<KeptRow> kept_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;
  bool finished_ = false, untidy_ = false;  // untidy: something is there that does not count
  std::optional<AppendFile> rows_, notes_;
  Clock::time_point synced_ = Clock::now();
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_JOURNAL_HPP
