// Folder: the place that a model comes from: a directory, the caller's memory, or a reader of the caller's.
//
// Everything that loads from a directory also loads from the other two (a pak file, an app's resources, a database, an
// encrypted store), because loaders ask a Folder for named Bytes and know nothing of paths.
#ifndef DSVL_IO_FOLDER_HPP
#define DSVL_IO_FOLDER_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/host.hpp"
#include "../base/status.hpp"

DSVL_BEGIN_NAMESPACE

class Bytes;  // io/bytes.hpp

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
  [[nodiscard]] bool has(std::string_view name) const noexcept;

  /// Size of the file in bytes.
  ///
  /// Codes  those of open()
  [[nodiscard]] Result<std::uint64_t> size(std::string_view name) const noexcept;

  /// Opens the whole file. Reports Stage::load in bytes of this file, and looks at `cancel` (may be null) every MiB.
  ///
  /// Codes  bad_argument (see file_name.hpp), not_found, io, limit, out_of_memory, cancelled
  [[nodiscard]] Result<Bytes> open(std::string_view name, LoadMode mode = LoadMode::map, Allocator* from = nullptr,
                                   const Progress& progress = {}, const CancelToken* cancel = nullptr) const noexcept;

  /// The name of a file in messages: its path, or its name and that it is no path.
  [[nodiscard]] std::string describe(std::string_view name) const;

 private:
  enum class Kind : unsigned char { directory, memory, reader };
  struct Entry {
    std::string name;
    std::span<const std::byte> bytes;
  };
  [[nodiscard]] std::filesystem::path path_of(std::string_view name) const;
  /// The file of that name in memory, or null.
  [[nodiscard]] const Entry* entry(std::string_view name) const noexcept;
  /// The error for a file that is not there.
  [[nodiscard]] Status missing(std::string_view name) const noexcept;
  /// open() for a directory.
  [[nodiscard]] Result<Bytes> open_file(std::string_view name, LoadMode mode, Allocator* from,
                                        const Progress& progress, const CancelToken* cancel) const noexcept;

  Kind kind_ = Kind::directory;
  std::filesystem::path path_;
  std::vector<Entry> files_;
  Reader* reader_ = nullptr;
};

DSVL_END_NAMESPACE

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "folder_files.hpp"
#endif

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FOLDER_HPP
