// Plays random calls on sessions of a tiny model, and keeps beside each a plain account of what must be true of it: its
// turns, what its answer may say next, and that every answer is the one that a fresh session gives that is asked the same
// questions in order, plainly, without drafts, slices, forks, files or going back.
#include <dsvl/base/utf8.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <random>

#include "model.hpp"

namespace fuzz_session_player {
using namespace dsvl;

constexpr Index kMostContext = 256;  // the model's positions
constexpr std::size_t kMostCalls = 40, kMostSessions = 3;
constexpr std::string_view kQuestions[] = {"What is it?", "And why?", "Hi", "Count to 3: 1, 2,", "\xE4\xBD\xA0\xE5\xA5\xBD?", "a",
                                           "<image_placeholder>", "Describe the image. Describe the image."};

/// Where an answer went back, and what it went on with.
struct Change {
  std::size_t from;
  SamplerOptions sampling;
};

/// A question that was asked, and what was said to it.
struct Turn {
  std::vector<std::size_t> pictures;
  std::string question;
  GenerateOptions options;
  std::vector<Change> changes;
  std::vector<std::int32_t> ids;
};

/// A session and what is known of it.
struct Played {
  explicit Played(Session&& opened) : session(std::move(opened)), context(session.context()), bytes(session.bytes()) {}

  Session session;
  Index context;
  std::size_t bytes;
  bool forked = false;  // draws other random numbers than a fresh one
  std::vector<Turn> turns;
  std::unique_ptr<CancelToken> cancel = std::make_unique<CancelToken>();
  std::optional<Answer> answer;
  Turn asked;              // what `answer` is of
  bool running = false;    // it has not ended
  bool in_turn = false;    // it will be part of the conversation
};

std::vector<std::int32_t> copy(std::span<const std::int32_t> ids) { return {ids.begin(), ids.end()}; }
std::vector<Picture> pictures_of(const Turn& turn) {
  std::vector<Picture> out;
  for (const std::size_t which : turn.pictures) out.emplace_back(fuzz::pixels(which));
  return out;
}

class Player {
 public:
  explicit Player(fuzz::Input in) : in_(in) {
    const std::uint8_t flags = in_.byte();
    options_.host.allocator = &memory_;
    options_.keep_generated_ids = flags & 1;
    options_.system = flags & 2 ? "Be brief." : "";
    options_.limits.kv = static_cast<KvFormat>((flags >> 2) % 3);
    options_.limits.context = 64 + static_cast<Index>(in_.number(12)) * 16;
    options_.limits.chunk = flags & 32 ? 7 : 640;
    options_.limits.pictures = flags & 64 ? 2 : -1;
    options_.limits.cached_tokens = flags & 128 ? 128 : 0;
    options_.limits.text_bytes = 1024;
    options_.limits.picture_side = 32;
    auto opened = Session::open(fuzz::model(), options_);
    FUZZ_CHECK(opened);
    all_.reserve(kMostSessions);
    all_.emplace_back(std::move(*opened));
  }

  void play() {
    for (std::size_t calls = 0; calls < kMostCalls && !in_.empty(); ++calls) {
      call(in_.byte() % 18);
      check(now());
    }
    for (Played& p : all_) compare_with_fresh(p);
  }

 private:
  Played& now() { return all_[at_ % all_.size()]; }

  void call(std::uint8_t which) {
    Played& p = now();
    switch (which) {
      case 0: case 1: return begin(p, false);
      case 2: return begin(p, true);
      case 3: case 4: return go_on(p, 1 + in_.number(9));
      case 5: return in_slices(p, 1 + in_.number(60));
      case 6: return cancel(p);
      case 7: return go_back(p);
      case 8: return rewind(p);
      case 9: return clear(p);
      case 10: return fork(p);
      case 11: return save_and_load(p);
      case 12: return score(p);
      case 13: return complete(p);
      case 14: return bad_call(p);
      case 15: at_ = in_.byte(); return;
      case 16: return move(p);
      case 17: return drop_answer(p);
    }
  }

  // --- asking ---------------------------------------------------------------------------------------------------------

  SamplerOptions sampling(const Played& p) {
    SamplerOptions s;
    const std::uint8_t flags = in_.byte();
    if (flags & 1 && !p.forked) s.temperature = 0.3f + static_cast<float>(flags >> 4) / 8, s.seed = flags;
    if (flags & 2) s.top_k = 5;
    if (flags & 4) s.top_p = 0.8f;
    if (flags & 8) s.repetition_penalty = 1.2f, s.penalize_prompt = flags & 16;
    if (flags & 32) s.banned = {fuzz::model().end_tokens()[0]};
    if (flags & 64) s.bias = {{static_cast<std::int32_t>(in_.number(500)), 4.0f}};
    return s;
  }

