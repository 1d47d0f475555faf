// Decoding: it runs the decoder over tokens behind those that caches hold, and leaves logits.
//
//   DecodeRequest (one for each sequence) -> rows of a pass -> keys and values in the caches, logits
//
// A pass has rows of one sequence, or of several at once, whose weights are then read once for all of them. Which rows
// share a pass changes no bit of a result: each row is a function of its own sequence.
//
// It knows no text and no files. Everything it works in is carved from a slab. The work is recorded at that time, as
// one program that serves a prefill chunk of any length and every decoded token.
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

/// Tokens of one sequence that are to be computed behind those that its cache holds, and how far that is. It must stay
/// at its address while a pass has rows of it.
class DecodeRequest {
 public:
  /// Asks for `tokens`; they and `cache` must stay until the work is done. Logits are kept for the last `logits`
  /// tokens, at most Decoding::logit_rows(). `stage` is what progress is reported as.
  ///
  /// Codes  limit (the tokens do not fit the context; nothing is asked for then)
  Status begin(PrefixCache& cache, const TokenSpan& tokens, Index logits, Stage stage) noexcept {
    abandon();
    const Index count = std::ssize(tokens);
    if (count > cache.context() - cache.size())
      return fail(Code::limit, "%td tokens do not fit behind the %td that are there: the context holds %td", count,
                  cache.size(), cache.context());
    cache_ = &cache;
    tokens_ = tokens;
    wanted_ = std::min<Index>(logits, count);
    stage_ = stage;
    return {};
  }
  /// Has logits copied to `own` (logit rows, vocab) when they are there. They then stay until the next ones, however
  /// many passes others run meanwhile.
  void keep_logits(View<float> own) noexcept { own_ = own; }
  /// Gives up what is left. Tokens that were computed stay in the cache.
  void abandon() noexcept {
    tokens_ = {};
    done_ = 0;
  }

  /// True while tokens are left to compute.
  [[nodiscard]] bool busy() const noexcept { return left() > 0; }
  /// Number of these tokens.
  [[nodiscard]] Index left() const noexcept { return std::ssize(tokens_) - done_; }
  /// The stage that progress is reported as.
  [[nodiscard]] Stage stage() const noexcept { return stage_; }
  /// (vocab) logits of the i-th of the tokens that they were kept for, once they are done. Without keep_logits() they
  /// are valid until the next pass begins.
  [[nodiscard]] std::span<const float> logits(Index i = 0) const noexcept {
    return {logits_.row(i), static_cast<std::size_t>(logits_.cols)};
  }
  /// How much the i-th of these tokens looks at each token of its sequence, itself included, averaged over layers and
  /// heads: they add up to 1. Valid until the next pass begins; empty where the decoding makes no maps.
  [[nodiscard]] std::span<const float> attention(Index i = 0) const noexcept {
    if (!attention_.data) return {};
    return {attention_.row(i), static_cast<std::size_t>(keys_ + i)};
  }

 private:
  friend class Decoding;

  PrefixCache* cache_ = nullptr;   // of the sequence
  TokenSpan tokens_;               // all of them
  Index wanted_ = 0, done_ = 0;    // tokens at the end whose logits are kept; tokens that were computed
  Stage stage_ = Stage::prefill;   // of progress
  View<float> own_;                // where logits are copied to; empty: nowhere
  View<const float> logits_;       // of the wanted tokens
  View<const float> attention_;    // likewise; empty where there are no maps
  Index keys_ = 0;                 // tokens that the first of these looks at
};

