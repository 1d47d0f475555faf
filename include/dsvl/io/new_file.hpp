// NewFile: a file that is being written. In the end it is there whole or not at all.
//
// Bytes go to a temporary file in the folder of the wanted one (temporary_name.hpp), which is renamed when everything
// was written. Of several writers of one name the last to finish wins; no reader ever sees a part. A writer that is
// killed leaves its temporary file; the next writer of that name says so in the log.
//
//   a symbolic link   is kept: the file that it leads to is replaced, or made
//   a file            hands its permissions to the new one; owner, access lists and other hard links are not kept
//   no file           gives the permissions of any new file (umask)
//   others            are refused, as writing into them would be: read-only files, folders, devices
#ifndef DSVL_IO_NEW_FILE_HPP
#define DSVL_IO_NEW_FILE_HPP

#include "../base/host_macros_push.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "../base/host.hpp"
#include "temporary_name.hpp"
#include "write_failure.hpp"

DSVL_BEGIN_NAMESPACE

/// The guarantees and messages that a writer wants.
struct NewFileOptions {
  /// Waits at the end until the disk has the file and its name, so that it also survives a power failure. It takes as
  /// long as the disk needs for all bytes. Without it the kernel has them: they survive this process, not the machine.
  bool sync = false;
  Logger log = {};  ///< gets a warning for each file that a killed writer of this name left; may be empty
};

