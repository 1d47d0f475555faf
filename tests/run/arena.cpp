// Buffers that are declared once and visited twice.
#include <doctest/doctest.h>

#include <dsvl/base/status.hpp>
#include <dsvl/run/arena.hpp>
#include <string>
#include <vector>

#include "../io/failing_allocator.hpp"

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

TEST_CASE("a buffer of an arena has room for its elements and never more, and shares it with nobody") {
  struct Lists {
    Buffer<int> a;
    Buffer<char> b;
    Buffer<double> none, c;
    void carve(Arena& arena) {
      a = arena.buffer<int>("a", 5);
      b = arena.buffer<char>("b", 3);
      none = arena.buffer<double>("none", 0);
      c = arena.buffer<double>("c", 9);
    }
  } lists;
  Arena measure;
  lists.carve(measure);
  CHECK(measure.peak() == 64 + 64 + 128);
  CHECK((lists.a.data() == nullptr && lists.a.capacity() == 0));
  Buffer<std::byte> slab;
  REQUIRE(slab.resize(measure.peak()));
  Arena arena(slab.span());
  lists.carve(arena);
  CHECK(arena.peak() == measure.peak());
  CHECK((lists.a.capacity() == 5 && lists.b.capacity() == 3 && lists.none.capacity() == 0 && lists.c.capacity() == 9));
  CHECK((lists.a.empty() && lists.b.empty() && lists.c.empty()));
  for (int i = 0; i < 5; ++i) REQUIRE(lists.a.push_back(i));
  for (int i = 0; i < 3; ++i) REQUIRE(lists.b.push_back('b'));
  for (int i = 0; i < 9; ++i) REQUIRE(lists.c.push_back(i + 0.5));
  CHECK_FALSE((lists.a.push_back(5) || lists.b.push_back('b') || lists.c.push_back(5) || lists.none.push_back(5)));
  for (int i = 0; i < 5; ++i) CHECK(lists.a[static_cast<std::size_t>(i)] == i);
  for (int i = 0; i < 9; ++i) CHECK(lists.c[static_cast<std::size_t>(i)] == i + 0.5);
  CHECK(std::string(lists.b.begin(), lists.b.end()) == "bbb");
  for (const void* p : {static_cast<const void*>(lists.a.data()), static_cast<const void*>(lists.b.data()),
                        static_cast<const void*>(lists.c.data())})
    CHECK(address(p) % kAlignment == 0);
}

TEST_CASE("a slab is carved into what its layout declares") {
  Buffers b;
  test::FailingAllocator memory;
  {
    Buffer<std::byte> slab(&memory);
    REQUIRE(carve_slab(slab, [&](Arena& arena) { b.carve(arena); }));
    CHECK((memory.requests == 1 && memory.live == 64 + 64 + 1600 + 64));
    CHECK(b.a.data == static_cast<void*>(slab.data()));
    CHECK(address(b.end) + 64 == address(slab.data()) + slab.size());
    View<float> small;
    REQUIRE(carve_slab(slab, [&](Arena& arena) { small = arena.view<float>("small", 2, 2); }));
    CHECK((memory.requests == 1 && small.data == static_cast<void*>(slab.data())));
  }
  CHECK(memory.live == 0);
  Buffer<std::byte> none;
  CHECK(carve_slab(none, [](Arena&) {}));
}

TEST_CASE("a slab that gets no memory says so, and nothing is carved") {
  test::FailingAllocator memory(0);
  Buffer<std::byte> slab(&memory);
  Buffers b;
  int carved = 0;
  const auto lay_out = [&](Arena& arena) {
    b.carve(arena);
    carved += !arena.measuring();
  };
  CHECK_FALSE(carve_slab(slab, lay_out));
  CHECK((carved == 0 && b.a.data == nullptr && b.end == nullptr && slab.empty() && memory.live == 0));
  CHECK(carve_slab(slab, lay_out));
  CHECK((carved == 1 && b.a.data != nullptr));
}

TEST_CASE("views that products read have their rows apart where they would all fall on one place of the cache") {
  View<float> harmless, unlucky;
  Buffer<std::byte> slab;
  REQUIRE(carve_slab(slab, [&](Arena& arena) {
    harmless = arena.spread_view<float>("harmless", 3, 768);
    unlucky = arena.spread_view<float>("unlucky", 3, 2048);
  }));
  CHECK(harmless.stride == 768);
  CHECK(unlucky.cols == 2048);
  CHECK(unlucky.stride == 2048 + 16);
  CHECK(harmless.row(2) + 768 <= unlucky.row(0));
  CHECK(unlucky.row(2) + 2048 <= reinterpret_cast<float*>(slab.data() + slab.size()));
}
