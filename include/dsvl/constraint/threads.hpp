// Threads: runs a grammar: all ways through it that the bytes so far allow, side by side.
//
// A thread is a state and the frames of the rules that wait for its own to end. Frames are shared: they form a tree of
// which each thread has a leaf. Sets of threads lie behind each other in fixed memory, so whoever explores what could
// come next makes sets behind the last, and goes back by forgetting them.
#ifndef DSVL_CONSTRAINT_THREADS_HPP
#define DSVL_CONSTRAINT_THREADS_HPP

#include <algorithm>
#include <cstdint>
#include <span>

#include "limits.hpp"
#include "spelling.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// A set of threads, by its place in the memory of Threads.
struct ThreadSet {
  std::uint32_t begin = 0, end = 0;  ///< threads
  std::uint32_t frames = 0;          ///< frames that were there when it was complete
  /// True when no way is left.
  [[nodiscard]] bool empty() const noexcept { return begin == end; }
};

/// One way through the grammar.
struct Thread {
  std::uint32_t state = 0;    ///< of the grammar, or kText + a text state, or kIndent
  std::uint32_t partial = 0;  ///< of a text: TextPlace::partial and the spelling; of an indent: bytes that are left
  std::uint32_t frame = 0;    ///< the innermost frame
  bool operator==(const Thread&) const noexcept = default;
};

/// The memory, and steps in it.
class Threads {
 public:
  static constexpr std::uint32_t kText = 0x80000000u;    ///< marks text states
  static constexpr std::uint32_t kIndent = 0x7FFFFFFFu;  ///< the state inside a line break with its spaces
  static constexpr std::uint32_t kNoFrame = 0xFFFFFFFFu;  ///< of a thread that is behind the whole

