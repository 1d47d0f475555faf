// What benchmarks share: medians, the ceilings of this machine, measured by the program itself, and tables of results.
#ifndef DSVL_BENCHMARKS_BENCH_HPP
#define DSVL_BENCHMARKS_BENCH_HPP

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dsvl/base/buffer.hpp>
#include <dsvl/base/host.hpp>
#include <dsvl/base/pixels.hpp>
#include <dsvl/io/json_writer.hpp>
#include <dsvl/kernels/cpu.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <string>
#include <vector>

#if !DSVL_SCALAR
#include <dsvl/kernels/lanes/bytes.hpp>
#include <dsvl/kernels/lanes/prefetch.hpp>
#endif

namespace bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

inline double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
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

/// What a line's arithmetic is held against.
enum class Unit { fma, bf16, int8 };
/// Of products that take rows of x so.
constexpr Unit unit_of(dsvl::ActivationFormat x_format) {
  return dsvl::is_int8(x_format) ? Unit::int8 : x_format == dsvl::ActivationFormat::bf16 ? Unit::bf16 : Unit::fma;
}

/// The limits against which work is held: arithmetic and reading, with all threads at once. Two operations for each
/// product that is added. Arithmetic is 0, unknown, where this file is compiled for other instructions than the kernels
/// that run, or for none that work on vectors.
struct Ceilings {
  double fma = 0;        ///< GFLOP/s of fused multiply-adds in registers
  double bf16 = 0;       ///< of pairs of bf16
  double int8 = 0;       ///< GOP/s of fours of bytes
  double gigabytes = 0;  ///< GB/s of reading memory much larger than any cache

  static Ceilings measure(dsvl::Executor& executor) {
    Ceilings c;
    c.gigabytes = read(executor);
#if !DSVL_SCALAR
    namespace k = dsvl::kernels;
    using k::Bits, k::Lanes;
    if (std::strcmp(dsvl::active_kernels<float>().name, dsvl::name(dsvl::Isa::DSVL_ISA)) != 0) return c;
    c.fma = arithmetic<Lanes>(executor, 1, [](Lanes sum, Lanes x) { return k::fma(sum, x, x); });
    c.bf16 = arithmetic<Lanes>(executor, 2, [](Lanes sum, Lanes x) { return k::dot_bf16(x, x, sum); });
    c.int8 = arithmetic<Bits>(executor, 4, [](Bits sum, Bits x) { return k::dot_bytes<7>(x, x, sum); });
#endif
    return c;
  }
  [[nodiscard]] double of(Unit unit) const { return unit == Unit::fma ? fma : unit == Unit::bf16 ? bf16 : int8; }

 private:
#if !DSVL_SCALAR
  /// `step` in enough independent chains to hide its latency, and often enough to make waking the threads not count.
  template <class Batch, class Step>
  static double arithmetic(dsvl::Executor& executor, int products, Step&& step) {
    constexpr int kChains = 12, kSteps = 4'000'000;
    constexpr std::size_t kLine = 64;
    const int workers = executor.workers();
    std::vector<unsigned char> sink(static_cast<std::size_t>(workers) * kLine);
    const double took = seconds(9, [&] {
      executor.run(workers, [&](int w) {
        using namespace dsvl::kernels;
        Batch acc[kChains];
        unroll<kChains>([&](auto c) { acc[c] = Batch(static_cast<typename Batch::value_type>(c + 1)); });
        const Batch x = keep_in_register(Batch(static_cast<typename Batch::value_type>(1)));
        for (int i = 0; i < kSteps; ++i) unroll<kChains>([&](auto c) { acc[c] = step(acc[c], x); });
        for (int c = 1; c < kChains; ++c) acc[0] = acc[0] + acc[c];
        std::memcpy(sink.data() + static_cast<std::size_t>(w) * kLine, &acc[0], sizeof(Batch));
      });
    });
    return 2.0 * products * kChains * kSteps * static_cast<double>(Batch::size) * workers / took / 1e9;
  }

