// Watching memory: a host's allocator that counts and refuses, and a watch over operator new.
#ifndef DSVL_TESTS_CHAT_MEMORY_HPP
#define DSVL_TESTS_CHAT_MEMORY_HPP

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <dsvl/base/host.hpp>

#include "../sanitized.hpp"

// Sanitizers have operators of their own, and ours would not go with them.
#if DSVL_SANITIZED || defined(_WIN32)
#define DSVL_TEST_WATCHES_NEW 0
#else
#define DSVL_TEST_WATCHES_NEW 1
#endif

namespace test {

/// What is asked of operator new while somebody watches: the largest request, and those above 64 KiB.
struct NewWatch {
  std::atomic<bool> on{false};
  std::atomic<std::size_t> largest{0}, count{0}, large{0};
  void note(std::size_t bytes) noexcept {
    if (!on.load(std::memory_order_relaxed)) return;
    ++count;
    if (bytes > std::size_t{64} << 10) ++large;
    for (std::size_t most = largest; bytes > most && !largest.compare_exchange_weak(most, bytes);) {}
  }
};
extern NewWatch watch;  // memory.cpp

/// Counts, refuses one request or all from one on, checks what comes back, and fills memory with NaN so that whoever reads
/// what he has not written is found out.
class CountingAllocator final : public dsvl::Allocator {
 public:
  ~CountingAllocator() = default;
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    const long n = requests++;
    if (n == refuse || (refuse_from >= 0 && n >= refuse_from)) return ++refused, nullptr;
    void* const memory = std::aligned_alloc(align, (bytes + align - 1) / align * align);
    if (!memory) return nullptr;
    std::memset(memory, 0xFF, bytes);
    const std::size_t now = live += bytes;
    for (std::size_t most = peak; now > most && !peak.compare_exchange_weak(most, now);) {}
    ++blocks;
    return memory;
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t) noexcept override {
    live -= bytes;
    --blocks;
    std::free(memory);
  }
  void restart() noexcept { requests = refused = 0; }

  std::atomic<long> requests{0}, refused{0}, blocks{0}, refuse{-1}, refuse_from{-1};
  std::atomic<std::size_t> live{0}, peak{0};
};

}  // namespace test

#endif  // DSVL_TESTS_CHAT_MEMORY_HPP
