// Interleaver: brings quantised weights into the order that the kernels read, on all threads, and checks their scales.
//
// llama.cpp's files have rows one behind the other, so all weights of such a model pass through here once, while it is
// loaded. In our own files they only have their scales looked at.
#ifndef DSVL_MODEL_INTERLEAVER_HPP
#define DSVL_MODEL_INTERLEAVER_HPP

#include <algorithm>
#include <atomic>

#include "../base/host.hpp"
#include "../kernels/weights/interleave.hpp"

DSVL_BEGIN_NAMESPACE

/// What the weights of a model are bound with. What it points to must outlive the loading.
struct LoadWork {
  Executor* threads = nullptr;          ///< null: the calling thread
  Progress progress = {};               ///< gets Stage::load, in bytes of the weights that are interleaved
  const CancelToken* cancel = nullptr;  ///< looked at before every quarter of a MiB; null: cannot be cancelled
};

/// Interleaves one weight after another. For one calling thread.
class Interleaver {
 public:
  /// `total` is the number of bytes that will be interleaved, for progress.
  explicit Interleaver(const LoadWork& work = {}, double total = 0) noexcept
      : threads_(work.threads ? *work.threads : alone_), work_(work), total_(total) {}
  Interleaver(const Interleaver&) = delete;  // because it may point to its own executor
  Interleaver& operator=(const Interleaver&) = delete;

  /// True once the work is to be given up. What was asked for from then on was not done.
  [[nodiscard]] bool cancelled() const noexcept { return work_.cancel && work_.cancel->cancelled(); }

  /// Interleaves the rows of `block`, which has `cols` columns, into `to`, and points it there; without `to` they are
  /// interleaved already. False when a scale is infinite or NaN.
  ///
  /// Cost  reads and writes each byte once; the scales are looked at while they are still in the cache
  [[nodiscard]] bool run(Matrix::Block& block, Index cols, std::byte* to) noexcept {
    const Index group = kGroupRows * row_bytes(block.format, cols), groups = block.rows / kGroupRows;
    const Index piece = std::max<Index>(1, kPieceBytes / group), pieces = ceil_div(groups, piece);
    // Each worker begins in a strip of its own. Otherwise neighbouring pieces, begun at the same time, would make the
    // system clear the same fresh huge page twice.
    const Index workers = threads_.workers(), strip = ceil_div(pieces, workers);
    std::atomic<bool> finite{true};
    threads_.run(static_cast<int>(workers * strip), [&](int task) {
      const Index first = (task % workers * strip + task / workers) * piece;
      if (first >= groups || cancelled()) return;
      const Index rows = std::min<Index>(piece, groups - first) * kGroupRows;
      const std::byte* at = block.data + first * group;
      if (to) {
        interleave(block.format, at, rows, cols, to + first * group);
        at = to + first * group;
      }
      if (!finite_scales(block.format, at, rows, cols)) finite.store(false, std::memory_order_relaxed);
    });
    if (to && !cancelled()) {
      block.data = to;
      work_.progress(Stage::load, done_ += static_cast<double>(groups * group), total_);
    }
    return finite.load(std::memory_order_relaxed);
  }

 private:
  static constexpr Index kPieceBytes = 256 << 10;  // takes below half a millisecond

  InlineExecutor alone_;
  Executor& threads_;
  LoadWork work_;
  double done_ = 0, total_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_INTERLEAVER_HPP