  static constexpr std::size_t kStep = 8 * dsvl::kernels::Lanes::size;  // floats that one turn of read_all takes
  /// Adds floats up, so that they are read: as fast as memory gives them.
  static float read_all(const float* from, std::size_t floats) {
    using Batch = dsvl::kernels::Lanes;
    Batch acc[8];
    for (auto& a : acc) a = Batch(0.0f);
    for (std::size_t i = 0; i < floats; i += kStep)
      for (std::size_t k = 0; k < 8; ++k) {
        const float* const at = from + i + k * Batch::size;
        dsvl::kernels::prefetch(at + 2048);  // faster than reading alone
        acc[k] += Batch::load_unaligned(at);
      }
    Batch sum = acc[0];
    for (std::size_t k = 1; k < 8; ++k) sum += acc[k];
    return sum.get(0);
  }
#else
  static constexpr std::size_t kStep = 8;
  static float read_all(const float* from, std::size_t floats) {
    float acc[kStep] = {}, sum = 0;
    for (std::size_t i = 0; i < floats; i += kStep)
      for (std::size_t k = 0; k < kStep; ++k) acc[k] += from[i + k];
    for (const float a : acc) sum += a;
    return sum;
  }
#endif

  static double read(dsvl::Executor& executor) {
    constexpr std::size_t kFloats = std::size_t{1} << 27;  // 512 MiB
    dsvl::Buffer<float> memory;
    if (!memory.resize(kFloats)) return 0;
    std::fill(memory.begin(), memory.end(), 1.0f);
    const auto workers = static_cast<std::size_t>(executor.workers());
    std::vector<float> sink(workers * 16);
    const double took = seconds(3, [&] {
      executor.run(static_cast<int>(workers), [&](int w) {
        const std::size_t share = kFloats / workers / kStep * kStep;
        sink[static_cast<std::size_t>(w) * 16] = read_all(memory.data() + static_cast<std::size_t>(w) * share, share);
      });
    });
    return static_cast<double>(kFloats) * sizeof(float) / took / 1e9;
  }
};

/// What the processor calls itself.
inline std::string processor() {
  std::string name;
  for (std::uint32_t leaf = 0x80000002u; leaf <= 0x80000004u; ++leaf) {
    const dsvl::cpu_detail::Registers r = dsvl::cpu_detail::cpuid(leaf, 0);
    char part[sizeof r + 1] = {};
    std::memcpy(part, &r, sizeof r);
    name += part;
  }
  const std::size_t from = name.find_first_not_of(' '), to = name.find_last_not_of(' ');
  return from == std::string::npos ? "unknown processor" : name.substr(from, to - from + 1);
}

/// The words of a command line without --json, and whether it was there.
struct Arguments {
  std::vector<std::string> words;
  bool json = false;

  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
      if (std::strcmp(argv[i], "--json") == 0) json = true;
      else words.emplace_back(argv[i]);
  }
  [[nodiscard]] std::string word(std::size_t i, const char* otherwise) const {
    return i < words.size() ? words[i] : otherwise;
  }
  [[nodiscard]] int number(std::size_t i, int otherwise) const {
    return i < words.size() ? std::atoi(words[i].c_str()) : otherwise;
  }
};

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

/// One line of a table: what was done, how long it took, and how much work it was.
struct Row {
  std::string name;
  double seconds = 0, operations = 0, bytes = 0;
  Unit unit = Unit::fma;
};

/// A table of rows, printed as they come; or all of it as JSON at the end.
class Report {
 public:
  Report(std::string what, const Ceilings& ceilings, const dsvl::Executor& executor, bool json)
      : what_(std::move(what)), ceilings_(ceilings), threads_(executor.workers()), json_(json) {
    if (json_) return;
    std::printf("%s, %d threads, kernels %s, %s\n", what_.c_str(), threads_, kernels(), processor().c_str());
    if (ceilings.fma > 0)
      std::printf("ceilings: %.0f GFLOP/s (fma), %.0f (pairs of bf16), %.0f GOP/s (bytes), %.1f GB/s (read)\n",
                  ceilings.fma, ceilings.bf16, ceilings.int8, ceilings.gigabytes);
    else
      std::printf("ceilings: %.1f GB/s (read); arithmetic is measured in builds for one machine (DSVL_NATIVE) only\n",
                  ceilings.gigabytes);
    std::printf("%-40s %12s %10s %8s %9s %8s\n", "", "ms", "GFLOP/s", "of peak", "GB/s", "of read");
  }

