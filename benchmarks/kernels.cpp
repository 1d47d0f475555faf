// Every kernel at the sizes that occur in the released models, held against what this machine can do at most.
//
//   bench_kernels [THREADS [NAME]] [--json]      NAME: only lines whose name contains it
//
// Products with many rows are bound by arithmetic, those of one row by reading the weights, which lie in memory much
// larger than any cache, as a model's do. Checks itself: every line against the definition in double.
#include <dsvl/base/thread_pool.hpp>

#include "attentions.hpp"
#include "elementwise.hpp"
#include "products.hpp"

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  dsvl::ThreadPool pool(arguments.number(0, 0));
  const std::string only = arguments.word(1, "");
  bench::Report report("kernels", bench::Ceilings::measure(pool), pool, arguments.json);
  const auto wanted = [&](const std::string& name) { return name.find(only) != std::string::npos; };
  bool right = true;
  for (const bench::Shape& shape : bench::kShapes)
    for (const bench::Kind& kind : bench::kKinds)
      if (wanted(std::string(shape.name) + ", " + kind.name))
        right = bench::report_product(shape, kind, pool, report) && right;
  for (const bench::AttentionCase& c : bench::kAttentions)
    if (wanted(std::string("attention, ") + c.name)) right = bench::Attentions(c, pool).time(report) && right;
  right = bench::time_elementwise(pool, report, only) && right;
  return report.finish("every line agrees with the definition in double", right);
}
