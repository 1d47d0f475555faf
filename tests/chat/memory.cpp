// The operators new and delete of this program, under the eyes of test::watch.
#include "memory.hpp"

#include <new>

namespace test {
NewWatch watch;
}

#if DSVL_TEST_WATCHES_NEW
namespace {

void* take(std::size_t bytes, std::size_t align) {
  test::watch.note(bytes);
  const std::size_t rounded = (bytes + align - 1) / align * align;
  if (void* const memory = std::aligned_alloc(align, rounded ? rounded : align)) return memory;
  throw std::bad_alloc();
}

}  // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // where only one of the two is inlined
#endif

// The other forms of operator new end in these.
void* operator new(std::size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t align) { return take(bytes, static_cast<std::size_t>(align)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif

