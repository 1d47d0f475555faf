// Gate: who may call, and with how much, decided before a body is read.
#ifndef DSVL_SERVER_GATE_HPP
#define DSVL_SERVER_GATE_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include <httplib.h>

#include "options.hpp"
#include "refusal.hpp"

namespace server {

class Gate {
 public:
  /// `options` must outlive it.
  explicit Gate(const Options& options) : options_(options) {}

  /// Why a request is not let in; nothing when it is.
  [[nodiscard]] Refused check(const httplib::Request& request) const;
  /// By whom its client is known: its key, else its address.
  [[nodiscard]] std::string client(const httplib::Request& request) const;
  /// No new answers from now on.
  void drain() noexcept { draining_ = true; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }

  /// Room for a body beside all others, which goes back when the last copy of what is returned goes; null when there is
  /// none. The gate must outlive it.
  [[nodiscard]] std::shared_ptr<void> take_room(const httplib::Request& request);

 private:
  [[nodiscard]] Refused check_key(const httplib::Request& request) const;
  [[nodiscard]] Refused check_body(const httplib::Request& request) const;

  const Options& options_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace server

#endif  // DSVL_SERVER_GATE_HPP
