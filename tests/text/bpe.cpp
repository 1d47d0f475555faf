// Joining pairs: the two methods and a plain one agree.
#include <doctest/doctest.h>

#include <vector>

#include "dsvl/text/bpe.hpp"
#include "tokenizers.hpp"

using namespace dsvl;

namespace {

std::vector<std::int32_t> plain(const MergeTable& table, std::vector<std::int32_t> ids) {
  for (;;) {
    std::uint32_t best = MergeTable::kNoRank;
    std::size_t where = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      if (const std::uint32_t rank = table.rank(ids[i], ids[i + 1]); rank < best) best = rank, where = i;
    if (best == MergeTable::kNoRank) return ids;
    ids[where] = table.rule(best).joined;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(where) + 1);
  }
}

}  // namespace

TEST_CASE("scan and heap join the same pairs in the same order as plain search") {
  test::Random random;
  for (int round = 0; round < 400; ++round) {
    MergeTable table;
    std::int32_t ids = 2 + static_cast<std::int32_t>(random.below(3));  // symbols, then what merges make
    const std::size_t rules = 1 + random.below(30);
    REQUIRE(table.reserve(rules));
    for (std::size_t i = 0; i < rules; ++i) {
      const auto any = [&] { return static_cast<std::int32_t>(random.below(static_cast<std::size_t>(ids))); };
      if (table.add({any(), any(), ids})) ++ids;
    }
    std::vector<std::int32_t> text(random.below(kFewSymbols + 1));
    for (auto& id : text) id = static_cast<std::int32_t>(random.below(3));
    const auto want = plain(table, text);
    MergeScratch scratch;
    auto few = text, many = text;
    few.resize(merge_few(table, few.data(), few.size()));
    CHECK(few == want);
    std::size_t n = many.size();
    if (n > 0) REQUIRE(merge_many(table, many.data(), n, scratch));
    many.resize(n);
    CHECK(many == want);
    std::vector<std::int32_t> longer(200 + random.below(100));
    for (auto& id : longer) id = static_cast<std::int32_t>(random.below(2));
    const auto want_longer = plain(table, longer);
    n = longer.size();
    REQUIRE(merge_pairs(table, longer.data(), n, scratch));
    longer.resize(n);
    CHECK(longer == want_longer);
  }
}

TEST_CASE("a pair has one rule, and pairs without one say so") {
  MergeTable table;
  REQUIRE(table.reserve(2));
  CHECK(table.add({1, 2, 3}));
  CHECK_FALSE(table.add({1, 2, 4}));
  CHECK(table.add({2, 1, 4}));
  CHECK(table.rank(1, 2) == 0);
  CHECK(table.rank(2, 1) == 1);
  CHECK(table.rank(1, 1) == MergeTable::kNoRank);
}
