// Calling somebody's lambda without owning it.
#include <doctest/doctest.h>

#include <dsvl/base/function_ref.hpp>
#include <memory>

using namespace dsvl;

namespace {
int twice(FunctionRef<int(int)> f, int x) { return f(f(x)); }
int plus_one(int x) { return x + 1; }
}  // namespace

TEST_CASE("a FunctionRef calls what it refers to, with its state") {
  int calls = 0;
  auto count = [&](int x) { return ++calls, x + 10; };
  CHECK(twice(count, 1) == 21);
  CHECK(calls == 2);
  CHECK(twice([n = 3](int x) mutable { return x * n++; }, 1) == 12);
  const auto constant = [](int x) { return -x; };
  CHECK(twice(constant, 4) == 4);
  CHECK(twice(&plus_one, 4) == 6);
  const FunctionRef<int(int)> ref = count, copy = ref;
  CHECK(copy(0) == 10);
  CHECK(calls == 3);
}

TEST_CASE("arguments are passed on as they came, and results may be dropped") {
  std::unique_ptr<int> kept;
  auto keep = [&](std::unique_ptr<int> p) { kept = std::move(p); };
  const FunctionRef<void(std::unique_ptr<int>)> f = keep;
  f(std::make_unique<int>(5));
  CHECK(*kept == 5);
  int n = 0;
  auto grow = [](int& x) { return ++x; };
  const FunctionRef<void(int&)> g = grow;
  g(n);
  CHECK(n == 1);
}
