// Decoding: the numbers of a session. Extends the cache by tokens and leaves logits; knows no text and no pictures.
//
// Everything it works in is carved from the session's slab; the work itself was recorded then, as one program that
// serves a prefill chunk of any length and every decoded token.
#ifndef DSVL_ENGINE_DECODING_HPP
#define DSVL_ENGINE_DECODING_HPP

#include "../base/host_macros_push.hpp"

#include "../kernels/dispatch.hpp"
#include "../language/decoder.hpp"
#include "../run/job.hpp"
#include "prefix_cache.hpp"
#include "limits.hpp"

DSVL_BEGIN_NAMESPACE

/// Tokens to be computed: what they are, and how the decoder reads them; same length.
struct DecodingInput {
  std::span<const TokenKey> entries;
  std::span<const TokenInput<float>> tokens;
};

class Decoding {
 public:
  /// `limits` as Session::open has completed them.
  Decoding(const Decoder& decoder, const Limits& limits, Executor& executor, std::shared_ptr<PagePool> pool) noexcept
      : decoder_(decoder), limits_(limits), executor_(executor), workers_(std::max<int>(1, executor.workers())),
        cache_(std::move(pool)) {}
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  /// Declares every buffer and records the program: once to measure, once to carve. The slab must outlive the engine.
  void lay_out(Arena& arena) noexcept {
    program_ = {};
    cache_.carve(arena, decoder_.dims.heads, limits_.context, *limits_.kv);
    inputs_ = arena.array<TokenInput<float>>("decoder inputs", chunk());
    buffers_.carve_logits(arena, decoder_.dims, limits_.logit_rows);
    buffers_.carve(arena, decoder_.dims, chunk());
    Recorder<float> record(program_, arena, limits_.activations);
    decoder_.forward(record, inputs_, state_, cache_.kv(), buffers_);
    work_.carve(arena, program_, workers_, "decoder scratch", "decoder inputs");
  }

  /// Begins to put `input` behind what the cache holds; it must stay until the work is done. Logits are kept for the
  /// last `logits` of them, at most Limits::logit_rows. Codes: limit.
  Status begin(const DecodingInput& input, Index logits, Stage stage) noexcept {
    const Index count = static_cast<Index>(input.tokens.size());
    if (count > cache_.context() - cache_.size())
      return fail(Code::limit, "%td tokens do not fit behind the %td that are there: the context holds %td", count,
                  cache_.size(), cache_.context());
    input_ = input;
    done_ = 0;
    logits_ = std::min<Index>(logits, count);
    stage_ = stage;
    return count > 0 ? begin_chunk() : Status();
  }
  [[nodiscard]] bool busy() const noexcept { return done_ < static_cast<Index>(input_.tokens.size()); }

  /// Goes on until it is done or time is up: busy() tells which. When it fails, whole chunks that were done count, and
  /// the rest is given up. Codes: cancelled, out_of_memory (see PrefixCache::prepare).
  Status advance(const Control& control) noexcept {
    while (busy()) {
      if (const Status s = job_.advance(machine(), control); !s.ok()) return abandon(), s;
      if (job_.busy()) break;
      cache_.append(input_.entries.subspan(static_cast<std::size_t>(done_), static_cast<std::size_t>(state_.rows)));
      done_ += state_.rows;
      if (busy())
        if (const Status s = begin_chunk(); !s.ok()) return abandon(), s;
    }
    return {};
  }
  void abandon() noexcept {
    input_ = {};
    done_ = 0;
    job_.abandon();
  }

  /// (vocab) of the i-th of the tokens that logits were kept for.
  [[nodiscard]] std::span<const float> logits(Index i = 0) const noexcept {
    return {buffers_.logits.row(i), static_cast<std::size_t>(decoder_.dims.vocab)};
  }
  [[nodiscard]] Index logits_rows() const noexcept { return logits_; }

  [[nodiscard]] PrefixCache& cache() noexcept { return cache_; }
  [[nodiscard]] const PrefixCache& cache() const noexcept { return cache_; }
  [[nodiscard]] const Program<float>& program() const noexcept { return program_; }
  /// Adds each step's seconds to the array (as long as the program), or stops doing so with null. For benchmarks.
  void time_steps(double* seconds) noexcept { seconds_ = seconds; }

 private:
  [[nodiscard]] Index chunk() const noexcept { return limits_.chunk; }
  [[nodiscard]] Machine<float> machine() const noexcept {
    return {&active_kernels<float>(), &executor_, work_.scratch, work_.strip, workers_, seconds_, work_.shared};
  }

  Status begin_chunk() noexcept {
    const Index count = static_cast<Index>(input_.tokens.size()), left = count - done_;
    // Rows whose logits are wanted run in one chunk, since it leaves them all.
    Index rows = std::min<Index>(chunk(), left);
    if (left > rows && left - rows < logits_) rows = left - logits_;
    DSVL_CHECK_STATUS(cache_.prepare(rows));
    std::copy_n(input_.tokens.data() + done_, rows, inputs_);
    const bool last = done_ + rows == count;
    state_ = {rows, cache_.size(), last ? rows - logits_ : 0, last ? logits_ : 0};
    const auto portion = [](Index n) { return static_cast<double>(n); };
    job_.begin(program_, {stage_, portion(done_), portion(rows), portion(count)});
    return {};
  }

  const Decoder& decoder_;
  Limits limits_;
  Executor& executor_;
  int workers_;

  PrefixCache cache_;
  DecoderBuffers<float> buffers_;
  DecoderState state_;
  TokenInput<float>* inputs_ = nullptr;
  WorkMemory<float> work_;
  Program<float> program_;
  double* seconds_ = nullptr;

  DecodingInput input_;
  Index done_ = 0, logits_ = 0;
  Stage stage_ = Stage::prefill;
  Job job_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_DECODING_HPP
