// Engine: the numbers of a session. Encodes pictures, extends the cache, leaves logits; knows no text.
//
// Everything it works in is one slab, carved when it opens; the work itself was recorded then, as three programs:
// preprocess, encode, decode. The towers' buffers and the decoder's overlap, since a picture is encoded before its rows
// are used.
#ifndef DSVL_CHAT_ENGINE_HPP
#define DSVL_CHAT_ENGINE_HPP

#include <memory>

#include "../kernels/dispatch.hpp"
#include "../model/deepseek_vl.hpp"
#include "../run/runner.hpp"
#include "../vision/preprocess.hpp"
#include "options.hpp"

DSVL_BEGIN_NAMESPACE

namespace ops {

/// Step `step` of whatever picture the preprocessor was prepared for.
struct PreprocessStep {
  static constexpr const char* kName = "preprocess";
  Preprocessor* preprocessor;
  int step;

  [[nodiscard]] Index tiles() const noexcept { return step < preprocessor->steps() ? preprocessor->tiles(step) : 0; }
  [[nodiscard]] Index scratch() const noexcept { return 0; }  // depends on the picture: see Engine::preprocess
  [[nodiscard]] double cost() const noexcept { return static_cast<double>(tiles()); }
  void run(const Worker<float>& on, Index tile) const noexcept { preprocessor->run(step, tile, on.scratch); }
};

}  // namespace ops

/// What long work looks at and reports to.
struct Control {
  const CancelToken* cancel = nullptr;
  Progress progress = {};
};

class Engine {
 public:
  /// Takes the slab: everything a conversation within `limits` needs, pictures' embeddings apart.
  /// Codes: bad_argument (limits that make no sense), out_of_memory.
  static Result<std::unique_ptr<Engine>> open(const DeepseekVl& net, const PreprocessConfig& preprocess,
                                              const Limits& limits, Executor& executor, Allocator* from);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Pixels -> the towers' inputs. Memory for the picture's resampling comes from the allocator and goes back at once.
  Status preprocess(const Pixels& picture, const Control& control) noexcept;
  /// The towers' inputs -> (image_tokens, hidden), copied into `out`.
  Status encode(View<float> out, const Control& control) noexcept;

  /// Puts `inputs` behind what the cache holds. When it returns ok, logits() are those of the last input. When it does
  /// not, whole chunks that were done count, and position() says how far it came.
  Status extend(std::span<const TokenInput<float>> inputs, Stage stage, const Control& control) noexcept;
  /// (vocab), of the last input.
  [[nodiscard]] std::span<const float> logits() const noexcept {
    return {decoder_.logits.data, static_cast<std::size_t>(net_.decoder.dims.vocab)};
  }

  /// Tokens in the cache.
  [[nodiscard]] Index position() const noexcept { return position_; }
  /// Forgets everything from `position` on.
  void rewind(Index position) noexcept { position_ = std::min<Index>(position, position_); }
  [[nodiscard]] Index context() const noexcept { return context_; }
  [[nodiscard]] std::size_t slab_bytes() const noexcept { return slab_.size(); }

  /// Where the time of a program goes: steps are timed from here on. For reports and benchmarks.
  [[nodiscard]] const Program<float>& encode_program() const noexcept { return encode_program_; }
  [[nodiscard]] const Program<float>& decode_program() const noexcept { return decode_program_; }
  /// Adds each step's seconds to the array (as long as the program), or stops doing so with null.
  void time_encode_steps(double* seconds) noexcept { encode_seconds_ = seconds; }

 private:
  static constexpr std::chrono::milliseconds kReportEvery{40};

  Engine(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, Executor& executor,
         Allocator* from)
      : net_(net), preprocess_config_(preprocess), context_(limits.context), chunk_(limits.chunk), kv_(limits.kv),
        executor_(executor), allocator_(from), workers_(std::max<int>(1, executor.workers())), slab_(from) {}

  /// Declares every buffer and records every program: once to measure, once to carve.
  void lay_out(Arena& arena) noexcept;

  /// Runs a program to its end, with a progress report now and then: `before` of `total` was done when it began.
  Status drive(const Program<float>& program, const Machine<float>& machine, Stage stage, const Control& control,
               double before, double share, double total) noexcept;
  [[nodiscard]] Machine<float> machine(double* seconds) const noexcept {
    return {&active_kernels<float>(), &executor_, scratch_, strip_, workers_, seconds};
  }

  const DeepseekVl& net_;
  PreprocessConfig preprocess_config_;
  Index context_, chunk_;
  KvFormat kv_;
  Executor& executor_;
  Allocator* allocator_;
  int workers_;

  Buffer<std::byte> slab_;
  Preprocessor preprocessor_;
  DeepseekVl::VisionBuffers<float> vision_;
  View<float> embedding_;
  DecoderBuffers<float> decoder_;
  KvCache<float> cache_;
  DecoderState state_;
  TokenInput<float>* inputs_ = nullptr;
  float* scratch_ = nullptr;
  Index strip_ = 0;
  Program<float> preprocess_program_, encode_program_, decode_program_;
  double* encode_seconds_ = nullptr;
  Index position_ = 0;
};

