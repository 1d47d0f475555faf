// MappedFile: a file's bytes as read-only memory, which the system fetches when they are first touched.
//
// This is how weights get into the process without a copy. In return the file must not change while it is mapped. When
// another process truncates it, POSIX answers the next access beyond its new end with SIGBUS, which ends the host;
// Windows refuses the truncation. Where files can change under a running program, use LoadMode::read (io/folder.hpp).
#ifndef DSVL_IO_MAPPED_FILE_HPP
#define DSVL_IO_MAPPED_FILE_HPP

#include <limits>
#include <system_error>

#include "file.hpp"

#ifndef _WIN32
#include <cerrno>
#include <sys/mman.h>
#endif

DSVL_BEGIN_NAMESPACE

/// Owns the mapping, not the file, which may be closed. An empty file gives data() == nullptr and size() == 0.
class MappedFile {
 public:
  /// No mapping.
  MappedFile() noexcept = default;
  /// Takes the mapping over; the address does not change.
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  /// Exchanges the mappings, so that `other` ends the old one.
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  /// Ends the mapping; all views into it become invalid.
  ~MappedFile() { unmap(); }

  /// Maps the whole file.
  ///
  /// Codes  io, limit (larger than the address space)
  static Result<MappedFile> map(const File& file, std::string_view what) noexcept {
    MappedFile mapped;
    if (file.size() == 0) return mapped;
    if (file.size() > static_cast<std::uint64_t>((std::numeric_limits<std::ptrdiff_t>::max)()))
      return fail(Code::limit, "%s: too large for this machine's address space", Printable(what).text());
    mapped.size_ = static_cast<std::size_t>(file.size());
    int error = 0;
    mapped.data_ = map(file.handle(), mapped.size_, error);
    if (!mapped.data_) {
      mapped.size_ = 0;
      return fail(Code::io, "%s: the system cannot map its %llu bytes: %s", Printable(what).text(),
                  static_cast<unsigned long long>(file.size()), std::system_category().message(error).c_str());
    }
    return mapped;
  }
  /// Opens and maps a file.
  ///
  /// Codes  those of File::open and of map()
  static Result<MappedFile> open(const std::filesystem::path& path, std::string_view what) noexcept {
    DSVL_TRY(file, File::open(path, what));
    return map(file, what);
  }

  /// The first byte, at the beginning of a page.
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  /// Bytes of the file.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
#ifdef _WIN32
  static const std::byte* map(HANDLE file, std::size_t, int& error) noexcept {
    const HANDLE section = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    error = static_cast<int>(GetLastError());
    if (!section) return nullptr;
    const void* const data = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    error = static_cast<int>(GetLastError());
    CloseHandle(section);  // the view keeps the section alive
    return static_cast<const std::byte*>(data);
  }
  void unmap() noexcept { if (data_) UnmapViewOfFile(data_); }
#else
  static const std::byte* map(int file, std::size_t size, int& error) noexcept {
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    error = errno;
    return data == MAP_FAILED ? nullptr : static_cast<const std::byte*>(data);
  }
  void unmap() noexcept { if (data_) ::munmap(const_cast<std::byte*>(data_), size_); }
#endif

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_IO_MAPPED_FILE_HPP