/// Writes one file. Errors are kept, so that only the end has to be checked.
class NewFile {
 public:
  /// Opens the temporary file. Errors are told by status() and by commit().
  explicit NewFile(const std::filesystem::path& path, const NewFileOptions& options = {})
      : path_(path), sync_(options.sync) {
    refused_ = open(options.log);
    if (!refused_.ok()) discard();
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  /// Without a commit nothing is left behind, and an older file of that name stays.
  ~NewFile() { discard(); }

  /// Writes bytes at an offset; any number of threads may do so at a time. False, now and from then on, when the system
  /// refuses.
  bool write_at(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
    if (failed()) return false;
    const std::int64_t error = put(offset, bytes);
    std::int64_t none = 0;  // only the first error is kept
    if (error != 0) write_error_.compare_exchange_strong(none, error);
    return error == 0;
  }

  /// True once something went wrong.
  [[nodiscard]] bool failed() const noexcept { return !refused_.ok() || write_error_.load() != 0; }
  /// The first error.
  ///
  /// Codes  io, bad_argument (the path is empty)
  [[nodiscard]] Status status() const {
    if (!refused_.ok() || write_error_.load() == 0) return refused_;
    return write_failure(path_, WriteStep::write, write_error_.load());
  }

  /// Makes sure that everything was written. commit() does this too; where several files belong together, call it for
  /// all of them before the first is put in its place.
  Status finish() {
    if (refused_.ok()) refused_ = status();
    if (refused_.ok() && file_ != kNone) refused_ = close_file();
    if (!refused_.ok()) discard();
    return refused_;
  }

  /// Puts the file in its place, once, as the last call.
  ///
  /// Codes  those of status()
  Status commit() {
    DSVL_CHECK_STATUS(finish());
    refused_ = place();
    if (!refused_.ok()) discard();
    return refused_;
  }

 private:
#ifdef _WIN32
  using Handle = HANDLE;
  inline static const Handle kNone = INVALID_HANDLE_VALUE;
#else
  using Handle = int;
  static constexpr Handle kNone = -1;
#endif
  static constexpr unsigned kAttempts = 10000;  // temporary names that are tried

  /// The error for a step that the system refused.
  [[nodiscard]] Status fail_at(WriteStep step, std::int64_t error) const { return write_failure(path_, step, error); }

  /// Finds out where the file will be, and opens the temporary one.
  Status open(const Logger& log) {
    if (path_.empty()) return fail(Code::bad_argument, "the name of the file to write is empty; name a file");
    DSVL_CHECK_STATUS(follow_links());
    std::filesystem::perms permissions = std::filesystem::perms::unknown;
    DSVL_CHECK_STATUS(look_at_target(permissions));
    return create(permissions, log);
  }

  /// Sets target_ to the end of a chain of symbolic links, which is where the bytes really go.
  Status follow_links() {
    target_ = path_;
    for (int links = 0; links < 40; ++links) {
      std::error_code no_link;
      const std::filesystem::path next = std::filesystem::read_symlink(target_, no_link);
      if (no_link) return {};  // target_ is a file, or is not there
      target_ = next.is_absolute() ? next : target_.parent_path() / next;
    }
    return fail_at(WriteStep::create, write_detail::kTooManyLinks);
  }

  /// Refuses everything that writing in place would refuse too, and reads the permissions of a file that is there.
  Status look_at_target(std::filesystem::perms& permissions) const {
    std::error_code error;
    const std::filesystem::file_status there = std::filesystem::status(target_, error);
    using Type = std::filesystem::file_type;
    if (there.type() == Type::directory || target_.filename().empty())
      return fail(Code::io, "%s: is a folder; name a file in it", Printable(path_to_utf8(path_)).text());
    if (there.type() == Type::not_found) return {};
    if (there.type() == Type::none) return fail_at(WriteStep::create, error.value());
    if (there.type() != Type::regular)
      return fail(Code::io, "%s: is a device, a pipe or a socket; name a regular file, or a new one",
                  Printable(path_to_utf8(path_)).text());
    permissions = there.permissions() & std::filesystem::perms::all;
    const std::int64_t refusal = writing_refused(permissions);
    return refusal == 0 ? Status() : fail_at(WriteStep::write, refusal);
  }

  // These are different on each system; their definitions are below.
  /// The system's error when the target may not be written; 0 when it may.
  std::int64_t writing_refused(std::filesystem::perms permissions) const noexcept;
  /// Creates the temporary file.
  Status create(std::filesystem::perms permissions, const Logger& log);
  /// Writes bytes at an offset; the system's error, or 0.
  std::int64_t put(std::uint64_t offset, std::span<const std::byte> bytes) noexcept;
  /// Closes the file, after waiting for the disk if that is wanted.
  Status close_file();
  /// Renames the temporary file.
  Status place();
  /// Closes and deletes the temporary file, if there is one.
  void discard() noexcept;

  std::filesystem::path path_, target_;  // as it was named, and the file that the name leads to
  std::filesystem::path part_;           // the temporary file while there is one; on POSIX relative to folder_
  bool sync_;
  Handle file_ = kNone;
#ifndef _WIN32
  Handle folder_ = kNone;  // held open, so that neither chdir() nor a renamed folder changes where the file goes
#endif
  Status refused_;
  std::atomic<std::int64_t> write_error_{0};
};

#ifdef _WIN32

// --- Windows -----------------------------------------------------------------------------------
DSVL_COLD inline std::int64_t NewFile::writing_refused(std::filesystem::perms permissions) const noexcept {
  const bool allowed = (permissions & std::filesystem::perms::owner_write) != std::filesystem::perms::none;
  return allowed ? 0 : ERROR_ACCESS_DENIED;
}

DSVL_COLD inline Status NewFile::create(std::filesystem::perms, const Logger& log) {
  // The temporary name is short enough whatever the wanted one is, so the rename would be the first to find out.
  if (target_.filename().native().size() > 255) return fail_at(WriteStep::create, ERROR_FILENAME_EXCED_RANGE);
  // The path is made absolute now, so that a later change of the current folder does not matter. One on another machine
  // (\\server\share) or of any length (\\?\C:) is so already, which libstdc++ does not see.
  std::error_code unknown;
  const std::filesystem::path whole = std::filesystem::absolute(target_, unknown);
  if (!unknown && !target_.native().starts_with(L"\\\\")) target_ = whole;
  const std::filesystem::path folder = target_.parent_path();
  // Paths have a limit as well. A temporary path keeps to it where the wanted path does.
  const std::size_t before = folder.native().size() + 1;
  const std::size_t longest = target_.native().size() < MAX_PATH && before < MAX_PATH - 1 ? MAX_PATH - 1 - before : 255;
  const TemporaryNames names(target_.filename(), longest < 255 ? longest : 255);
  for (unsigned attempt = 0; attempt < kAttempts && file_ == kNone; ++attempt) {
    part_ = folder / names.at(this_process(), attempt);
    file_ = CreateFileW(part_.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
                        nullptr);
    if (file_ == kNone && GetLastError() != ERROR_FILE_EXISTS) break;
  }
  if (file_ == kNone) {
    const DWORD error = GetLastError();
    part_.clear();  // it is not ours
    return fail_at(WriteStep::create, error);
  }
  report_leftovers(folder, names, log);
  return {};
}

DSVL_COLD inline std::int64_t NewFile::put(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    OVERLAPPED at = {};
    at.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFu);
    at.OffsetHigh = static_cast<DWORD>(offset >> 32);
    constexpr std::size_t kMost = std::size_t{1} << 30;
    DWORD n = 0;
    if (!WriteFile(file_, bytes.data(), static_cast<DWORD>(bytes.size() < kMost ? bytes.size() : kMost), &n, &at))
      return GetLastError();
    if (n == 0) return ERROR_HANDLE_DISK_FULL;  // otherwise the loop would not end
    bytes = bytes.subspan(n);
    offset += n;
  }
  return 0;
}

DSVL_COLD inline Status NewFile::close_file() {
  if (sync_ && !FlushFileBuffers(file_)) return fail_at(WriteStep::sync, GetLastError());
  return CloseHandle(std::exchange(file_, kNone)) ? Status() : fail_at(WriteStep::close, GetLastError());
}