/// Prefill and decode in slices, for one thread at a time.
class Decoding {
 public:
  /// Takes limits as complete_limits() gives them. `decoder` must outlive this object. A pass has room for a chunk of
  /// limits.chunk tokens, and with more than one of `sequences` for limits.logit_rows tokens of each beside it. There
  /// will be scratch for `workers` workers; an executor with more of them leaves some idle. With
  /// `attention` it makes attention maps of the tokens whose logits are kept.
  Decoding(const Decoder& decoder, const Limits& limits, int workers, Index sequences = 1,
           bool attention = false) noexcept
      : decoder_(decoder), kv_(kv_layout<float>(decoder.dims.heads, *limits.kv)), sequences_(sequences),
        chunk_(std::min<Index>(limits.chunk, limits.context)),
        logit_rows_(std::min<Index>(limits.logit_rows, chunk_)), seen_(attention ? limits.context : 0),
        activations_(limits.activations), workers_(std::max<int>(1, workers)) {}
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  /// Declares every buffer and records the program, once to measure and once to carve. The slab must outlive this
  /// object.
  void lay_out(Arena& arena) noexcept {
    program_ = {};
    const Index rows = pass_rows();
    parts_ = arena.buffer<Part>("decoder inputs", sequences_);
    places_ = arena.array<SequenceRow>("decoder inputs", rows);
    inputs_ = arena.array<TokenInput<float>>("decoder inputs", rows);
    // Logits are read until the next pass, so they are declared apart from the buffers that share memory.
    buffers_.carve_logits(arena, decoder_.dims, sequences_ * logit_rows_);
    if (seen_ > 0) buffers_.carve_maps(arena, decoder_.dims, sequences_ * logit_rows_, seen_, state_);
    buffers_.carve(arena, decoder_.dims, rows);
    // The program reads state_ and inputs_ when it runs, so one recording serves all chunks and tokens.
    Recorder<float> record(program_, arena, activations_);
    decoder_.forward(record, inputs_, state_, kv_, buffers_);
    work_.carve(arena, program_, workers_, "decoder scratch", "decoder inputs");
  }

  /// Works on one request until it is done or the deadline has passed; DecodeRequest::busy() tells which. No other
  /// request may be in the pass that is under way, if there is one. When it fails, chunks that were finished stay in
  /// the cache, and the rest is given up.
  ///
  /// Codes  cancelled, out_of_memory (see PrefixCache::prepare)
  Status advance(DecodeRequest& request, Executor& executor, const Control& control) noexcept {
    while (request.busy()) {
      const Status status = [&]() -> Status {
        if (!busy()) DSVL_CHECK_STATUS(add(request, chunk_));
        return advance(executor, control);
      }();
      if (!status.ok()) return abandon(), request.abandon(), status;
      if (busy()) break;
    }
    return {};
  }

