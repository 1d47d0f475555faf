// ImageCache: encoded pictures, recognised by what they show, and the one place where pictures are encoded.
//
// Shared by a session and its forks. It has room for a fixed number of pictures; when it is full, the one goes that
// nobody refers to and that was not needed for the longest time. Encoding takes a workspace as large as the towers, so
// one picture is encoded at a time; who comes second waits, and may find its picture done.
#ifndef DSVL_ENGINE_IMAGE_CACHE_HPP
#define DSVL_ENGINE_IMAGE_CACHE_HPP

#include <condition_variable>
#include <memory>
#include <mutex>

#include "../base/hash.hpp"
#include "image_encoder.hpp"

DSVL_BEGIN_NAMESPACE

/// One picture as the decoder takes it.
struct ImageEmbedding {
  ContentHash hash;
  const float* rows = nullptr;  ///< (image tokens, hidden)
  int users = 0;
  bool known = false;  ///< its rows are there
  std::uint64_t last_used = 0;
};

class ImageCache {
 public:
  ImageCache(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, int workers,
          Allocator* from) noexcept
      : net_(net), most_(limits.pictures), encoder_(net, preprocess, limits, workers, from), slab_(from) {}
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;

  void lay_out(Arena& arena) noexcept {
    encoder_.lay_out(arena);
    const Index floats = picture_floats();
    float* const rows = arena.array<float>("pictures", most_ * floats);
    auto* const entries = arena.array<ImageEmbedding>("picture table", most_);
    if (arena.measuring()) return;
    pictures_ = {entries, static_cast<std::size_t>(most_)};
    for (Index i = 0; i < most_; ++i) pictures_[static_cast<std::size_t>(i)] = {{}, rows + i * floats};
  }
  /// Takes its memory; false when there is none.
  [[nodiscard]] bool open() noexcept {
    return encoder_.ready() && carve_slab(slab_, [&](Arena& arena) { lay_out(arena); });
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return slab_.size(); }
  [[nodiscard]] Index most() const noexcept { return most_; }

  /// The picture, if it is known; its caller is then a user of it.
  [[nodiscard]] ImageEmbedding* find(const ContentHash& hash) noexcept {
    const std::lock_guard lock(mutex_);
    for (ImageEmbedding& p : pictures_)
      if (p.known && p.hash == hash) return ++p.users, &p;
    return nullptr;
  }
  void retain(ImageEmbedding* picture) noexcept {
    const std::lock_guard lock(mutex_);
    ++picture->users;
  }
  void release(ImageEmbedding* picture) noexcept {
    const std::lock_guard lock(mutex_);
    --picture->users;
    picture->last_used = ++clock_;
  }

  /// A place for a picture that is not known, its caller the user; null when all are in use.
  [[nodiscard]] ImageEmbedding* take() noexcept {
    const std::lock_guard lock(mutex_);
    ImageEmbedding* best = nullptr;
    for (ImageEmbedding& p : pictures_)
      if (p.users == 0 && (!best || p.last_used < best->last_used)) best = &p;
    if (best) best->users = 1, best->known = false;
    return best;
  }
  /// Fills a place that was taken with picture_floats() floats.
  void put(ImageEmbedding* place, const ContentHash& hash, std::span<const std::byte> rows) noexcept {
    std::memcpy(const_cast<float*>(place->rows), rows.data(), rows.size());  // ours; everybody else may only read
    const std::lock_guard lock(mutex_);
    place->hash = hash;
    place->known = true;
  }

  /// The encoder, for one at a time: false when another has it for longer than `wait`.
  [[nodiscard]] bool borrow_encoder(std::chrono::nanoseconds wait) noexcept {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, wait, [&] { return !lent_; })) return false;
    return lent_ = true;
  }
  [[nodiscard]] ImageEncoder& encoder() noexcept { return encoder_; }
  void return_encoder() noexcept {
    encoder_.abandon();
    {
      const std::lock_guard lock(mutex_);
      lent_ = false;
    }
    free_.notify_one();
  }

  [[nodiscard]] Index picture_tokens() const noexcept { return net_.siglip.dims.tokens(); }
  [[nodiscard]] Index picture_floats() const noexcept { return picture_tokens() * net_.decoder.dims.hidden; }

 private:
  const DeepseekVl& net_;
  Index most_;
  ImageEncoder encoder_;
  Buffer<std::byte> slab_;
  std::mutex mutex_;
  std::condition_variable free_;
  bool lent_ = false;
  std::span<ImageEmbedding> pictures_;
  std::uint64_t clock_ = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_IMAGE_CACHE_HPP