  Turn question(const Played& p) {
    Turn turn;
    const std::uint8_t flags = in_.byte();
    for (std::size_t n = flags % 4 == 3 ? 2 : flags % 4 == 2 ? 1 : 0; n > 0; --n) turn.pictures.push_back(in_.byte() % 4);
    turn.question = kQuestions[(flags >> 2) % std::size(kQuestions)];
    turn.options.max_tokens = 1 + static_cast<Index>(in_.number(20));
    turn.options.sampling = sampling(p);
    // Fewer than logit rows, of which there are as many as the chunk allows, and that is no longer than the context.
    turn.options.draft = in_.byte() % std::min<Index>(7, p.context);
    turn.options.draft_text = "Describe the image. 1, 2, 3";
    if (flags & 128) turn.options.stop = {"e", " the"};
    return turn;
  }

  /// The answer before ends now; what was said of it is a turn.
  void leave(Played& p) {
    if (p.running) {
      if (p.answer) p.asked.ids = copy(p.answer->ids());
      if (p.in_turn && !p.asked.ids.empty()) p.turns.push_back(p.asked);
    }
    p.running = false;
  }
  /// After a call that has ended the answer before.
  static void check_left(const std::optional<Answer>& answer, bool was_running) {
    if (!answer) return;
    FUZZ_CHECK(answer->finish() != Finish::none);
    if (was_running) FUZZ_CHECK(answer->finish() == Finish::cancelled && answer->status().code() == Code::cancelled);
    FUZZ_CHECK(answer->ids().empty() && answer->text().empty() && answer->logits().empty() && !answer->prompt_ids().size());
  }

  void begin(Played& p, bool later) {
    Turn turn = question(p);
    const bool was_running = p.running;
    leave(p);
    p.cancel->reset();
    GenerateOptions options = turn.options;
    options.cancel = p.cancel.get();
    const std::vector<Picture> pictures = pictures_of(turn);
    Answer fresh = later ? p.session.start(pictures, turn.question, options) : p.session.ask(pictures, turn.question, options);
    check_left(p.answer, was_running);
    p.answer.emplace(std::move(fresh));
    p.asked = std::move(turn);
    p.running = p.in_turn = true;
    settle(p);
  }

  void complete(Played& p) {
    Turn turn = question(p);
    const bool was_running = p.running;
    leave(p);
    const std::vector<Picture> pictures = pictures_of(turn);
    Answer fresh = p.session.complete(pictures, turn.question, turn.options);
    check_left(p.answer, was_running);
    p.answer.emplace(std::move(fresh));
    p.asked = std::move(turn);
    p.running = true, p.in_turn = false;
    settle(p);
  }

  // --- going on -------------------------------------------------------------------------------------------------------

  /// Looks whether the answer has ended, and whether it is a turn then.
  void settle(Played& p) {
    if (!p.running || p.answer->finish() == Finish::none) return;
    const Finish finish = p.answer->finish();
    p.running = false;
    p.asked.ids = copy(p.answer->ids());
    if (finish == Finish::error) fuzz::check_error(p.answer->status());
    else FUZZ_CHECK(p.answer->status().ok() == (finish != Finish::cancelled));
    if (finish == Finish::error) FUZZ_CHECK(p.answer->status().code() == Code::limit);
    const bool kept = finish == Finish::cancelled ? !p.asked.ids.empty() : finish != Finish::error;
    if (p.in_turn && kept) p.turns.push_back(p.asked);
    FUZZ_CHECK(p.answer->logits().empty());
  }

  void go_on(Played& p, std::size_t tokens) {
    for (; tokens > 0 && p.running && p.answer; --tokens) {
      const std::size_t before = p.answer->ids().size();
      const auto piece = p.answer->next();
      if (piece) FUZZ_CHECK(utf8::validate(piece->text).ok() && piece->log_probability <= 1e-9);
      FUZZ_CHECK(p.answer->finish() != Finish::none || (piece && p.answer->ids().size() == before + 1));
      settle(p);
    }
  }
  void in_slices(Played& p, std::size_t slices) {
    for (; slices > 0 && p.running && p.answer; --slices) {
      const std::size_t before = p.answer->ids().size();
      const auto piece = p.answer->step(std::chrono::nanoseconds(0));
      if (piece && p.answer->finish() == Finish::none) FUZZ_CHECK(p.answer->ids().size() == before + 1);
      if (!piece) FUZZ_CHECK(p.answer->ids().size() <= before + 1);
      settle(p);
    }
  }
  void cancel(Played& p) {
    if (!p.running || !p.answer) return;
    p.cancel->cancel();
    const bool heard = p.in_turn;  // the others have no token to cancel
    (void)p.answer->next();
    FUZZ_CHECK(!heard || p.answer->finish() != Finish::none);
    settle(p);
    p.cancel->reset();
  }

