#include "http_server.hpp"

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace server {

namespace {

thread_local bool t_turned_away = false;

constexpr int kAtTheDoor = 32;           // threads for those who are told to come again
constexpr int kBacklog = 511;            // connections that the system keeps until they are taken
constexpr int kRequestsOfConnection = 10'000;

/// A thread for each connection, so that an idle server has none.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(int most) : most_(most) {}

  void enqueue(std::function<void()> serve) override {
    std::unique_lock lock(count_->mutex);
    count_->changed.wait(lock, [&] { return count_->running < most_ + kAtTheDoor; });
    const bool turned_away = count_->running++ >= most_;
    lock.unlock();
    auto work = [count = count_, turned_away, serve = std::move(serve)] {
      t_turned_away = turned_away;
      serve();
      const std::scoped_lock done(count->mutex);
      --count->running;
      count->changed.notify_all();
    };
    try {
      std::thread(work).detach();
    } catch (const std::system_error&) {  // the system has no thread: this one has to do
      work();
    }
  }
  void shutdown() override {
    std::unique_lock lock(count_->mutex);
    count_->changed.wait(lock, [&] { return count_->running == 0; });
  }

 private:
  /// It outlives this object with the last thread, which is still leaving its lock when shutdown() returns.
  struct Count {
    std::mutex mutex;
    std::condition_variable changed;
    int running = 0;
  };
  const int most_;
  const std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

}  // namespace

HttpServer::HttpServer(int connections, std::chrono::seconds read_time) : read_time_(read_time) {
  new_task_queue = [connections] { return new ConnectionThreads(connections); };
}

int HttpServer::bind(const std::string& host, int port) {
  if (port == 0) port = bind_to_any_port(host);
  else if (!bind_to_port(host, port)) port = -1;
  if (port > 0) ::listen(svr_sock_, kBacklog);  // packaged it says 5: a wave of clients would wait a second
  return port;
}

/// stop() would cut streams off, so the listening socket alone is shut down.
void HttpServer::close_listener() {
  closing_.ring();
  ::shutdown(svr_sock_, SHUT_RDWR);
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  Connection connection(socket, read_time_, closing_, t_turned_away);
  for (int i = 1; !connection.is_last() && connection.wait_for_request(); ++i) {
    if (connection.turned_away() || i == kRequestsOfConnection) connection.close_after_reply();
    bool closed = false;
    const auto begin = [&](httplib::Request& request) {
      const std::string length = request.get_header_value("Content-Length");
      connection.begin_body(std::strtoull(length.c_str(), nullptr, 10));
    };
    const bool good = process_request(connection, connection.is_last(), closed, begin);
    connection.end_request();
    if (!good || closed) break;
  }
  return true;
}

}  // namespace server
