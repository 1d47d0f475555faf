#include "journal.hpp"

#include <dsvl/base/utf8.hpp>
#include <dsvl/io/file_writer.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>

#include "../evaluation/files.hpp"
#include "../system.hpp"

namespace cli::batch {

namespace fs = std::filesystem;
namespace json = dsvl::json;

namespace {

constexpr double kSyncSeconds = 5;

fs::path with(fs::path path, const char* ending) { return path += ending; }

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

dsvl::Status give_name(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return {};
  return dsvl::fail(dsvl::Code::io, "%s: cannot be renamed to %s: %s", to_text(from).c_str(), to_text(to).c_str(),
                    error.message().c_str());
}

dsvl::Status in_use(const fs::path& path) {
  return dsvl::fail(dsvl::Code::bad_argument,
                    "%s: another process is writing it; give each its own --shard or --output", to_text(path).c_str());
}

std::string note_text(const std::string& row, const Input& input, const Key& key, bool failed, const RunNote& note) {
  const dsvl::Usage& u = note.usage;
  json::Writer w;
  w.begin_object().key("id").value(dsvl::utf8::repair(input.id)).key("row").value(hex(key_of(row)));
  w.key("key").value(hex(key));
  w.key("stamp").value(hex(note.stamp)).key("content").value(hex(note.content)).key("failed").value(failed);
  w.key("reused_tokens").value(u.reused_tokens).key("seconds").value(note.seconds).key("encode").value(u.encode);
  w.key("prefill").value(u.prefill).key("decode").value(u.decode).key("host").value(host_name());
  return w.end_object().text() + "\n";
}

/// The row that a note is about, and its hash; nothing when it is no note.
std::optional<std::pair<Key, KeptRow>> read_note(const std::string& text) {
  const auto document = json::Document::parse(text, "note");
  if (!document) return std::nullopt;
  const json::Value note = document->root();
  const auto key = [&](const char* name) { return read_key(note.find(name).string().value_or("")); };
  const auto row = key("row"), of = key("key"), content = key("content");
  const auto stamp = read_key(std::string(note.find("stamp").string().value_or("")) + std::string(16, '0'));
  if (!row || !of || !content || !stamp) return std::nullopt;
  KeptRow kept{*of, *content};
  kept.stamp = stamp->a;
  kept.failed = note.find("failed").boolean().value_or(false);
  return std::pair(*row, kept);
}

/// Writes records anew, those that `numbers` name.
dsvl::Status copy_records(const fs::path& path, const std::string& header, RecordKind kind,
                          const std::vector<std::uint32_t>& numbers) {
  DSVL_TRY(records, RecordText::of_file(to_text(path), kind));
  dsvl::FileWriter out(path);
  const auto write = [&](const std::string& text) { out.write(std::as_bytes(std::span(text))); };
  write(header);
  for (const std::uint32_t number : numbers) {
    DSVL_TRY(text, records.read(number));
    write(text + "\n");
  }
  return out.commit();
}

}  // namespace

JournalFiles JournalFiles::of(const std::string& output, std::size_t shard, std::size_t count) {
  const fs::path path = to_path(output);
  fs::path stem = path.parent_path() / path.stem();
  if (count > 1) ((stem += "-") += std::to_string(shard)) += std::string("-of-") + std::to_string(count);
  const std::string extension = to_text(path.extension());
  return {with(stem, extension.c_str()), with(stem, ".run.jsonl"), with(stem, ".stats.json")};
}

fs::path Journal::rows_now() const {
  const fs::path part = with(files_.rows, ".part");
  return !is_there(part) && is_there(files_.rows) ? files_.rows : part;
}
fs::path Journal::notes_now() const {
  const fs::path part = with(files_.notes, ".part");
  return !is_there(part) && is_there(files_.notes) ? files_.notes : part;
}

dsvl::Result<Journal> Journal::open(JournalFiles files, RecordKind kind, std::string header, std::string about) {
  Journal journal(std::move(files), kind, std::move(header), std::move(about) + "\n");
  journal.finished_ = journal.rows_now() == journal.files_.rows;
  if (!journal.finished_) DSVL_CHECK_STATUS(journal.lock());
  DSVL_CHECK_STATUS(journal.load());
  return journal;
}

/// Opens the unfinished rows, which makes the file, and keeps others out.
dsvl::Status Journal::lock() {
  const fs::path part = with(files_.rows, ".part");
  DSVL_TRY(rows, AppendFile::open(part));
  if (!rows.lock()) return in_use(part);
  rows_.emplace(std::move(rows));
  return {};
}

dsvl::Status Journal::load() {
  if (!is_there(rows_now())) return {};
  DSVL_TRY(rows, RecordText::of_file(to_text(rows_now()), kind_));
  if (!is_there(notes_now()) && !finished_) {  // only a power failure loses them
    untidy_ = rows.size() > 0;
    return {};
  }
  if (!is_there(notes_now()))
    return dsvl::fail(dsvl::Code::bad_file, "%s: is gone, so it is unknown which inputs the rows beside it answer; "
                      "give another --output", to_text(notes_now()).c_str());
  DSVL_TRY(notes, RecordText::of_file(to_text(notes_now()), {}));
  return match(rows, notes);
}

/// Finds the note of every row by the row's hash.
dsvl::Status Journal::match(const RecordText& rows, const RecordText& notes) {
  if (headers() > 0 && rows.size() > 0) {
    DSVL_TRY(header, rows.read(0));
    if (header + "\n" != header_ && !(rows.size() == 1 && rows.torn()))
      return dsvl::fail(dsvl::Code::bad_argument, "%s: has other columns; give another --output", rows.name().c_str());
  }
  std::unordered_map<std::uint64_t, KeptRow> by_row;
  const std::size_t whole_notes = notes.size() - (notes.torn() ? 1 : 0);
  for (std::size_t i = 1; i < whole_notes; ++i) {
    DSVL_TRY(text, notes.read(i));
    auto note = read_note(text);
    if (!note) continue;
    note->second.note = static_cast<std::uint32_t>(i);
    by_row[note->first.a] = note->second;
  }
  const std::size_t whole_rows = rows.size() - (rows.torn() ? 1 : 0);
  for (std::size_t i = headers(); i < whole_rows; ++i) {
    DSVL_TRY(text, rows.read(i));
    const auto found = by_row.find(key_of(text + "\n").a);
    if (found == by_row.end()) continue;
    found->second.row = static_cast<std::uint32_t>(i);
    by_key_[found->second.key.a] = static_cast<std::uint32_t>(kept_.size());
    kept_.push_back(found->second);
    by_row.erase(found);
  }
  untidy_ = kept_.size() + headers() != rows.size() || kept_.size() + 1 != notes.size() || rows.torn() || notes.torn();
  return {};
}

KeptRow* Journal::find(const Key& key) {
  const auto found = by_key_.find(key.a);
  if (found == by_key_.end() || !(kept_[found->second].key == key)) return nullptr;
  return &kept_[found->second];
}

dsvl::Status Journal::rewrite() {
  std::vector<std::uint32_t> rows, notes;
  std::erase_if(kept_, [](const KeptRow& row) { return row.dropped; });
  for (const KeptRow& row : kept_) rows.push_back(row.row), notes.push_back(row.note);
  rows_.reset();
  DSVL_CHECK_STATUS(copy_records(with(files_.rows, ".part"), header_, kind_, rows));
  DSVL_CHECK_STATUS(lock());
  const fs::path part = with(files_.notes, ".part");
  if (is_there(part)) DSVL_CHECK_STATUS(copy_records(part, about_, {}, notes));
  return {};
}

dsvl::Status Journal::begin() {
  const fs::path rows = with(files_.rows, ".part"), notes = with(files_.notes, ".part");
  const bool fresh = !is_there(notes_now());
  if (rows_now() == files_.rows) {
    DSVL_CHECK_STATUS(give_name(files_.rows, rows));
    DSVL_CHECK_STATUS(lock());
  }
  if (!fresh && notes_now() == files_.notes) DSVL_CHECK_STATUS(give_name(files_.notes, notes));
  finished_ = false;
  const bool dropped = std::any_of(kept_.begin(), kept_.end(), [](const KeptRow& row) { return row.dropped; });
  const bool anew = dropped || untidy_;
  if (anew) DSVL_CHECK_STATUS(rewrite());
  by_key_ = {};
  DSVL_TRY(opened, AppendFile::open(notes));
  notes_.emplace(std::move(opened));
  std::error_code ignored;
  if (!anew && fs::file_size(rows, ignored) == 0 && !header_.empty()) DSVL_CHECK_STATUS(rows_->append(header_));
  if (fs::file_size(notes, ignored) == 0) DSVL_CHECK_STATUS(notes_->append(about_));
  return {};
}

dsvl::Status Journal::append(const std::string& row, const Input& input, const Key& key, bool failed,
                             const RunNote& note) {
  DSVL_CHECK_STATUS(rows_->append(row));
  DSVL_CHECK_STATUS(notes_->append(note_text(row, input, key, failed, note)));
  return sync();
}

dsvl::Status Journal::sync(bool now) {
  if (!now && seconds_since(synced_) < kSyncSeconds) return {};
  DSVL_CHECK_STATUS(rows_->sync());
  synced_ = Clock::now();
  return notes_->sync();
}

dsvl::Status Journal::finish(const std::string& stats) {
  DSVL_CHECK_STATUS(sync(true));
  rows_.reset(), notes_.reset();
  DSVL_CHECK_STATUS(evaluation::write_text(files_.stats, stats));
  DSVL_CHECK_STATUS(give_name(with(files_.notes, ".part"), files_.notes));
  return give_name(with(files_.rows, ".part"), files_.rows);
}

}  // namespace cli::batch
