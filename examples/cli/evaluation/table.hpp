// Table: a file of cells between commas or tabs, as pandas reads it, which is how the official programs see MMLU and
// MMBench. It types whole columns, so that a number may come out in another spelling than it went in.
//
// Source: pandas.read_csv of pandas 2 with default options.
#ifndef DSVL_CLI_EVALUATION_TABLE_HPP
#define DSVL_CLI_EVALUATION_TABLE_HPP

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dsvl/base/status.hpp>
#include <dsvl/base/utf8.hpp>

#include "python.hpp"

namespace cli::evaluation {

/// A cell's text as Python would print it; nothing for a missing one, which prints "nan".
using Cell = std::optional<std::string>;

struct Record {
  std::size_t line = 0;  ///< of the file, from 1, on which it begins
  std::vector<Cell> cells;
};

struct Table {
  /// pandas has one type for the last two, but spells their cells otherwise.
  enum class Type : unsigned char { integer, real, boolean, boolean_or_missing, text };
  std::vector<std::string> columns;  ///< names; empty without a header
  std::vector<Type> types;           ///< of each column
  std::vector<Record> records;

  /// Number of the column of that name.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const {
    const auto at = std::find(columns.begin(), columns.end(), column);
    if (at == columns.end()) return std::nullopt;
    return static_cast<std::size_t>(at - columns.begin());
  }
};

/// The cell None is missing for pandas 2, and a text for pandas 1.
enum class Pandas : unsigned char { v1, v2 };

/// What pandas takes for a cell that is not there, quoted or not.
inline bool is_missing(std::string_view cell, Pandas version = Pandas::v2) {
  static constexpr std::string_view kMissing[] = {"",     "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN",
                                                  "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",     "NA",       "NULL",
                                                  "NaN",  "n/a",  "nan",      "null"};
  if (cell == "None") return version == Pandas::v2;
  return std::find(std::begin(kMissing), std::end(kMissing), cell) != std::end(kMissing);
}

namespace detail {

/// Cuts a text into records of raw cells.
class TableReader {
 public:
  TableReader(std::string_view text, std::string_view what, char separator)
      : text_(text), what_(what), separator_(separator) {}

  /// The next record that is not blank; nothing at the end.
  dsvl::Result<std::optional<Record>> next() {
    skip_blank_lines();
    if (at_ >= text_.size()) return std::optional<Record>();
    Record record{line_, {}};
    do {
      std::string cell;
      DSVL_CHECK_STATUS(read_cell(cell));
      record.cells.emplace_back(std::move(cell));
    } while (take_separator());
    if (at_ < text_.size()) skip_line_end();
    return std::optional(std::move(record));
  }

 private:
  static bool end_of_line(char c) { return c == '\n' || c == '\r'; }
  void skip_line_end() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_, ++line_;
  }
  /// Lines of nothing but blanks, or tabs where they do not separate.
  void skip_blank_lines() {
    for (;;) {
      std::size_t end = at_;
      while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t') && text_[end] != separator_) ++end;
      if (end < text_.size() && !end_of_line(text_[end])) return;
      at_ = end;
      if (at_ == text_.size()) return;
      skip_line_end();
    }
  }
  bool take_separator() {
    if (at_ >= text_.size() || text_[at_] != separator_) return false;
    return ++at_, true;
  }
  dsvl::Status read_cell(std::string& cell) {
    if (at_ < text_.size() && text_[at_] == '"') DSVL_CHECK_STATUS(read_quoted(cell));
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != separator_ && !end_of_line(text_[at_])) ++at_;
    cell += text_.substr(begin, at_ - begin);
    return {};
  }
  dsvl::Status read_quoted(std::string& cell) {
    const std::size_t began = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') return ++at_, dsvl::Status();
        ++at_;
      }
      line_ += c == '\n';
      cell += c;
    }
    return dsvl::fail(dsvl::Code::bad_file, "%.*s:%zu: a quoted cell begins here and does not end: the file is cut off",
                      static_cast<int>(what_.size()), what_.data(), began);
  }

  std::string_view text_, what_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

/// Without the ASCII blanks that C's number readers pass over.
inline std::string_view trim(std::string_view text) {
  const auto space = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(space);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// An integer without its sign, and without zeros in front.
struct Whole {
  bool negative;
  std::string_view digits;

  [[nodiscard]] std::string text() const { return (negative && digits != "0" ? "-" : "") + std::string(digits); }
  /// Whether an integer of that type holds it.
  template <class T>
  [[nodiscard]] bool fits() const {
    T value = 0;
    const std::string shown = text();
    return std::from_chars(shown.data(), shown.data() + shown.size(), value).ec == std::errc();
  }
};
inline std::optional<Whole> read_whole(std::string_view cell) {
  std::string_view digits = trim(cell);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return Whole{negative, digits};
}

/// The first 17 digits of a number and the power of ten that goes with them, as pandas' C parser collects them: zeros in
/// front are digits.
struct Decimal {
  double digits = 0;
  int exponent = 0;
};
/// Takes `12.5` off the text, then `e-3`; nothing when that is not there.
inline std::optional<Decimal> take_decimal(std::string_view& text) {
  constexpr int kMost = 17;
  Decimal out;
  int taken = 0, seen = 0;
  for (bool decimals = false;; decimals = true) {
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++seen) {
      if (taken < kMost) out.digits = out.digits * 10 + (text[0] - '0'), ++taken, out.exponent -= decimals;
      else out.exponent += !decimals;
    }
    if (decimals || !text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  if (seen == 0) return std::nullopt;
  if (!text.starts_with('e') && !text.starts_with('E')) return out;
  text.remove_prefix(text.substr(1).starts_with('+') ? 2 : 1);
  int shift = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), shift);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  out.exponent += std::clamp(shift, -10000, 10000);
  return out;
}

