// Decoding tokens behind a cache: chunks, logits, and what does not fit.
#include <dsvl/engine/complete_limits.hpp>
#include <dsvl/engine/decoding.hpp>
#include <dsvl/model/deepseek_vl.hpp>

#include "../chat/demo.hpp"

using namespace dsvl;

namespace {

/// Tokens of a sequence, with a cache and a request.
struct Sequence {
  Buffer<std::byte> slab;
  PrefixCache cache;
  DecodeRequest request;
  std::vector<TokenKey> keys;
  std::vector<TokenInput<float>> inputs;

  Sequence(const std::shared_ptr<PagePool>& pool, const Limits& limits, std::int32_t step = 7) : cache(pool) {
    REQUIRE(carve_slab(slab, [&](Arena& arena) {
      cache.carve(arena, test::tiny_model().config().decoder.heads, limits.context, *limits.kv);
    }));
    REQUIRE(cache.reserve());
    for (std::int32_t i = 0; i < 150; ++i) keys.push_back({i * step % 500}), inputs.push_back({i * step % 500, nullptr});
  }
  /// Asks for some of the tokens.
  Status ask(std::size_t from, std::size_t count, Index logits) {
    return request.begin(cache, {std::span<const TokenKey>(keys).subspan(from, count),
                                 std::span<const TokenInput<float>>(inputs).subspan(from, count)},
                         logits, Stage::prefill);
  }
  [[nodiscard]] std::vector<float> logits(Index i = 0) const { return {request.logits(i).begin(), request.logits(i).end()}; }
};

/// A decoder of the shipped model with one sequence, or with room for several.
struct Engine {
  Limits limits;
  std::shared_ptr<PagePool> pages;
  Sequence one;
  Buffer<std::byte> slab;
  PrefixCache& cache = one.cache;
  Decoding decoding;
  InlineExecutor here;

  explicit Engine(const Limits& wanted, Index sequences = 1)
      : limits(complete(wanted)), pages(pool(limits)), one(pages, limits),
        decoding(test::tiny_model().network().decoder, limits, 1, sequences) {
    REQUIRE(carve_slab(slab, [&](Arena& arena) { decoding.lay_out(arena); }));
  }
  static Limits complete(const Limits& wanted) {
    const Model& model = test::tiny_model();
    const auto limits = complete_limits(wanted, model.config(), model.network().decoder);
    REQUIRE(limits);
    return *limits;
  }
  static std::shared_ptr<PagePool> pool(const Limits& limits) {
    const DecoderDims& d = test::tiny_model().config().decoder;
    return std::make_shared<PagePool>(static_cast<std::size_t>(kv_page_bytes<float>(d.heads, d.layers, *limits.kv)), nullptr);
  }

  Status run(std::size_t from, std::size_t count, Index logits) {
    DSVL_CHECK_STATUS(one.ask(from, count, logits));
    return decoding.advance(one.request, here, {});
  }
  std::vector<float> logits(Index i = 0) { return one.logits(i); }
};

}  // namespace

TEST_CASE("tokens give the same logits in one chunk, in many, and in several calls") {
  Engine whole({.context = 160, .chunk = 160});
  REQUIRE(whole.run(0, 150, 8).ok());
  CHECK(whole.cache.size() == 150);
  for (const Index chunk : {1, 7, 64}) {
    CAPTURE(chunk);
    Engine cut({.context = 160, .chunk = chunk});
    REQUIRE(cut.run(0, 100, 1).ok());
    REQUIRE(cut.run(100, 50, 1).ok());
    CHECK(cut.logits() == whole.logits(7));
  }
}

TEST_CASE("logits are kept for as many of the last tokens as the limits and a chunk allow") {
  Engine few({.context = 160, .chunk = 5, .logit_rows = 8});
  CHECK(few.decoding.logit_rows() == 5);
  Engine engine({.context = 160, .logit_rows = 8});
  CHECK(engine.decoding.logit_rows() == 8);
  REQUIRE(engine.run(0, 50, 8).ok());
  REQUIRE(few.run(0, 50, 5).ok());
  for (Index i = 0; i < 5; ++i) CHECK(few.logits(i) == engine.logits(3 + i));
  Engine narrow({.context = 3});
  CHECK(narrow.decoding.logit_rows() == 3);
}

TEST_CASE("tokens that do not fit behind what the cache holds are refused, and nothing has changed") {
  Engine engine({.context = 100});
  REQUIRE(engine.run(0, 90, 1).ok());
  const std::vector<float> before = engine.logits();
  CHECK(engine.run(90, 11, 1).code() == Code::limit);
  CHECK(engine.cache.size() == 90);
  CHECK(engine.logits() == before);
  CHECK_FALSE(engine.decoding.busy());
  CHECK(engine.run(90, 10, 1).ok());
  CHECK(engine.cache.size() == 100);
}

