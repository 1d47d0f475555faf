// The only header that includes stb_image: PNG and JPEG, private to our namespace, memory from a budgeted arena.
//
// image.hpp checks a file first (png.hpp, jpeg.hpp) and only then lets stb see it. A host may use its own stb_image.h,
// before or after us, with or without STB_IMAGE_IMPLEMENTATION: every macro is put back, and no symbol is shared.
// stb's own stance on hostile files (its SECURITY.md) is that bugs are possible. Where a picture comes from an attacker
// and much is at stake, decode it in another process and hand us the pixels.
#ifndef DSVL_IO_STB_DECODER_HPP
#define DSVL_IO_STB_DECODER_HPP

// These are the headers that stb_image.h includes. They must come first, because it is included inside our namespace.
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif
#ifdef _MSC_VER
#include <intrin.h>
#endif

#include <span>
#include <utility>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE
namespace stb {

/// The memory of one decoding: zeroed blocks from the host's allocator, up to a budget, all given back at the end even
/// if stb leaks some. They are zeroed, because stb reads tables and planes that a damaged file never filled.
class DecodeArena {
 public:
  /// `budget` is the limit of bytes at any one time. `growth` is the largest block that may be made by growing another,
  /// which stops a compressed stream that never ends.
  DecodeArena(Allocator* from, std::size_t budget, std::size_t growth) noexcept
      : from_(from), left_(budget), growth_(growth) {}
  DecodeArena(const DecodeArena&) = delete;
  DecodeArena& operator=(const DecodeArena&) = delete;
  /// Gives all blocks back.
  ~DecodeArena() { while (blocks_) release(blocks_ + 1); }

  /// A zeroed block, or null.
  void* allocate(std::size_t bytes) noexcept {
    // The budget counts the heads of blocks as well, so that many tiny blocks cannot exceed it.
    if (bytes > left_ || left_ - bytes < sizeof(Block)) return over_budget_ = true, nullptr;
    void* const memory = dsvl::allocate(from_, bytes + sizeof(Block));
    if (!memory) return refused_ = true, nullptr;
    std::memset(memory, 0, bytes + sizeof(Block));
    Block* const block = new (memory) Block{nullptr, blocks_, bytes};
    if (blocks_) blocks_->before = block;
    blocks_ = block;
    left_ -= bytes + sizeof(Block);
    return block + 1;
  }
  /// A block of another size with the same content, or null; the old one is then kept.
  void* reallocate(void* memory, std::size_t bytes) noexcept {
    if (!memory) return allocate(bytes);
    if (bytes > growth_) return over_budget_ = true, nullptr;
    void* const grown = allocate(bytes);
    if (!grown) return nullptr;
    // Both blocks exist for a moment, and both count against the budget.
    const std::size_t kept = block_of(memory)->bytes;
    std::memcpy(grown, memory, kept < bytes ? kept : bytes);
    release(memory);
    return grown;
  }
  /// Gives a block back.
  void release(void* memory) noexcept {
    if (!memory) return;
    Block* const block = block_of(memory);
    (block->before ? block->before->after : blocks_) = block->after;
    if (block->after) block->after->before = block->before;
    left_ += block->bytes + sizeof(Block);
    deallocate(from_, block, block->bytes + sizeof(Block));
  }

  [[nodiscard]] bool refused() const noexcept { return refused_; }          ///< the host's allocator had no memory
  [[nodiscard]] bool over_budget() const noexcept { return over_budget_; }  ///< stb asked for more than it may have

 private:
  /// The head of a block, in a list of all blocks.
  struct alignas(kAlignment) Block {
    Block *before, *after;  ///< null at the ends of the list
    std::size_t bytes;      ///< behind the head
  };
  static Block* block_of(void* memory) noexcept { return static_cast<Block*>(memory) - 1; }

  Allocator* from_;
  std::size_t left_, growth_;
  Block* blocks_ = nullptr;
  bool refused_ = false, over_budget_ = false;
};

/// The arena of the decoding that is going on in this thread; stb's allocation macros have no other way to know it. It
/// is one variable for all translation units, and set only for the duration of a call.
inline DecodeArena*& current_arena() noexcept {
  static thread_local DecodeArena* arena = nullptr;
  return arena;
}
/// Makes an arena current for its lifetime, and the one before it afterwards.
class ArenaScope {
 public:
  /// `arena` must outlive the object.
  explicit ArenaScope(DecodeArena& arena) noexcept : before_(std::exchange(current_arena(), &arena)) {}
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;
  /// Restores the arena that was current before.
  ~ArenaScope() { current_arena() = before_; }

 private:
  DecodeArena* before_;
};

/// malloc() for stb.
inline void* allocate_block(std::size_t bytes) noexcept {
  DecodeArena* const arena = current_arena();
  return arena ? arena->allocate(bytes) : nullptr;
}
/// realloc() for stb.
inline void* reallocate_block(void* memory, std::size_t bytes) noexcept {
  DecodeArena* const arena = current_arena();
  return arena ? arena->reallocate(memory, bytes) : nullptr;
}
/// free() for stb.
inline void release_block(void* memory) noexcept {
  if (DecodeArena* const arena = current_arena()) arena->release(memory);
}

}  // namespace stb
DSVL_END_NAMESPACE

#include "stb_macros_push.hpp"

// stb_image is compiled into our namespace with static functions, our memory, and nothing that we do not use. Its
// messages are left out, since it cannot tell a damaged file from lack of memory; DecodeArena can.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBIDEF static inline
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_FAILURE_STRINGS
#define STBI_NO_THREAD_LOCALS
#define STBI_ASSERT(condition) static_cast<void>(0)
#define STBI_MALLOC(bytes) allocate_block(bytes)
#define STBI_REALLOC(memory, bytes) reallocate_block(memory, bytes)
#define STBI_FREE(memory) release_block(memory)

// Hosts compile with more warnings than stb_image is written for, and as errors.
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wdouble-promotion"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuseless-cast"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#elif defined(_MSC_VER)
#pragma warning(push, 0)
#pragma warning(disable : 4505 4702 4996)
#endif

DSVL_BEGIN_NAMESPACE
namespace stb {
#if __has_include(<stb_image.h>)
#include <stb_image.h>
#elif __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#error "dsvl/io/image.hpp needs stb_image.h (or stb/stb_image.h) in the include path; hand over pixels to do without"
#endif
}  // namespace stb
DSVL_END_NAMESPACE

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#elif defined(_MSC_VER)
#pragma warning(pop)
#endif

#include "stb_macros_pop.hpp"

DSVL_BEGIN_NAMESPACE
namespace stb {

/// A decoded PNG: packed RGB or RGBA, top row first, in memory of the current arena.
struct DecodedPng {
  const void* data = nullptr;  ///< null when stb refuses the file
  int width = 0, height = 0;   ///< in pixels
  bool wide = false;           ///< values have 16 bits in the machine's order of bytes, otherwise 8
};
/// Decodes a PNG of at most INT_MAX bytes. Values are red, green, blue and, with four channels, alpha.
inline DecodedPng decode_png(std::span<const std::byte> file, int channels) noexcept {
  stbi__context context;
  stbi__start_mem(&context, reinterpret_cast<const stbi_uc*>(file.data()), static_cast<int>(file.size()));
  DecodedPng out;
  int stored = 0;
  stbi__result_info info = {};
  out.data = stbi__png_load(&context, &out.width, &out.height, &stored, channels, &info);
  out.wide = info.bits_per_channel == 16;
  return out;
}

}  // namespace stb
DSVL_END_NAMESPACE

#endif  // DSVL_IO_STB_DECODER_HPP
