// Connection: one client's socket, with an end to every wait.
//
// cpp-httplib's own stream has a time for each read, so a client that sends a byte now and then stays for ever. This
// one has a time and a size for a whole request, and can tell when its client has gone.
#ifndef DSVL_SERVER_CONNECTION_HPP
#define DSVL_SERVER_CONNECTION_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <httplib.h>

#include "job.hpp"

namespace server {

class Connection final : public httplib::Stream {
 public:
  /// Owns the socket. `closing` becomes readable when the server shuts down, and must outlive the connection.
  Connection(socket_t socket, std::chrono::seconds read_time, const Wake& closing, bool turned_away);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The connection that this thread serves; null when it serves none.
  static Connection* current() noexcept;

  /// Waits for the first byte of a request. False when the client is done, or the server is.
  bool wait_for_request();
  /// The head has been read; a body of that size follows.
  void begin_body(std::size_t bytes) noexcept { left_ = bytes; }
  /// The reply is the last: what else is sent is not read as a request.
  void close_after_reply() noexcept { last_ = true; }
  [[nodiscard]] bool is_last() const noexcept { return last_; }
  /// There was no thread for it, only one to say so.
  [[nodiscard]] bool turned_away() const noexcept { return turned_away_; }

  /// Keeps something as long as the request is read and answered, or until the client breaks it off.
  void hold(std::shared_ptr<void> held) noexcept { held_ = std::move(held); }
  /// The request is done with.
  void end_request() noexcept { held_.reset(); }

  enum class Event { bell, gone, time };
  /// Waits for a bell, for the client to go, or for a time.
  [[nodiscard]] Event wait(const Wake& bell, std::chrono::milliseconds time) const;

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  bool fill(int milliseconds);
  /// Lets what was written arrive before the socket is closed: a client that is still sending would lose it.
  void linger();

  const socket_t socket_;
  const std::chrono::seconds read_time_;
  const Wake& closing_;
  const bool turned_away_;
  bool last_ = false;
  std::shared_ptr<void> held_;
  std::size_t left_ = 0;        // bytes of the request that may still be read
  Clock::time_point deadline_;  // of reading the request
  std::array<char, 16384> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what the buffer holds
};

}  // namespace server

#endif  // DSVL_SERVER_CONNECTION_HPP