  void add(Row row) {
    if (!json_) print(row);
    rows_.push_back(std::move(row));
  }
  /// A figure that has a line of its own.
  void figure(const char* name, double value, const char* unit) {
    if (!json_) std::printf("%s: %.4g %s\n", name, value, unit);
    figures_.push_back({name, value, unit});
  }
  /// What the program found about its own results; the exit code of the program.
  int finish(const char* check, bool right) {
    if (json_) std::printf("%s\n", json(check, right).c_str());
    else std::printf("check: %s: %s\n", check, right ? "yes" : "NO");
    return right ? 0 : 1;
  }

 private:
  struct Figure {
    std::string name;
    double value;
    std::string unit;
  };

  static const char* kernels() { return dsvl::active_kernels<float>().name; }
  [[nodiscard]] double speed(const Row& r) const { return r.operations / r.seconds / 1e9; }
  [[nodiscard]] double rate(const Row& r) const { return r.bytes / r.seconds / 1e9; }

  void print(const Row& r) const {
    std::printf("%-40s %12.3f", r.name.c_str(), 1e3 * r.seconds);
    print_speed(r.operations > 0, "%10.1f", 10, speed(r), ceilings_.of(r.unit));
    print_speed(r.bytes > 0, "%9.2f", 9, rate(r), ceilings_.gigabytes);
    std::printf("\n");
    std::fflush(stdout);
  }

  static void print_speed(bool known, const char* format, int width, double speed, double ceiling) {
    std::printf(" ");
    if (known) std::printf(format, speed);
    else std::printf("%*s", width, "-");
    if (known && ceiling > 0) std::printf(" %7.0f%%", 100 * speed / ceiling);
    else std::printf(" %8s", "-");
  }

  [[nodiscard]] std::string json(const char* check, bool right) const {
    dsvl::json::Writer w;
    w.begin_object();
    w.key("what").value(what_).key("processor").value(processor()).key("threads").value(threads_);
    w.key("kernels").value(kernels()).key("dsvl").value(DSVL_VERSION_STRING).key("unix_time");
    w.value(static_cast<std::int64_t>(std::time(nullptr))).key("ceilings").begin_object();
    w.key("fma_gflops").value(ceilings_.fma).key("bf16_gflops").value(ceilings_.bf16);
    w.key("int8_gops").value(ceilings_.int8).key("read_gbytes").value(ceilings_.gigabytes).end_object();
    w.key("rows").begin_array();
    for (const Row& r : rows_) {
      w.begin_object().key("name").value(r.name).key("ms").value(1e3 * r.seconds);
      if (r.operations > 0)
        w.key("gflops").value(speed(r)).key("of_peak").value(speed(r) / ceilings_.of(r.unit));  // null: unknown
      if (r.bytes > 0) w.key("gbytes").value(rate(r)).key("of_read").value(rate(r) / ceilings_.gigabytes);
      w.end_object();
    }
    w.end_array().key("figures").begin_object();
    for (const Figure& f : figures_) w.key(f.name).begin_object().key("value").value(f.value).key("unit").value(f.unit).end_object();
    w.end_object().key("check").value(check).key("passed").value(right).end_object();
    return w.text();
  }

  std::string what_;
  Ceilings ceilings_;
  int threads_;
  bool json_;
  std::vector<Row> rows_;
  std::vector<Figure> figures_;
};

}  // namespace bench

#endif  // DSVL_BENCHMARKS_BENCH_HPP
