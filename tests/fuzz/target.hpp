// What fuzz targets share: how one is declared, numbers taken from an input, memory with a bottom, and how a promise that
// was broken ends the process.
//
// A target is a namespace fuzz_NAME with a function run(Input), and DSVL_FUZZ_TARGET(NAME) behind it. With libFuzzer
// (DSVL_FUZZ_ENGINE) each file is a program of its own; otherwise all of them are in one, which replays the seeds
// (replay.cpp). A target prints nothing, keeps nothing from one input to the next but what is the same for all of them,
// and bounds its own time and memory.
#ifndef DSVL_TESTS_FUZZ_TARGET_HPP
#define DSVL_TESTS_FUZZ_TARGET_HPP

#include <dsvl/base/host.hpp>
#include <dsvl/base/status.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

/// The end of a process in which something is not as promised. Both engines keep the input then.
[[noreturn]] inline void broken(const char* promise, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
  std::abort();
}

#define FUZZ_CHECK(promise) ((promise) ? static_cast<void>(0) : fuzz::broken(#promise, __FILE__, __LINE__))

/// The number whose bytes these are; those that are not there are zero.
template <class T>
T read(std::string_view bytes) noexcept {
  T out{};
  if (!bytes.empty()) std::memcpy(&out, bytes.data(), bytes.size());
  return out;
}

/// An input, taken from the front; behind its end there are zeros, so that every input means something.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : left_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return left_.size(); }
  std::uint8_t byte() noexcept { return value<std::uint8_t>(); }
  bool flag() noexcept { return byte() & 1; }
  /// From 0 to `most`, out of two bytes at most.
  std::size_t number(std::size_t most) noexcept {
    return (most < 256 ? std::size_t{byte()} : std::size_t{value<std::uint16_t>()}) % (most + 1);
  }
  template <class T>
  T value() noexcept {
    return read<T>(take(sizeof(T)));
  }
  /// A length and that many bytes.
  std::string_view text(std::size_t most) noexcept { return take(number(most)); }
  std::string_view rest() noexcept { return take(left_.size()); }
  /// Everything up to a NUL, which is dropped: several texts in one input.
  std::string_view until_nul() noexcept {
    const std::string_view out = take((left_.find('\0') < left_.size()) ? left_.find('\0') : left_.size());
    (void)take(1);
    return out;
  }

 private:
  std::string_view take(std::size_t n) noexcept {
    const std::string_view out = left_.substr(0, n);
    left_.remove_prefix(out.size());
    return out;
  }
  std::string_view left_;
};

inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

/// An allocator that ends: what asks for more gets nothing, and a reader that needs more than `most` for a small file is
/// seen. It may refuse one request before, by its number. What was not given back is a broken promise.
class Memory final : public dsvl::Allocator {
 public:
  explicit Memory(std::size_t most = std::size_t{64} << 20, int refused = -1) noexcept
      : left_(most), refused_(refused) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { FUZZ_CHECK(live_ == 0); }

  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    if (requests_++ == refused_ || bytes > left_) return nullptr;
    void* const memory = ::operator new(bytes, std::align_val_t(align), std::nothrow);
    if (memory) left_ -= bytes, live_ += bytes;
    return memory;
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept override {
    left_ += bytes, live_ -= bytes;
    ::operator delete(memory, std::align_val_t(align));
  }

 private:
  std::size_t left_, live_ = 0;
  int requests_ = 0, refused_;
};

/// An error says what is wrong, in one line.
inline void check_error(const dsvl::Status& error) {
  FUZZ_CHECK(!error.ok());
  FUZZ_CHECK(std::strlen(error.text()) > 8);
  FUZZ_CHECK(std::strchr(error.text(), '\n') == nullptr);
}

/// A file of the repository, which targets read once.
inline std::string file(const char* name) {
  std::ifstream in(std::string(DSVL_SOURCE_DIR) + "/" + name, std::ios::binary);
  FUZZ_CHECK(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A target by its name, for the program that replays seeds.
struct Target {
  const char* name;
  void (*run)(Input);
  const Target* next;
  static inline const Target* first = nullptr;

  Target(const char* called, void (*work)(Input)) noexcept : name(called), run(work), next(first) { first = this; }
};

}  // namespace fuzz

#if DSVL_FUZZ_ENGINE
#define DSVL_FUZZ_TARGET(name)                                                            \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {     \
    fuzz_##name::run(fuzz::Input(data, size));                                            \
    return 0;                                                                             \
  }
#else
#define DSVL_FUZZ_TARGET(name)                              \
  namespace fuzz_##name {                                   \
  const fuzz::Target kTarget{#name, run};                   \
  }
#endif

#endif  // DSVL_TESTS_FUZZ_TARGET_HPP
