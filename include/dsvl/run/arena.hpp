// Arena: buffers are declared once and visited twice, first to measure, then to carve.
//
//   struct Buffers { View<float> normed; void carve(Arena& a, Index tokens, Index hidden) {
//                      normed = a.view<float>("normed", tokens, hidden); } };
//
// Over no memory an Arena only counts; over a slab of that size the same calls hand it out. Groups that never live
// at the same time can overlap().
#ifndef DSVL_RUN_ARENA_HPP
#define DSVL_RUN_ARENA_HPP

#include <string_view>

#include "../base/buffer.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

class Arena {
 public:
  /// Told about every buffer: what plan() prints.
  struct Listener {
    void (*note)(void* user, std::string_view buffer, std::size_t bytes) = nullptr;
    void* user = nullptr;
  };

  /// Measures.
  Arena() noexcept = default;
  explicit Arena(Listener listener) noexcept : listener_(listener) {}
  /// Carves; `slab` is aligned to kAlignment and at least as large as a measuring Arena's peak().
  explicit Arena(std::span<std::byte> slab) noexcept : slab_(slab) {}

  /// `count` elements at the next multiple of kAlignment; null while measuring.
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
  /// Activations of shape (rows, cols), contiguous.
  template <class T>
  View<T> view(std::string_view name, Index rows, Index cols) noexcept {
    return {array<T>(name, rows * cols), rows, cols};
  }
  /// The same for what products read (x of linear): rows that would collide in the cache lie a line more apart.
  template <class T>
  View<T> spread_view(std::string_view name, Index rows, Index cols) noexcept {
    constexpr Index kBytes = sizeof(T);
    const Index stride = spread(cols * kBytes) / kBytes;
    return {array<T>(name, rows * stride), rows, cols, stride};
  }

  /// An empty Buffer with room for `count` elements, and never more.
  template <class E>
  Buffer<E> buffer(std::string_view name, Index count) noexcept {
    E* const room = array<E>(name, count);
    return measuring() ? Buffer<E>() : Buffer<E>(std::span<E>(room, static_cast<std::size_t>(count)));
  }

  /// Groups of buffers that never live at the same time share their memory: each is carved from the same place, and
  /// what comes next lies behind the largest.
  template <class... Group>
  void overlap(Group&&... carve_group) noexcept {
    const std::size_t begin = used_;
    std::size_t end = begin;
    ((used_ = begin, carve_group(), end = used_ > end ? used_ : end), ...);
    used_ = end;
  }

  [[nodiscard]] bool measuring() const noexcept { return slab_.data() == nullptr; }
  /// Bytes needed at the fullest moment.
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

 private:
  static constexpr std::size_t round(std::size_t bytes) noexcept {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::span<std::byte> slab_;
  std::size_t used_ = 0, peak_ = 0;
  Listener listener_;
};

/// Memory for what `lay_out(Arena&)` declares: run once to measure, once to carve `slab`. False, with nothing carved,
/// when there is no memory.
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