  // --- going back -----------------------------------------------------------------------------------------------------

  void go_back(Played& p) {
    if (!p.answer) return;
    const std::size_t said = p.answer->ids().size(), to = in_.number(said + 1);
    const SamplerOptions with = sampling(p);
    const std::vector<std::int32_t> before = copy(p.answer->ids());
    const Status went = p.answer->rewind(to, with);
    if (!p.running || to > said) FUZZ_CHECK(!went.ok());
    if (!went.ok()) {
      FUZZ_CHECK(went.code() == Code::bad_argument && copy(p.answer->ids()) == before);
      return fuzz::check_error(went);
    }
    FUZZ_CHECK(p.answer->ids().size() == to && std::equal(before.begin(), before.begin() + static_cast<Index>(to), p.answer->ids().begin()));
    std::erase_if(p.asked.changes, [&](const Change& change) { return change.from >= to; });
    p.asked.changes.push_back({to, with});
  }

  void rewind(Played& p) {
    const std::size_t to = in_.number(p.turns.size() + 1);
    const bool was_running = p.running;
    const Status went = p.session.rewind(to);
    FUZZ_CHECK(went.ok() == (to <= p.turns.size()));
    if (!went.ok()) return fuzz::check_error(went);
    p.turns.resize(to);
    p.running = false;
    check_left(p.answer, was_running);
  }
  void clear(Played& p) {
    const bool was_running = p.running;
    p.session.clear();
    p.turns.clear();
    p.running = false;
    check_left(p.answer, was_running);
  }

  // --- other sessions -------------------------------------------------------------------------------------------------

  void take_in(Played&& other) {
    if (all_.size() < kMostSessions) all_.push_back(std::move(other));
    else now() = std::move(other);
  }

  void fork(Played& p) {
    const Index context = in_.flag() ? 0 : static_cast<Index>(in_.number(300));
    auto child = p.session.fork(context);
    if (!child) {
      FUZZ_CHECK(child.error().code() == Code::limit && context > 0);
      return fuzz::check_error(child.error());
    }
    Played other(std::move(*child));
    FUZZ_CHECK(other.context == (context > 0 ? context : p.context));
    other.turns = p.turns;
    other.forked = true;
    check(other);
    take_in(std::move(other));
  }

  void save_and_load(Played& p) {
    static const std::string path = (std::filesystem::temp_directory_path() /
                                     ("dsvl-fuzz-" + std::to_string(std::random_device()()) + ".session")).string();
    FUZZ_CHECK(p.session.save(path).ok());
    SessionOptions options = options_;
    options.limits.context = p.context;
    auto loaded = Session::load(fuzz::model(), std::filesystem::path(path), options);
    std::filesystem::remove(path);
    FUZZ_CHECK(loaded);
    Played other(std::move(*loaded));
    other.turns = p.turns;
    check(other);
    take_in(std::move(other));
  }

  void move(Played& p) {
    Session elsewhere = std::move(p.session);
    FUZZ_CHECK(p.session.turns() == 0 && p.session.context() == 0 && !p.session.fork());
    const Answer none = p.session.ask("Hi");
    FUZZ_CHECK(none.finish() == Finish::error && none.status().code() == Code::bad_argument);
    p.session = std::move(elsewhere);
    if (!p.answer) return;
    Answer answer = std::move(*p.answer);
    FUZZ_CHECK(p.answer->finish() == Finish::error && !p.answer->next());
    p.answer.emplace(std::move(answer));
  }

  /// Nobody holds the answer any longer. It is still the session's, which ends it when it goes on to something else.
  static void drop_answer(Played& p) {
    if (p.running && p.answer) p.asked.ids = copy(p.answer->ids());
    p.answer.reset();
  }

  // --- what leaves no trace -------------------------------------------------------------------------------------------

  void score(Played& p) {
    const Turn turn = question(p);
    const std::vector<Picture> pictures = pictures_of(turn);
    const std::string_view choices[] = {" Yes", "No.", "a longer answer of several tokens, some of them words"};
    const bool was_running = p.running;
    leave(p);
    const auto scores = p.session.score(pictures, turn.question, choices, turn.options);
    check_left(p.answer, was_running);
    if (!scores) {
      FUZZ_CHECK(scores.error().code() == Code::limit);
      return fuzz::check_error(scores.error());
    }
    FUZZ_CHECK(scores->size() == std::size(choices));
    for (const Score& s : *scores) {
      double sum = 0;
      for (const double token : s.tokens) sum += token;
      FUZZ_CHECK(!s.tokens.empty() && s.log_likelihood <= 0 && std::abs(sum - s.log_likelihood) < 1e-6);
    }
    const auto alone = p.session.log_probabilities("Hi there");
    FUZZ_CHECK(alone && !alone->empty());
  }

