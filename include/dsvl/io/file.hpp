// File: a regular file opened for reading, by path, on POSIX and Windows.
//
// Both ways to a file's bytes start from it: MappedFile maps it, io/folder.hpp reads it in blocks. Pipes, devices and
// folders are refused, because their size is not known beforehand.
#ifndef DSVL_IO_FILE_HPP
#define DSVL_IO_FILE_HPP

#include "../base/host_macros_push.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if defined(_WIN32)
#include "../base/windows.hpp"
#else
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "../base/status.hpp"
#include "path_text.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

/// A regular file that is open for reading, and closed when the object is destroyed. `what` names the file in errors.
class File {
 public:
#ifdef _WIN32
  using Handle = HANDLE;  ///< the system's handle
#else
  using Handle = int;  ///< the file descriptor
#endif

  /// Opens the file.
  ///
  /// Codes  not_found, io (not allowed, a directory, a device, …)
  static Result<File> open(const std::filesystem::path& path, std::string_view what) noexcept;

  /// Takes the handle over.
  File(File&& other) noexcept : handle_(std::exchange(other.handle_, closed())), size_(other.size_) {}
  /// Exchanges the handles, so that `other` closes the old one.
  File& operator=(File&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(size_, other.size_);
    return *this;
  }
  /// Closes the file.
  ~File();

  /// Bytes at the time of opening. Another process may change the file later.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The handle, which stays this object's.
  [[nodiscard]] Handle handle() const noexcept { return handle_; }

  /// Fills `into` from byte `offset` on. It moves no file position, so threads may read at the same time.
  ///
  /// Codes  io (the file ends before that, or the system refuses)
  Status read(std::uint64_t offset, std::span<std::byte> into, std::string_view what) const noexcept;

 private:
  File(Handle handle, std::uint64_t size) noexcept : handle_(handle), size_(size) {}
  static Handle closed() noexcept;  // the value of a handle that is not open

  Handle handle_;
  std::uint64_t size_ = 0;
};

#ifdef _WIN32

// --- Windows -----------------------------------------------------------------------------------
DSVL_COLD inline File::Handle File::closed() noexcept { return INVALID_HANDLE_VALUE; }
DSVL_COLD inline File::~File() { if (handle_ != closed()) CloseHandle(handle_); }

DSVL_COLD inline Result<File> File::open(const std::filesystem::path& path, std::string_view what) noexcept {
  // Others may read, rename and delete the file meanwhile, as on POSIX, but not write to it.
  const HANDLE handle = CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
      return fail(Code::not_found, "%s: no such file", Printable(what).text());
    // Opening a folder fails with "access denied", which would be misleading.
    const DWORD about = GetFileAttributesW(path.c_str());
    if (about != INVALID_FILE_ATTRIBUTES && (about & FILE_ATTRIBUTE_DIRECTORY))
      return fail(Code::io, "%s: is a folder, not a file", Printable(what).text());
    if (error == ERROR_ACCESS_DENIED) return fail(Code::io, "%s: permission denied", Printable(what).text());
    return fail(Code::io, "%s: cannot be opened (system error %lu)", Printable(what).text(), error);
  }
  LARGE_INTEGER size = {};
  File file(handle, 0);  // closes the handle on every way out
  if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileSizeEx(handle, &size))
    return fail(Code::io, "%s: not a regular file", Printable(what).text());
  file.size_ = static_cast<std::uint64_t>(size.QuadPart);
  return file;
}

DSVL_COLD
inline Status File::read(std::uint64_t offset, std::span<std::byte> into, std::string_view what) const noexcept {
  while (!into.empty()) {
    OVERLAPPED at = {};  // gives the offset, as pread() does; the handle is synchronous
    at.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFu);
    at.OffsetHigh = static_cast<DWORD>(offset >> 32);
    constexpr std::size_t kMost = std::size_t{1} << 30;  // ReadFile counts in 32 bits
    const DWORD wanted = static_cast<DWORD>(into.size() < kMost ? into.size() : kMost);
    DWORD got = 0;
    if (!ReadFile(handle_, into.data(), wanted, &got, &at) && GetLastError() != ERROR_HANDLE_EOF)
      return fail(Code::io, "%s: cannot be read (system error %lu)", Printable(what).text(), GetLastError());
    if (got == 0)
      return fail(Code::io, "%s: ends at byte %llu, %zu more were expected", Printable(what).text(),
                  static_cast<unsigned long long>(offset), into.size());
    offset += got;
    into = into.subspan(got);
  }
  return {};
}

#else

// --- POSIX -------------------------------------------------------------------------------------
DSVL_COLD inline File::Handle File::closed() noexcept { return -1; }
DSVL_COLD inline File::~File() { if (handle_ != closed()) ::close(handle_); }

DSVL_COLD inline Result<File> File::open(const std::filesystem::path& path, std::string_view what) noexcept {
  int handle = -1;
  do handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // opening a pipe must not wait for a writer
  while (handle < 0 && errno == EINTR);
  if (handle < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return fail(Code::not_found, "%s: no such file", Printable(what).text());
    if (error == EACCES) return fail(Code::io, "%s: permission denied", Printable(what).text());
    return fail(Code::io, "%s: cannot be opened: %s", Printable(what).text(),
                std::generic_category().message(error).c_str());
  }
  File file(handle, 0);  // closes the descriptor on every way out
  struct stat about = {};
  const bool known = ::fstat(handle, &about) == 0;
  if (known && S_ISDIR(about.st_mode)) return fail(Code::io, "%s: is a folder, not a file", Printable(what).text());
  if (!known)
    return fail(Code::io, "%s: its size cannot be read: %s", Printable(what).text(),
                std::generic_category().message(errno).c_str());
  if (!S_ISREG(about.st_mode)) return fail(Code::io, "%s: not a regular file", Printable(what).text());
  file.size_ = static_cast<std::uint64_t>(about.st_size);
  return file;
}

DSVL_COLD
inline Status File::read(std::uint64_t offset, std::span<std::byte> into, std::string_view what) const noexcept {
  while (!into.empty()) {
    const ::ssize_t got = ::pread(handle_, into.data(), into.size(), static_cast<::off_t>(offset));
    if (got < 0 && errno == EINTR) continue;  // a signal came before a byte was read
    if (got < 0)
      return fail(Code::io, "%s: cannot be read: %s", Printable(what).text(),
                  std::generic_category().message(errno).c_str());
    if (got == 0)
      return fail(Code::io, "%s: ends at byte %llu, %zu more were expected", Printable(what).text(),
                  static_cast<unsigned long long>(offset), into.size());
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

#endif

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_HPP
