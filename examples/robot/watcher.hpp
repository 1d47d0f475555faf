// Watcher: the one thread that looks at frames: which of them show something new, and what the model says to those.
//
//   FrameSlot -> the newest frame -> Frames: is it new? -> each question -> lines
//
// Before every question it looks whether there is a newer frame, so that no answer is about one older than its own
// duration and one frame.
#ifndef DSVL_ROBOT_WATCHER_HPP
#define DSVL_ROBOT_WATCHER_HPP

#include "../cli/library.hpp"

#include <dsvl/chat/frames.hpp>
#include <dsvl/chat/gate.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "cpu_share.hpp"
#include "frame_slot.hpp"
#include "lines.hpp"
#include "questions.hpp"
#include "resident_memory.hpp"

namespace robot {

struct WatchOptions {
  int tolerance = 12;         ///< how far a channel of a pixel may be off without being a change, 0 to 255
  double least_change = 0.01; ///< the share of pixels that has to change
  /// Frames are dropped when there are newer ones, and one that should have been followed by another by now is not
  /// asked about: a camera that hangs. Off: the source waits, and a frame stays the newest as long as it takes.
  bool live = true;
  /// All questions are asked about one frame before a newer one is looked at: the picture is encoded once for all of
  /// them, and the last answer is as old as they take together.
  bool same_frame = false;
  double cpu_share = 0;       ///< see CpuShare; 0: no limit
  dsvl::Index context = 0;    ///< tokens of a picture, a question and its answer; 0: 1024, if the model has so many
  std::int64_t status_every = 0;  ///< frames from one line of kind "status" to the next; 0: none
};

class Watcher {
 public:
  /// Takes all memory that answers need. The model was loaded for constraints if a question has a schema.
  ///
  /// Codes  those of Session::open and Gate::open
  static dsvl::Result<std::unique_ptr<Watcher>> open(const dsvl::Model& model, const std::vector<Question>& questions,
                                                     const WatchOptions& options, Lines lines);

  /// Works until the slot is closed and everything is said, or until `cancel` is set.
  void run(FrameSlot& slot, const dsvl::CancelToken& cancel);
  /// Counts since the beginning, and the share of the processors that was used.
  [[nodiscard]] Json counts(const char* kind) const;

 private:
  /// A question, and how it stands.
  struct Topic {
    Question question;
    bool due = false;                 // the picture has changed since it was asked
    std::int64_t asked = 0;           // when it was asked last, in turns
    Hysteresis gate = Hysteresis();
    std::optional<double> said = {};  // what the gate's picture gave, which frames like it say again
  };

  Watcher(std::unique_ptr<ResidentMemory> memory, dsvl::Session session, std::optional<dsvl::Gate> gate,
          const std::vector<Question>& questions, const WatchOptions& options, Lines lines);

  Topic* next(Clock::time_point now);
  /// True while questions are left that are to be asked about the same frame as those before.
  [[nodiscard]] bool in_round() const { return options_.same_frame && begun_; }
  [[nodiscard]] bool is_stale(const Topic& topic, Clock::time_point now) const;
  void add_interval(Json& out) const;
  void say_stale();
  void absorb();
  void take_in_unchanged();
  void say_unchanged();

  void ask(Topic& topic, Clock::time_point now, const dsvl::CancelToken& cancel);
  void work(dsvl::Answer& answer, bool is_gate, Clock::time_point deadline);
  void say_answer(const Topic& topic, const dsvl::Answer& answer, Json out);
  void say_gate(Topic& topic, const dsvl::Answer& answer, Json out);

  std::unique_ptr<ResidentMemory> memory_;  // of the session
  dsvl::Session session_;
  std::optional<dsvl::Gate> gate_;
  std::vector<Topic> topics_;
  WatchOptions options_;
  Lines lines_;
  CpuShare share_;
  const Clock::time_point start_ = Clock::now();

  dsvl::Frames seen_;                  // the last picture that was new
  std::chrono::milliseconds film_{0};  // the time of the newest frame that was looked at
  Frame current_;             // its frame, with the number and the time of the newest one that shows the same
  Frame latest_;              // being looked at
  std::int64_t turns_ = 0;    // questions that were asked
  bool begun_ = false;        // a question was asked about current_
  std::int64_t stale_ = 0;    // the frame that was called stale last
  std::int64_t alike_ = 0;    // frames since the last line that showed nothing new

  std::int64_t looked_ = 0, unchanged_ = 0, dropped_ = 0, stale_frames_ = 0, answers_ = 0, gates_ = 0, deadlines_ = 0,
               errors_ = 0;
};

}  // namespace robot

#endif  // DSVL_ROBOT_WATCHER_HPP
