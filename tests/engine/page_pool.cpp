// The pool: which pages are found, which are written, and which go first.
#include <algorithm>
#include <dsvl/engine/page_pool.hpp>
#include <set>

#include "../chat/memory.hpp"
#include "caches.hpp"

using namespace test;

TEST_CASE("a published page is found by its own tokens at its own place, and by nothing else") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(4));
  const Tokens a = text(64, 1), picture = image(64, 5);
  PagePool::Page *const one = pool.take(), *const two = pool.take();
  CHECK(pool.find(nullptr, a.data()) == nullptr);
  CHECK(pool.publish(one, nullptr, a.data()) == one);
  CHECK(pool.publish(two, one, picture.data()) == two);
  CHECK(pool.find(nullptr, a.data()) == one);
  CHECK(pool.find(one, picture.data()) == two);
  CHECK(pool.find(nullptr, picture.data()) == nullptr);
  CHECK(pool.find(one, a.data()) == nullptr);
  CHECK(pool.find(two, picture.data()) == nullptr);
  CHECK(pool.find(one, image(64, 6).data()) == nullptr);
  for (const std::size_t i : {std::size_t{0}, std::size_t{40}, std::size_t{63}}) {
    Tokens other = picture;
    other[i].id = 8;
    CHECK(pool.find(one, other.data()) == nullptr);
    other = picture;
    other[i].row = -1;
    CHECK(pool.find(one, other.data()) == nullptr);
    other = picture;
    other[i].picture.b = 1;
    CHECK(pool.find(one, other.data()) == nullptr);
  }
  CHECK(pool.used() == 2);
}

TEST_CASE("who publishes what is there already gets the page that is there, and the place of his own is free") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(2));
  const Tokens a = text(64, 1);
  PagePool::Page *const one = pool.take(), *const twin = pool.take();
  REQUIRE(pool.publish(one, nullptr, a.data()) == one);
  CHECK(pool.publish(twin, nullptr, a.data()) == one);
  CHECK(pool.used() == 1);
  CHECK(pool.take() == twin);
  pool.release(one);
  CHECK(pool.take() == nullptr);
  pool.release(one);
  CHECK(pool.take() == one);
}

TEST_CASE("a page behind one that is not published is not published either") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(3));
  PagePool::Page *const one = pool.take(), *const two = pool.take(), *const at_the_beginning = pool.take();
  const Tokens a = text(64, 1);
  CHECK(pool.publish(two, one, a.data()) == two);
  CHECK(pool.find(nullptr, a.data()) == nullptr);
  REQUIRE(pool.publish(at_the_beginning, nullptr, a.data()) == at_the_beginning);
  CHECK(pool.find(one, a.data()) == nullptr);
  CHECK(pool.publish(two, one, a.data()) == two);
  CHECK(pool.writable(two));
}

TEST_CASE("a page is written only by its one user, and only until it is published") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(1));
  PagePool::Page* const page = pool.take();
  CHECK(pool.writable(page));
  pool.retain(page);
  CHECK_FALSE(pool.writable(page));
  pool.release(page);
  CHECK(pool.writable(page));
  const Tokens a = text(64, 1);
  REQUIRE(pool.publish(page, nullptr, a.data()) == page);
  CHECK_FALSE(pool.writable(page));
  pool.release(page);
  CHECK(pool.used() == 0);
  CHECK(pool.take() == page);
  CHECK(pool.writable(page));
  CHECK(pool.find(nullptr, a.data()) == nullptr);
}

