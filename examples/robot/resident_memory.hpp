// ResidentMemory: memory that is there from the beginning, so that no answer waits for the system to find a page, and
// the program is no larger after a day than after a minute.
#ifndef DSVL_ROBOT_RESIDENT_MEMORY_HPP
#define DSVL_ROBOT_RESIDENT_MEMORY_HPP

#include <dsvl/base/host.hpp>
#include <new>

namespace robot {

/// For a session, which takes all it needs when it opens.
class ResidentMemory final : public dsvl::Allocator {
 public:
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    void* const memory = ::operator new(bytes, std::align_val_t(align), std::nothrow);
    constexpr std::size_t kPage = 4096;  // no system has smaller ones
    for (std::size_t at = 0; memory && at < bytes; at += kPage) static_cast<volatile char*>(memory)[at] = 0;
    return memory;
  }
  void deallocate(void* memory, std::size_t, std::size_t align) noexcept override {
    ::operator delete(memory, std::align_val_t(align));
  }
};

}  // namespace robot

#endif  // DSVL_ROBOT_RESIDENT_MEMORY_HPP
