// Where records of a text end, be they lines or rows of a CSV file, and the cells of such a row.
//
// Source: RFC 4180. A quoted cell may have separators, line ends, and quotes, which are doubled.
#ifndef DSVL_CLI_BATCH_CSV_HPP
#define DSVL_CLI_BATCH_CSV_HPP

#include <string>
#include <string_view>
#include <vector>

#include "../evaluation/table.hpp"

namespace cli::batch {

/// What a file is made of.
struct RecordKind {
  char separator = '\0';  ///< of the cells of a table; none: records are lines
  bool operator==(const RecordKind&) const = default;
};

/// Finds the ends of records in a stream of characters.
class RecordScanner {
 public:
  explicit RecordScanner(RecordKind kind) : kind_(kind) {}

  /// True when this character, a line's end, is the end of a record.
  bool ends_record(char c) {
    if (kind_.separator == '\0') return c == '\n';
    switch (state_) {
      case State::begin:
        if (c == '"') return state_ = State::quoted, false;
        break;
      case State::quoted:
        if (c == '"') state_ = State::quote_in_quoted;
        return false;
      case State::quote_in_quoted:  // it was doubled, or it ended what was quoted
        if (c == '"') return state_ = State::quoted, false;
        break;
      case State::plain: break;
    }
    state_ = c == kind_.separator || c == '\n' ? State::begin : State::plain;
    return c == '\n';
  }

 private:
  enum class State : unsigned char { begin, plain, quoted, quote_in_quoted };
  RecordKind kind_;
  State state_ = State::begin;
};

/// The cells of one row. `place` names it in errors.
///
/// Codes  bad_file (a quoted cell that does not end)
inline dsvl::Result<std::vector<std::string>> read_cells(std::string_view row, char separator, std::string_view place) {
  DSVL_TRY(record, evaluation::detail::TableReader(row, place, separator).next());
  std::vector<std::string> cells;
  if (!record) return cells;
  for (evaluation::Cell& cell : record->cells) cells.push_back(std::move(*cell));
  return cells;
}

/// A row with its line end.
inline std::string csv_row(const std::vector<std::string>& cells, char separator) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += separator;
    const bool plain = cells[i].find_first_of(std::string("\"\r\n") + separator) == std::string::npos;
    if (!plain) out += '"';
    for (const char c : cells[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    if (!plain) out += '"';
  }
  return out += '\n';
}

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_CSV_HPP
