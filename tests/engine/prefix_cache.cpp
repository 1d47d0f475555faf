// Caches over one pool: what they share, what goes first, and that a page always holds what was computed for its tokens.
#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "../chat/memory.hpp"
#include "caches.hpp"

using namespace test;

TEST_CASE("a cache goes on from its own tokens, and the last token always runs") {
  const auto pool = make_pool();
  Seat seat(pool, 300);
  const Tokens prompt = text(50, 1) + image(70, 5) + text(30, 2);
  CHECK(seat.ask(prompt) == 0);
  CHECK((seat.cache.size() == 150 && seat.tokens() == prompt && seat.intact()));
  CHECK(seat.cache.context() == 300);
  CHECK(seat.ask(prompt) == 149);
  CHECK(seat.ask(prompt + text(20, 3)) == 150);
  CHECK(seat.intact());
  CHECK(seat.ask(first(prompt, 100) + text(1, 9)) == 100);
  CHECK((seat.cache.size() == 101 && seat.intact()));
  CHECK(seat.ask(first(prompt, 50) + image(70, 6)) == 50);
  CHECK(seat.intact());
  CHECK(seat.cache.reuse(text(1, 1)) == 0);
  CHECK((seat.cache.size() == 0 && pool->used() == 0));
}

TEST_CASE("whole pages that another cache has computed are used where they lie") {
  const auto pool = make_pool();
  Seat a(pool, 300), b(pool, 300);
  const Tokens prompt = image(100, 5) + text(100, 1);
  a.ask(prompt);
  CHECK(b.ask(prompt) == 192);
  CHECK((a.page(0) == b.page(0) && a.page(2) == b.page(2) && a.page(3) != b.page(3)));
  CHECK(pool->used() == 5);
  CHECK(b.ask(first(prompt, 192)) == 191);
  CHECK(b.ask(first(prompt, 130) + text(70, 2)) == 130);
  CHECK((a.intact() && b.intact()));
  Seat c(pool, 300);
  CHECK(c.ask(first(prompt, 192)) == 128);
  CHECK(c.ask(text(1, 9) + prompt) == 0);
  CHECK((a.intact() && b.intact() && c.intact()));
}

TEST_CASE("a cache's own beginning and what others have computed behind it are put together") {
  const auto pool = make_pool();
  Seat a(pool, 300), b(pool, 300);
  const Tokens prompt = text(200, 1);
  b.ask(first(prompt, 100));
  a.ask(prompt);
  CHECK(b.cache.reuse(first(prompt, 190)) == 128);
  CHECK((b.tokens() == first(prompt, 128) && b.intact()));
  CHECK(b.ask(prompt) == 192);
  b.cache.truncate(100);
  CHECK(b.cache.reuse(first(prompt, 120)) == 100);
  CHECK((a.intact() && b.intact()));
}

TEST_CASE("what two caches compute at the same time is kept once") {
  const auto pool = make_pool();
  Seat a(pool, 200), b(pool, 200);
  const Tokens prompt = text(150, 1);
  REQUIRE(a.cache.reuse(prompt) == 0);
  REQUIRE(b.cache.reuse(prompt) == 0);
  REQUIRE(a.run(prompt).ok());
  CHECK(pool->used() == 3);
  REQUIRE(b.run(prompt).ok());
  CHECK(pool->used() == 4);
  CHECK((a.page(0) == b.page(0) && a.page(1) == b.page(1) && a.page(2) != b.page(2)));
  CHECK((a.intact() && b.intact()));
}

TEST_CASE("a published page is copied before it is written: others still have it, also when nobody uses it") {
  const auto pool = make_pool();
  Seat a(pool, 200), b(pool, 200);
  const Tokens prompt = text(128, 1), other = first(prompt, 100) + text(60, 2);
  a.ask(prompt);
  CHECK(a.ask(other) == 100);
  CHECK((a.tokens() == other && a.intact()));
  CHECK(b.ask(prompt + text(1, 3)) == 128);
  CHECK(b.ask(other) == 128);
  CHECK((a.intact() && b.intact() && a.page(1) == b.page(1)));
  b.cache.truncate(70);
  REQUIRE(b.run(text(10, 4)).ok());
  CHECK(a.page(1) != b.page(1));
  CHECK((a.intact() && b.intact()));
}

