// ImageCache: embeddings of pictures, found again by the pictures' pixels, and the encoder that makes them.
//
// A session and its forks share one. It has room for a fixed number of embeddings; when it is full, the least recently
// used one that has no user makes room. Encoding needs a workspace as large as the towers, so there is one encoder, and
// one picture is encoded at a time: a second borrower waits, and may find that its picture has been encoded meanwhile.
#ifndef DSVL_ENGINE_IMAGE_CACHE_HPP
#define DSVL_ENGINE_IMAGE_CACHE_HPP

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "../base/hash.hpp"
#include "image_encoder.hpp"

DSVL_BEGIN_NAMESPACE

/// A picture as the decoder reads it. The cache owns it; whoever holds a pointer to it is counted as a user.
struct ImageEmbedding {
  ContentHash hash;             ///< of its pixels
  const float* rows = nullptr;  ///< (image tokens, hidden)
  int users = 0;
  bool known = false;           ///< the rows are filled in
  std::uint64_t last_used = 0;  ///< by the cache's own clock
};

class ImageCache;

/// The right to use a cache's encoder. It ends with the lease, and what was being encoded is given up.
class EncoderLease {
 public:
  EncoderLease() noexcept = default;
  EncoderLease(EncoderLease&& other) noexcept : cache_(std::exchange(other.cache_, nullptr)) {}
  EncoderLease& operator=(EncoderLease&& other) noexcept {
    if (this != &other) give_back(), cache_ = std::exchange(other.cache_, nullptr);
    return *this;
  }
  ~EncoderLease() { give_back(); }

  [[nodiscard]] explicit operator bool() const noexcept { return cache_ != nullptr; }
  [[nodiscard]] inline ImageEncoder* operator->() const noexcept;

 private:
  friend class ImageCache;
  explicit EncoderLease(ImageCache* cache) noexcept : cache_(cache) {}
  inline void give_back() noexcept;

  ImageCache* cache_ = nullptr;
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

  /// The embedding with that hash, whose user the caller then is; null when there is none.
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

  /// A place for one more embedding, whose user the caller is; null when all places have users.
  [[nodiscard]] ImageEmbedding* take() noexcept {
    const std::lock_guard lock(mutex_);
    ImageEmbedding* best = nullptr;
    for (ImageEmbedding& p : pictures_)
      if (p.users == 0 && (!best || p.last_used < best->last_used)) best = &p;
    if (best) best->users = 1, best->known = false;
    return best;
  }
  /// Fills a place that take() gave with picture_floats() floats, after which find() finds it.
  void put(ImageEmbedding* place, const ContentHash& hash, std::span<const std::byte> rows) noexcept {
    std::memcpy(const_cast<float*>(place->rows), rows.data(), rows.size());  // ours; everybody else may only read
    const std::lock_guard lock(mutex_);
    place->hash = hash;
    place->known = true;
  }

  /// Lends the encoder, to one borrower at a time. The lease is empty when another holds it for longer than `wait`.
  [[nodiscard]] EncoderLease borrow_encoder(std::chrono::nanoseconds wait) noexcept {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, wait, [&] { return !lent_; })) return {};
    lent_ = true;
    return EncoderLease(this);
  }
  [[nodiscard]] const PreprocessConfig& preprocessing() const noexcept { return encoder_.config(); }

  [[nodiscard]] Index picture_tokens() const noexcept { return net_.siglip.dims.tokens(); }
  /// The rows of an embedding.
  [[nodiscard]] std::span<const std::byte> bytes_of(const ImageEmbedding& picture) const noexcept {
    return std::as_bytes(std::span(picture.rows, static_cast<std::size_t>(picture_floats())));
  }
  [[nodiscard]] Index picture_floats() const noexcept { return picture_tokens() * net_.decoder.dims.hidden; }

 private:
  friend class EncoderLease;
  void take_back_encoder() noexcept {
    encoder_.abandon();
    {
      const std::lock_guard lock(mutex_);
      lent_ = false;
    }
    returned_.notify_one();
  }

  const DeepseekVl& net_;
  Index most_;
  ImageEncoder encoder_;
  Buffer<std::byte> slab_;
  std::mutex mutex_;
  std::condition_variable returned_;
  bool lent_ = false;  // the encoder
  std::span<ImageEmbedding> pictures_;
  std::uint64_t clock_ = 0;
};

ImageEncoder* EncoderLease::operator->() const noexcept { return &cache_->encoder_; }
void EncoderLease::give_back() noexcept {
  if (cache_) cache_->take_back_encoder();
}

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_IMAGE_CACHE_HPP
