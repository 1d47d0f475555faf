// Buffer<T>: an owned array from the host's allocator. Growing it can fail, and then the member returns false.
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
/// memory that the caller owns it never grows beyond that. It moves, and is never copied by accident.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  /// Empty; grows with an allocator, or with operator new when that is null.
  explicit Buffer(Allocator* from = nullptr) noexcept : from_(from) {}
  /// Empty, with room for as many elements as `room` has. The memory stays the caller's and must outlive the buffer.
  explicit Buffer(std::span<T> room) noexcept : owner_(false), data_(room.data()), capacity_(room.size()) {}
  /// Takes the elements over; `other` is empty afterwards and can be used again.
  Buffer(Buffer&& other) noexcept
      : from_(other.from_), owner_(std::exchange(other.owner_, true)), data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  /// Frees what it has and takes the elements over, with the allocator they came from.
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
  /// Gives the memory back, if it owns it. Elements need no destructor.
  ~Buffer() { release(); }

  /// The elements; null when no memory was taken.
  [[nodiscard]] T* data() noexcept { return data_; }
  /// The elements, read only.
  [[nodiscard]] const T* data() const noexcept { return data_; }
  /// Number of elements.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Elements that it has room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// True when there are no elements.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Element i, which must be there.
  T& operator[](std::size_t i) noexcept { DSVL_ASSERT(i < size_); return data_[i]; }
  /// Element i, read only.
  const T& operator[](std::size_t i) const noexcept { DSVL_ASSERT(i < size_); return data_[i]; }
  /// Iterators are pointers, valid until the buffer grows or moves.
  [[nodiscard]] T* begin() noexcept { return data_; }
  /// One past the last element.
  [[nodiscard]] T* end() noexcept { return data_ + size_; }
  /// The first element, read only.
  [[nodiscard]] const T* begin() const noexcept { return data_; }
  /// One past the last element, read only.
  [[nodiscard]] const T* end() const noexcept { return data_ + size_; }
  /// The elements as a span.
  [[nodiscard]] std::span<T> span() noexcept { return {data_, size_}; }
  /// The elements as a span, read only.
  [[nodiscard]] std::span<const T> span() const noexcept { return {data_, size_}; }

  /// Makes room for `n` elements in all. Existing elements keep their values; their addresses may change.
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
  /// Makes it exactly `n` elements long; new ones are not initialised. Getting smaller never fails.
  [[nodiscard]] bool resize(std::size_t n) noexcept {
    if (!reserve(n)) return false;
    size_ = n;
    return true;
  }
  /// Appends one element. Capacity doubles, so the cost per element is constant.
  [[nodiscard]] bool push_back(const T& value) noexcept {
    const T copy = value;  // it may be an element of this buffer, which moves when it grows
    if (size_ == capacity_ && !reserve(capacity_ < 8 ? 16 : capacity_ * 2)) return false;
    data_[size_++] = copy;
    return true;
  }
  /// Appends `n` elements, which must not be this buffer's.
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
  /// Replaces all elements by `n` others, which may be elements of this buffer if it has room for n.
  [[nodiscard]] bool assign(const T* values, std::size_t n) noexcept {
    if (!reserve(n)) return false;
    if (n) std::memmove(static_cast<void*>(data_), values, n * sizeof(T));
    size_ = n;
    return true;
  }
  /// Removes all elements and keeps the memory.
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
