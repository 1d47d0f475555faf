// Folder: the place that a model comes from: a directory, the caller's memory, or a reader of the caller's.
//
// Everything that loads from a directory also loads from the other two (a pak file, an app's resources, a database, an
// encrypted store), because loaders ask a Folder for named Bytes and know nothing of paths.
#ifndef DSVL_IO_SOURCE_HPP
#define DSVL_IO_SOURCE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "../base/view.hpp"
#include "bytes.hpp"

DSVL_BEGIN_NAMESPACE

/// The way in which the bytes of a file get into memory. It matters for directories only: the caller's memory is used
/// in place, and a Reader always reads.
enum class LoadMode : unsigned char {
  /// The file is mapped, and pages come from disk at first use. It opens quickly and takes no private memory. The file
  /// must not change: truncating it ends the process (see mapped_file.hpp).
  map,
  /// The file is copied into memory from the allocator, with progress. This is safe when files may change or vanish.
  read,
  /// The file is mapped, and every page is touched, with progress, so that first use does not wait for the disk.
  prefault,
};

/// The mode's name, for messages.
constexpr std::string_view name(LoadMode mode) noexcept {
  switch (mode) {
    case LoadMode::map: return "map";
    case LoadMode::read: return "read";
    case LoadMode::prefault: return "prefault";
  }
  return "unknown";
}

/// The caller's own access to named bytes. It is called on the loading thread only.
class Reader {
 public:
  /// Size of that file in bytes, or nothing when there is no such file.
  virtual std::optional<std::uint64_t> size(std::string_view name) noexcept = 0;
  /// Fills `into` from byte `offset` on; false when that is not possible. Blocks have at most 1 MiB.
  virtual bool read(std::string_view name, std::uint64_t offset, std::span<std::byte> into) noexcept = 0;

 protected:
  ~Reader() = default;
};

/// A name and its bytes in the caller's memory.
struct NamedBytes {
  std::string_view name;             ///< such as "config.json"
  std::span<const std::byte> bytes;  ///< the whole file
};

/// Ok for a plain relative name like "model.safetensors" or "shards/1.safetensors"; else bad_argument. Names from an
/// index file are untrusted: those that could leave the folder, or mean two things on two systems, are refused.
inline Status check_name(std::string_view name) noexcept {
  const auto refuse = [name](const char* why) {
    return fail(Code::bad_argument, "file name '%s': %s", Printable(name).text(), why);
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > 1024) return refuse("is too long");
  // A backslash separates folders on Windows only, and a colon names a drive or a stream there.
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return refuse("has a control character");
    if (c == '\\' || c == ':') return refuse("has a backslash or a colon");
  }
  if (name.front() == '/') return refuse("is absolute");
  // Each part between slashes must be a real name, so that ".." cannot leave the folder.
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = (std::min)(name.find('/', from), name.size());
    const std::string_view part = name.substr(from, to - from);
    if (part.empty() || part == "." || part == "..") return refuse("has an empty part, '.' or '..'");
    from = to + 1;
  }
  return {};
}

/// A set of named files. Cheap to copy, except for the table of a folder in memory. As thread-safe as its Reader is.
class Folder {
 public:
  /// A directory. On Windows any path works, whatever its characters; names are UTF-8 on every system.
  static Folder directory(std::filesystem::path path) {
    Folder folder;
    folder.path_ = std::move(path);
    return folder;
  }
  /// The caller's memory, used in place: the bytes must outlive what is loaded; the table and the names are copied.
  static Folder memory(std::span<const NamedBytes> files) {
    Folder folder;
    folder.kind_ = Kind::memory;
    for (const NamedBytes& file : files) folder.files_.push_back({std::string(file.name), file.bytes});
    return folder;
  }
  /// The caller's reader, which must outlive the Folder and its copies.
  static Folder reader(Reader& reader) {
    Folder folder;
    folder.kind_ = Kind::reader;
    folder.reader_ = &reader;
    return folder;
  }

  /// True when there is such a file, and its name is acceptable.
  [[nodiscard]] bool has(std::string_view name) const noexcept { return size(name).has_value(); }

  /// Size of the file in bytes.
  ///
  /// Codes  those of open()
  [[nodiscard]] Result<std::uint64_t> size(std::string_view name) const noexcept;

