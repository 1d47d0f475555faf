// What the kernel tests share: widths around every lane count, weights in every format, scratch, bits.
#ifndef DSVL_TESTS_KERNELS_SUPPORT_HPP
#define DSVL_TESTS_KERNELS_SUPPORT_HPP

#include <dsvl/base/half.hpp>
#include <dsvl/kernels/dispatch.hpp>

#include <cstring>
#include <vector>

#include "../support.hpp"

namespace test {

using dsvl::Format;
using dsvl::Index;

inline constexpr Index kWidths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1024, 1025, 2048 + 3};
inline constexpr Format kAllFormats[] = {Format::f32, Format::bf16, Format::f16};
inline constexpr Format kQuantized[] = {Format::q8_0, Format::q4_0, Format::q4_k, Format::q6_k};

/// n weights in `format`, starting `misaligned` bytes into the vector; what stands before and behind them is NaN.
inline std::vector<std::byte> weights(Format format, Index n, std::uint64_t seed, Index misaligned = 0) {
  const auto values = noise(static_cast<std::size_t>(n), seed);
  const Index bytes = dsvl::row_bytes(format, n);
  std::vector<std::byte> out(static_cast<std::size_t>(misaligned + bytes + 64), std::byte{0xFF});
  std::byte* to = out.data() + misaligned;
  for (Index i = 0; i < n; ++i, to += dsvl::row_bytes(format, 1)) {
    const float x = values[static_cast<std::size_t>(i)];
    const auto half = format == Format::bf16 ? dsvl::to_bf16(x).bits : dsvl::to_f16(x).bits;
    if (format == Format::f32) std::memcpy(to, &x, 4);
    else std::memcpy(to, &half, 2);
  }
  return out;
}

inline std::vector<double> widen(const std::vector<float>& x) { return {x.begin(), x.end()}; }

/// `n` elements at a 64-byte address.
template <class T>
class Scratch {
 public:
  explicit Scratch(Index n) : memory_(static_cast<std::size_t>(n) + 64 / sizeof(T)) {}
  T* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + ((address + 63) / 64 * 64 - address) / sizeof(T);
  }

 private:
  std::vector<T> memory_;
};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// relative_error of two vectors.
template <class A, class B>
double relative_error(const std::vector<A>& got, const std::vector<B>& want) {
  return relative_error(std::span<const A>(got), std::span<const B>(want));
}

}  // namespace test

#endif  // DSVL_TESTS_KERNELS_SUPPORT_HPP
