// HostAdapter: a dsvl_host as the Host that dsvl knows.
#ifndef DSVL_C_HOST_ADAPTER_HPP
#define DSVL_C_HOST_ADAPTER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

#include "../base/host.hpp"
#include "structs.hpp"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

/// The application's memory, threads and log by the functions of a dsvl_host, of which it has a copy. Every handle that
/// can reach it shares it.
class HostAdapter final : Allocator, Executor {
 public:
  /// The adapter; null for a null `given`.
  ///
  /// Codes  bad_argument (half of a pair), unsupported, out_of_memory
  static Result<std::shared_ptr<HostAdapter>> make(const dsvl_host* given) {
    if (!given) return std::shared_ptr<HostAdapter>();
    DSVL_TRY(functions, read_struct(given, "dsvl_host"));
    if (!functions.allocate != !functions.deallocate)
      return fail(Code::bad_argument, "dsvl_host has one of allocate and deallocate: both or none are needed");
    if (!functions.workers != !functions.run)
      return fail(Code::bad_argument, "dsvl_host has one of workers and run: both or none are needed");
    auto adapter = std::shared_ptr<HostAdapter>(new (std::nothrow) HostAdapter(functions));
    if (!adapter) return fail(Code::out_of_memory, "no memory for a dsvl_host");
    return adapter;
  }

  /// The host: null members where no function was given. It lives as long as this.
  [[nodiscard]] Host host() noexcept {
    Host host;
    if (functions_.allocate) host.allocator = this;
    if (functions_.workers) host.executor = this;
    if (functions_.log) host.log = {&write, this};
    return host;
  }
  /// The host of an adapter that may be null.
  static Host host_of(const std::shared_ptr<HostAdapter>& adapter) noexcept {
    return adapter ? adapter->host() : Host{};
  }

 private:
  explicit HostAdapter(const dsvl_host& functions) noexcept : functions_(functions) {}

  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    return functions_.allocate(functions_.memory_user, bytes, align);
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept override {
    functions_.deallocate(functions_.memory_user, memory, bytes, align);
  }
  /// A host that says 0 or less has one: the caller.
  [[nodiscard]] int workers() const noexcept override {
    return (std::max)(1, static_cast<int>(functions_.workers(functions_.executor_user)));
  }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    functions_.run(
        functions_.executor_user, tasks,
        [](void* context, std::int32_t index) { (*static_cast<FunctionRef<void(int)>*>(context))(index); }, &task);
  }
  static void write(void* self, Level level, std::string_view text) {
    const dsvl_host& functions = static_cast<HostAdapter*>(self)->functions_;
    functions.log(functions.log_user, static_cast<std::int32_t>(level), text.data(), text.size());
  }

  dsvl_host functions_;
};

}  // namespace c_interface

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_HOST_ADAPTER_HPP