TEST_CASE("tokens that were prepared and not appended leave no trace") {
  const auto pool = make_pool();
  Seat a(pool, 300), b(pool, 300);
  const Tokens prompt = text(100, 1);
  a.ask(prompt);
  REQUIRE(a.cache.prepare(150).ok());
  for (Index i = 100; i < 250; ++i) std::memset(a.place(i), 0xEE, sizeof(std::uint64_t));
  CHECK((a.cache.size() == 100 && a.intact()));
  CHECK(b.ask(prompt + text(50, 2)) == 64);
  CHECK(a.ask(prompt + text(50, 2)) == 128);
  CHECK((a.intact() && b.intact()));
  a.cache.truncate(a.cache.size() + 1);
  CHECK(a.cache.size() == 150);
  a.cache.truncate(0);
  b.cache.truncate(0);
  CHECK(pool->used() == 0);
}

TEST_CASE("of a conversation that nobody uses the end goes first") {
  const auto pool = make_pool();
  Seat seat(pool, 200);
  const Tokens prompt = text(192, 1);
  seat.ask(prompt);
  seat.cache.truncate(0);
  for (Index empty = pool->pages() - 3; empty > 0; --empty) REQUIRE(pool->take());
  for (const Index known : {192, 128, 64, 0}) {
    CHECK(seat.cache.reuse(prompt + text(1, 2)) == known);
    CHECK(seat.intact());
    seat.cache.truncate(0);
    CHECK((pool->take() != nullptr) == (known > 0));
  }
}

TEST_CASE("a share takes whole pages where they lie and a copy of the rest, and both go on without each other") {
  const auto pool = make_pool();
  auto parent = std::make_unique<Seat>(pool, 300);
  const Tokens prompt = image(100, 5) + text(50, 1);
  parent->ask(prompt);
  for (const Index size : {0, 1, 64, 100, 128, 150}) {
    Seat child(pool, 200, size / kKvBlock);
    REQUIRE(child.cache.share(parent->cache, size).ok());
    CHECK((child.tokens() == first(prompt, size) && child.intact()));
    CHECK(pool->used() == 3 + (size % kKvBlock != 0));
    CHECK(child.ask(first(prompt, size) + text(200 - size, 2)) == size);
    CHECK((child.intact() && parent->intact()));
    CHECK(parent->ask(prompt) == 149);
  }
  Seat child(pool, 300, 2);
  child.ask(text(30, 3));
  REQUIRE(child.cache.share(parent->cache, 150).ok());
  parent->ask(first(prompt, 10) + text(200, 4));
  CHECK(child.intact());
  parent.reset();
  CHECK(child.intact());
  CHECK(child.ask(prompt + text(150, 5)) == 150);
  CHECK(child.intact());
}

TEST_CASE("a cache gives its reservation back, and pages that others use stay until those are done") {
  test::CountingAllocator memory;
  const auto pool = make_pool(&memory);
  {
    Seat alone(pool, 300);
    CHECK((pool->pages() == 6 && alone.cache.reserved_bytes() == pool->bytes_of(6)));
    alone.ask(text(300, 1));
  }
  CHECK((pool->pages() == 0 && memory.live == 0));
  {
    auto parent = std::make_unique<Seat>(pool, 128);
    parent->ask(text(128, 1));
    Seat child(pool, 192, 2);
    CHECK(pool->pages() == 3 + 2);
    REQUIRE(child.cache.share(parent->cache, 128).ok());
    parent.reset();
    CHECK((child.intact() && pool->used() == 2));
  }
  CHECK((pool->pages() == 0 && memory.live == 0));
}

