// Caches as an engine uses them, with keys in place of what a decoder computes.
#ifndef DSVL_TESTS_ENGINE_CACHES_HPP
#define DSVL_TESTS_ENGINE_CACHES_HPP

#include <doctest/doctest.h>

#include <cstring>
#include <dsvl/engine/prefix_cache.hpp>
#include <memory>
#include <vector>

namespace test {

using namespace dsvl;
using Tokens = std::vector<TokenKey>;

inline constexpr std::size_t kPageBytes = static_cast<std::size_t>(kKvBlock) * sizeof(std::uint64_t);

inline std::shared_ptr<PagePool> make_pool(Allocator* from = nullptr) { return std::make_shared<PagePool>(kPageBytes, from); }

inline Tokens text(Index count, std::int32_t id) { return Tokens(static_cast<std::size_t>(count), TokenKey{id}); }
inline Tokens image(Index rows, std::uint64_t picture) {
  Tokens out;
  for (std::int32_t r = 0; r < rows; ++r) out.push_back({7, r, {picture, picture}});
  return out;
}
inline Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Tokens first(const Tokens& tokens, Index count) { return {tokens.begin(), tokens.begin() + count}; }

/// What stands in the cache for each of these tokens: like a key, it depends on all that are in front of it.
inline std::vector<std::uint64_t> keys_of(std::span<const TokenKey> tokens) {
  std::vector<std::uint64_t> out;
  ContentHash hash;
  for (const TokenKey& s : tokens) {
    hash.add(static_cast<std::uint32_t>(s.id));
    hash.add(static_cast<std::uint32_t>(s.row));
    hash.add(s.picture.a);
    out.push_back(hash.a);
  }
  return out;
}

/// A cache that is used as an engine uses it: what is not there is "computed" into its pages.
struct Seat {
  Buffer<std::byte> slab;
  PrefixCache cache;

  Seat(std::shared_ptr<PagePool> pool, Index context, Index shared = 0) : cache(std::move(pool)) {
    REQUIRE(carve_slab(slab, [&](Arena& arena) { cache.carve(arena, {1, 1, 1}, context, KvFormat::full); }));
    REQUIRE(cache.reserve(shared));
  }
  [[nodiscard]] Tokens tokens() const { return {cache.entries().begin(), cache.entries().end()}; }
  [[nodiscard]] std::byte* page(Index p) const { return cache.kv().layer(0).block(p * kKvBlock, 0); }
  [[nodiscard]] std::byte* place(Index token) const {
    return page(token / kKvBlock) + static_cast<std::size_t>(token % kKvBlock) * sizeof(std::uint64_t);
  }

  Status run(const Tokens& more) {
    const Index begin = cache.size(), count = static_cast<Index>(more.size());
    DSVL_CHECK_STATUS(cache.prepare(count));
    const auto keys = keys_of(tokens() + more);
    for (Index i = begin; i < begin + count; ++i) std::memcpy(place(i), &keys[static_cast<std::size_t>(i)], sizeof keys[0]);
    cache.append(more);
    return {};
  }
  /// Puts these tokens into the cache; returns how many were there already.
  Index ask(const Tokens& wanted) {
    const Index reused = cache.reuse(wanted);
    const Status status = run({wanted.begin() + reused, wanted.end()});
    REQUIRE_MESSAGE(status.ok(), status.text());
    return reused;
  }
  /// Whether the decoder would find what belongs to its tokens, and a saved session would.
  [[nodiscard]] bool intact() const {
    const auto keys = keys_of(cache.entries());
    for (Index i = 0; i < cache.size(); ++i) {
      if (std::memcmp(place(i), &keys[static_cast<std::size_t>(i)], sizeof keys[0]) != 0) return false;
      if (i % kKvBlock == 0 && cache.page_bytes(i / kKvBlock).data() != page(i / kKvBlock)) return false;
    }
    return true;
  }
};

}  // namespace test

#endif  // DSVL_TESTS_ENGINE_CACHES_HPP
