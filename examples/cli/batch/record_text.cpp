#include "record_text.hpp"

#include <limits>

#include "../pictures.hpp"
#include "../system.hpp"

namespace cli::batch {

namespace {

int seek(std::FILE* file, std::uint64_t at) {
#ifdef _WIN32
  return _fseeki64(file, static_cast<long long>(at), SEEK_SET);
#else
  return ::fseeko(file, static_cast<off_t>(at), SEEK_SET);
#endif
}

dsvl::Status cannot_read(const std::string& name) {
  return dsvl::fail(dsvl::Code::io, "%s: cannot be read", name.c_str());
}

}  // namespace

dsvl::Result<RecordText::FilePointer> RecordText::copy_pipe(const std::string& name) {
  FilePointer copy(std::tmpfile());
  if (!copy) return dsvl::fail(dsvl::Code::io, "%s: there is no temporary file to copy it to", name.c_str());
  const Poured result = pour(name, [&](std::span<const std::byte> bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), copy.get()) == bytes.size();
  });
  if (result == Poured::interrupted) return dsvl::fail(dsvl::Code::cancelled, "stopped");
  if (result == Poured::too_much)
    return dsvl::fail(dsvl::Code::io, "%s: the temporary file that it is copied to is full", name.c_str());
  if (result != Poured::whole) return cannot_read(name);
  return copy;
}

dsvl::Result<RecordText> RecordText::of_file(const std::string& name, RecordKind kind) {
  RecordText out;
  out.name_ = is_standard_input(name) ? "standard input" : name;
  const std::filesystem::path path = to_path(name);
  if (is_standard_input(name) || is_pipe(path)) {
    DSVL_TRY(copy, copy_pipe(name));
    out.file_ = std::move(copy);
  } else {
    const std::string why = why_unreadable(path);
    if (!why.empty()) return dsvl::fail(dsvl::Code::io, "%s: %s", name.c_str(), why.c_str());
#ifdef _WIN32
    out.file_.reset(_wfopen(path.c_str(), L"rb"));
#else
    out.file_.reset(std::fopen(path.c_str(), "rb"));
#endif
    if (!out.file_) return cannot_read(name);
  }
  DSVL_CHECK_STATUS(out.index(kind));
  return out;
}

RecordText RecordText::of_lines(std::string lines) {
  RecordText out;
  out.text_ = std::move(lines);
  std::size_t line = 0;
  for (std::size_t at = 0; at < out.text_.size(); ++line) {
    const std::size_t end = std::min(out.text_.find('\n', at), out.text_.size());
    out.add(at, end - at, line + 1, false);
    at = end + 1;
  }
  return out;
}

void RecordText::add(std::uint64_t at, std::uint64_t size, std::size_t line, bool blank) {
  if (!blank && size <= std::numeric_limits<std::uint32_t>::max())
    records_.push_back({at, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(line)});
}

dsvl::Status RecordText::index(RecordKind kind) {
  RecordScanner scanner(kind);
  std::rewind(file_.get());
  char block[1 << 16];
  std::uint64_t at = 0, begin = 0;
  std::size_t line = 1, first_line = 1;
  bool blank = true;
  for (std::size_t n; (n = std::fread(block, 1, sizeof block, file_.get())) > 0;)
    for (std::size_t i = 0; i < n; ++i, ++at) {
      const char c = block[i];
      line += c == '\n';
      if (!scanner.ends_record(c)) {
        blank = blank && (c == ' ' || c == '\t' || c == '\r');
        continue;
      }
      add(begin, at - begin, first_line, blank);
      begin = at + 1, first_line = line, blank = true;
    }
  if (std::ferror(file_.get())) return cannot_read(name_);
  torn_ = at > begin;
  add(begin, at - begin, first_line, blank);
  return {};
}

dsvl::Result<std::string> RecordText::read(std::size_t i) const {
  const Record& record = records_[i];
  std::string out;
  if (!file_) {
    out = text_.substr(static_cast<std::size_t>(record.at), record.size);
  } else {
    out.resize(record.size);
    const std::lock_guard lock(*reading_);
    if (seek(file_.get(), record.at) != 0 || std::fread(out.data(), 1, out.size(), file_.get()) != out.size())
      return cannot_read(name_);
  }
  if (out.ends_with('\r')) out.pop_back();
  return out;
}

}  // namespace cli::batch
