// Buffer<T>: an owned array from the host's allocator; growing it can fail, and then it says so.
#ifndef DSVL_BASE_BUFFER_HPP
#define DSVL_BASE_BUFFER_HPP

#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "memory.hpp"

DSVL_BEGIN_NAMESPACE

/// Like std::vector for plain data, without exceptions: every member that can run out of memory returns bool. Over
/// memory that somebody else owns it never grows beyond that.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit Buffer(Allocator* from = nullptr) noexcept : from_(from) {}
  /// Empty, with room for as many elements as `room` has.
  explicit Buffer(std::span<T> room) noexcept : owner_(false), data_(room.data()), capacity_(room.size()) {}
  Buffer(Buffer&& other) noexcept
      : from_(other.from_), owner_(std::exchange(other.owner_, true)), data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      from_ = other.from_;
      owner_ = std::exchange(other.owner_, true);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Buffer() { release(); }

  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { DSVL_ASSERT(i < size_); return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { DSVL_ASSERT(i < size_); return data_[i]; }
  [[nodiscard]] T* begin() noexcept { return data_; }
  [[nodiscard]] T* end() noexcept { return data_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return data_; }
  [[nodiscard]] const T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] std::span<T> span() noexcept { return {data_, size_}; }
  [[nodiscard]] std::span<const T> span() const noexcept { return {data_, size_}; }

  /// Room for `n` elements in all; existing elements keep their values, their addresses may change.
  [[nodiscard]] bool reserve(std::size_t n) noexcept {
    if (n <= capacity_) return true;
    if (!owner_ || n > (std::numeric_limits<std::size_t>::max)() / sizeof(T)) return false;
    T* const grown = static_cast<T*>(allocate(from_, n * sizeof(T)));
    if (!grown) return false;
    const std::size_t kept = size_;
    if (kept) std::memcpy(static_cast<void*>(grown), data_, kept * sizeof(T));
    release();
    data_ = grown;
    size_ = kept;
    capacity_ = n;
    return true;
  }
  /// Exactly `n` elements; new ones are not initialised.
  [[nodiscard]] bool resize(std::size_t n) noexcept {
    if (!reserve(n)) return false;
    size_ = n;
    return true;
  }
  [[nodiscard]] bool push_back(const T& value) noexcept {
    const T copy = value;  // it may live in this buffer
    if (size_ == capacity_ && !reserve(capacity_ < 8 ? 16 : capacity_ * 2)) return false;
    data_[size_++] = copy;
    return true;
  }
  [[nodiscard]] bool append(const T* values, std::size_t n) noexcept {
    if (n == 0) return true;
    if (n > capacity_ - size_) {
      const std::size_t needed = size_ + n, doubled = capacity_ * 2;
      if (needed < n || !reserve(needed > doubled ? needed : doubled)) return false;
    }
    std::memcpy(static_cast<void*>(data_ + size_), values, n * sizeof(T));
    size_ += n;
    return true;
  }
  /// These `n` elements instead; they may be elements of this buffer, if it has room for n.
  [[nodiscard]] bool assign(const T* values, std::size_t n) noexcept {
    if (!reserve(n)) return false;
    if (n) std::memmove(static_cast<void*>(data_), values, n * sizeof(T));
    size_ = n;
    return true;
  }
  void clear() noexcept { size_ = 0; }

 private:
  void release() noexcept {
    if (data_ && owner_) deallocate(from_, data_, capacity_ * sizeof(T));
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  Allocator* from_ = nullptr;
  bool owner_ = true;
  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_BUFFER_HPP
