// Made-up numbers, the same on every machine.
#ifndef DSVL_BENCHMARKS_NOISE_HPP
#define DSVL_BENCHMARKS_NOISE_HPP

#include <cstdint>

namespace bench {

/// Numbers in [-1, 1), one after another.
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed) {}
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) / 8388608.0f - 1.0f;
  }

 private:
  std::uint32_t state_;
};

}  // namespace bench

#endif  // DSVL_BENCHMARKS_NOISE_HPP