TEST_CASE("a cache that gets no memory for its reservation says so, and is none the worse for it later") {
  test::CountingAllocator memory;
  const auto pool = make_pool(&memory);
  Buffer<std::byte> slab;
  {
    PrefixCache cache(pool);
    REQUIRE(carve_slab(slab, [&](Arena& arena) { cache.carve(arena, {1, 1, 1}, 100, KvFormat::full); }));
    memory.refuse_from = 0;
    CHECK_FALSE(cache.reserve());
    CHECK((cache.reserved_bytes() == 0 && pool->pages() == 0));
    CHECK(cache.prepare(1).code() == Code::out_of_memory);
    memory.refuse_from = -1;
    CHECK(cache.reserve());
    CHECK(cache.prepare(100).ok());
  }
  CHECK((pool->pages() == 0 && memory.live == 0));
}

TEST_CASE("a fork that rewinds behind pages its parent still uses may be out of memory, and is then as it was") {
  test::CountingAllocator memory;
  const auto pool = make_pool(&memory);
  {
    Seat parent(pool, 192);
    parent.ask(text(192, 1));
    Seat child(pool, 192, 3);
    REQUIRE(child.cache.share(parent.cache, 192).ok());
    const Tokens other = text(10, 1) + text(180, 2);
    REQUIRE(child.cache.reuse(other) == 10);
    memory.refuse_from = 0;
    CHECK(child.run({other.begin() + 10, other.end()}).code() == Code::out_of_memory);
    CHECK((child.tokens() == first(other, 10) && child.intact() && parent.intact()));
    memory.refuse_from = -1;
    CHECK(child.ask(other) == 10);
    CHECK((child.intact() && parent.intact()));
    CHECK(child.cache.reserved_bytes() == pool->bytes_of(pool->pages()) - parent.cache.reserved_bytes());
  }
  CHECK((pool->pages() == 0 && memory.live == 0));
}

// --- at random --------------------------------------------------------------------------------------------------------------

namespace {

enum class Walk {
  tight,   ///< memory for what is in use and no more
  ample,   ///< nothing is ever evicted, so what is known can be said exactly
  forked,  ///< caches come and go, some as forks with a smaller reservation
};

/// Anything that sessions do to caches, against a list of tokens for each; after every step every cache is looked at.
class CacheWalk {
 public:
  CacheWalk(Walk kind, unsigned seed) : kind_(kind), random_(seed), pool_(make_pool(&memory_)) {
    if (kind == Walk::ample) REQUIRE(pool_->reserve(2000));
    for (Actor& a : actors_) a.seat = std::make_unique<Seat>(pool_, kContext);
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      Actor& a = actors_[static_cast<std::size_t>(below(4))];
      Actor& b = actors_[static_cast<std::size_t>(below(4))];
      const long requests = memory_.requests;
      switch (below(kind_ == Walk::forked ? 7 : 6)) {
        case 0:
        case 1: ask(a, b); break;
        case 2: go_on(a); break;
        case 3: guess(a); break;
        case 4:
          if (below(2) == 0) go_back(a);
          else cancel(a);
          break;
        case 5: share(a, b); break;
        case 6: replace(a, b); break;
      }
      publish(a.tokens);
      if (kind_ != Walk::forked) REQUIRE(memory_.requests == requests);  // what was reserved is enough
      a.pages = std::max(a.pages, ceil_div(a.size(), kKvBlock));
      look();
    }
    CHECK(found_elsewhere_ > steps / 100);
  }
  /// All memory comes back.
  void finish() {
    for (const Actor& a : actors_) a.seat->cache.truncate(0);
    CHECK(pool_->used() == 0);
    for (Actor& a : actors_) a.seat.reset();
    CHECK(pool_->pages() == (kind_ == Walk::ample ? 2000 : 0));
    CHECK(memory_.live == pool_->bytes_of(pool_->pages()));
  }

 private:
  static constexpr Index kContext = 210;

  struct Actor {
    std::unique_ptr<Seat> seat;
    Tokens tokens;
    Index pages = 0;  // prepared
    [[nodiscard]] Index size() const { return static_cast<Index>(tokens.size()); }
  };

