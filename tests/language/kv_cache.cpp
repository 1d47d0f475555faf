// The cache's geometry: pages of 64 tokens with all layers and heads, none overlapping another.
#include <dsvl/language/kv_cache.hpp>

#include <set>

#include "../oracle.hpp"

using namespace dsvl;

TEST_CASE("every block of every layer, head and page has bytes of its own, inside what was carved") {
  const HeadShape shape{8, 2, 20};
  for (const KvFormat format : {KvFormat::full, KvFormat::bf16, KvFormat::q8}) {
    KvCache<float> cache;
    const auto memory = test::slab([&](Arena& a) { cache.carve(a, shape, 3, 130, format); });
    CHECK(cache.capacity() == 192);
    std::set<const std::byte*> starts;
    const Index bytes = kv_block_bytes<float>(format, 20);
    CHECK(bytes == (format == KvFormat::full ? 4 : format == KvFormat::bf16 ? 2 : 1) * 64 * (20 + 32) + (format == KvFormat::q8 ? 512 : 0));
    for (Index layer = 0; layer < 3; ++layer) {
      const KvBlocks blocks = cache.layer(layer);
      CHECK(blocks.format == format);
      for (Index position = 0; position < 192; ++position)
        for (Index head = 0; head < 2; ++head) {
          const std::byte* const at = blocks.block(position, head);
          starts.insert(at);
          REQUIRE(at >= memory.data());
          REQUIRE(at + bytes <= memory.data() + memory.size());
          CHECK(at == blocks.block(position / 64 * 64, head));
        }
    }
    REQUIRE(starts.size() == 3 * 3 * 2);
    const std::byte* before = nullptr;
    for (const std::byte* const at : starts) {
      if (before) CHECK(at - before >= bytes);
      before = at;
    }
  }
}
