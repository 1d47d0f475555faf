#include "append_file.hpp"

#include <cerrno>
#include <chrono>
#include <thread>

#include <dsvl/io/write_failure.hpp>

#ifdef _WIN32
#include <io.h>
#else
#include <sys/file.h>
#include <unistd.h>
#endif

namespace cli {

dsvl::Result<AppendFile> AppendFile::open(const std::filesystem::path& path) {
#ifdef _WIN32
  std::unique_ptr<std::FILE, Close> file(_wfopen(path.c_str(), L"ab"));
#else
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "ab"));
#endif
  if (!file) return dsvl::write_failure(path, dsvl::WriteStep::create, errno);
  return AppendFile(std::move(file), path);
}

dsvl::Status AppendFile::append(std::string_view lines) {
  const bool written = std::fwrite(lines.data(), 1, lines.size(), file_.get()) == lines.size();
  if (written && std::fflush(file_.get()) == 0) return {};
  return dsvl::write_failure(path_, dsvl::WriteStep::write, errno);
}

dsvl::Status AppendFile::sync() {
#ifdef _WIN32
  const bool done = _commit(_fileno(file_.get())) == 0;
#else
  const bool done = ::fsync(fileno(file_.get())) == 0 || errno == EINVAL;  // pipes and some file systems have no disk
#endif
  if (done) return {};
  return dsvl::write_failure(path_, dsvl::WriteStep::sync, errno);
}

bool AppendFile::lock() {
#ifdef _WIN32
  return true;
#else
  for (int tries = 0; tries < 60; ++tries) {
    if (::flock(fileno(file_.get()), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
#endif
}

}  // namespace cli
