// Products of 1.3B for few rows: a token, drafts, small batches.
//
//   bench_rows [THREADS [FORMAT [SHAPE]]]      only the format and the shapes whose name contains that
//
// The limit of n rows is the longer of two times: reading the weights once, and n rows at the speed of a prompt (512
// rows, measured here). Checks itself: every product agrees with the definition in double.
#include <dsvl/base/thread_pool.hpp>

#include "products.hpp"

namespace {

constexpr dsvl::Index kRows[] = {1, 2, 3, 4, 5, 6, 8, 12, 16, 17, 24, 32}, kPrompt = 512;
constexpr bench::Shape kShapes[] = {
    {"q", 0, 2048, 2048}, {"gate", 0, 5632, 2048}, {"down", 0, 2048, 5632}, {"head", 0, 102400, 2048}};

/// The lines of a format and a shape, one for each number of rows; false where a product is wrong.
bool time_rows(bench::Shape shape, const bench::Kind& kind, dsvl::Executor& executor, const bench::Ceilings& ceilings) {
  shape.rows = kPrompt;
  const bench::TimedProduct prompt = bench::time_product(shape, kind, executor, 3, 0);
  bool right = bench::is_right("a prompt", prompt);
  std::printf("%s, %s, %td x %td; a prompt's row %.4f ms\n", kind.name, shape.name, shape.cols, shape.outputs,
              1e3 * prompt.seconds / kPrompt);
  double one = 0;
  for (const dsvl::Index rows : kRows) {
    shape.rows = rows;
    const bench::TimedProduct p = bench::time_product(shape, kind, executor, 5, 4e8);
    right = bench::is_right(std::to_string(rows) + " rows", p) && right;
    if (rows == 1) one = p.seconds;
    const double reading = p.bytes / ceilings.gigabytes / 1e9;
    const double limit = std::max(reading, static_cast<double>(rows) * prompt.seconds / kPrompt);
    std::printf("%6td rows %9.3f ms %7.2f GB/s %8.1f GFLOP/s %6.2f x one row %5.0f%% of the limit (%s)\n", rows,
                1e3 * p.seconds, p.bytes / p.seconds / 1e9, p.operations / p.seconds / 1e9,
                static_cast<double>(rows) * one / p.seconds, 100 * limit / p.seconds,
                limit > reading ? "arithmetic" : "reading");
    std::fflush(stdout);
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  dsvl::ThreadPool pool(arguments.number(0, 0));
  const auto wanted = [&](std::size_t i, const char* name) {
    return std::string(name).find(arguments.word(i, "")) != std::string::npos;
  };
  const bench::Ceilings ceilings = bench::Ceilings::measure(pool);
  std::printf("rows, %d threads, kernels %s, %s; reading %.1f GB/s\n", pool.workers(),
              dsvl::active_kernels<float>().name, bench::processor().c_str(), ceilings.gigabytes);
  bool right = true;
  const auto time_kind = [&](const bench::Kind& kind) {
    if (!wanted(1, kind.name)) return;
    for (const bench::Shape& shape : kShapes)
      if (wanted(2, shape.name)) right = time_rows(shape, kind, pool, ceilings) && right;
  };
  for (const bench::Kind& kind : bench::kKinds) time_kind(kind);
  std::printf("check: every product agrees with the definition in double: %s\n", right ? "yes" : "NO");
  return right ? 0 : 1;
}
