// Host: the application's memory, threads, log and cancellation, handed in once and kept in no global.
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
  /// Returns `bytes` > 0 at a multiple of `align` (a power of two, at most 4096). Null means that there are none and
  /// becomes Code::out_of_memory. May be called from any thread.
  virtual void* allocate(std::size_t bytes, std::size_t align) noexcept = 0;
  /// Takes back memory from allocate(), with the same two numbers. May be called from any thread.
  virtual void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept = 0;

 protected:
  ~Allocator() = default;
};

/// The application's threads.
class Executor {
 public:
  /// The number of calls of run()'s task that may be running at the same time, at least 1.
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
  /// One, the caller.
  [[nodiscard]] int workers() const noexcept override { return 1; }
  /// Calls the tasks one after another.
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    for (int i = 0; i < tasks; ++i) task(i);
  }
};

/// The severity of a message.
enum class Level : unsigned char { debug, info, warning, error };

/// The receiver of messages; silent when `write` is null. Called on the thread that loads, asks or releases an answer,
/// never per token; must not throw.
struct Logger {
  /// Called with one line of text, which is valid during the call.
  void (*write)(void* user, Level level, std::string_view text) = nullptr;
  void* user = nullptr;  ///< handed to `write`; must outlive every model, session and answer that logs here
  /// Writes a message, if there is a receiver.
  void operator()(Level level, std::string_view text) const { if (write) write(user, level, text); }
  /// Whether both write to the same place.
  bool operator==(const Logger&) const noexcept = default;
};

/// A flag by which the application stops long work. cancel() may be called from any thread, any number of times. The
/// work that watches the token ends within one tile (below a millisecond, and a few where other programs use the
/// processors) and leaves its session usable. The token must stay as long as that work can go on: until the call
/// returns, and for an answer until it is over (see GenerateOptions::cancel).
class CancelToken {
 public:
  /// Asks the work to stop.
  void cancel() noexcept { set_.store(true, std::memory_order_relaxed); }
  /// Makes the token usable again.
  void reset() noexcept { set_.store(false, std::memory_order_relaxed); }
  /// True once cancel() was called. Costs one load.
  [[nodiscard]] bool cancelled() const noexcept { return set_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> set_{false};
};

/// The stages of long work. Progress is in bytes for load and convert, in operations for the rest.
enum class Stage : unsigned char {
  load,          ///< reading a model's weights
  decode_image,  ///< decoding a picture file
  preprocess,    ///< resizing a picture
  encode,        ///< running the towers
  prefill,       ///< running the decoder over a prompt
  decode,        ///< making tokens
  convert,       ///< writing a model in another format
};

/// The stage's name, for messages.
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

/// The receiver of progress reports, called on the thread that loads or asks.
struct Progress {
  /// Called with `done`, which grows up to `total`; must not throw.
  void (*report)(void* user, Stage stage, double done, double total) = nullptr;
  /// Handed to `report`. It must stay until the call returns, and for an answer until it is over (see
  /// GenerateOptions::cancel).
  void* user = nullptr;
  /// Reports, if there is a receiver.
  void operator()(Stage stage, double done, double total) const { if (report) report(user, stage, done, total); }
};

/// Everything that the application provides, given once to Model::load and Session::open; a session takes from the
/// model what is left out. The pointers must outlive what was opened with them: models, sessions with their forks, and
/// answers.
struct Host {
  Allocator* allocator = nullptr;      ///< null means operator new
  Executor* executor = nullptr;        ///< null means a thread pool of the model's
  Logger log = {};                     ///< silent by default
  PictureDecoder decode_picture = {};  ///< for pictures that are neither PNG nor JPEG; refused by default

  /// Whether both have the same parts.
  bool operator==(const Host&) const noexcept = default;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HOST_HPP
