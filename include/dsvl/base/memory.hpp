// allocate() and deallocate(): memory from the host's allocator, or from operator new when there is none.
//
// Large blocks (a model's weights, a session's slab) are read from end to end for every token. With pages of 4 KiB each
// page costs a walk through the page tables, so Linux is asked for pages of 2 MiB for memory from operator new; these
// read 3 to 15 % faster on virtual machines. An application's own allocator decides for itself.
#ifndef DSVL_BASE_MEMORY_HPP
#define DSVL_BASE_MEMORY_HPP

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "host.hpp"

DSVL_BEGIN_NAMESPACE

/// Alignment of all memory, in bytes: a cache line, and the widest vector.
inline constexpr std::size_t kAlignment = 64;
/// Bytes of a huge page on x86-64 and on AArch64 with 4 KiB pages.
inline constexpr std::size_t kHugePage = std::size_t{1} << 21;
/// Blocks from this size on begin at a multiple of kHugePage. The C library maps each of them separately (glibc always
/// does so from 32 MiB on), so the advice about their pages ends with the mapping.
inline constexpr std::size_t kHugeBlock = std::size_t{1} << 25;
/// Alignment of a block from operator new.
constexpr std::align_val_t alignment_of(std::size_t bytes) noexcept {
  return std::align_val_t(bytes < kHugeBlock ? kAlignment : kHugePage);
}

/// Allocates from the host's allocator, or from operator new when there is none. Null when there is no memory.
inline void* allocate(Allocator* from, std::size_t bytes) noexcept {
  if (from) return from->allocate(bytes, kAlignment);
  void* const memory = ::operator new(bytes, alignment_of(bytes), std::nothrow);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Whole pages only, so that no more than `bytes` becomes resident. A kernel that refuses gives small pages.
  if (memory && bytes >= kHugeBlock) (void)::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}
/// Gives memory from allocate() back; the other arguments must be those of the allocation.
inline void deallocate(Allocator* to, void* memory, std::size_t bytes) noexcept {
  if (to) to->deallocate(memory, bytes, kAlignment);
  else ::operator delete(memory, alignment_of(bytes));
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_MEMORY_HPP
