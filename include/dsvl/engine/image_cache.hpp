// ImageCache: embeddings of pictures, found again by the pictures' pixels, and the encoder that makes them.
//
// A session and its forks share one. It has room for a fixed number of embeddings; when it is full, the least recently
// used one without users makes room. Encoding needs scratch as large as the towers' activations, so there is one
// encoder, and one picture is encoded at a time. A second borrower waits, and may find that its picture has been
// encoded meanwhile. One that cannot do anything else takes the encoder from a holder that is used by the same thread,
// since that one would wait for this thread, and this thread for it.
#ifndef DSVL_ENGINE_IMAGE_CACHE_HPP
#define DSVL_ENGINE_IMAGE_CACHE_HPP

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "../base/hash.hpp"
#include "image_encoder.hpp"

DSVL_BEGIN_NAMESPACE

/// The rows that the towers and the aligner made of a picture, as the decoder reads them. The cache owns it. Everything
/// that keeps a pointer to it (a conversation, a queue) is counted as a user.
struct ImageEmbedding {
  ContentHash hash;             ///< of the picture's pixels
  const float* rows = nullptr;  ///< (image tokens, hidden), at a fixed address
  int users = 0;                ///< 0: the place may be taken again
  bool known = false;           ///< the rows are filled in, and find() finds it
  std::uint64_t last_used = 0;  ///< time of the cache's clock at which its last user left it
};

class ImageCache;

/// The right to use a cache's encoder, for one holder at a time. When the lease ends, the encoder goes back, and a
/// picture that is still being encoded is given up. Another borrower may take the encoder over while the holder does
/// not use it, which is between pause() and resume(). The cache must outlive the lease.
class EncoderLease {
 public:
  /// A lease of nothing.
  EncoderLease() noexcept = default;
  /// Takes the right over; `other` has nothing afterwards.
  EncoderLease(EncoderLease&& other) noexcept
      : cache_(std::exchange(other.cache_, nullptr)), number_(other.number_) {}
  /// Gives its own encoder back first.
  EncoderLease& operator=(EncoderLease&& other) noexcept {
    if (this != &other) {
      give_back();
      cache_ = std::exchange(other.cache_, nullptr);
      number_ = other.number_;
    }
    return *this;
  }
  /// Gives the encoder back, if it has one.
  ~EncoderLease() { give_back(); }

  /// True when it holds an encoder.
  [[nodiscard]] explicit operator bool() const noexcept { return cache_ != nullptr; }
  /// The encoder, which it must hold and use.
  [[nodiscard]] inline ImageEncoder* operator->() const noexcept;
  /// Says that the encoder is not used until resume(), so that others may take it over. A new lease is in use.
  inline void pause() noexcept;
  /// Uses the encoder again. False when another borrower took it over, who gave up the picture that was being encoded;
  /// the lease is then one of nothing.
  [[nodiscard]] inline bool resume() noexcept;

 private:
  friend class ImageCache;
  EncoderLease(ImageCache* cache, std::uint64_t number) noexcept : cache_(cache), number_(number) {}
  inline void give_back() noexcept;

  ImageCache* cache_ = nullptr;
  std::uint64_t number_ = 0;  // of this lease; the encoder belongs to the one with the cache's last number
};

/// A fixed number of embeddings, and one encoder to fill them. Sessions may use it on several threads: every member
/// that looks at embeddings takes the lock.
class ImageCache {
 public:
  /// Room for limits.pictures embeddings of `net`, which must outlive this object. Memory comes from `from`; null means
  /// operator new. Call open() before anything else.
  ImageCache(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, int workers,
          Allocator* from) noexcept
      : net_(net), most_(limits.pictures), encoder_(net, preprocess, limits, workers, from), slab_(from) {}
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;

