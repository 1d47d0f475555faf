// Arena: buffers are declared once, and the declarations run twice, first to measure and then to carve.
//
//   struct Buffers { View<float> normed; void carve(Arena& a, Index tokens, Index hidden) {
//                      normed = a.view<float>("normed", tokens, hidden); } };
//
// Over no memory an Arena only counts; over a slab of that size the same calls hand the memory out. So the size that
// plan() reports is the size that is used. Groups of buffers that never hold data at the same time can overlap().
#ifndef DSVL_RUN_ARENA_HPP
#define DSVL_RUN_ARENA_HPP

#include <string_view>

#include "../base/buffer.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// A bump allocator over one slab that can also run without memory, to measure. Nothing is ever freed singly.
class Arena {
 public:
  /// A callback that is told about every buffer; plan() makes its list with it.
  struct Listener {
    /// Called with the buffer's name and its bytes, rounded up to kAlignment; null for none.
    void (*note)(void* user, std::string_view buffer, std::size_t bytes) = nullptr;
    void* user = nullptr;  ///< handed to `note` as it is
  };

  /// An arena that measures.
  Arena() noexcept = default;
  /// An arena that measures and reports each buffer.
  explicit Arena(Listener listener) noexcept : listener_(listener) {}
  /// An arena that carves `slab`, which is aligned to kAlignment and at least as large as a measuring Arena's peak().
  /// The slab is the caller's and must outlive every buffer.
  explicit Arena(std::span<std::byte> slab) noexcept : slab_(slab) {}

  /// Hands out `count` elements at the next multiple of kAlignment, uninitialised; null while measuring. Buffers with
  /// one name are one line of the plan.
  template <class E>
  E* array(std::string_view name, Index count) noexcept {
    const std::size_t bytes = round(static_cast<std::size_t>(count) * sizeof(E));
    const std::size_t at = used_;
    used_ += bytes;
    if (used_ > peak_) peak_ = used_;
    if (listener_.note) listener_.note(listener_.user, name, bytes);
    DSVL_ASSERT(measuring() || used_ <= slab_.size());
    return measuring() ? nullptr : reinterpret_cast<E*>(slab_.data() + at);
  }
  /// Hands out activations of shape (rows, cols), contiguous.
  template <class T>
  View<T> view(std::string_view name, Index rows, Index cols) noexcept {
    return {array<T>(name, rows * cols), rows, cols};
  }
  /// Hands out activations of shape (rows, cols) that a product reads as its x. Where a multiple of 4 KiB between rows
  /// would map them to the same cache sets, the rows are a cache line further apart.
  template <class T>
  View<T> spread_view(std::string_view name, Index rows, Index cols) noexcept {
    constexpr Index kBytes = sizeof(T);
    const Index stride = spread(cols * kBytes) / kBytes;
    return {array<T>(name, rows * stride), rows, cols, stride};
  }

  /// Hands out an empty Buffer with room for `count` elements. It fails to grow beyond that.
  template <class E>
  Buffer<E> buffer(std::string_view name, Index count) noexcept {
    E* const room = array<E>(name, count);
    return measuring() ? Buffer<E>() : Buffer<E>(std::span<E>(room, static_cast<std::size_t>(count)));
  }

  /// Lets groups of buffers that never hold data at the same time share their memory. Each group is carved from the
  /// same place, and what follows lies behind the largest.
  template <class... Group>
  void overlap(Group&&... carve_group) noexcept {
    const std::size_t begin = used_;
    std::size_t end = begin;
    ((used_ = begin, carve_group(), end = used_ > end ? used_ : end), ...);
    used_ = end;
  }

  /// True while there is no slab, so that buffers are null and must not be touched.
  [[nodiscard]] bool measuring() const noexcept { return slab_.data() == nullptr; }
  /// Bytes of the slab that all declarations so far need.
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

 private:
  static constexpr std::size_t round(std::size_t bytes) noexcept {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::span<std::byte> slab_;
  std::size_t used_ = 0, peak_ = 0;
  Listener listener_;
};

/// Allocates and carves `slab` for the buffers that `lay_out(Arena&)` declares; it runs once to measure and once to
/// carve. False, with nothing carved, when there is no memory.
template <class LayOut>
[[nodiscard]] bool carve_slab(Buffer<std::byte>& slab, LayOut&& lay_out) noexcept {
  Arena measure;
  lay_out(measure);
  if (!slab.resize(measure.peak())) return false;
  Arena carve(slab.span());
  lay_out(carve);
  return true;
}

DSVL_END_NAMESPACE

#endif  // DSVL_RUN_ARENA_HPP