  /// Adds the next tokens of a request to the pass that will run: at most `most` (1 or more), and fewer where they end
  /// or the pass has no room. A request is added once, and there are no more of them than `sequences`. When it fails,
  /// nothing was added.
  ///
  /// Codes  out_of_memory (see PrefixCache::prepare)
  Status add(DecodeRequest& request, Index most) noexcept {
    const Index left = request.left();
    Index rows = std::min<Index>({left, most, pass_rows() - rows_});
    // All rows whose logits are wanted run in one pass, the request's last. The one in front of it is made shorter
    // where it would take some of them.
    if (left > rows && left - rows < request.wanted_) rows = left - request.wanted_;
    if (rows < 1) return {};
    DSVL_CHECK_STATUS(request.cache_->prepare(rows));
    (void)parts_.push_back({&request, rows, rows == left ? request.wanted_ : 0});
    rows_ += rows;
    return {};
  }
  /// Rows that were added to the pass.
  [[nodiscard]] Index rows() const noexcept { return rows_; }
  /// True from the first add() until the pass over these rows is done.
  [[nodiscard]] bool busy() const noexcept { return rows_ > 0; }
  /// Goes on with the pass until it is done or the deadline has passed; busy() tells which. Nothing can be added once
  /// it has begun.
  ///
  /// Codes  cancelled; the pass is then given up
  Status advance(Executor& executor, const Control& control) noexcept {
    if (!busy()) return {};
    if (state_.rows == 0) begin_pass();
    if (const Status s = job_.advance(machine(executor), control); !s.ok()) return abandon(), s;
    if (!job_.busy()) finish_pass();
    return {};
  }
  /// Gives up the pass. Its requests are as they were before they were added.
  void abandon() noexcept {
    parts_.clear();
    rows_ = 0;
    state_ = {};
    job_.abandon();
  }
  /// Takes a request out before it goes: gives up the pass if it has rows of it, and the request's tokens.
  void remove(DecodeRequest& request) noexcept {
    if (std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) { return p.request == &request; })) abandon();
    request.abandon();
  }

  /// Tokens of a request whose logits are kept at a time: Limits::logit_rows, or fewer where a chunk or the context is
  /// shorter.
  [[nodiscard]] Index logit_rows() const noexcept { return logit_rows_; }
  /// Tokens of one request that a pass takes beside those of others: Limits::chunk, or the context where that is
  /// shorter.
  [[nodiscard]] Index chunk() const noexcept { return chunk_; }

  /// The recorded forward pass, for benchmarks and reports.
  [[nodiscard]] const Program<float>& program() const noexcept { return program_; }
  /// Adds each step's seconds to the array, which is as long as the program, or stops doing so with null. Benchmarks
  /// use it.
  void time_steps(double* seconds) noexcept { seconds_ = seconds; }

 private:
  /// The rows of one request in a pass.
  struct Part {
    DecodeRequest* request;
    Index rows;    // its next tokens
    Index logits;  // of these, how many at the end have logits
  };

  /// Rows that a pass has room for.
  [[nodiscard]] Index pass_rows() const noexcept { return chunk_ + (sequences_ > 1 ? sequences_ * logit_rows_ : 0); }
  /// The kernels, threads and scratch that the program runs with.
  [[nodiscard]] Machine<float> machine(Executor& executor) const noexcept {
    const int workers = std::min<int>(workers_, executor.workers());
    return {&active_kernels<float>(), &executor, work_.scratch, work_.strip, workers, seconds_, work_.shared};
  }

  /// Copies the inputs of all parts and tells the program its rows: first those without logits, then those with, so
  /// that the head runs over consecutive rows. The order changes nothing, since keys and values of all rows are stored
  /// before any row attends.
  void begin_pass() noexcept {
    Index row = 0, keys = 0, logits = 0;
    for (const Part& p : parts_) row = place(p, 0, p.rows - p.logits, row, keys);
    state_.logits_from = row;
    for (const Part& p : parts_) row = place(p, p.rows - p.logits, p.logits, row, keys), logits += p.logits;
    state_.rows = row;
    state_.logits_rows = logits;
    state_.places = {places_, keys};
    const DecodeRequest& first = *parts_[0].request;
    const auto portion = [](Index n) { return static_cast<double>(n); };
    job_.begin(program_, {first.stage_, portion(first.done_), portion(parts_[0].rows),
                          portion(std::ssize(first.tokens_))});
  }
  /// Puts `count` tokens of a part, from its `from`-th on, into the rows from `row` on. Returns the row behind them,
  /// and raises `keys` to the most that a row sees.
  Index place(const Part& part, Index from, Index count, Index row, Index& keys) noexcept {
    if (count == 0) return row;
    const DecodeRequest& r = *part.request;
    std::copy_n(r.tokens_.inputs.data() + r.done_ + from, count, inputs_ + row);
    const SequenceRows places =
        r.cache_->kv().place_rows(r.cache_->size() + from, {places_ + row, static_cast<std::size_t>(count)});
    keys = std::max<Index>(keys, places.keys);
    return row + count;
  }
  /// The keys and values of all parts are in their pages now, so their tokens count, and logits are handed over.
  void finish_pass() noexcept {
    Index logits = 0;
    for (const Part& p : parts_) {
      DecodeRequest& r = *p.request;
      r.cache_->append(r.tokens_.keys.subspan(static_cast<std::size_t>(r.done_), static_cast<std::size_t>(p.rows)));
      r.done_ += p.rows;
      r.logits_ = buffers_.logits.row_range(logits, p.logits);
      r.attention_ = buffers_.maps.mean.row_range(logits, p.logits);
      r.keys_ = r.cache_->size() - p.logits + 1;
      logits += p.logits;
      if (p.logits == 0 || !r.own_.data) continue;
      std::copy_n(r.logits_.data, p.logits * r.logits_.cols, r.own_.data);
      r.logits_ = r.own_.row_range(0, p.logits);
    }
    abandon();  // it is over
  }

  const Decoder& decoder_;           // weights and sizes
  KvLayout kv_;                      // of every page
  Index sequences_;                  // that a pass may have rows of
  Index chunk_, logit_rows_;         // of one sequence: rows of a pass, and those with logits, at most
  Index seen_;                       // keys that an attention map has room for; 0: none are made
  ActivationPrecision activations_;  // with which the program was recorded
  int workers_;                      // for which there is scratch

  // The program and its memory. The program points to state_ and inputs_.
  DecoderBuffers<float> buffers_;
  DecoderState state_;                   // of the pass that runs; no rows: none runs
  SequenceRow* places_ = nullptr;        // (pass) page table and position of each row
  TokenInput<float>* inputs_ = nullptr;  // (pass) id or picture row of each row
  WorkMemory<float> work_;
  Program<float> program_;
  double* seconds_ = nullptr;  // see time_steps()

  // The pass at hand.
  Buffer<Part> parts_;  // what was added
  Index rows_ = 0;      // of all parts
  Job job_;             // runs it
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_DECODING_HPP
