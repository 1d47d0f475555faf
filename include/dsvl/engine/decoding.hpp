// Decoding: it runs the decoder over tokens behind those that a PrefixCache holds, and leaves logits.
//
// It knows no text and no files. Everything it works in is carved from the session's slab. The work is recorded at that
// time, as one program that serves a prefill chunk of any length and every decoded token.
#ifndef DSVL_ENGINE_DECODING_HPP
#define DSVL_ENGINE_DECODING_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <span>

#include "../kernels/dispatch.hpp"
#include "../language/decoder.hpp"
#include "../run/job.hpp"
#include "limits.hpp"
#include "prefix_cache.hpp"
#include "tokens.hpp"

DSVL_BEGIN_NAMESPACE

/// Prefill and decode in slices, for one thread at a time. One object can work on several caches, one after another.
class Decoding {
 public:
  /// Takes limits as complete_limits() gives them. `decoder` must outlive this object. There will be scratch for
  /// `workers` workers; an executor with more of them leaves some idle.
  Decoding(const Decoder& decoder, const Limits& limits, int workers) noexcept
      : decoder_(decoder), kv_(kv_layout<float>(decoder.dims.heads, *limits.kv)),
        chunk_(std::min<Index>(limits.chunk, limits.context)),
        logit_rows_(std::min<Index>(limits.logit_rows, chunk_)), activations_(limits.activations),
        workers_(std::max<int>(1, workers)) {}
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  /// Declares every buffer and records the program, once to measure and once to carve. The slab must outlive this
  /// object.
  void lay_out(Arena& arena) noexcept {
    program_ = {};
    places_ = arena.array<SequenceRow>("decoder inputs", chunk_);
    inputs_ = arena.array<TokenInput<float>>("decoder inputs", chunk_);
    // Logits are read until the next pass, so they are declared apart from the buffers that share memory.
    buffers_.carve_logits(arena, decoder_.dims, logit_rows_);
    buffers_.carve(arena, decoder_.dims, chunk_);
    // The program reads state_ and inputs_ when it runs, so one recording serves all chunks and tokens.
    Recorder<float> record(program_, arena, activations_);
    decoder_.forward(record, inputs_, state_, kv_, buffers_);
    work_.carve(arena, program_, workers_, "decoder scratch", "decoder inputs");
  }

  /// Begins to put `tokens` behind those that `cache` holds; both must stay until the work is done. Logits are kept for
  /// the last `logits` tokens, at most logit_rows(). `stage` is what progress is reported as.
  ///
  /// Codes  limit (the tokens do not fit the context), out_of_memory (see PrefixCache::prepare)
  Status begin(PrefixCache& cache, const TokenSpan& tokens, Index logits, Stage stage) noexcept {
    const Index count = std::ssize(tokens);
    if (count > cache.context() - cache.size())
      return fail(Code::limit, "%td tokens do not fit behind the %td that are there: the context holds %td", count,
                  cache.size(), cache.context());
    cache_ = &cache;
    tokens_ = tokens;
    done_ = 0;
    logits_ = std::min<Index>(logits, count);
    stage_ = stage;
    if (count == 0) return {};
    const Status begun = begin_chunk();
    if (!begun.ok()) abandon();
    return begun;
  }
  /// True while tokens are left to compute.
  [[nodiscard]] bool busy() const noexcept { return done_ < std::ssize(tokens_); }

  /// Goes on until the work is done or the deadline has passed; busy() tells which. When it fails, chunks that were
  /// finished stay in the cache, and the rest is given up.
  ///
  /// Codes  cancelled, out_of_memory (see PrefixCache::prepare)
  Status advance(Executor& executor, const Control& control) noexcept {
    while (busy()) {
      if (const Status s = job_.advance(machine(executor), control); !s.ok()) return abandon(), s;
      if (job_.busy()) break;
      // The keys and values of this chunk are in the pages now, so its tokens count.
      cache_->append(tokens_.keys.subspan(static_cast<std::size_t>(done_), static_cast<std::size_t>(state_.rows)));
      done_ += state_.rows;
      if (busy())
        if (const Status s = begin_chunk(); !s.ok()) return abandon(), s;
    }
    return {};
  }
  /// Gives up what is left. Chunks that were finished stay in the cache.
  void abandon() noexcept {
    tokens_ = {};
    done_ = 0;
    job_.abandon();
  }

  /// (vocab) logits of the i-th of the tokens that they were kept for. Valid until the next begin().
  [[nodiscard]] std::span<const float> logits(Index i = 0) const noexcept {
    return {buffers_.logits.row(i), static_cast<std::size_t>(decoder_.dims.vocab)};
  }

  /// Tokens whose logits are kept at a time: Limits::logit_rows, or fewer where a chunk or the context is shorter.
  [[nodiscard]] Index logit_rows() const noexcept { return logit_rows_; }

  /// The recorded forward pass, for benchmarks and reports.
  [[nodiscard]] const Program<float>& program() const noexcept { return program_; }
  /// Adds each step's seconds to the array, which is as long as the program, or stops doing so with null. Benchmarks
  /// use it.
  void time_steps(double* seconds) noexcept { seconds_ = seconds; }

 private:
  /// The kernels, threads and scratch that the program runs with.
  [[nodiscard]] Machine<float> machine(Executor& executor) const noexcept {
    const int workers = std::min<int>(workers_, executor.workers());
    return {&active_kernels<float>(), &executor, work_.scratch, work_.strip, workers, seconds_, work_.shared};
  }

  /// Begins the next chunk: prepares its pages, copies its inputs and tells the program its rows.
  Status begin_chunk() noexcept {
    const Index count = std::ssize(tokens_), left = count - done_;
    // A chunk overwrites the logits of the one before, so all rows whose logits are wanted run in the last chunk. The
    // chunk in front of it is made shorter where it would take some of them.
    Index rows = std::min<Index>(chunk_, left);
    if (left > rows && left - rows < logits_) rows = left - logits_;
    DSVL_CHECK_STATUS(cache_->prepare(rows));
    std::copy_n(tokens_.inputs.data() + done_, rows, inputs_);
    const bool last = done_ + rows == count;
    const SequenceRows places =
        cache_->kv().place_rows(cache_->size(), {places_, static_cast<std::size_t>(rows)});
    state_ = {rows, places, last ? rows - logits_ : 0, last ? logits_ : 0};
    const auto portion = [](Index n) { return static_cast<double>(n); };
    job_.begin(program_, {stage_, portion(done_), portion(rows), portion(count)});
    return {};
  }

  const Decoder& decoder_;           // weights and sizes
  KvLayout kv_;                      // of every page
  Index chunk_, logit_rows_;         // rows of a pass, and those with logits, at most
  ActivationPrecision activations_;  // with which the program was recorded
  int workers_;                      // for which there is scratch

  // The program and its memory. The program points to state_ and inputs_.
  DecoderBuffers<float> buffers_;
  DecoderState state_;                   // of the chunk that runs
  SequenceRow* places_ = nullptr;        // (chunk) page table and position of each row
  TokenInput<float>* inputs_ = nullptr;  // (chunk) id or picture row of each row
  WorkMemory<float> work_;
  Program<float> program_;
  double* seconds_ = nullptr;  // see time_steps()

  // The work at hand, set by begin().
  PrefixCache* cache_ = nullptr;
  TokenSpan tokens_;
  Index done_ = 0, logits_ = 0;  // tokens computed, and those at the end whose logits are wanted
  Stage stage_ = Stage::prefill;
  Job job_;  // of the chunk that runs
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_DECODING_HPP
