// Wake: a bell that one thread rings and another hears in poll(), beside its socket.
#ifndef DSVL_SERVER_WAKE_HPP
#define DSVL_SERVER_WAKE_HPP

#include <fcntl.h>
#include <unistd.h>

namespace server {

/// Without descriptors left it is silent: good() is false, and whoever needs it says so to the client.
class Wake {
 public:
  Wake() noexcept {
    if (::pipe(ends_) != 0) ends_[0] = ends_[1] = -1;
    for (const int end : ends_) {
      if (end < 0) continue;
      ::fcntl(end, F_SETFL, O_NONBLOCK);
      ::fcntl(end, F_SETFD, FD_CLOEXEC);
    }
  }
  ~Wake() {
    for (const int end : ends_)
      if (end >= 0) ::close(end);
  }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  [[nodiscard]] bool good() const noexcept { return ends_[0] >= 0; }
  /// Readable from ring() to clear().
  [[nodiscard]] int descriptor() const noexcept { return ends_[0]; }
  /// A full pipe has been rung already.
  void ring() noexcept { [[maybe_unused]] const auto written = ::write(ends_[1], "", 1); }
  void clear() noexcept {
    char rung[64];
    while (::read(ends_[0], rung, sizeof rung) > 0) {}
  }

 private:
  int ends_[2];
};

}  // namespace server

#endif  // DSVL_SERVER_WAKE_HPP
