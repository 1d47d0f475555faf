// ImageEncoder: from a picture's pixels to rows of the decoder's width, in slices or in one go; usable alone.
//
// The work is recorded once, as two programs: preprocessing (of whatever picture stands there) and the towers with the
// aligner. Its memory is carved from a slab; what preprocessing needs depends on the picture, and has a room of its own
// in it that suits pictures up to Limits::picture_side.
#ifndef DSVL_ENGINE_IMAGE_ENCODER_HPP
#define DSVL_ENGINE_IMAGE_ENCODER_HPP

#include "../base/host_macros_push.hpp"

#include "../base/bump_allocator.hpp"
#include "../kernels/dispatch.hpp"
#include "../model/deepseek_vl.hpp"
#include "../run/job.hpp"
#include "../vision/preprocess.hpp"
#include "limits.hpp"
#include "usage.hpp"

DSVL_BEGIN_NAMESPACE

namespace ops {

/// Step `step` of whatever picture the preprocessor was prepared for.
struct PreprocessStep {
  static constexpr const char* kName = "preprocess";
  Preprocessor* preprocessor;
  int step;

  [[nodiscard]] Index tiles() const noexcept { return step < preprocessor->steps() ? preprocessor->tiles(step) : 0; }
  [[nodiscard]] Index scratch() const noexcept { return 0; }  // depends on the picture: see ImageEncoder::begin
  [[nodiscard]] double cost() const noexcept { return static_cast<double>(tiles()); }
  void run(const Worker<float>& on, Index tile) const noexcept { preprocessor->run(step, tile, on.scratch); }
};

}  // namespace ops

class ImageEncoder {
 public:
  ImageEncoder(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, int workers,
          Allocator* from) noexcept
      : net_(net), config_(preprocess), activations_(limits.activations), workers_(std::max<int>(1, workers)),
        room_(from), room_bytes_(room_for(limits.picture_side, from)), slab_(from) {}
  ImageEncoder(const ImageEncoder&) = delete;
  ImageEncoder& operator=(const ImageEncoder&) = delete;

  /// False: there was no memory to find out how much will be needed.
  [[nodiscard]] bool ready() const noexcept { return room_bytes_ > 0; }

  /// Declares every buffer and records the programs: once to measure, once to carve.
  void lay_out(Arena& arena) noexcept {
    preprocess_program_ = encode_program_ = {};
    const std::size_t room = room_bytes_;
    std::byte* const at = arena.array<std::byte>("preprocessing", static_cast<Index>(room));
    if (!arena.measuring()) room_.use({at, room});
    buffers_.carve_table(arena, net_);
    rows_ = arena.view<float>("picture embedding", net_.siglip.dims.tokens(), net_.decoder.dims.hidden);
    buffers_.carve(arena, net_);
    Recorder<float> preprocess(preprocess_program_, arena);
    for (int step = 0; step < Preprocessor::kMaxSteps; ++step) preprocess(ops::PreprocessStep{&preprocessor_, step});
    Recorder<float> encode(encode_program_, arena, activations_);
    net_.encode(encode, buffers_, rows_);
    work_.carve(arena, encode_program_, workers_, "vision scratch", "vision inputs");
  }

  /// Takes memory of its own, for one that is used alone: instead of lay_out(). Codes: out_of_memory.
  Status open() noexcept {
    if (ready() && carve_slab(slab_, [&](Arena& arena) { lay_out(arena); })) return {};
    return fail(Code::out_of_memory, "no memory for an encoder of pictures: %zu bytes", slab_.size());
  }
  /// A picture's rows (image_tokens, hidden), in one go; good until the next call. The pixels must stay until the call
  /// returns. Codes: those of begin() and advance().
  Result<View<const float>> encode(const Pixels& picture, Executor& executor, const Control& control = {}) noexcept {
    DSVL_CHECK_STATUS(begin(picture));
    Usage unread;
    DSVL_CHECK_STATUS(advance(executor, control, unread));
    if (busy()) return abandon(), fail(Code::cancelled, "there was no time to encode the picture");
    return rows();
  }

  /// The pixels must stay until the work is done. Codes: bad_argument, limit, out_of_memory.
  Status begin(const Pixels& picture) noexcept {
    abandon();
    DSVL_CHECK_STATUS(preprocessor_.prepare(picture, config_, buffers_.low, buffers_.high, &room_));
    picture_scratch_ = Buffer<float>(&room_);
    picture_strip_ =
        round_up(ceil_div(static_cast<Index>(preprocessor_.scratch_bytes()), 4), static_cast<Index>(kAlignment));
    if (!picture_scratch_.resize(static_cast<std::size_t>(picture_strip_ * workers_)))
      return abandon(), fail(Code::out_of_memory, "no memory to resize a picture of %td x %td", picture.width,
                             picture.height);
    phase_ = Phase::preprocess;
    job_.begin(preprocess_program_, {Stage::preprocess});
    return {};
  }
  [[nodiscard]] bool busy() const noexcept { return phase_ != Phase::idle; }

