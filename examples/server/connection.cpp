#include "connection.hpp"

#include <algorithm>
#include <cerrno>

#include <netinet/tcp.h>
#include <poll.h>

namespace server {

namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;  // of a request's first line and its headers
constexpr int kIdle = 15'000;                  // milliseconds for the next request on the same connection
constexpr int kWrite = 15'000;                 // milliseconds in which a client has to take something
constexpr int kLinger = 1000;                  // milliseconds, at most

thread_local Connection* t_current = nullptr;

int milliseconds_until(Clock::time_point then) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(then - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1'000'000));
}

/// poll() that signals do not end.
int wait_on(pollfd* what, nfds_t count, int milliseconds) {
  const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    const int ready = ::poll(what, count, milliseconds);
    if (ready >= 0 || errno != EINTR) return ready;
    milliseconds = milliseconds_until(until);
  }
}

void read_address(const sockaddr_storage& from, std::string& ip, int& port) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(from);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    port = ntohs(six.sin6_port);
  } else {
    const auto& four = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    port = ntohs(four.sin_port);
  }
  ip = text;
}

}  // namespace

Connection::Connection(socket_t socket, std::chrono::seconds read_time, const Wake& closing, bool turned_away)
    : socket_(socket), read_time_(turned_away ? std::chrono::seconds(1) : read_time), closing_(closing),
      turned_away_(turned_away) {
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  t_current = this;
}

Connection::~Connection() {
  t_current = nullptr;
  linger();
  ::close(socket_);
}

Connection* Connection::current() noexcept { return t_current; }

bool Connection::wait_for_request() {
  left_ = kHeadBytes;
  if (begin_ == end_) {
    pollfd both[] = {{socket_, POLLIN, 0}, {closing_.descriptor(), POLLIN, 0}};
    if (wait_on(both, 2, turned_away_ ? 1000 : kIdle) <= 0 || !both[0].revents) return false;
  }
  deadline_ = Clock::now() + read_time_;
  return begin_ != end_ || fill(0);
}

Connection::Event Connection::wait(const Wake& bell, std::chrono::milliseconds time) const {
  pollfd both[] = {{bell.descriptor(), POLLIN, 0}, {socket_, POLLRDHUP, 0}};
  const int ready = wait_on(both, 2, static_cast<int>(std::clamp<long long>(time.count(), 0, 1'000'000)));
  if (ready != 0 && both[1].revents) return Event::gone;
  return ready == 0 ? Event::time : Event::bell;
}

bool Connection::is_readable() const {
  if (begin_ != end_) return true;
  pollfd one = {socket_, POLLIN, 0};
  return wait_on(&one, 1, milliseconds_until(deadline_)) > 0;
}

bool Connection::is_writable() const {
  pollfd one = {socket_, POLLOUT | POLLRDHUP, 0};
  return wait_on(&one, 1, kWrite) > 0 && !(one.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

bool Connection::fill(int milliseconds) {
  pollfd one = {socket_, POLLIN, 0};
  if (wait_on(&one, 1, milliseconds) <= 0) return false;
  const ssize_t n = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
  if (n <= 0) return false;
  begin_ = 0, end_ = static_cast<std::size_t>(n);
  return true;
}

ssize_t Connection::read(char* to, std::size_t size) {
  if (left_ == 0) return -1;  // a head without an end, or more than the request said it has
  if (begin_ == end_ && !fill(milliseconds_until(deadline_))) return -1;
  const std::size_t n = std::min({size, end_ - begin_, left_});
  std::copy_n(buffer_.data() + begin_, n, to);
  begin_ += n, left_ -= n;
  return static_cast<ssize_t>(n);
}

ssize_t Connection::write(const char* from, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t n = ::send(socket_, from + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    pollfd one = {socket_, POLLOUT, 0};
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) || wait_on(&one, 1, kWrite) <= 0) {
      last_ = true;
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage from = {};
  socklen_t size = sizeof from;
  if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&from), &size) == 0) read_address(from, ip, port);
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage from = {};
  socklen_t size = sizeof from;
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&from), &size) == 0) read_address(from, ip, port);
}

void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const auto until = Clock::now() + std::chrono::milliseconds(kLinger);
  while (fill(milliseconds_until(until)) && Clock::now() < until) {}
}

}  // namespace server