  /// Declares the memory of the encoder and of all embeddings. plan() calls it to measure.
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
    return carve_slab(slab_, [&](Arena& arena) { lay_out(arena); });
  }
  /// Bytes that it took.
  [[nodiscard]] std::size_t bytes() const noexcept { return slab_.size(); }
  /// Embeddings that it has room for.
  [[nodiscard]] Index most() const noexcept { return most_; }

  /// The embedding with that hash, with the caller as one more user; null when there is none.
  [[nodiscard]] ImageEmbedding* find(const ContentHash& hash) noexcept {
    const std::lock_guard lock(mutex_);
    for (ImageEmbedding& p : pictures_)
      if (p.known && p.hash == hash) return ++p.users, &p;
    return nullptr;
  }
  /// Adds a user to an embedding that has one.
  void retain(ImageEmbedding* picture) noexcept {
    const std::lock_guard lock(mutex_);
    ++picture->users;
  }
  /// Ends the use by one user. The rows stay known until their place is needed.
  void release(ImageEmbedding* picture) noexcept {
    const std::lock_guard lock(mutex_);
    --picture->users;
    picture->last_used = ++clock_;
  }

  /// A place for one more embedding, with the caller as its only user: the least recently used one without users. Null
  /// when all places have users.
  [[nodiscard]] ImageEmbedding* take() noexcept {
    const std::lock_guard lock(mutex_);
    ImageEmbedding* best = nullptr;
    for (ImageEmbedding& p : pictures_)
      if (p.users == 0 && (!best || p.last_used < best->last_used)) best = &p;
    if (best) best->users = 1, best->known = false;
    return best;
  }
  /// Fills a place that take() gave with picture_floats() floats; from then on find() finds it. The rows are written
  /// without the lock, because until then only the caller has the place.
  void put(ImageEmbedding* place, const ContentHash& hash, std::span<const std::byte> rows) noexcept {
    // Only the holder of the place writes its rows, once; for all others they are const.
    std::memcpy(const_cast<float*>(place->rows), rows.data(), rows.size());
    const std::lock_guard lock(mutex_);
    place->hash = hash;
    place->known = true;
  }

  /// Lends the encoder to one borrower at a time. The lease is empty when another one holds it for longer than `wait`.
  /// With `take_over` the encoder is also taken from a holder that does not use it and did last on this thread; its
  /// picture is given up.
  [[nodiscard]] EncoderLease borrow_encoder(std::chrono::nanoseconds wait, bool take_over = false) noexcept {
    std::unique_lock lock(mutex_);
    const auto free = [&] {
      return !lent_ || (take_over && !in_use_ && last_used_by_ == std::this_thread::get_id());
    };
    if (!returned_.wait_for(lock, wait, free)) return {};
    if (lent_) encoder_.abandon();
    lent_ = in_use_ = true;
    return EncoderLease(this, ++leases_);
  }
  /// The rules by which pictures are prepared for the towers.
  [[nodiscard]] const PreprocessConfig& preprocessing() const noexcept { return encoder_.config(); }

  /// Rows of an embedding: the image tokens that a picture takes in a prompt.
  [[nodiscard]] Index picture_tokens() const noexcept { return net_.siglip.dims.tokens(); }
  /// The rows and columns that these tokens make over a picture.
  [[nodiscard]] Grid picture_grid() const noexcept { return net_.siglip.dims.input.grid(); }
  /// The rows of an embedding as bytes, for a saved session.
  [[nodiscard]] std::span<const std::byte> bytes_of(const ImageEmbedding& picture) const noexcept {
    return std::as_bytes(std::span(picture.rows, static_cast<std::size_t>(picture_floats())));
  }
  /// Floats of an embedding.
  [[nodiscard]] Index picture_floats() const noexcept { return picture_tokens() * net_.decoder.dims.hidden; }

 private:
  friend class EncoderLease;
  /// Ends a lease, unless another one took the encoder over.
  void take_back_encoder(std::uint64_t lease) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (lease != leases_) return;
      encoder_.abandon();
      lent_ = in_use_ = false;
    }
    returned_.notify_one();
  }
  /// Says whether the encoder is in use by a lease. False when another one took it over.
  bool set_in_use(std::uint64_t lease, bool in_use) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (lease != leases_) return false;
      in_use_ = in_use;
      last_used_by_ = std::this_thread::get_id();
    }
    if (!in_use) returned_.notify_one();
    return true;
  }

  const DeepseekVl& net_;               // sizes of an embedding
  Index most_;                          // embeddings that there is room for
  ImageEncoder encoder_;                // lent to one borrower at a time
  Buffer<std::byte> slab_;              // of the encoder and the embeddings
  std::mutex mutex_;                    // guards all that follows, and the embeddings but for their rows
  std::condition_variable returned_;    // wakes those who wait for the encoder
  bool lent_ = false, in_use_ = false;  // the encoder has a borrower, who uses it now
  std::thread::id last_used_by_;        // the thread on which a lease was paused or resumed last
  std::uint64_t leases_ = 0;            // number of the last lease
  std::span<ImageEmbedding> pictures_;  // all places
  std::uint64_t clock_ = 0;             // counts releases, for the LRU order
};

ImageEncoder* EncoderLease::operator->() const noexcept { return &cache_->encoder_; }
void EncoderLease::give_back() noexcept {
  if (cache_) cache_->take_back_encoder(number_);
}
void EncoderLease::pause() noexcept { (void)cache_->set_in_use(number_, false); }
bool EncoderLease::resume() noexcept {
  if (!cache_->set_in_use(number_, true)) cache_ = nullptr;
  return cache_ != nullptr;
}

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_IMAGE_CACHE_HPP
