// Says in words why a file could not be written: which step failed, what the system said, and what to do.
//
// A full disk or a missing folder is the most common error of a converter, and the system's number does not explain it.
#ifndef DSVL_IO_WRITE_FAILURE_HPP
#define DSVL_IO_WRITE_FAILURE_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <string>
#include <system_error>

#include "file.hpp"

DSVL_BEGIN_NAMESPACE

/// The steps of putting a file in its place, in their order. Each can be refused for reasons of its own.
enum class WriteStep : unsigned char {
  open_folder,  ///< opening the folder of the file
  create,       ///< making the temporary file
  write,        ///< writing bytes
  sync,         ///< waiting for the disk
  close,        ///< closing the temporary file
  rename,       ///< giving it its name
  sync_folder,  ///< waiting for the disk to have the name
};

namespace write_detail {

/// An error of the system in words.
struct Cause {
  std::int64_t error;           ///< the system's number, from errno or GetLastError()
  const char *reason, *advice;  ///< continue the sentence "FILE: cannot be written: "
};

/// Advice for a full disk.
inline constexpr const char* kElsewhere = "make room there, or write to another disk";
/// Advice for missing rights.
inline constexpr const char* kRights = "change the permissions, or write to a folder of your own";

#ifdef _WIN32
/// The errors that are common enough to have words of their own.
inline constexpr Cause kCauses[] = {
    {ERROR_DISK_FULL, "no room is left on its disk", kElsewhere},
    {ERROR_HANDLE_DISK_FULL, "no room is left on its disk", kElsewhere},
    {1295, "the quota of its disk is used up", kElsewhere},  // ERROR_DISK_QUOTA_EXCEEDED
    {ERROR_FILE_TOO_LARGE, "it would be larger than its file system allows", "write to another disk"},
    {ERROR_ACCESS_DENIED, "that is not allowed", kRights},
    {ERROR_WRITE_PROTECT, "its disk is read-only", "write to another folder"},
    {ERROR_FILE_NOT_FOUND, "its folder does not exist", "make the folder first"},
    {ERROR_PATH_NOT_FOUND, "its folder does not exist", "make the folder first"},
    {ERROR_DIRECTORY, "what should be its folder is a file", "name a folder that exists"},
    {ERROR_INVALID_NAME, "its name has characters that names of files may not have", "choose another name"},
    {ERROR_BAD_PATHNAME, "its name has characters that names of files may not have", "choose another name"},
    {ERROR_FILENAME_EXCED_RANGE, "its name is too long", "choose a shorter one"},
    {ERROR_SHARING_VIOLATION, "another program has it open", "close that program and try again"},
    {ERROR_LOCK_VIOLATION, "another program has it open", "close that program and try again"},
    {ERROR_USER_MAPPED_FILE, "a program has it loaded", "close that program and try again"},
    {ERROR_TOO_MANY_OPEN_FILES, "too many files are open", "close some and try again"},
    {ERROR_CANT_RESOLVE_FILENAME, "its links go round in a circle", "remove one of them"},
    {ERROR_CRC, "the disk reports a fault", "check the disk"},
    {ERROR_IO_DEVICE, "the disk reports a fault", "check the disk"},
};
/// The error for a chain of links that does not end.
inline constexpr std::int64_t kTooManyLinks = ERROR_CANT_RESOLVE_FILENAME;
#else
/// The errors that are common enough to have words of their own.
inline constexpr Cause kCauses[] = {
    {ENOSPC, "no room is left on its file system", kElsewhere},
    {EDQUOT, "the quota of its file system is used up", kElsewhere},
    {EFBIG, "it would be larger than its file system, or the limit of this process (ulimit -f), allows",
     "raise the limit, or write to another disk"},
    {EACCES, "that is not allowed", kRights},
    {EPERM, "that is not allowed", kRights},
    {EROFS, "its file system is read-only", "write to another folder"},
    {ENOENT, "its folder does not exist", "make the folder first"},
    {ENOTDIR, "what should be its folder is a file", "name a folder that exists"},
    {EISDIR, "there is a folder of that name", "name a file in it, or another name"},
    {ENAMETOOLONG, "its name is too long", "choose a shorter one"},
    {ELOOP, "its symbolic links go round in a circle", "remove one of them"},
    {EMFILE, "too many files are open", "close some, or raise the limit (ulimit -n)"},
    {ENFILE, "too many files are open", "close some and try again"},
    {EBUSY, "the system is using it", "choose another name"},
    {EIO, "the disk reports a fault", "check the disk"},
};
/// The error for a chain of links that does not end.
inline constexpr std::int64_t kTooManyLinks = ELOOP;
#endif

/// The step in words.
constexpr const char* refused(WriteStep step) noexcept {
  switch (step) {
    case WriteStep::open_folder:
    case WriteStep::create: return "cannot be created";
    case WriteStep::write: return "cannot be written";
    case WriteStep::sync: return "cannot be written through to the disk";
    case WriteStep::close: return "cannot be closed";
    case WriteStep::rename: return "was written, but may not take its name";
    case WriteStep::sync_folder: return "is in its place, but its folder cannot be written through to the disk";
  }
  return "cannot be written";
}

}  // namespace write_detail

/// The error for a step that failed, such as "out/a.gguf: cannot be written: no room is left on its file system (No
/// space left on device, system error 28); make room there, or write to another disk". Its code is io.
DSVL_COLD
inline Status write_failure(const std::filesystem::path& path, WriteStep step, std::int64_t error) {
  const char *reason = "the system refused", *advice = "see what the system said";
  for (const write_detail::Cause& cause : write_detail::kCauses)
    if (cause.error == error) reason = cause.reason, advice = cause.advice;
  // The system's own words are added, for errors that the table does not have and for searching the web.
  const std::string said = std::error_code(static_cast<int>(error), std::system_category()).message();
  return fail(Code::io, "%s: %s: %s (%s, system error %lld); %s", Printable(path_to_utf8(path)).text(),
              write_detail::refused(step), reason, Printable(said).text(), static_cast<long long>(error), advice);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_WRITE_FAILURE_HPP
