// Buffers that are declared once and visited twice.
#include <doctest/doctest.h>

#include <dsvl/run/arena.hpp>
#include <string>
#include <vector>

using namespace dsvl;

namespace {

struct Buffers {
  View<float> a, b, c, d, e;
  double* end = nullptr;
  void carve(Arena& arena) {
    a = arena.view<float>("a", 3, 5);
    arena.overlap([&] { b = arena.view<float>("b", 100, 2); },
                  [&] {
                    c = arena.view<float>("c", 1, 7);
                    arena.overlap([&] { d = arena.view<float>("d", 400, 1); }, [&] { e = arena.view<float>("e", 9, 9); });
                  });
    end = arena.array<double>("end", 1);
  }
};
std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

}  // namespace

TEST_CASE("carving takes exactly what measuring counted, aligned, and groups that overlap share their place") {
  Arena measure;
  CHECK(measure.measuring());
  Buffers b;
  b.carve(measure);
  CHECK((b.a.data == nullptr && b.end == nullptr));
  CHECK((b.b.rows == 100 && b.b.stride == 2));
  CHECK(measure.peak() == 64 + (64 + 1600) + 64);  // a; the larger group c, d; end
  Buffer<std::byte> slab;
  REQUIRE(slab.resize(measure.peak()));
  Arena arena(slab.span());
  CHECK_FALSE(arena.measuring());
  b.carve(arena);
  CHECK(arena.peak() == measure.peak());
  CHECK(b.a.data == static_cast<void*>(slab.data()));
  CHECK(b.b.data == b.c.data);
  CHECK(b.d.data == b.e.data);
  CHECK(address(b.d.data) == address(b.c.data) + 64);
  CHECK(address(b.end) == address(b.d.data) + 1600);
  for (const void* p : {static_cast<const void*>(b.a.data), static_cast<const void*>(b.b.data), static_cast<const void*>(b.d.data), static_cast<const void*>(b.end)})
    CHECK(address(p) % kAlignment == 0);
}

TEST_CASE("the listener hears of every buffer with its name and its rounded size") {
  std::vector<std::string> heard;
  Arena arena(Arena::Listener{[](void* user, std::string_view name, std::size_t bytes) {
                                static_cast<std::vector<std::string>*>(user)->push_back(std::string(name) + " " + std::to_string(bytes));
                              },
                              &heard});
  Buffers b;
  b.carve(arena);
  CHECK(heard == std::vector<std::string>{"a 64", "b 832", "c 64", "d 1600", "e 384", "end 64"});
}

TEST_CASE("nothing is needed for nothing") {
  Arena arena;
  arena.array<float>("none", 0);
  arena.overlap();
  CHECK(arena.peak() == 0);
}
