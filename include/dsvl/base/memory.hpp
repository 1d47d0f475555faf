// allocate() and deallocate(): memory from the host's allocator, or from operator new when there is none.
//
// Large blocks (a model's weights, a session's slab) are read from end to end for every token: on pages of 4 KiB each
// of them costs a walk through the page tables. Of operator new's memory Linux is asked for pages of 2 MiB instead,
// which read 3 to 15 % faster on virtual machines. An application's own allocator decides for itself.
#ifndef DSVL_BASE_MEMORY_HPP
#define DSVL_BASE_MEMORY_HPP

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "host.hpp"

DSVL_BEGIN_NAMESPACE

/// Memory at the alignment that vectors and cache lines like.
inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kHugePage = std::size_t{1} << 21;
/// Blocks from this size on lie at a multiple of kHugePage. The C library has a mapping for each of them alone (glibc:
/// always from 32 MiB on), so that what is said of their pages is gone when they are.
inline constexpr std::size_t kHugeBlock = std::size_t{1} << 25;
/// Of a block from operator new.
constexpr std::align_val_t alignment_of(std::size_t bytes) noexcept {
  return std::align_val_t(bytes < kHugeBlock ? kAlignment : kHugePage);
}

/// From the allocator, or from operator new when there is none. Null means "no".
inline void* allocate(Allocator* from, std::size_t bytes) noexcept {
  if (from) return from->allocate(bytes, kAlignment);
  void* const memory = ::operator new(bytes, alignment_of(bytes), std::nothrow);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Whole pages only, so that no more than `bytes` becomes resident. A kernel that refuses gives small pages.
  if (memory && bytes >= kHugeBlock) (void)::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}
inline void deallocate(Allocator* to, void* memory, std::size_t bytes) noexcept {
  if (to) to->deallocate(memory, bytes, kAlignment);
  else ::operator delete(memory, alignment_of(bytes));
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_MEMORY_HPP
