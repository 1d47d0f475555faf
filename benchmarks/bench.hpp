// What benchmarks share: medians, and the two ceilings of this machine, measured by the program itself.
#ifndef DSVL_BENCHMARKS_BENCH_HPP
#define DSVL_BENCHMARKS_BENCH_HPP

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <dsvl/base/buffer.hpp>
#include <dsvl/base/host.hpp>
#include <dsvl/base/pixels.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/kernels/lanes.hpp>
#include <functional>
#include <vector>

namespace bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Seconds of one call, the median of `runs` after one warm-up.
template <class Body>
double seconds(int runs, Body&& body) {
  body();
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const double began = now();
    body();
    times.push_back(now() - began);
  }
  return median(times);
}

/// The limits against which work is held: arithmetic and reading, with all threads at once.
struct Ceilings {
  double gflops = 0;       ///< fused multiply-adds in registers, two operations each
  double gigabytes = 0;    ///< reading memory much larger than any cache

  static Ceilings measure(dsvl::Executor& executor) {
    return {measure_flops(executor), measure_read(executor)};
  }

 private:
  static double measure_flops(dsvl::Executor& executor) {
    using Batch = dsvl::kernels::Lanes;
    // Enough independent chains to hide the latency of an fma, and enough steps to make waking the threads not count.
    constexpr int kChains = 12, kSteps = 8'000'000;
    const int workers = executor.workers();
    std::vector<float> sink(static_cast<std::size_t>(workers) * 16);
    const double took = seconds(9, [&] {
      executor.run(workers, [&](int w) {
        using namespace dsvl::kernels;
        Batch acc[kChains];
        unroll<kChains>([&](auto c) { acc[c] = Batch(static_cast<float>(c) * 1e-3f); });
        const Batch a(0.999f), b(1e-3f);
        for (int i = 0; i < kSteps; ++i) unroll<kChains>([&](auto c) { acc[c] = fma(acc[c], a, b); });
        for (int c = 1; c < kChains; ++c) acc[0] += acc[c];
        sink[static_cast<std::size_t>(w) * 16] = acc[0].get(0);
      });
    });
    return 2.0 * kChains * kSteps * static_cast<double>(Batch::size) * workers / took / 1e9;
  }

  static double measure_read(dsvl::Executor& executor) {
    using Batch = dsvl::kernels::Lanes;
    constexpr std::size_t kFloats = std::size_t{1} << 27;  // 512 MiB
    dsvl::Buffer<float> memory;
    if (!memory.resize(kFloats)) return 0;
    std::fill(memory.begin(), memory.end(), 1.0f);
    const auto workers = static_cast<std::size_t>(executor.workers());
    std::vector<float> sink(workers * 16);
    const double took = seconds(3, [&] {
      executor.run(static_cast<int>(workers), [&](int w) {
        constexpr std::size_t kStep = 8 * Batch::size;
        const std::size_t share = kFloats / workers / kStep * kStep;
        const float* const from = memory.data() + static_cast<std::size_t>(w) * share;
        Batch acc[8];
        for (auto& a : acc) a = Batch(0.0f);
        for (std::size_t i = 0; i < share; i += kStep)
          for (std::size_t k = 0; k < 8; ++k) acc[k] += Batch::load_unaligned(from + i + k * Batch::size);
        Batch sum = acc[0];
        for (std::size_t k = 1; k < 8; ++k) sum += acc[k];
        sink[static_cast<std::size_t>(w) * 16] = sum.get(0);
      });
    });
    return static_cast<double>(kFloats) * sizeof(float) / took / 1e9;
  }
};

inline void print_machine(const Ceilings& c, const dsvl::Executor& executor) {
  std::printf("%d threads, kernels %s; ceilings: %.0f GFLOP/s (fma), %.1f GB/s (read)\n", executor.workers(),
              dsvl::active_kernels<float>().name, c.gflops, c.gigabytes);
}

/// A picture of 640 x 480 pixels that is made up.
class MadeUpPicture {
 public:
  MadeUpPicture() : bytes_(kWidth * kHeight * 3) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::uint8_t>(i * 7 / 3 + i / 1920 * 5);
  }
  [[nodiscard]] dsvl::Pixels pixels() const {
    return {bytes_.data(), kWidth, kHeight, dsvl::PixelFormat::rgb, 0};
  }

 private:
  static constexpr int kWidth = 640, kHeight = 480;
  std::vector<std::uint8_t> bytes_;
};

/// One line of a table: what was done, how long it took, and how near it came to the ceilings.
struct Row {
  const char* name = "";
  double seconds = 0, flops = 0, bytes = 0;
};

inline void print_header() {
  std::printf("%-28s %12s %10s %8s %9s %8s\n", "stage", "ms", "GFLOP/s", "of peak", "GB/s", "of read");
}
inline void print(const Row& r, const Ceilings& c) {
  std::printf("%-28s %12.3f", r.name, 1e3 * r.seconds);
  if (r.flops > 0)
    std::printf(" %10.1f %7.0f%%", r.flops / r.seconds / 1e9, 100 * r.flops / r.seconds / 1e9 / c.gflops);
  else std::printf(" %10s %8s", "-", "-");
  if (r.bytes > 0)
    std::printf(" %9.2f %7.0f%%", r.bytes / r.seconds / 1e9, 100 * r.bytes / r.seconds / 1e9 / c.gigabytes);
  else std::printf(" %9s %8s", "-", "-");
  std::printf("\n");
}

}  // namespace bench

#endif  // DSVL_BENCHMARKS_BENCH_HPP