DSVL_COLD inline Status NewFile::place() {
  const DWORD how = MOVEFILE_REPLACE_EXISTING | (sync_ ? MOVEFILE_WRITE_THROUGH : 0u);
  DWORD error = ERROR_SUCCESS;
  // Another writer's rename, or a virus scanner, may hold the file for a moment, so the rename is tried again.
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (MoveFileExW(part_.c_str(), target_.c_str(), how)) return part_.clear(), Status();
    error = GetLastError();
    if (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION) break;
    Sleep(10);
  }
  return fail_at(WriteStep::rename, error);
}

DSVL_COLD inline void NewFile::discard() noexcept {
  if (file_ != kNone) CloseHandle(std::exchange(file_, kNone));
  if (!part_.empty()) DeleteFileW(part_.c_str());
  part_.clear();
}

#else

namespace write_detail {

/// Waits until the disk has the file. Returns the error, or 0.
DSVL_COLD inline int flush(int handle) noexcept {
#ifdef F_FULLFSYNC  // on macOS fsync leaves the bytes in the disk's own cache
  if (::fcntl(handle, F_FULLFSYNC) == 0) return 0;
#endif
  int result = 0;
  do result = ::fsync(handle);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

/// Opens a folder, to name files in it. O_PATH does not need the right to list it.
DSVL_COLD inline int open_folder(const std::filesystem::path& folder) noexcept {
#ifdef O_PATH
  constexpr int kHow = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
  constexpr int kHow = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif
  int handle = -1;
  do handle = ::open(folder.empty() ? "." : folder.c_str(), kHow);
  while (handle < 0 && errno == EINTR);
  return handle;
}

}  // namespace write_detail

// --- POSIX -------------------------------------------------------------------------------------
DSVL_COLD inline std::int64_t NewFile::writing_refused(std::filesystem::perms) const noexcept {
  // The effective user counts, as it would for writing. Errors other than a refusal are left for the steps to come.
  if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) == 0) return 0;
  return errno == EACCES || errno == EPERM || errno == EROFS ? errno : 0;
}

DSVL_COLD inline Status NewFile::create(std::filesystem::perms permissions, const Logger& log) {
  folder_ = write_detail::open_folder(target_.parent_path());
  if (folder_ == kNone) return fail_at(WriteStep::open_folder, errno);
  const long longest = ::fpathconf(folder_, _PC_NAME_MAX);
  const TemporaryNames names(target_.filename(), longest > 0 ? static_cast<std::size_t>(longest) : 255);
  // A new file is made as any program makes one, readable and writable as far as the umask allows.
  const bool replaces = permissions != std::filesystem::perms::unknown;
  const auto mode = static_cast<::mode_t>(replaces ? static_cast<unsigned>(permissions) & 0777u : 0666u);
  for (unsigned attempt = 0; attempt < kAttempts && file_ == kNone; ++attempt) {
    part_ = names.at(this_process(), attempt);
    file_ = ::openat(folder_, part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file_ == kNone && errno != EEXIST && errno != EINTR) break;
  }
  if (file_ == kNone) {
    const int error = errno;
    part_.clear();  // it is not ours
    return fail_at(WriteStep::create, error);
  }
  // The umask may have removed some permissions. Some file systems have none, so a failure is ignored.
  if (replaces) (void)(::fchmod(file_, mode) == 0);
  // The lock shows that the file is being written; see is_left_over().
  (void)(::flock(file_, LOCK_EX | LOCK_NB) == 0);
  report_leftovers(target_.parent_path(), names, log);
  return {};
}

DSVL_COLD inline std::int64_t NewFile::put(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    const std::size_t size = bytes.size() < kMost ? bytes.size() : kMost;
    const ::ssize_t n = ::pwrite(file_, bytes.data(), size, static_cast<::off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;  // otherwise the loop would not end
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

DSVL_COLD inline Status NewFile::close_file() {
  if (const int error = sync_ ? write_detail::flush(file_) : 0; error != 0) return fail_at(WriteStep::sync, error);
  const int closed = ::close(std::exchange(file_, kNone));  // some network file systems report a full disk only here
  return closed == 0 || errno == EINTR ? Status() : fail_at(WriteStep::close, errno);
}

DSVL_COLD inline Status NewFile::place() {
  if (::renameat(folder_, part_.c_str(), folder_, target_.filename().c_str()) != 0)
    return fail_at(WriteStep::rename, errno);
  part_.clear();
  if (!sync_) return {};
  // The new name is an entry of the folder, so the folder has to reach the disk as well.
  const int folder = ::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = folder < 0 ? errno : write_detail::flush(folder);
  if (folder >= 0) ::close(folder);
  // EINVAL means that the file system does not sync folders, because it writes names at once, or never.
  return error == 0 || error == EINVAL ? Status() : fail_at(WriteStep::sync_folder, error);
}

DSVL_COLD inline void NewFile::discard() noexcept {
  if (file_ != kNone) ::close(std::exchange(file_, kNone));
  if (!part_.empty()) ::unlinkat(folder_, part_.c_str(), 0);
  part_.clear();
  if (folder_ != kNone) ::close(std::exchange(folder_, kNone));
}

#endif

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_NEW_FILE_HPP