TEST_CASE("memory is taken from empty pages first, then from the page that nobody has used for the longest time") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(2));
  REQUIRE(pool.reserve(3));
  std::vector<PagePool::Page*> pages;
  for (int i = 0; i < 4; ++i) {
    pages.push_back(pool.take());
    if (i < 3) REQUIRE(pool.publish(pages.back(), nullptr, text(64, i).data()) == pages.back());
  }
  for (const std::size_t i : {std::size_t{1}, std::size_t{0}, std::size_t{2}, std::size_t{3}}) pool.release(pages[i]);
  REQUIRE(pool.find(nullptr, text(64, 1).data()) == pages[1]);
  pool.release(pages[1]);
  PagePool::Page *const a = pool.take(), *const b = pool.take();
  CHECK(std::set{a, b}.size() == 2);
  for (PagePool::Page* const p : {pages[0], pages[1], pages[2]}) CHECK((a != p && b != p));
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{1}}) {
    CHECK(pool.take() == pages[i]);
    CHECK(pool.find(nullptr, text(64, static_cast<std::int32_t>(i)).data()) == nullptr);
  }
  CHECK(pool.take() == nullptr);
  CHECK((pool.used() == 5 && pool.pages() == 5));
}

TEST_CASE("what stood behind a page is not found behind what takes that page's place") {
  PagePool pool(kPageBytes, nullptr);
  REQUIRE(pool.reserve(2));
  const Tokens a = text(64, 1), b = text(64, 2), other = text(64, 3);
  PagePool::Page *const one = pool.take(), *const two = pool.take();
  REQUIRE(pool.publish(one, nullptr, a.data()) == one);
  REQUIRE(pool.publish(two, one, b.data()) == two);
  pool.release(one);
  REQUIRE(pool.take() == one);
  CHECK(pool.find(one, b.data()) == nullptr);
  REQUIRE(pool.publish(one, nullptr, other.data()) == one);
  CHECK(pool.find(one, b.data()) == nullptr);
}

TEST_CASE("the pages of a pool have memory of their own, and all of it goes back") {
  test::CountingAllocator memory;
  {
    PagePool pool(kPageBytes, &memory);
    CHECK(pool.page_bytes() == kPageBytes);
    CHECK(pool.take() == nullptr);
    REQUIRE(pool.reserve(0));
    CHECK(memory.live == 0);
    REQUIRE(pool.reserve(3));
    REQUIRE(pool.reserve(2));
    CHECK(memory.live == pool.bytes_of(5));
    std::set<std::byte*> places;
    for (int i = 0; i < 5; ++i) {
      PagePool::Page* const page = pool.take();
      std::memset(page->memory, i, kPageBytes);
      places.insert(page->memory);
    }
    REQUIRE(places.size() == 5);
    for (auto at = places.begin(), next = std::next(at); next != places.end(); ++at, ++next)
      CHECK(*next - *at >= static_cast<std::ptrdiff_t>(kPageBytes));
  }
  CHECK(memory.live == 0);
}

TEST_CASE("a reservation that gets no memory says so and keeps nothing") {
  test::CountingAllocator memory;
  PagePool pool(kPageBytes, &memory);
  for (const long refused : {0, 1}) {
    memory.restart();
    memory.refuse = refused;
    CHECK_FALSE(pool.reserve(3));
    CHECK((pool.pages() == 0 && memory.live == 0));
  }
  CHECK(pool.take() == nullptr);
  CHECK(pool.reserve(3));
  CHECK(pool.take() != nullptr);
}

TEST_CASE("what is given back is freed, but no page that somebody uses, and not more than was given back") {
  test::CountingAllocator memory;
  PagePool pool(kPageBytes, &memory);
  REQUIRE(pool.reserve(2));
  REQUIRE(pool.reserve(3));
  pool.unreserve(2);
  CHECK((pool.pages() == 3 && memory.live == pool.bytes_of(3)));
  PagePool::Page* const page = pool.take();
  std::memset(page->memory, 1, kPageBytes);
  REQUIRE(pool.reserve(4));
  pool.unreserve(3);
  CHECK(pool.pages() == 7);
  CHECK(page->memory[kPageBytes - 1] == std::byte{1});
  pool.release(page);
  pool.unreserve(4);
  CHECK((pool.pages() == 0 && memory.live == 0));
}