  void bad_call(Played& p) {
    static const std::string long_text(3000, 'x');
    static const std::byte garbage[] = {std::byte{'B'}, std::byte{'M'}, std::byte{0}};
    GenerateOptions o;
    std::string_view text = "Hi";
    std::vector<Picture> pictures;
    Code code = Code::bad_argument;
    switch (in_.byte() % 13) {
      case 0: text = ""; break;
      case 1: text = "\xFF"; code = Code::bad_text; break;
      case 2: text = long_text; code = Code::limit; break;
      case 3: o.max_tokens = 0; break;
      case 4: o.draft = 1000; break;
      case 5: o.draft = -1; break;
      case 6: o.sampling.temperature = std::numeric_limits<float>::quiet_NaN(); break;
      case 7: o.sampling.banned = {1 << 20}; break;
      case 8: o.stop = {""}; break;
      case 9: o.placeholders = true; pictures.emplace_back(fuzz::pixels(0)); break;
      case 10: pictures.emplace_back(std::span<const std::byte>(garbage)); code = Code::bad_file; break;
      case 11: o.stop = {std::string(5000, 'x')}; code = Code::limit; break;
      case 12: o.stop = {"\x80"}; code = Code::bad_text; break;
    }
    const bool was_running = p.running;
    leave(p);
    Answer answer = p.session.ask(pictures, text, o);
    check_left(p.answer, was_running);
    fuzz::check_error(answer.status());
    FUZZ_CHECK(answer.finish() == Finish::error && !answer.next());
    // A conversation that is full finds that first.
    FUZZ_CHECK(answer.status().code() == code || answer.status().code() == Code::limit);
    p.answer.emplace(std::move(answer));
  }

  // --- what must be true ----------------------------------------------------------------------------------------------

  void check(const Played& p) const {
    FUZZ_CHECK(p.session.turns() == p.turns.size());
    FUZZ_CHECK(p.session.context() == p.context && p.session.bytes() == p.bytes);
    if (!p.running || !p.answer) return;
    const Usage usage = p.answer->usage();
    FUZZ_CHECK(p.answer->status().ok());
    FUZZ_CHECK(usage.answer_tokens == static_cast<Index>(p.answer->ids().size()));
    FUZZ_CHECK(usage.answer_tokens < p.asked.options.max_tokens);
    FUZZ_CHECK(usage.reused_tokens <= usage.prompt_tokens && usage.accepted <= usage.drafted);
    FUZZ_CHECK(static_cast<Index>(p.answer->prompt_ids().size()) <= p.context);
    FUZZ_CHECK(utf8::validate(p.answer->text()).ok());
  }

  /// The same questions to a fresh session give the same answers, and so does one more.
  void compare_with_fresh(Played& p) {
    SessionOptions options = options_;
    options.limits.context = kMostContext;
    options.limits.pictures = -1;
    options.limits.chunk = options_.limits.chunk == 7 ? 33 : 16;
    auto fresh = Session::open(fuzz::model(), options);
    FUZZ_CHECK(fresh);
    leave(p);
    for (const Turn& turn : p.turns) {
      GenerateOptions plain = turn.options;
      plain.max_tokens = static_cast<Index>(turn.ids.size());
      plain.draft = 0;
      const std::vector<Picture> pictures = pictures_of(turn);
      Answer answer = fresh->ask(pictures, turn.question, plain);
      FUZZ_CHECK(answer.status().ok());
      while (answer.finish() == Finish::none) {
        for (const Change& change : turn.changes)
          if (change.from == answer.ids().size()) FUZZ_CHECK(answer.rewind(change.from, change.sampling).ok());
        (void)answer.next();
      }
      FUZZ_CHECK(copy(answer.ids()) == turn.ids);
    }
    GenerateOptions few;
    few.max_tokens = 2;
    Answer theirs = p.session.ask("Why?", few), ours = fresh->ask("Why?", few);
    FUZZ_CHECK(p.session.turns() == p.turns.size() && fresh->turns() == p.turns.size());
    if (theirs.status().code() == Code::limit) return;
    FUZZ_CHECK(theirs.status().ok() && ours.status().ok());
    FUZZ_CHECK(copy(theirs.prompt_ids()) == copy(ours.prompt_ids()));
    FUZZ_CHECK(theirs.logits().size() == ours.logits().size());
    FUZZ_CHECK(std::memcmp(theirs.logits().data(), ours.logits().data(), ours.logits().size_bytes()) == 0);
    p.answer.reset();
  }

  fuzz::Input in_;
  fuzz::Memory memory_{std::size_t{256} << 20};
  SessionOptions options_;
  std::vector<Played> all_;
  std::size_t at_ = 0;
};

void run(fuzz::Input in) { Player(in).play(); }

}  // namespace fuzz_session_player

DSVL_FUZZ_TARGET(session_player)
