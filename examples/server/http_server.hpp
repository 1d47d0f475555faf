// HttpServer: cpp-httplib's server with connections of our own, a thread for each, and an end that lets answers end.
#ifndef DSVL_SERVER_HTTP_SERVER_HPP
#define DSVL_SERVER_HTTP_SERVER_HPP

#include <chrono>

#include "connection.hpp"

namespace server {

class HttpServer : public httplib::Server {
 public:
  /// At most `connections` at a time. A few more get a thread that tells them so (Connection::turned_away).
  HttpServer(int connections, std::chrono::seconds read_time);

  /// Binds; port 0 takes a free one. The port, or -1.
  int bind(const std::string& host, int port);
  /// Takes no more connections and lets idle ones go. listen_after_bind() returns when the others have ended.
  void close_listener();

 private:
  bool process_and_close_socket(socket_t socket) override;

  const std::chrono::seconds read_time_;
  Wake closing_;
};

}  // namespace server

#endif  // DSVL_SERVER_HTTP_SERVER_HPP
