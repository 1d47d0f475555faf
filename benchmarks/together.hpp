// How fast sessions decode that share each pass, against what this machine can read and multiply.
//
// Used by the benchmark bench_sessions and by `dsvl bench --sessions`. It drives the engine (engine/decoding.hpp), so
// that choosing tokens (a third of a millisecond for each, of 102 400) and text are not counted.
#ifndef DSVL_BENCHMARKS_TOGETHER_HPP
#define DSVL_BENCHMARKS_TOGETHER_HPP

#include <memory>

#include "stages.hpp"

namespace bench {

/// Sequences with caches of their own, and a decoding that is theirs together.
class Together {
 public:
  /// `first` is the number of the first sequence, on which its tokens depend.
  Together(const Decoder& decoder, const Limits& limits, Executor& on, Index sequences, Index first = 0)
      : decoder_(decoder), limits_(limits), executor_(on), first_(first), decoding_(decoder, limits, on.workers(), sequences),
        pool_(std::make_shared<PagePool>(
            static_cast<std::size_t>(kv_page_bytes<float>(decoder.dims.heads, decoder.dims.layers, *limits.kv)),
            nullptr)) {
    for (Index s = 0; s < sequences; ++s) seats_.push_back(std::make_unique<Seat>(pool_));
  }
  /// Takes its memory. Codes: out_of_memory.
  Status open() {
    const bool there = carve_slab(memory_, [&](Arena& arena) {
      decoding_.lay_out(arena);
      for (auto& seat : seats_) seat->cache.carve(arena, decoder_.dims.heads, limits_.context, *limits_.kv);
    });
    for (auto& seat : seats_)
      if (!there || !seat->cache.reserve()) return fail(Code::out_of_memory, "no memory for sessions of a measurement");
    return {};
  }

  /// Gives every sequence a prompt of `tokens` tokens of its own, one after another, with logits of the last `logits`.
  Status prefill(Index tokens, const CancelToken* cancel, Index logits = 1) {
    for (std::size_t s = 0; s < seats_.size(); ++s) {
      Seat& seat = *seats_[s];
      seat.cache.truncate(0);
      seat.list.clear();
      for (Index i = 0; i < tokens; ++i) seat.add(token(static_cast<Index>(s), i));
      DSVL_CHECK_STATUS(seat.request.begin(seat.cache, seat.span(), logits, Stage::prefill));
      DSVL_CHECK_STATUS(decoding_.advance(seat.request, executor_, {cancel}));
    }
    return {};
  }
  /// One pass with the next token of each.
  Status decode(const CancelToken* cancel) {
    for (std::size_t s = 0; s < seats_.size(); ++s) {
      Seat& seat = *seats_[s];
      seat.list.clear();
      seat.add(token(static_cast<Index>(s), seat.cache.size()));
      DSVL_CHECK_STATUS(seat.request.begin(seat.cache, seat.span(), 1, Stage::decode));
      DSVL_CHECK_STATUS(decoding_.add(seat.request, 1));
    }
    return decoding_.advance(executor_, {cancel});
  }
  /// Logits of the last token of a sequence.
  [[nodiscard]] std::span<const float> logits(Index sequence) const {
    return seats_[static_cast<std::size_t>(sequence)]->request.logits();
  }

 private:
  struct Seat {
    explicit Seat(std::shared_ptr<PagePool> pool) : cache(std::move(pool)) {}
    PrefixCache cache;
    DecodeRequest request;
    std::vector<TokenKey> list;
    std::vector<TokenInput<float>> inputs;
    void add(std::int32_t id) { list.push_back({id}); }
    TokenSpan span() {
      inputs.clear();
      for (const TokenKey& k : list) inputs.push_back({k.id, nullptr});
      return {list, inputs};
    }
  };
  /// Arbitrary but fixed.
  [[nodiscard]] std::int32_t token(Index sequence, Index position) const {
    return static_cast<std::int32_t>((position * 37 + (first_ + sequence) * 101) % decoder_.dims.vocab);
  }

  const Decoder& decoder_;
  Limits limits_;
  Executor& executor_;
  Index first_;
  Buffer<std::byte> memory_;  // before what is carved from it
  Decoding decoding_;
  std::shared_ptr<PagePool> pool_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

/// How fast a number of sessions decode.
struct TogetherTimes {
  double pass = 0;   ///< seconds, the median
  bool same = true;  ///< the last logits are, to the last bit, those of each sequence alone
};

/// The limits of a measurement with contexts for `tokens` tokens.
inline Result<Limits> limits_for(const Model& model, const Limits& wanted, Index tokens) {
  Limits limits = wanted;
  limits.context = tokens;
  return complete_limits(limits, model.config(), model.network().decoder);
}

/// `passes` passes of `sessions` sessions behind prompts of `prompt` tokens, `runs` times. With `check`, the first
/// session and the last are decoded alone as well.
///
/// Codes: out_of_memory, limit, cancelled
inline Result<TogetherTimes> time_together(const Model& model, Executor& executor, Index sessions, int runs,
                                           Index prompt, Index passes, const Limits& wanted, bool check,
                                           const CancelToken* cancel = nullptr) {
  DSVL_TRY(limits, limits_for(model, wanted, prompt + passes));
  const Decoder& decoder = model.network().decoder;
  Together all(decoder, limits, executor, sessions);
  DSVL_CHECK_STATUS(all.open());
  TogetherTimes out;
  std::vector<double> seconds;
  for (int r = 0; r < runs; ++r) {
    DSVL_CHECK_STATUS(all.prefill(prompt, cancel));
    for (Index i = 0; i < passes; ++i) {
      const double began = now();
      DSVL_CHECK_STATUS(all.decode(cancel));
      seconds.push_back(now() - began);
    }
  }
  out.pass = median(seconds);
  if (!check) return out;
  for (const Index s : {Index{0}, sessions - 1}) {
    Together alone(decoder, limits, executor, 1, s);
    DSVL_CHECK_STATUS(alone.open());
    DSVL_CHECK_STATUS(alone.prefill(prompt, cancel));
    for (Index i = 0; i < passes; ++i) DSVL_CHECK_STATUS(alone.decode(cancel));
    const auto a = alone.logits(0), b = all.logits(s);
    out.same = out.same && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  }
  return out;
}

/// Tokens per second of a prefill of `tokens` tokens that has the head on every row: what decoding would be if it were
/// arithmetic alone.
///
/// Codes: out_of_memory, limit, cancelled
inline Result<double> time_wide_prefill(const Model& model, Executor& executor, Index tokens, int runs,
                                        const Limits& wanted, const CancelToken* cancel = nullptr) {
  Limits wide = wanted;
  wide.chunk = wide.logit_rows = tokens;
  DSVL_TRY(limits, limits_for(model, wide, tokens));
  Together one(model.network().decoder, limits, executor, 1);
  DSVL_CHECK_STATUS(one.open());
  std::vector<double> seconds;
  for (int r = 0; r <= runs; ++r) {
    const double began = now();
    DSVL_CHECK_STATUS(one.prefill(tokens, cancel, tokens));
    if (r > 0) seconds.push_back(now() - began);
  }
  return static_cast<double>(tokens) / median(seconds);
}

}  // namespace bench

#endif  // DSVL_BENCHMARKS_TOGETHER_HPP
