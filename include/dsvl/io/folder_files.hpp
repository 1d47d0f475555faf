// Definitions of io/folder.hpp: how the files of a folder are found, mapped and read.
#ifndef DSVL_IO_FOLDER_FILES_HPP
#define DSVL_IO_FOLDER_FILES_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <utility>

#include "bytes.hpp"
#include "file_name.hpp"
#include "folder.hpp"
#include "path_text.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes between two looks at `cancel`
inline constexpr std::size_t kPage = 4096;                   // the smallest page of any supported system

/// Calls step(offset, bytes) for one block after another until it fails or `cancel` is set.
template <class Step>
Status in_blocks(std::uint64_t size, std::string_view what, const Progress& progress,
                         const CancelToken* cancel, Step step) noexcept {
  const double total = static_cast<double>(size);
  for (std::uint64_t at = 0; at < size;) {
    if (cancel && cancel->cancelled())
      return fail(Code::cancelled, "%s: loading was cancelled", Printable(what).text());
    const std::size_t bytes = static_cast<std::size_t>((std::min<std::uint64_t>)(kBlock, size - at));
    DSVL_CHECK_STATUS(step(static_cast<std::size_t>(at), bytes));
    at += bytes;
    progress(Stage::load, static_cast<double>(at), total);
  }
  return {};
}

/// Reads a file of `size` bytes into memory, block by block.
template <class ReadBlock>
Result<Bytes> read_all(std::uint64_t size, std::string_view what, Allocator* from, const Progress& progress,
                               const CancelToken* cancel, ReadBlock read_block) noexcept {
  Buffer<std::byte> buffer(from);
  // A Reader's size is the caller's word; the file's may be larger than memory.
  if (!std::in_range<Index>(size) || !buffer.resize(static_cast<std::size_t>(size)))
    return fail(Code::out_of_memory, "%s: no memory for %llu bytes", Printable(what).text(),
                static_cast<unsigned long long>(size));
  DSVL_CHECK_STATUS(in_blocks(size, what, progress, cancel, [&](std::size_t at, std::size_t bytes) {
    return read_block(at, buffer.span().subspan(at, bytes));
  }));
  return Bytes(std::move(buffer));
}

}  // namespace detail

DSVL_INLINE std::filesystem::path Folder::path_of(std::string_view name) const { return path_ / utf8_to_path(name); }
DSVL_INLINE const Folder::Entry* Folder::entry(std::string_view name) const noexcept {
  for (const Entry& file : files_)
    if (file.name == name) return &file;
  return nullptr;
}
DSVL_INLINE Status Folder::missing(std::string_view name) const noexcept {
  return fail(Code::not_found, "%s: no such file", Printable(describe(name)).text());
}
DSVL_INLINE std::string Folder::describe(std::string_view name) const {
  switch (kind_) {
    case Kind::directory: return path_to_utf8(path_of(name));
    case Kind::memory: return std::string(name) + " (in memory)";
    case Kind::reader: return std::string(name) + " (from the reader)";
  }
  return std::string(name);
}

DSVL_INLINE bool Folder::has(std::string_view name) const noexcept { return size(name).has_value(); }

DSVL_INLINE Result<std::uint64_t> Folder::size(std::string_view name) const noexcept {
  DSVL_CHECK_STATUS(check_name(name));
  // A directory's file is opened to ask for its size, so that a folder or a device is refused here already.
  if (kind_ == Kind::memory) {
    if (const Entry* const file = entry(name)) return std::uint64_t{file->bytes.size()};
    return missing(name);
  }
  if (kind_ == Kind::reader) {
    if (const auto size = reader_->size(name)) return *size;
    return missing(name);
  }
  DSVL_TRY(file, File::open(path_of(name), describe(name)));
  return file.size();
}

DSVL_INLINE Result<Bytes> Folder::open(std::string_view name, LoadMode mode, Allocator* from, const Progress& progress,
                                       const CancelToken* cancel) const noexcept {
  if (kind_ == Kind::directory) {
    DSVL_CHECK_STATUS(check_name(name));
    return open_file(name, mode, from, progress, cancel);
  }
  DSVL_TRY(size, this->size(name));
  if (kind_ == Kind::memory) {
    progress(Stage::load, static_cast<double>(size), static_cast<double>(size));  // nothing has to be read
    return Bytes::borrow(entry(name)->bytes);
  }
  const std::string what = describe(name);
  return detail::read_all(size, what, from, progress, cancel, [&](std::uint64_t at, std::span<std::byte> into) {
    if (reader_->read(name, at, into)) return Status();
    return fail(Code::io, "%s: the reader failed at byte %llu", Printable(what).text(),
                static_cast<unsigned long long>(at));
  });
}

DSVL_INLINE Result<Bytes> Folder::open_file(std::string_view name, LoadMode mode, Allocator* from,
                                            const Progress& progress, const CancelToken* cancel) const noexcept {
  const std::string what = describe(name);
  DSVL_TRY(file, File::open(path_of(name), what));
  // The file is closed on return; a mapping keeps what it needs.
  if (mode == LoadMode::read)
    return detail::read_all(file.size(), what, from, progress, cancel,
                    [&](std::uint64_t at, std::span<std::byte> into) { return file.read(at, into, what); });
  DSVL_TRY(mapped, MappedFile::map(file, what));
  if (mode == LoadMode::prefault) {
    const std::byte* const data = mapped.data();
    const auto touch = [data](std::size_t at, std::size_t bytes) {
      const volatile std::byte* const block = data + at;  // volatile, because the reads must happen; no value is used
      for (std::size_t i = 0; i < bytes; i += detail::kPage) static_cast<void>(block[i]);
      return Status();
    };
    DSVL_CHECK_STATUS(detail::in_blocks(mapped.size(), what, progress, cancel, touch));
  } else {
    progress(Stage::load, static_cast<double>(mapped.size()), static_cast<double>(mapped.size()));
  }
  return Bytes(std::move(mapped));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FOLDER_FILES_HPP
