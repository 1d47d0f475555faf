// ImageEncoder: from a picture's pixels to rows of the decoder's width, in slices or in one go. It can be used alone:
//
//   ImageEncoder encoder(model->network(), model->config().preprocess, Limits(), executor.workers(), nullptr);
//   DSVL_CHECK_STATUS(encoder.open());
//   auto rows = encoder.encode(image.pixels(), executor);  // View<const float>, (image tokens, hidden)
//
// The work is recorded once, as two programs: the preprocessing, of whatever picture stands there when it runs, and the
// towers with the aligner. The memory is carved from a slab. What preprocessing needs depends on the picture, so there
// is as much as any picture up to Limits::picture_side can need; for larger ones the rest is allocated.
#ifndef DSVL_ENGINE_IMAGE_ENCODER_HPP
#define DSVL_ENGINE_IMAGE_ENCODER_HPP

#include "../base/host_macros_push.hpp"

#include "../kernels/dispatch.hpp"
#include "../model/deepseek_vl.hpp"
#include "../run/job.hpp"
#include "../vision/preprocess.hpp"
#include "limits.hpp"
#include "usage.hpp"

DSVL_BEGIN_NAMESPACE

namespace ops {

/// One step of the preprocessing, as an operation of a program. The steps are recorded before any picture is known, so
/// a step that the picture at hand does not need has no tiles.
struct PreprocessStep {
  static constexpr const char* kName = "preprocess";  ///< of the operation, in reports
  Preprocessor* preprocessor;                         ///< prepared for the picture at hand when the program runs
  int step;                                           ///< number of the step

  /// Tiles of this step for the picture at hand.
  [[nodiscard]] Index tiles() const noexcept { return step < preprocessor->steps() ? preprocessor->tiles(step) : 0; }
  /// It declares no scratch, because the need depends on the picture: ImageEncoder::begin takes it.
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  /// Progress counts tiles.
  [[nodiscard]] double cost() const noexcept { return static_cast<double>(tiles()); }
  /// Resizes or normalises one tile.
  void run(const Worker<float>& on, Index tile) const noexcept { preprocessor->run(step, tile, on.scratch); }
};

}  // namespace ops

/// The vision half of the network with everything it works in, for one picture and one thread at a time.
class ImageEncoder {
 public:
  /// An encoder for the vision half of `net`, which must outlive it and whose weights must be bound. There will be
  /// scratch for `workers` workers; an executor with more of them leaves some idle. Memory comes from `from`; null
  /// means operator new.
  ImageEncoder(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, int workers,
          Allocator* from) noexcept
      : net_(net), config_(preprocess), activations_(limits.activations),
        picture_side_(std::clamp<Index>(limits.picture_side, 1, kMaxPictureSide)), workers_(std::max<int>(1, workers)),
        from_(from), slab_(from) {}
  ImageEncoder(const ImageEncoder&) = delete;
  ImageEncoder& operator=(const ImageEncoder&) = delete;

  /// Declares every buffer and records the programs, once to measure and once to carve. An ImageCache calls it for its
  /// slab; an encoder that is used alone has open().
  void lay_out(Arena& arena) noexcept {
    preprocess_program_ = encode_program_ = {};
    preprocessor_.carve(arena, config_, picture_side_);
    const Index strip = strip_of(Preprocessor::most_scratch_bytes(config_, picture_side_));
    picture_scratch_ = arena.view<float>("preprocessing", workers_, strip);
    // Page tables are written once, and the rows are read when the towers have run, so both lie outside the buffers
    // that share memory.
    buffers_.carve_table(arena, net_);
    rows_ = arena.view<float>("picture embedding", net_.siglip.dims.tokens(), net_.decoder.dims.hidden);
    buffers_.carve(arena, net_);
    // The picture decides how many steps there are, so all possible ones are recorded.
    Recorder<float> preprocess(preprocess_program_, arena);
    for (int step = 0; step < Preprocessor::kMaxSteps; ++step) preprocess(ops::PreprocessStep{&preprocessor_, step});
    Recorder<float> encode(encode_program_, arena, activations_);
    net_.encode(encode, buffers_, rows_);
    work_.carve(arena, encode_program_, workers_, "vision scratch", "vision inputs");
  }

  /// Takes memory of its own, for an encoder that is used alone, and calls lay_out().
  ///
  /// Codes  out_of_memory
  Status open() noexcept {
    if (carve_slab(slab_, [&](Arena& arena) { lay_out(arena); })) return {};
    return fail(Code::out_of_memory, "no memory for an encoder of pictures: %zu bytes", slab_.size());
  }
  /// Encodes a picture in one go and returns its rows (image tokens, hidden), valid until the next call. The pixels
  /// must stay until the call returns.
  ///
  /// Codes  those of begin() and advance(); cancelled also when control.deadline passed
  Result<View<const float>> encode(const Pixels& picture, Executor& executor, const Control& control = {}) noexcept {
    DSVL_CHECK_STATUS(begin(picture));
    Usage unread;
    DSVL_CHECK_STATUS(advance(executor, control, unread));
    if (busy()) return abandon(), fail(Code::cancelled, "there was no time to encode the picture");
    return rows();
  }

