// Talk: the model, its session and the conversation. The window's thread calls it and sees what is so far; one thread
// of its own loads and answers, and never makes a frame wait.
#ifndef DSVL_DESKTOP_TALK_HPP
#define DSVL_DESKTOP_TALK_HPP

#include "mailbox.hpp"
#include "picture_source.hpp"
#include "task_thread.hpp"

#include <optional>

#include <dsvl/base/thread_pool.hpp>

namespace desktop {

/// The model that is wanted, and how precisely it computes.
struct Choice {
  std::string model;                 ///< a folder or a GGUF file
  std::optional<dsvl::KvFormat> kv;  ///< of keys and values; none: as the weights suggest
  dsvl::ActivationPrecision activations = dsvl::ActivationPrecision::f32;
  int context = 0;  ///< tokens; 0: the model's own
  int threads = 1;  ///< of the model
  bool operator==(const Choice&) const = default;
};

/// A model with the threads that it computes on. Whoever looks at it keeps both.
struct LoadedModel {
  Choice choice;
  dsvl::ThreadPool pool;  // before what uses it
  std::optional<dsvl::Model> model;

  explicit LoadedModel(const Choice& wanted) : choice(wanted), pool(wanted.threads, dsvl::ThreadPriority::low) {}
};
using SharedModel = std::shared_ptr<const LoadedModel>;

/// How sessions are opened, for plan() too.
dsvl::SessionOptions session_options(const Choice& choice);

/// A picture of the conversation, as an answer's attention maps number them.
struct AskedPicture {
  SharedPicture source;
  dsvl::SeenPicture seen;
};

/// A question, and what became of it.
struct Turn {
  std::string question;
  std::vector<SharedPicture> pictures;  ///< that came with it
  std::string answer;                   ///< so far
  dsvl::Finish finish = dsvl::Finish::none;
  std::string error;  ///< why it failed; empty: it did not
  bool kept = false;  ///< it is part of the conversation: one that failed, or got no answer, is not
  dsvl::Usage usage = {};
  int computed = 0;                           ///< pictures whose embedding was computed for it
  int known = 0;                              ///< pictures that it could look at, and that were computed before
  std::vector<AskedPicture> seen;             ///< all that it could look at, in their order
  std::vector<std::vector<float>> attention;  ///< of each of them: the share of each image token
};

enum class Phase { empty, loading, ready, answering };
/// "loading", …
const char* name(Phase phase);

struct TalkState {
  Phase phase = Phase::empty;
  std::string stage;              ///< what is being done: "encode", "prefill", …; empty: tokens come
  float share = 0;                ///< of that stage, 0 to 1
  bool stopping = false;          ///< stop() was called, and it has not stopped yet
  std::string error;              ///< why no model could be loaded
  SharedModel model;              ///< null: none is loaded
  std::size_t session_bytes = 0;  ///< memory of the session
  dsvl::Index context = 0;        ///< tokens that the conversation has room for
  std::vector<Turn> turns;

  /// Whether a picture is part of the conversation.
  [[nodiscard]] bool knows(const SharedPicture& picture) const;
};

class Talk {
 public:
  /// Answers have `generate`'s length and sampling. The mailbox must outlive the talk.
  Talk(Mailbox& mailbox, const dsvl::GenerateOptions& generate);
  /// Stops what is going on.
  ~Talk();

  /// Lets the model that there is go, and loads another one. Only when nothing is going on.
  void load(const Choice& choice);
  /// Only when ready.
  void ask(std::string question, std::vector<SharedPicture> pictures);
  /// Takes the last question back and asks it again. Only when ready, with a question.
  void ask_again();
  /// Loading or the answer ends soon.
  void stop();
  /// A new conversation. Pictures that were computed stay known. Only when ready.
  void clear();

  [[nodiscard]] const TalkState& state() const { return state_; }

 private:
  /// What the talk's thread alone touches.
  struct Engine;

  void post(std::function<void(TalkState&)> change);
  static void on_progress(void* self, dsvl::Stage stage, double done, double total);
  void load_on_thread(const Choice& choice);
  void ask_on_thread(const std::string& question, const std::vector<SharedPicture>& pictures);
  void report_end(dsvl::Answer& answer, const std::vector<SharedPicture>& pictures);

  Mailbox& mailbox_;
  TalkState state_;
  dsvl::CancelToken cancel_;
  std::unique_ptr<Engine> engine_;
  TaskThread thread_;  // last, so that it ends first
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_TALK_HPP