TEST_CASE("sequences that share passes get the logits that each gets alone, however their rows are mixed") {
  Engine together({.context = 160, .chunk = 64, .logit_rows = 4}, 3);
  std::vector<std::unique_ptr<Sequence>> sequences;
  for (const std::int32_t step : {7, 11, 13}) sequences.push_back(std::make_unique<Sequence>(together.pages, together.limits, step));
  const std::size_t lengths[] = {100, 1, 40};
  const Index rows[] = {30, 1, 9};  // of each in a pass
  bool seen[3] = {};
  for (std::size_t s = 0; s < 3; ++s) REQUIRE(sequences[s]->ask(0, lengths[s], 4).ok());
  for (int pass = 0; pass < 12; ++pass) {
    for (std::size_t s = 0; s < 3; ++s)
      if (sequences[s]->request.busy()) REQUIRE(together.decoding.add(sequences[s]->request, rows[s]).ok());
    REQUIRE(together.decoding.advance(together.here, {}).ok());
    CHECK_FALSE(together.decoding.busy());
    for (std::size_t s = 0; s < 3; ++s) {
      if (sequences[s]->request.busy() || std::exchange(seen[s], true)) continue;
      const Index wanted = std::min<Index>(4, static_cast<Index>(lengths[s]));
      Engine alone({.context = 160, .logit_rows = 4});
      Sequence same(alone.pages, alone.limits, s == 0 ? 7 : s == 1 ? 11 : 13);
      REQUIRE(same.ask(0, lengths[s], wanted).ok());
      REQUIRE(alone.decoding.advance(same.request, alone.here, {}).ok());
      for (Index i = 0; i < wanted; ++i) CHECK(sequences[s]->logits(i) == same.logits(i));
    }
  }
  CHECK(std::all_of(seen, seen + 3, [](bool s) { return s; }));
}

TEST_CASE("all rows of a request whose logits are wanted run in one pass, or none does") {
  Engine engine({.context = 160, .chunk = 8, .logit_rows = 4}, 2);  // a pass has room for 8 + 2 * 4 rows
  Sequence first(engine.pages, engine.limits), second(engine.pages, engine.limits, 11);
  REQUIRE(first.ask(0, 14, 1).ok());
  REQUIRE(second.ask(0, 4, 4).ok());
  REQUIRE(engine.decoding.add(first.request, 14).ok());
  REQUIRE(engine.decoding.add(second.request, 4).ok());
  CHECK(engine.decoding.rows() == 14);  // two rows are left, and all four are needed
  REQUIRE(engine.decoding.advance(engine.here, {}).ok());
  CHECK(second.request.left() == 4);
  REQUIRE(engine.decoding.add(second.request, 4).ok());
  REQUIRE(engine.decoding.advance(engine.here, {}).ok());
  CHECK_FALSE(second.request.busy());
}

TEST_CASE("logits that a request keeps stay when others run, and the rest of a pass that one leaves begins anew") {
  Engine engine({.context = 160, .logit_rows = 1}, 2);
  Sequence first(engine.pages, engine.limits), second(engine.pages, engine.limits, 11);
  const auto vocab = test::tiny_model().config().decoder.vocab;
  std::vector<float> own(static_cast<std::size_t>(vocab));
  first.request.keep_logits({own.data(), 1, vocab});
  REQUIRE(first.ask(0, 20, 1).ok());
  REQUIRE(engine.decoding.advance(first.request, engine.here, {}).ok());
  const auto before = first.logits();
  CHECK(before == own);
  REQUIRE(second.ask(0, 30, 1).ok());
  REQUIRE(first.ask(20, 1, 1).ok());
  REQUIRE(engine.decoding.add(second.request, 30).ok());
  REQUIRE(engine.decoding.add(first.request, 1).ok());
  REQUIRE(engine.decoding.advance(engine.here, {nullptr, {}, Clock::now()}).ok());
  CHECK(engine.decoding.busy());
  engine.decoding.remove(first.request);
  CHECK_FALSE(engine.decoding.busy());
  CHECK_FALSE(first.request.busy());
  CHECK(second.request.left() == 30);
  REQUIRE(engine.decoding.advance(second.request, engine.here, {}).ok());
  CHECK(own == before);
  Engine alone({.context = 160});
  Sequence same(alone.pages, alone.limits, 11);
  REQUIRE(same.ask(0, 30, 1).ok());
  REQUIRE(alone.decoding.advance(same.request, alone.here, {}).ok());
  CHECK(second.logits() == same.logits());
}
