// An allocator that says no at a chosen request, and knows what was not given back.
#ifndef DSVL_TESTS_IO_FAILING_ALLOCATOR_HPP
#define DSVL_TESTS_IO_FAILING_ALLOCATOR_HPP

#include <cstddef>
#include <dsvl/base/buffer.hpp>
#include <dsvl/base/status.hpp>
#include <new>

namespace test {

class FailingAllocator final : public dsvl::Allocator {
 public:
  /// Refuses request number `fail_at`, counted from 0, and no other; never when negative.
  explicit FailingAllocator(int fail_at = -1) : fail_at_(fail_at) {}
  ~FailingAllocator() = default;

  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    if (requests++ == fail_at_) return nullptr;
    live += bytes;
    peak = live > peak ? live : peak;
    return ::operator new(bytes, std::align_val_t(align), std::nothrow);
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept override {
    live -= bytes;
    ::operator delete(memory, std::align_val_t(align));
  }

  int requests = 0;
  std::size_t live = 0, peak = 0;

 private:
  int fail_at_;
};

/// Calls work(allocator) with an allocator that refuses its first request, then its second, and so on to the end.
/// `work` returns a Status: out_of_memory is expected each time, ok at last, and no byte may be kept. Returns how many
/// requests there were, or -1 when that was not so.
template <class Work>
int refuse_each(Work work) {
  for (int n = 0;; ++n) {
    FailingAllocator allocator(n);
    const dsvl::Status status = work(allocator);
    if (allocator.live != 0) return -1;
    if (allocator.requests <= n) return status.ok() ? n : -1;
    if (status.code() != dsvl::Code::out_of_memory) return -1;
  }
}

}  // namespace test

#endif  // DSVL_TESTS_IO_FAILING_ALLOCATOR_HPP
