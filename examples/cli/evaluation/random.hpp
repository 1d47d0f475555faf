// Random: Python's random numbers, with which lm-eval draws the examples of its prompts.
//
// Sources: CPython, random.py and _randommodule.c; Matsumoto and Nishimura's mt19937ar.
#ifndef DSVL_CLI_EVALUATION_RANDOM_HPP
#define DSVL_CLI_EVALUATION_RANDOM_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cli::python {

/// random.Random(seed), for seeds below 2^32: a Mersenne twister, seeded as an array of one.
class Random {
 public:
  explicit Random(std::uint32_t seed) {
    state_[0] = 19650218;
    for (std::uint32_t i = 1; i < kSize; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
    std::uint32_t i = 1;
    const auto mix = [&](std::uint32_t factor, std::uint32_t add) {
      state_[i] = (state_[i] ^ (state_[i - 1] ^ state_[i - 1] >> 30) * factor) + add;
      if (++i == kSize) state_[0] = state_[kSize - 1], i = 1;
    };
    for (std::uint32_t k = 0; k < kSize; ++k) mix(1664525u, seed);
    for (std::uint32_t k = 1; k < kSize; ++k) mix(1566083941u, 0u - i);
    state_[0] = 0x80000000u;
  }

  /// sample(range(n), k)
  std::vector<std::size_t> sample(std::size_t n, std::size_t k) {
    std::size_t set_size = 21;
    if (k > 5) {
      std::size_t power = 1;
      while (power < 3 * k) power *= 4;
      set_size += power;
    }
    std::vector<std::size_t> out;
    if (n > set_size) {
      while (out.size() < k) {
        const std::size_t drawn = below(n);
        if (std::find(out.begin(), out.end(), drawn) == out.end()) out.push_back(drawn);
      }
      return out;
    }
    std::vector<std::size_t> pool(n);
    for (std::size_t i = 0; i < n; ++i) pool[i] = i;
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t drawn = below(n - i);
      out.push_back(pool[drawn]);
      pool[drawn] = pool[n - i - 1];
    }
    return out;
  }

 private:
  static constexpr std::uint32_t kSize = 624, kAhead = 397;

  /// A number below `n`, which is from 1 to 2^32 - 1.
  std::size_t below(std::size_t n) {
    int bits = 0;
    while (n >> bits) ++bits;
    std::size_t drawn = next() >> (32 - bits);
    while (drawn >= n) drawn = next() >> (32 - bits);
    return drawn;
  }
  std::uint32_t next() {
    if (at_ == kSize) twist();
    std::uint32_t y = state_[at_++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
  }
  void twist() {
    for (std::uint32_t i = 0; i < kSize; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % kSize] & 0x7FFFFFFFu);
      state_[i] = state_[(i + kAhead) % kSize] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    at_ = 0;
  }

  std::array<std::uint32_t, kSize> state_{};
  std::uint32_t at_ = kSize;
};

}  // namespace cli::python

#endif  // DSVL_CLI_EVALUATION_RANDOM_HPP