inline Result<std::unique_ptr<Engine>> Engine::open(const DeepseekVl& net, const PreprocessConfig& preprocess,
                                                    const Limits& limits, Executor& executor, Allocator* from) {
  if (limits.context < 1 || limits.context > (Index{1} << 24) || limits.chunk < 1)
    return fail(Code::bad_argument, "a context of %td tokens in chunks of %td: both must be at least 1", limits.context,
                limits.chunk);
  Limits fitting = limits;
  fitting.chunk = std::min<Index>(limits.chunk, limits.context);
  std::unique_ptr<Engine> engine(new (std::nothrow) Engine(net, preprocess, fitting, executor, from));
  if (!engine) return fail(Code::out_of_memory, "no memory for a session");
  std::size_t needed = 0;
  if (!carve_slab(engine->slab_, [&](Arena& arena) { engine->lay_out(arena), needed = arena.peak(); }))
    return fail(Code::out_of_memory, "no memory for a session: %zu bytes for a context of %td tokens", needed,
                limits.context);
  return Result<std::unique_ptr<Engine>>(std::move(engine));
}

inline void Engine::lay_out(Arena& arena) noexcept {
  preprocess_program_ = encode_program_ = decode_program_ = {};
  cache_.carve(arena, net_.decoder.dims.heads, net_.decoder.dims.layers, context_, kv_);
  inputs_ = arena.array<TokenInput<float>>("decoder inputs", chunk_);
  decoder_.carve_logits(arena, net_.decoder.dims, 1);
  vision_.carve_table(arena, net_);
  arena.overlap(
      [&] {
        embedding_ = arena.view<float>("picture embedding", net_.siglip.dims.tokens(), net_.decoder.dims.hidden);
        vision_.carve(arena, net_);
      },
      [&] { decoder_.carve(arena, net_.decoder.dims, chunk_); });

  Recorder<float> preprocess(preprocess_program_, arena);
  for (int step = 0; step < Preprocessor::kMaxSteps; ++step) preprocess(ops::PreprocessStep{&preprocessor_, step});
  Recorder<float> encode(encode_program_, arena);
  net_.encode(encode, vision_, embedding_);
  Recorder<float> decode(decode_program_, arena);
  net_.decoder.forward(decode, inputs_, state_, cache_, decoder_);

  const Index most = std::max<Index>(encode_program_.scratch(), decode_program_.scratch());
  strip_ = round_up(most, static_cast<Index>(kAlignment));
  scratch_ = arena.array<float>("scratch", strip_ * workers_);
}

inline Status Engine::drive(const Program<float>& program, const Machine<float>& machine, Stage stage,
                            const Control& control, double before, double share, double total) noexcept {
  Cursor<float> cursor(program);
  const typename Program<float>::Step* counted = program.first();
  const double cost = control.progress.report ? program.cost() : 0;
  double done = 0;
  while (!cursor.done()) {
    Until until{control.cancel};
    if (control.progress.report) until.deadline = Clock::now() + kReportEvery;
    Runner<float>::run(machine, cursor, until);
    for (; counted != cursor.step; counted = counted->next) done += counted->cost(counted->op);
    if (cost > 0) control.progress(stage, before + share * done / cost, total);
    if (!cursor.done() && control.cancel && control.cancel->cancelled())
      return fail(Code::cancelled, "cancelled during %s", name(stage).data());
  }
  return {};
}

inline Status Engine::preprocess(const Pixels& picture, const Control& control) noexcept {
  DSVL_CHECK_STATUS(preprocessor_.prepare(picture, preprocess_config_, vision_.low, vision_.high, allocator_));
  Buffer<float> scratch(allocator_);  // its size depends on the picture, so it is not part of the slab
  Machine<float> with = machine(nullptr);
  with.strip = round_up(ceil_div(static_cast<Index>(preprocessor_.scratch_bytes()), 4), static_cast<Index>(kAlignment));
  if (!scratch.resize(static_cast<std::size_t>(with.strip * workers_)))
    return fail(Code::out_of_memory, "no memory to resize a picture of %td x %td", picture.width, picture.height);
  with.scratch = scratch.data();
  const Status status = drive(preprocess_program_, with, Stage::preprocess, control, 0, 1, 1);
  preprocessor_ = Preprocessor();  // its memory goes back to the allocator
  return status;
}

inline Status Engine::encode(View<float> out, const Control& control) noexcept {
  DSVL_CHECK_STATUS(drive(encode_program_, machine(encode_seconds_), Stage::encode, control, 0, 1, 1));
  for (Index r = 0; r < out.rows; ++r) std::copy_n(embedding_.row(r), out.cols, out.row(r));
  return {};
}

inline Status Engine::extend(std::span<const TokenInput<float>> inputs, Stage stage, const Control& control) noexcept {
  const Index count = static_cast<Index>(inputs.size());
  if (count > context_ - position_)
    return fail(Code::limit, "%td tokens do not fit behind the %td that are there: the context holds %td", count,
                position_, context_);
  for (Index done = 0; done < count;) {
    const Index rows = std::min<Index>(chunk_, count - done);
    const bool last = done + rows == count;
    std::copy_n(inputs.data() + done, rows, inputs_);
    state_ = {rows, position_, rows - 1, last ? 1 : 0};
    DSVL_CHECK_STATUS(drive(decode_program_, machine(nullptr), stage, control, static_cast<double>(done),
                            static_cast<double>(rows), static_cast<double>(count)));
    done += rows;
    position_ += rows;
  }
  return {};
}

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_ENGINE_HPP
