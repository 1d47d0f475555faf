// Folder: where a model comes from: a directory, the caller's memory, or a reader of the caller's.
//
// Everything that loads from a directory also loads from the other two (a pak file, an app's resources, a database, an
// encrypted store), since loaders ask a Folder for named Bytes and know nothing of paths.
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

/// How the bytes of a file get into memory. It matters for directories only: the caller's memory is used where it
/// lies, and a Reader always reads.
enum class LoadMode : unsigned char {
  map,       ///< mapped; pages come from disk at first use. Quick to open, no private memory. Needs files that stay as
             ///< they are: truncating one ends the process (see mapped_file.hpp)
  read,      ///< copied into memory from the allocator, with progress. The safe choice when files may change or vanish
  prefault,  ///< mapped, and every page touched with progress, so that first use does not wait for the disk
};

constexpr std::string_view name(LoadMode mode) noexcept {
  switch (mode) {
    case LoadMode::map: return "map";
    case LoadMode::read: return "read";
    case LoadMode::prefault: return "prefault";
  }
  return "unknown";
}

/// The caller's own way to get at named bytes. Called on the loading thread only.
class Reader {
 public:
  /// Bytes of that file, or nothing when there is no such file.
  virtual std::optional<std::uint64_t> size(std::string_view name) noexcept = 0;
  /// Fills `into` from byte `offset` on; false when that is not possible. Blocks are at most 1 MiB.
  virtual bool read(std::string_view name, std::uint64_t offset, std::span<std::byte> into) noexcept = 0;

 protected:
  ~Reader() = default;
};

/// A name and its bytes in the caller's memory.
struct NamedBytes {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// A set of named files. Cheap to copy except for a memory folder's table; thread-safe as far as its Reader is.
class Folder {
 public:
  /// A directory. On Windows any path works, whatever its letters; names are UTF-8 on every system.
  static Folder directory(std::filesystem::path path) {
    Folder folder;
    folder.path_ = std::move(path);
    return folder;
  }
  /// The caller's memory, used in place: the bytes (not the table, not the names) must outlive what is loaded.
  static Folder memory(std::span<const NamedBytes> files) {
    Folder folder;
    folder.kind_ = Kind::memory;
    for (const NamedBytes& file : files) folder.files_.push_back({std::string(file.name), file.bytes});
    return folder;
  }
  /// The caller's reader; it must outlive the Folder and its copies.
  static Folder reader(Reader& reader) {
    Folder folder;
    folder.kind_ = Kind::reader;
    folder.reader_ = &reader;
    return folder;
  }

  /// Whether there is such a file (and the name is acceptable).
  [[nodiscard]] bool has(std::string_view name) const noexcept;

  /// Bytes of the file. Codes as for open().
  [[nodiscard]] Result<std::uint64_t> size(std::string_view name) const noexcept;

  /// The whole file. Reports Stage::load in bytes of this file and looks at `cancel` (may be null) every MiB.
  /// Codes: bad_argument (see file_name.hpp), not_found, io, limit, out_of_memory, cancelled.
  [[nodiscard]] Result<Bytes> open(std::string_view name, LoadMode mode = LoadMode::map, Allocator* from = nullptr,
                                   const Progress& progress = {}, const CancelToken* cancel = nullptr) const noexcept;

  /// How messages call the file: its path, or its name and that it is no path.
  [[nodiscard]] std::string describe(std::string_view name) const;

 private:
  enum class Kind : unsigned char { directory, memory, reader };
  struct Entry {
    std::string name;
    std::span<const std::byte> bytes;
  };
  [[nodiscard]] std::filesystem::path path_of(std::string_view name) const;
  [[nodiscard]] const Entry* entry(std::string_view name) const noexcept;
  [[nodiscard]] Status missing(std::string_view name) const noexcept;
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