  Index below(Index n) { return static_cast<Index>(random_() % static_cast<std::uint64_t>(n)); }
  /// Tokens short of variety, so that different caches often want the same.
  Tokens tail(Index most) {
    const Index count = below(most + 1);
    return below(3) == 0 ? first(image(kContext, static_cast<std::uint64_t>(below(2))), count)
                         : text(count, static_cast<std::int32_t>(below(2)));
  }
  void publish(const Tokens& tokens) {
    const auto keys = keys_of(tokens);
    for (std::size_t end = kKvBlock; end <= keys.size(); end += kKvBlock) known_.insert(keys[end - 1]);
  }
  /// The longest beginning of whole pages, of at most `most` tokens, that was ever filled.
  [[nodiscard]] Index known_beginning(const Tokens& wanted, Index most) const {
    const auto keys = keys_of(wanted);
    Index end = 0;
    while (end + kKvBlock <= most && known_.contains(keys[static_cast<std::size_t>(end + kKvBlock - 1)])) end += kKvBlock;
    return end;
  }

  /// A prompt: the beginning of somebody's, and something else.
  void ask(Actor& a, const Actor& b) {
    Tokens wanted = first(b.tokens, below(b.size() + 1));
    while (wanted.empty() || (wanted.size() < kContext && below(3) > 0))
      wanted = wanted + tail(kContext - static_cast<Index>(wanted.size()));
    const Index most = static_cast<Index>(wanted.size()) - 1;
    const auto differ = std::mismatch(a.tokens.begin(), a.tokens.begin() + std::min(a.size(), most), wanted.begin());
    const Index own = differ.first - a.tokens.begin();
    const Index reused = a.seat->cache.reuse(wanted);
    CHECK((reused >= own && reused <= most));
    found_elsewhere_ += reused > own;
    CHECK((reused == own || reused % kKvBlock == 0));
    if (kind_ == Walk::ample) CHECK(reused == std::max(own, known_beginning(wanted, most)));
    REQUIRE((a.seat->tokens() == first(wanted, reused) && a.seat->intact()));
    const Index chunk = 1 + below(100);
    for (Index at = reused; at <= most; at += chunk)
      REQUIRE(a.seat->run({wanted.begin() + at, wanted.begin() + std::min(at + chunk, most + 1)}).ok());
    a.tokens = wanted;
    a.pages = 0;
  }
  /// An answer goes on, a token at a time.
  void go_on(Actor& a) {
    for (Index i = below(20); i > 0 && a.size() < kContext; --i) {
      a.tokens.push_back({static_cast<std::int32_t>(below(2))});
      REQUIRE(a.seat->run({a.tokens.back()}).ok());
    }
  }
  /// Guesses, some of them wrong.
  void guess(Actor& a) {
    const Tokens guesses = tail(kContext - a.size());
    REQUIRE(a.seat->run(guesses).ok());
    publish(a.tokens + guesses);
    a.tokens = a.tokens + first(guesses, below(static_cast<Index>(guesses.size()) + 1));
    a.seat->cache.truncate(a.size());
    a.pages = 0;
  }
  void go_back(Actor& a) {
    a.tokens = first(a.tokens, below(a.size() + 1));
    a.seat->cache.truncate(a.size());
    a.pages = 0;
  }
  /// A pass that is cancelled: pages are prepared and half written.
  void cancel(Actor& a) {
    const Index rows = below(kContext - a.size() + 1);
    REQUIRE(a.seat->cache.prepare(rows).ok());
    for (Index i = a.size(); i < a.size() + rows; ++i) std::memset(a.seat->place(i), 0xEE, sizeof(std::uint64_t));
    a.pages = std::max(a.pages, ceil_div(a.size() + rows, kKvBlock));
  }
  /// The beginning of somebody's.
  void share(Actor& a, const Actor& b) {
    if (&a == &b) return;
    a.pages = 0;
    a.tokens = first(b.tokens, below(b.size() + 1));
    REQUIRE(a.seat->cache.share(b.seat->cache, a.size()).ok());
  }
  /// A fork takes somebody's place, or somebody begins anew.
  void replace(Actor& a, const Actor& b) {
    a.pages = 0;
    if (&a == &b) {
      a.seat = std::make_unique<Seat>(pool_, kContext);
      a.tokens.clear();
      return;
    }
    const Index shared = below(b.size() + 1);
    a.seat = std::make_unique<Seat>(pool_, kContext, shared / kKvBlock);
    a.tokens = first(b.tokens, shared);
    REQUIRE(a.seat->cache.share(b.seat->cache, shared).ok());
  }