  /// Opens the whole file. Reports Stage::load in bytes of this file, and looks at `cancel` (may be null) every MiB.
  ///
  /// Codes  bad_argument (see check_name), not_found, io, limit, out_of_memory, cancelled
  [[nodiscard]] Result<Bytes> open(std::string_view name, LoadMode mode = LoadMode::map, Allocator* from = nullptr,
                                   const Progress& progress = {}, const CancelToken* cancel = nullptr) const noexcept;

  /// The name of a file in messages: its path, or its name and that it is no path.
  [[nodiscard]] std::string describe(std::string_view name) const {
    switch (kind_) {
      case Kind::directory: return path_to_utf8(path_of(name));
      case Kind::memory: return std::string(name) + " (in memory)";
      case Kind::reader: return std::string(name) + " (from the reader)";
    }
    return std::string(name);
  }

 private:
  enum class Kind : unsigned char { directory, memory, reader };
  struct Entry {
    std::string name;
    std::span<const std::byte> bytes;
  };
  static constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes between two looks at `cancel`
  static constexpr std::size_t kPage = 4096;                   // the smallest page of any supported system

  [[nodiscard]] std::filesystem::path path_of(std::string_view name) const {
    return path_ / utf8_to_path(name);
  }
  /// The file of that name in memory, or null.
  [[nodiscard]] const Entry* entry(std::string_view name) const noexcept {
    for (const Entry& file : files_)
      if (file.name == name) return &file;
    return nullptr;
  }
  /// The error for a file that is not there.
  [[nodiscard]] Status missing(std::string_view name) const noexcept {
    return fail(Code::not_found, "%s: no such file", Printable(describe(name)).text());
  }

  /// Calls step(offset, bytes) for one block after another until it fails or `cancel` is set.
  template <class Step>
  static Status in_blocks(std::uint64_t size, std::string_view what, const Progress& progress,
                          const CancelToken* cancel, Step step) noexcept;
  /// Reads a file of `size` bytes into memory, block by block.
  template <class ReadBlock>
  static Result<Bytes> read_all(std::uint64_t size, std::string_view what, Allocator* from, const Progress& progress,
                                const CancelToken* cancel, ReadBlock read_block) noexcept;
  /// open() for a directory.
  [[nodiscard]] Result<Bytes> open_file(std::string_view name, LoadMode mode, Allocator* from,
                                        const Progress& progress, const CancelToken* cancel) const noexcept;

  Kind kind_ = Kind::directory;
  std::filesystem::path path_;
  std::vector<Entry> files_;
  Reader* reader_ = nullptr;
};

template <class Step>
Status Folder::in_blocks(std::uint64_t size, std::string_view what, const Progress& progress,
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

template <class ReadBlock>
Result<Bytes> Folder::read_all(std::uint64_t size, std::string_view what, Allocator* from, const Progress& progress,
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

inline Result<std::uint64_t> Folder::size(std::string_view name) const noexcept {
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

inline Result<Bytes> Folder::open(std::string_view name, LoadMode mode, Allocator* from, const Progress& progress,
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
  return read_all(size, what, from, progress, cancel, [&](std::uint64_t at, std::span<std::byte> into) {
    if (reader_->read(name, at, into)) return Status();
    return fail(Code::io, "%s: the reader failed at byte %llu", Printable(what).text(),
                static_cast<unsigned long long>(at));
  });
}

inline Result<Bytes> Folder::open_file(std::string_view name, LoadMode mode, Allocator* from, const Progress& progress,
                                       const CancelToken* cancel) const noexcept {
  const std::string what = describe(name);
  DSVL_TRY(file, File::open(path_of(name), what));
  // The file is closed on return; a mapping keeps what it needs.
  if (mode == LoadMode::read)
    return read_all(file.size(), what, from, progress, cancel,
                    [&](std::uint64_t at, std::span<std::byte> into) { return file.read(at, into, what); });
  DSVL_TRY(mapped, MappedFile::map(file, what));
  if (mode == LoadMode::prefault) {
    const std::byte* const data = mapped.data();
    DSVL_CHECK_STATUS(in_blocks(mapped.size(), what, progress, cancel, [data](std::size_t at, std::size_t bytes) {
      const volatile std::byte* const block = data + at;  // volatile, because the reads must happen; no value is used
      for (std::size_t i = 0; i < bytes; i += kPage) static_cast<void>(block[i]);
      return Status();
    }));
  } else {
    progress(Stage::load, static_cast<double>(mapped.size()), static_cast<double>(mapped.size()));
  }
  return Bytes(std::move(mapped));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_SOURCE_HPP