  /// Goes on until it is done or time is up: busy() tells which. Adds the seconds to `usage`. Codes: cancelled; the
  /// work is then given up.
  Status advance(Executor& executor, const Control& control, Usage& usage) noexcept {
    while (busy()) {
      const bool first = phase_ == Phase::preprocess;
      const auto began = Clock::now();
      const Status status = job_.advance(first ? machine(executor, picture_scratch_.data(), picture_strip_, nullptr)
                                               : machine(executor, work_.scratch, work_.strip, seconds_), control);
      (first ? usage.preprocess : usage.encode) += seconds_since(began);
      if (!status.ok()) return abandon(), status;
      if (job_.busy()) break;
      if (!first) abandon();
      else begin_towers();
    }
    return {};
  }
  void abandon() noexcept {
    phase_ = Phase::idle;
    job_.abandon();
    preprocessor_ = Preprocessor();
    picture_scratch_ = Buffer<float>(&room_);
    room_.reset();
  }

  /// (image_tokens, hidden), when done and until the next begin().
  [[nodiscard]] View<const float> rows() const noexcept { return rows_; }

  [[nodiscard]] const PreprocessConfig& config() const noexcept { return config_; }
  [[nodiscard]] const Program<float>& program() const noexcept { return encode_program_; }
  /// Adds each step's seconds to the array (as long as the program), or stops doing so with null. For benchmarks.
  void time_steps(double* seconds) noexcept { seconds_ = seconds; }

 private:
  enum class Phase : unsigned char { idle, preprocess, towers };

  void begin_towers() noexcept {
    phase_ = Phase::towers;
    job_.begin(encode_program_, {Stage::encode});
  }
  [[nodiscard]] Machine<float> machine(Executor& executor, float* scratch, Index strip,
                                       double* seconds) const noexcept {
    const int workers = std::min<int>(workers_, executor.workers());
    return {&active_kernels<float>(), &executor, scratch, strip, workers, seconds, work_.shared};
  }

  /// Bytes that preprocessing takes at most for pictures of up to `side` pixels a side: how it cuts its work, and so
  /// what it needs, depends on the picture, so it is prepared for some of all sizes. A few milliseconds; 0 when there
  /// is no memory.
  [[nodiscard]] std::size_t room_for(Index side, Allocator* from) const noexcept {
    struct Tally final : Allocator {
      explicit Tally(Allocator* behind) noexcept : from(behind) {}
      BumpAllocator from;
      std::size_t bytes = 0;
      void* allocate(std::size_t n, std::size_t align) noexcept override {
        bytes += (n + kAlignment - 1) / kAlignment * kAlignment;
        return from.allocate(n, align);
      }
      void deallocate(void* memory, std::size_t n, std::size_t align) noexcept override {
        from.deallocate(memory, n, align);
      }
    };
    static constexpr std::uint8_t kNothing[4] = {};
    std::size_t most = 0;
    float stand_in = 0;  // for tensors that are not touched here
    for (Index longest = side;; longest = longest * 3 / 4) {
      for (const Index other : {longest, longest * 3 / 4, longest / 3 + 1}) {
        for (const auto& [width, height] : {std::pair{longest, other}, std::pair{other, longest}}) {
          Tally tally(from);
          Preprocessor probe;
          const Pixels picture{kNothing, width, height, PixelFormat::rgb, 0};
          const Volume<float> low{&stand_in, 3, config_.low.side, config_.low.side};
          const Volume<float> high{config_.high.side ? &stand_in : nullptr, 3, config_.high.side, config_.high.side};
          if (!probe.prepare(picture, config_, low, high, &tally).ok()) return 0;
          const std::size_t strip = probe.scratch_bytes() + 4 * kAlignment;
          most = std::max<std::size_t>(most, tally.bytes + strip * static_cast<std::size_t>(workers_));
        }
      }
      if (longest < 64) break;
    }
    return most;
  }
  const DeepseekVl& net_;
  PreprocessConfig config_;
  ActivationPrecision activations_;
  int workers_;
  BumpAllocator room_;
  std::size_t room_bytes_;

  Buffer<std::byte> slab_;  // of one that is used alone
  Preprocessor preprocessor_;
  DeepseekVl::VisionBuffers<float> buffers_;
  View<float> rows_;
  WorkMemory<float> work_;
  Buffer<float> picture_scratch_{&room_};
  Index picture_strip_ = 0;
  Program<float> preprocess_program_, encode_program_;
  double* seconds_ = nullptr;

  Phase phase_ = Phase::idle;
  Job job_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_IMAGE_ENCODER_HPP