  /// Every cache has its own tokens, and the pool's pages are those that somebody uses.
  void look() const {
    std::set<const std::byte*> used;
    for (const Actor& actor : actors_) {
      REQUIRE(actor.seat->tokens() == actor.tokens);
      REQUIRE(actor.seat->intact());
      for (Index p = 0; p < actor.pages; ++p) used.insert(actor.seat->page(p));
    }
    REQUIRE(pool_->used() == static_cast<Index>(used.size()));
  }

  Walk kind_;
  std::mt19937 random_;
  test::CountingAllocator memory_;
  std::shared_ptr<PagePool> pool_;
  Actor actors_[4];
  std::set<std::uint64_t> known_;  // keys at the ends of pages that were filled
  Index found_elsewhere_ = 0;      // prompts of which another cache had more than the own one
};

void walk(Walk kind, unsigned seed, int steps) {
  CacheWalk caches(kind, seed);
  caches.run(steps);
  caches.finish();
}

}  // namespace

TEST_CASE("with memory for what is in use and no more, caches never disturb one another") {
  for (unsigned seed = 1; seed <= 4; ++seed) walk(Walk::tight, seed, 1000);
}

TEST_CASE("with memory for everything, exactly the longest beginning that was ever computed is found") {
  for (unsigned seed = 11; seed <= 13; ++seed) walk(Walk::ample, seed, 700);
}

TEST_CASE("caches and forks that come and go never disturb one another and leave nothing behind") {
  for (unsigned seed = 21; seed <= 24; ++seed) walk(Walk::forked, seed, 1000);
}

TEST_CASE("caches on threads of their own share one pool") {
  const auto pool = make_pool();
  std::vector<std::unique_ptr<Seat>> seats;
  for (int i = 0; i < 4; ++i) seats.push_back(std::make_unique<Seat>(pool, 200));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < seats.size(); ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int round = 0; round < 300; ++round) {
        const Index more = 1 + static_cast<Index>(random() % 100);
        const Tokens wanted = image(100, random() % 3) + text(more, static_cast<std::int32_t>(random() % 2));
        const Index reused = seats[t]->cache.reuse(wanted);
        wrong += !seats[t]->run({wanted.begin() + reused, wanted.end()}).ok();
        wrong += seats[t]->tokens() != wanted || !seats[t]->intact();
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
  seats.clear();
  CHECK(pool->pages() == 0);
}

TEST_CASE("whoever goes takes no memory along that the others were promised: strangers and forks can use all of theirs") {
  for (const Index context : {128, 192}) {
    test::CountingAllocator memory;
    const auto pool = make_pool(&memory);
    auto parent = std::make_unique<Seat>(pool, 128);
    parent->ask(text(128, 1));
    Seat child(pool, context, 2);
    REQUIRE(child.cache.share(parent->cache, 128).ok());
    Seat stranger(pool, 64);
    parent.reset();
    memory.refuse_from = 0;
    CHECK(stranger.run(text(64, 2)).ok());
    stranger.cache.truncate(32);
    CHECK(stranger.run(text(10, 3)).ok());
    if (context > 128) CHECK(child.run(text(64, 2)).ok());
    child.cache.truncate(context - 12);
    CHECK(child.run(text(10, 3)).ok());
    CHECK((child.intact() && stranger.intact()));
  }
}