/// digits · 10^exponent by one product or quotient, so that the last bit may not be the nearest, as for pandas.
inline double scaled(const Decimal& d) {
  const auto power = [](int n) { return std::strtod(("1e" + std::to_string(n)).c_str(), nullptr); };
  if (d.exponent > 308) return d.digits * std::numeric_limits<double>::infinity();
  if (d.exponent >= 0) return d.digits * power(d.exponent);
  if (d.exponent >= -308) return d.digits / power(-d.exponent);
  return d.exponent >= -616 ? d.digits / power(-308 - d.exponent) / 1e308 : 0;
}

/// A number; nothing when a cell is none, or too large.
inline std::optional<double> read_real(std::string_view cell) {
  std::string_view text = trim(cell);
  const double sign = text.starts_with('-') ? -1 : 1;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string word = python::lower(text);
  if (word == "inf" || word == "infinity") return sign * std::numeric_limits<double>::infinity();
  const std::optional<Decimal> decimal = take_decimal(text);
  if (!decimal || !text.empty() || !std::isfinite(scaled(*decimal))) return std::nullopt;
  return sign * scaled(*decimal);
}

inline std::optional<bool> read_boolean(std::string_view cell) {
  if (cell == "True" || cell == "TRUE" || cell == "true") return true;
  if (cell == "False" || cell == "FALSE" || cell == "false") return false;
  return std::nullopt;
}

/// Whether the cells of a column are integers; `text` where that is not the end of it: one is too large.
inline Table::Type integers_or(Table::Type otherwise, const std::vector<Record>& records, std::size_t column) {
  bool missing = false, negative = false, large = false;
  for (const Record& record : records) {
    const Cell& cell = record.cells[column];
    missing = missing || !cell;
    if (!cell) continue;
    const std::optional<Whole> whole = read_whole(*cell);
    if (!whole) return otherwise;
    negative = negative || whole->negative;
    if (whole->fits<std::int64_t>()) continue;
    if (whole->negative || !whole->fits<std::uint64_t>()) return Table::Type::text;
    large = true;
  }
  if (large) return missing || negative ? Table::Type::text : Table::Type::integer;
  return missing ? otherwise : Table::Type::integer;
}

/// The type of a column, which every cell that is there has to have.
inline Table::Type type_of(const std::vector<Record>& records, std::size_t column) {
  const Table::Type whole = integers_or(Table::Type::real, records, column);
  if (whole != Table::Type::real) return whole;
  bool all_real = true, all_boolean = true, missing = false;
  for (const Record& record : records) {
    const Cell& cell = record.cells[column];
    missing = missing || !cell;
    if (!cell) continue;
    all_real = all_real && read_real(*cell).has_value();
    all_boolean = all_boolean && read_boolean(*cell).has_value();
    if (!all_real && !all_boolean) return Table::Type::text;
  }
  return all_real ? Table::Type::real : missing ? Table::Type::boolean_or_missing : Table::Type::boolean;
}

inline void retype(std::string& cell, Table::Type type) {
  if (type == Table::Type::integer) {
    cell = read_whole(cell)->text();
  } else if (type == Table::Type::real) {
    cell = python::float_text(*read_real(cell));
  } else if (type != Table::Type::text) {
    cell = *read_boolean(cell) ? "True" : "False";
  }
}

}  // namespace detail

/// Reads a table. `what` names it in errors.
///
/// Codes  bad_file (a record with more or fewer cells than the first, a quoted cell without end), bad_text
inline dsvl::Result<Table> read_table(std::string_view text, std::string_view what, char separator, bool header,
                                      Pandas version = Pandas::v2) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  DSVL_CHECK_STATUS(dsvl::utf8::validate(text, std::string(what).c_str()));
  Table table;
  detail::TableReader reader(text, what, separator);
  std::optional<std::size_t> width;
  for (;;) {
    DSVL_TRY(record, reader.next());
    if (!record) break;
    if (!width) width = record->cells.size();
    if (record->cells.size() != *width)
      return dsvl::fail(dsvl::Code::bad_file, "%.*s:%zu: the record has %zu cells, those before it have %zu",
                        static_cast<int>(what.size()), what.data(), record->line, record->cells.size(), *width);
    if (header && table.columns.empty()) {
      for (Cell& cell : record->cells) table.columns.push_back(std::move(*cell));
      continue;
    }
    for (Cell& cell : record->cells)
      if (is_missing(*cell, version)) cell.reset();
    table.records.push_back(std::move(*record));
  }
  for (std::size_t column = 0; column < width.value_or(0); ++column) {
    const Table::Type type = table.types.emplace_back(detail::type_of(table.records, column));
    for (Record& record : table.records)
      if (record.cells[column]) detail::retype(*record.cells[column], type);
  }
  return table;
}

/// A cell as it has to be written to be read back the same; missing cells are empty.
inline std::string table_cell(const Cell& cell, char separator) {
  if (!cell) return "";
  if (cell->find_first_of(std::string("\"\r\n") + separator) == cell->npos) return *cell;
  return '"' + python::replace(*cell, "\"", "\"\"") + '"';
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_TABLE_HPP
