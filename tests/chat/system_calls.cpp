// The definitions of open, fstat, pread and mmap of this program.
#undef _FORTIFY_SOURCE  // which has definitions of its own
#include "system_calls.hpp"

namespace test {
SystemCalls* system_calls = nullptr;
}

#if DSVL_TEST_SYSTEM_CALLS
#include <cerrno>
#include <cstdarg>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using test::SystemCalls;

/// Whether this call is the one; then errno is set where it fails.
bool chosen(SystemCalls::Kind kind) noexcept {
  SystemCalls* const calls = test::system_calls;
  if (!calls || calls->counted != kind || calls->seen++ != calls->at) return false;
  errno = calls->error;
  return true;
}
bool interrupted() noexcept {
  static int count = 0;
  if (!test::system_calls || test::system_calls->interrupted == 0) return false;
  if (++count % test::system_calls->interrupted != 0) return false;
  ++test::system_calls->interruptions;
  errno = EINTR;
  return true;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if (interrupted() || (chosen(SystemCalls::open) && errno != 0)) return -1;
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int fstat(int file, struct stat* about) noexcept {
  const bool wrong = chosen(SystemCalls::size);
  if (wrong && errno != 0) return -1;
  const int result = fstatat(file, "", about, AT_EMPTY_PATH);
  if (wrong) about->st_size += test::system_calls->longer;
  return result;
}

ssize_t pread(int file, void* into, size_t bytes, off_t offset) {
  if (interrupted()) return -1;
  if (chosen(SystemCalls::read)) {
    if (errno != 0) return -1;
    if (test::system_calls->nothing) return 0;
  }
  SystemCalls* const calls = test::system_calls;
  if (calls && calls->piece != 0 && bytes > calls->piece) bytes = calls->piece, ++calls->pieces;
  return ::syscall(SYS_pread64, file, into, bytes, offset);
}

void* mmap(void* address, size_t bytes, int access, int flags, int file, off_t offset) noexcept {
  if (file >= 0 && chosen(SystemCalls::map) && errno != 0) return MAP_FAILED;
  const long result = ::syscall(SYS_mmap, address, bytes, access, flags, file, offset);
  return reinterpret_cast<void*>(result);
}

}  // extern "C"
#endif
