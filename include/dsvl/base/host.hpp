// Host: the application's memory, threads, log and stop button, handed in once and kept in no global.
//
// Everything is optional: a null pointer means the default (operator new, the model's own thread pool, silence).
#ifndef DSVL_BASE_HOST_HPP
#define DSVL_BASE_HOST_HPP

#include <atomic>
#include <cstddef>
#include <string_view>

#include "function_ref.hpp"
#include "picture_decoder.hpp"

DSVL_BEGIN_NAMESPACE

/// The application's memory. Every buffer above 64 KiB comes from here.
class Allocator {
 public:
  /// `bytes` > 0 at a multiple of `align` (a power of two, at most 4096); null means "no" and becomes
  /// Code::out_of_memory. May be called from any thread.
  virtual void* allocate(std::size_t bytes, std::size_t align) noexcept = 0;
  /// Takes back what allocate() gave, with the same two numbers.
  virtual void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept = 0;

 protected:
  ~Allocator() = default;
};

/// The application's threads.
class Executor {
 public:
  /// How many calls of run()'s task may be going on at the same time, at least 1.
  [[nodiscard]] virtual int workers() const noexcept = 0;
  /// Calls task(i) once for every i in [0, tasks), in any order, on any threads, one after another or at once, and
  /// returns when all have returned. The result of a computation does not depend on how this is done.
  virtual void run(int tasks, FunctionRef<void(int)> task) noexcept = 0;

 protected:
  ~Executor() = default;
};

/// Runs everything on the calling thread.
class InlineExecutor final : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 1; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    for (int i = 0; i < tasks; ++i) task(i);
  }
};

enum class Level : unsigned char { debug, info, warning, error };

/// Where messages go; silent when `write` is null. Called on the thread that loads, asks or lets go of an answer, never
/// per token; must not throw. `user` must outlive every model, session and answer that logs here.
struct Logger {
  void (*write)(void* user, Level level, std::string_view text) = nullptr;
  void* user = nullptr;
  void operator()(Level level, std::string_view text) const { if (write) write(user, level, text); }
};

/// The application's stop button. cancel() may be called from any thread, any number of times; the work that watches
/// the token ends within one tile (below a millisecond, and a few where other programs want the processors) and leaves
/// its session usable. It must stay as long as that work can go on: until the call returns, and for an answer until it
/// is over (see GenerateOptions::cancel).
class CancelToken {
 public:
  void cancel() noexcept { set_.store(true, std::memory_order_relaxed); }
  void reset() noexcept { set_.store(false, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept { return set_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> set_{false};
};

/// What long work reports: which stage, how much of how much (bytes for load and convert, operations for the rest).
enum class Stage : unsigned char { load, decode_image, preprocess, encode, prefill, decode, convert };

constexpr std::string_view name(Stage stage) noexcept {
  switch (stage) {
    case Stage::load: return "load";
    case Stage::decode_image: return "decode image";
    case Stage::preprocess: return "preprocess";
    case Stage::encode: return "encode";
    case Stage::prefill: return "prefill";
    case Stage::decode: return "decode";
    case Stage::convert: return "convert";
  }
  return "unknown";
}

/// Progress callback, called on the thread that loads or asks; `done` grows up to `total`. `user` must stay until the
/// call returns, and for an answer until it is over (see GenerateOptions::cancel).
struct Progress {
  void (*report)(void* user, Stage stage, double done, double total) = nullptr;
  void* user = nullptr;
  void operator()(Stage stage, double done, double total) const { if (report) report(user, stage, done, total); }
};

/// The plumbing, given once to Model::load and Session::open; a session takes from the model's what is left out. The
/// pointers must outlive what was opened with them: models, sessions with their forks, and answers.
struct Host {
  Allocator* allocator = nullptr;
  Executor* executor = nullptr;
  Logger log = {};
  PictureDecoder decode_picture = {};
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HOST_HPP