  /// Takes its memory from `from` in open().
  explicit Threads(Allocator* from = nullptr) noexcept : threads_(from), frames_(from), moved_(from) {}
  /// Takes the memory; false when there is none.
  [[nodiscard]] bool open(const MatchLimits& limits) noexcept {
    depth_ = limits.depth;
    return threads_.resize(limits.threads) && frames_.resize(limits.frames) && moved_.resize(limits.frames);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(const MatchLimits& limits) noexcept {
    return limits.threads * sizeof(Thread) + limits.frames * (sizeof(Frame) + 4) + 3 * kAlignment;
  }
  /// The set in front of the first byte. `grammar` must stay as long as there are steps.
  ThreadSet begin(const Grammar& grammar) noexcept {
    g_ = &grammar;
    full_ = false;
    frames_[0] = {0, kNoFrame, 0, 0};
    frame_count_ = 1;
    building_ = {0, 0, 1};
    add({grammar.start, 0, 0});
    return close();
  }
  /// The set behind `from` and a byte. It lies behind `from`; everything that lay there is forgotten.
  ThreadSet step(const ThreadSet& from, std::uint8_t byte) noexcept {
    building_ = {from.end, from.end, from.frames};
    frame_count_ = from.frames;
    for (std::uint32_t t = from.begin; t < from.end; ++t) advance(threads_[t], byte);
    return close();
  }
  /// The set behind the end of a thread's innermost rule. It lies behind `set`, which has the thread.
  ThreadSet behind_rule(const ThreadSet& set, const Thread& thread) noexcept {
    building_ = {set.end, set.end, set.frames};
    frame_count_ = set.frames;
    pop(thread.frame);
    return close();
  }
  /// True when some thread of a set can go on.
  [[nodiscard]] bool goes_on(const ThreadSet& set) const noexcept {
    for (const Thread& t : (*this)[set])
      if (t.frame != kNoFrame) return true;
    return false;
  }
  /// A set of one thread, behind another set.
  ThreadSet alone(const Thread& thread, const ThreadSet& behind) noexcept {
    if (behind.end == threads_.size()) return full_ = true, behind;
    threads_[behind.end] = thread;
    return {behind.end, behind.end + 1, behind.frames};
  }
  /// The threads of a set.
  [[nodiscard]] std::span<const Thread> operator[](const ThreadSet& set) const noexcept {
    return {threads_.data() + set.begin, threads_.data() + set.end};
  }
  /// True when the bytes so far are a whole.
  [[nodiscard]] bool whole(const ThreadSet& set) const noexcept {
    for (const Thread& t : (*this)[set])
      if (t.frame == kNoFrame) return true;
    return false;
  }
  /// Moves a set to the beginning of the memory, and drops frames that none of its threads has.
  ThreadSet settle(const ThreadSet& set) noexcept {
    std::copy(threads_.data() + set.begin, threads_.data() + set.end, threads_.data());
    ThreadSet out{0, set.end - set.begin, set.frames};
    if (set.frames > frames_.size() / 4) out.frames = collect(out);
    return out;
  }
  /// True once the memory did not suffice, so that a way may have been missed.
  [[nodiscard]] bool full() const noexcept { return full_; }
  /// The spelling of a thread in a text.
  static Spelling spelling(const Thread& t) noexcept { return static_cast<Spelling>(t.partial >> 30); }
  /// True for a thread in a text, between two characters.
  static bool between_characters(const Thread& t) noexcept {
    return (t.state & kText) && t.frame != kNoFrame && !(t.partial & 0x3FFFFFFFu);
  }
  /// What is known about a thread's text state.
  [[nodiscard]] const TextState& text_state(const Thread& t) const noexcept {
    return g_->text_states[t.state & ~kText];
  }
  /// The only byte that a set can go on with; -1 when there are several, none, or the bytes so far are a whole.
  int forced_byte(const ThreadSet& set) noexcept {
    if (whole(set)) return -1;
    int only = -1;
    for (int b = 0; b < 256; ++b) {
      if (step(set, static_cast<std::uint8_t>(b)).empty()) continue;
      if (only >= 0) return -1;
      only = b;
    }
    return only;
  }

 private:
  /// A rule that waits for another to end.
  struct Frame {
    std::uint32_t back;   // state that it goes on in
    std::uint32_t below;  // the frame under it
    std::uint16_t depth;  // frames under it
    std::uint16_t level;  // values around it
  };

  /// Adds a thread to the set that is being made, unless it has it.
  void add(const Thread& t) noexcept {
    for (std::uint32_t i = building_.begin; i < building_.end; ++i)
      if (threads_[i] == t) return;
    if (building_.end == threads_.size()) return void(full_ = true);
    threads_[building_.end++] = t;
  }
  /// The frame that goes on in `back`; one that was made in this step is used again.
  std::uint32_t push(std::uint32_t back, std::uint32_t below, bool deeper) noexcept {
    const Frame& under = frames_[below];
    const auto level = static_cast<std::uint16_t>(under.level + deeper);
    for (std::uint32_t f = frame_count_; f-- > building_.frames;)
      if (frames_[f].back == back && frames_[f].below == below && frames_[f].level == level) return f;
    if (frame_count_ == frames_.size()) return full_ = true, kNoFrame;
    frames_[frame_count_] = {back, below, static_cast<std::uint16_t>(under.depth + 1), level};
    return frame_count_++;
  }
  /// True when a rule can be followed to its end from `state` without too many frames.
  [[nodiscard]] bool fits(std::uint32_t frame, std::uint32_t state, std::uint32_t more = 0) const noexcept {
    return frame == kNoFrame || frames_[frame].depth + more + g_->states[state].need <= depth_;
  }
  /// Goes on behind the end of the innermost rule.
  void pop(std::uint32_t frame) noexcept { add({frames_[frame].back, 0, frames_[frame].below}); }

  /// Adds what a thread becomes behind a byte.
  void advance(const Thread t, std::uint8_t byte) noexcept {
    if (t.frame == kNoFrame) return;
    if (t.state & kText) {
      TextPlace place{t.state & ~kText, t.partial & 0x3FFFFFFFu};
      const Speller::Step step = Speller(*g_).step(place, spelling(t), byte);
      if (step == Speller::Step::closed) pop(t.frame);
      if (step == Speller::Step::inside) add({place.state | kText, place.partial | (t.partial & 0xC0000000u), t.frame});
      return;
    }
    if (t.state == kIndent) {
      const bool line = (t.partial & 0x80000000u) != 0;
      if (byte != (line ? '\n' : ' ')) return;
      const std::uint32_t left = line ? t.partial & 0x7FFFFFFFu : t.partial - 1;
      if (left == 0) pop(t.frame);
      else add({kIndent, left, t.frame});
      return;
    }
    const GrammarState& state = g_->states[t.state];
    for (std::uint32_t e = state.first; e < state.first + state.count; ++e) {
      const Edge& edge = g_->edges[e];
      if (edge.kind == Edge::Kind::byte && byte >= edge.low && byte <= edge.high && fits(t.frame, edge.to))
        add({edge.to, 0, t.frame});
    }
  }
  /// Adds everything that is reached without a byte, and removes threads that no byte can move on.
  ThreadSet close() noexcept {
    for (std::uint32_t i = building_.begin; i < building_.end; ++i) {
      const Thread t = threads_[i];
      if (t.frame == kNoFrame || t.state == kIndent) continue;
      if (t.state & kText) {
        if (spelling(t) == Spelling::raw && between_characters(t) && text_state(t).accepting) pop(t.frame);
      } else {
        expand(t);
      }
    }
    std::uint32_t kept = building_.begin;
    for (std::uint32_t i = building_.begin; i < building_.end; ++i)
      if (moves(threads_[i])) threads_[kept++] = threads_[i];
    building_.end = kept;
    building_.frames = frame_count_;
    return building_;
  }
  void expand(const Thread& t) noexcept {
    const GrammarState& state = g_->states[t.state];
    if (state.accepting) pop(t.frame);
    for (std::uint32_t e = state.first; e < state.first + state.count; ++e) {
      const Edge& edge = g_->edges[e];
      if (edge.kind == Edge::Kind::byte || !fits(t.frame, edge.to)) continue;
      if (edge.kind == Edge::Kind::jump) {
        add({edge.to, 0, t.frame});
        continue;
      }
      const bool call = edge.kind == Edge::Kind::call;
      if (!fits(t.frame, call ? edge.callee : 0, 1)) continue;
      const std::uint32_t frame = push(edge.to, t.frame, call && edge.low != 0);
      if (frame == kNoFrame) return;
      if (call) add({edge.callee, 0, frame});
      else if (edge.kind == Edge::Kind::text)
        add({edge.callee | kText, static_cast<std::uint32_t>(edge.spelling) << 30, frame});
      else
        add({kIndent, 0x80000000u | 2 * (frames_[t.frame].level + edge.callee), frame});
    }
  }
  [[nodiscard]] bool moves(const Thread& t) const noexcept {
    if (t.frame == kNoFrame || t.state == kIndent || (t.state & kText)) return true;
    const GrammarState& state = g_->states[t.state];
    for (std::uint32_t e = state.first; e < state.first + state.count; ++e)
      if (g_->edges[e].kind == Edge::Kind::byte) return true;
    return false;
  }
  /// Drops frames that no thread of `set` has; a frame's number is above that of the one under it. Returns how many
  /// are left.
  std::uint32_t collect(const ThreadSet& set) noexcept {
    constexpr std::uint16_t kUsed = 0x8000;
    for (std::uint32_t t = set.begin; t < set.end; ++t)
      if (threads_[t].frame != kNoFrame) frames_[threads_[t].frame].depth |= kUsed;
    for (std::uint32_t f = set.frames; f-- > 0;)
      if ((frames_[f].depth & kUsed) && frames_[f].below != kNoFrame) frames_[frames_[f].below].depth |= kUsed;
    frames_[0].depth |= kUsed;
    std::uint32_t kept = 0;
    for (std::uint32_t f = 0; f < set.frames; ++f) {
      if (!(frames_[f].depth & kUsed)) continue;
      Frame moved = frames_[f];
      moved.depth &= static_cast<std::uint16_t>(~kUsed);
      if (moved.below != kNoFrame) moved.below = moved_[moved.below];
      moved_[f] = kept;
      frames_[kept++] = moved;
    }
    for (std::uint32_t t = set.begin; t < set.end; ++t)
      if (threads_[t].frame != kNoFrame) threads_[t].frame = moved_[threads_[t].frame];
    return kept;
  }

  const Grammar* g_ = nullptr;
  std::uint32_t depth_ = 0, frame_count_ = 0;
  ThreadSet building_;
  bool full_ = false;
  Buffer<Thread> threads_;
  Buffer<Frame> frames_;
  Buffer<std::uint32_t> moved_;  // where frames went in collect()
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_THREADS_HPP
