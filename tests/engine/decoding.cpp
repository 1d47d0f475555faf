// Decoding tokens behind a cache: chunks, logits, and what does not fit.
#include <dsvl/engine/complete_limits.hpp>
#include <dsvl/engine/decoding.hpp>
#include <dsvl/model/deepseek_vl.hpp>

#include "../chat/demo.hpp"

using namespace dsvl;

namespace {

/// A decoder of the shipped model with a cache of its own.
struct Engine {
  Limits limits;
  Buffer<std::byte> slab;
  PrefixCache cache;
  Decoding decoding;
  DecodeRequest request;
  InlineExecutor here;
  std::vector<TokenKey> keys;
  std::vector<TokenInput<float>> inputs;

  explicit Engine(const Limits& wanted)
      : limits(complete(wanted)), cache(pool(limits)), decoding(test::tiny_model().network().decoder, limits, 1) {
    REQUIRE(carve_slab(slab, [&](Arena& arena) {
      cache.carve(arena, test::tiny_model().config().decoder.heads, limits.context, *limits.kv);
      decoding.lay_out(arena);
    }));
    REQUIRE(cache.reserve());
    for (std::int32_t i = 0; i < 150; ++i) keys.push_back({i * 7 % 500}), inputs.push_back({i * 7 % 500, nullptr});
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
    const TokenSpan tokens{std::span<const TokenKey>(keys).subspan(from, count),
                           std::span<const TokenInput<float>>(inputs).subspan(from, count)};
    DSVL_CHECK_STATUS(request.begin(cache, tokens, logits, Stage::prefill));
    return decoding.advance(request, here, {});
  }
  std::vector<float> logits(Index i = 0) { return {request.logits(i).begin(), request.logits(i).end()}; }
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
