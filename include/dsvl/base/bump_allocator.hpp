// BumpAllocator: memory that is taken once, handed out from front to back, and taken back all at once.
//
// It serves work that needs a different amount each time inside memory that was planned. What does not fit (a text that
// is one very long word) comes from the allocator behind it and goes back there.
#ifndef DSVL_BASE_BUMP_ALLOCATOR_HPP
#define DSVL_BASE_BUMP_ALLOCATOR_HPP

#include <cstdint>
#include <functional>
#include <span>

#include "buffer.hpp"

DSVL_BEGIN_NAMESPACE

/// An allocator over one piece of the caller's memory, for one thread at a time.
class BumpAllocator final : public Allocator {
 public:
  /// `behind` serves what does not fit; null means operator new.
  explicit BumpAllocator(Allocator* behind = nullptr) noexcept : behind_(behind) {}
  BumpAllocator(const BumpAllocator&) = delete;
  BumpAllocator& operator=(const BumpAllocator&) = delete;

  /// Sets the memory to hand out, which stays the caller's. Nothing may be handed out at the moment.
  void use(std::span<std::byte> room) noexcept {
    room_ = room;
    used_ = 0;
  }
  /// Takes back everything at once; memory that was handed out must not be used any more.
  void reset() noexcept { used_ = 0; }

  /// Hands out the next bytes, or the other allocator's.
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    const auto begin = reinterpret_cast<std::uintptr_t>(room_.data());
    const std::uintptr_t at = (begin + used_ + align - 1) & ~(std::uintptr_t{align} - 1);
    const std::size_t offset = at - begin;
    if (offset > room_.size() || bytes > room_.size() - offset)
      return behind_ ? behind_->allocate(bytes, align)
                     : ::operator new(bytes, std::align_val_t(align), std::nothrow);
    used_ = offset + bytes;
    return room_.data() + offset;
  }
  /// Reuses the bytes only if they were handed out last, as scratch memory is; others come back with reset().
  void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept override {
    auto* const at = static_cast<std::byte*>(memory);
    const std::less<const std::byte*> before;
    if (before(at, room_.data()) || !before(at, room_.data() + room_.size())) {
      if (behind_) behind_->deallocate(memory, bytes, align);
      else ::operator delete(memory, std::align_val_t(align));
    } else if (at + bytes == room_.data() + used_) {
      used_ -= bytes;
    }
  }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
  Allocator* behind_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_BUMP_ALLOCATOR_HPP