  /// Begins with a picture, and gives up one that is under way. The pixels are not copied, and must stay until busy()
  /// is false.
  ///
  /// Codes  bad_argument, limit (those of Preprocessor::prepare), out_of_memory
  Status begin(const Pixels& picture) noexcept {
    abandon();
    DSVL_CHECK_STATUS(preprocessor_.prepare(picture, config_, buffers_.low, buffers_.high, from_));
    const Index strip = strip_of(preprocessor_.scratch_bytes());
    if (strip > picture_scratch_.cols && !larger_scratch_.resize(static_cast<std::size_t>(strip * workers_)))
      return abandon(), fail(Code::out_of_memory, "no memory to resize a picture of %td x %td", picture.width,
                             picture.height);
    phase_ = Phase::preprocess;
    job_.begin(preprocess_program_, {Stage::preprocess});
    return {};
  }
  /// True while a picture is being encoded.
  [[nodiscard]] bool busy() const noexcept { return phase_ != Phase::idle; }

  /// Goes on until the picture is done or the deadline has passed; busy() tells which. Adds the seconds to `usage`.
  ///
  /// Codes  cancelled; the picture is then given up
  Status advance(Executor& executor, const Control& control, Usage& usage) noexcept {
    while (busy()) {
      const bool first = phase_ == Phase::preprocess;
      const auto began = Clock::now();
      const View<float> scratch = preprocess_scratch();
      const Status status = job_.advance(first ? machine(executor, scratch.data, scratch.cols, nullptr)
                                               : machine(executor, work_.scratch, work_.strip, seconds_), control);
      (first ? usage.preprocess : usage.encode) += seconds_since(began);
      if (!status.ok()) return abandon(), status;
      if (job_.busy()) break;
      if (!first) abandon();
      else begin_towers();
    }
    return {};
  }
  /// Gives up the picture, and what was allocated for its preprocessing.
  void abandon() noexcept {
    phase_ = Phase::idle;
    job_.abandon();
    preprocessor_.clear();
    larger_scratch_ = Buffer<float>(from_);
  }

  /// (image tokens, hidden): the embedding of the last picture, when it is done. Valid until the next begin().
  [[nodiscard]] View<const float> rows() const noexcept { return rows_; }

  /// The rules by which pictures are prepared for the towers.
  [[nodiscard]] const PreprocessConfig& config() const noexcept { return config_; }
  /// The recorded pass of the towers and the aligner, for benchmarks and reports.
  [[nodiscard]] const Program<float>& program() const noexcept { return encode_program_; }
  /// Adds each step's seconds to the array, which is as long as program(), or stops doing so with null. Benchmarks use
  /// it.
  void time_steps(double* seconds) noexcept { seconds_ = seconds; }

 private:
  /// The program that runs; idle when no picture is being encoded.
  enum class Phase : unsigned char { idle, preprocess, towers };

  /// The tower inputs are complete: goes on with the second program.
  void begin_towers() noexcept {
    phase_ = Phase::towers;
    job_.begin(encode_program_, {Stage::encode});
  }
  /// The kernels, threads and scratch that a program runs with. The two programs have different scratch.
  [[nodiscard]] Machine<float> machine(Executor& executor, float* scratch, Index strip,
                                       double* seconds) const noexcept {
    const int workers = std::min<int>(workers_, executor.workers());
    return {&active_kernels<float>(), &executor, scratch, strip, workers, seconds, work_.shared};
  }

  /// Floats of a worker's scratch, so that those of different workers share no cache line.
  static Index strip_of(std::size_t bytes) noexcept {
    return round_up(ceil_div(static_cast<Index>(bytes), 4), static_cast<Index>(kAlignment));
  }
  /// (workers, strip): the scratch of the preprocessing, for the picture at hand.
  [[nodiscard]] View<float> preprocess_scratch() noexcept {
    if (larger_scratch_.empty()) return picture_scratch_;
    return {larger_scratch_.data(), workers_, strip_of(preprocessor_.scratch_bytes())};
  }

  const DeepseekVl& net_;            // weights and sizes
  PreprocessConfig config_;          // rules for preparing pictures
  ActivationPrecision activations_;  // with which the towers were recorded
  Index picture_side_;               // of the largest picture that there is memory for
  int workers_;                      // for which there is scratch
  Allocator* from_;                  // for larger pictures

  // The programs and their memory.
  Buffer<std::byte> slab_;  // of an encoder that is used alone
  Preprocessor preprocessor_;
  DeepseekVl::VisionBuffers<float> buffers_;  // tower inputs, features, scratch
  View<float> rows_;                          // the result
  WorkMemory<float> work_;                    // scratch of the towers' operations
  View<float> picture_scratch_;               // (workers, strip): of the preprocessing
  Buffer<float> larger_scratch_{from_};       // (workers, strip): of a picture that needs more
  Program<float> preprocess_program_, encode_program_;
  double* seconds_ = nullptr;  // see time_steps()

  // The picture at hand.
  Phase phase_ = Phase::idle;
  Job job_;  // of the program that runs
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_IMAGE_ENCODER_HPP
