// dsvl chat: a conversation, line by line.
#include "commands.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

constexpr const char* kHelp =
    "  /image FILE  add a picture to the next question; several too, and as a terminal writes what is dropped on it\n"
    "  /clear       begin anew, without pictures\n"
    "  /help        this text\n"
    "  /quit        leave; so does Ctrl-D\n"
    "Ctrl-C stops an answer and keeps the conversation.";

class Chat {
 public:
  Chat(const Settings& settings, Talk& talk, ProgressLine& progress, dsvl::CancelToken& interrupt)
      : settings_(settings), talk_(talk), progress_(progress), interrupt_(interrupt),
        interactive_(is_terminal(stdin) && is_terminal(stdout)) {}

  void add(NamedPicture picture) { waiting_.push_back(std::move(picture)); }

  /// Until the input ends, /quit, or Ctrl-C twice; returns the exit code.
  int run() {
    if (interactive_)
      note(talk_.model.info().file_bytes < (1 << 24) ? "A tiny model: it knows shapes, colours, bar charts "
                                                       "and short texts. /help lists commands."
                                                     : "/help lists commands.");
    bool warned = false;
    for (std::string line;;) {
      if (interactive_) std::fputs(paint(stdout, "1;32", prompt()).c_str(), stdout);
      std::fflush(stdout);
      const LineReader::Got got = input_.next(line);
      if (got == LineReader::Got::end) break;
      if (got == LineReader::Got::interrupt) {
        if (!interactive_ || warned) return leave(kInterrupted);
        std::puts("");
        note("Ctrl-C once more, Ctrl-D or /quit leaves.");
        interrupt_.reset();
        warned = true;
        continue;
      }
      warned = false;
      if (line.find_first_not_of(" \t") == std::string::npos) continue;
      if (line[0] != '/') ask(line);
      else if (!obey(line)) return leave(exit_);
    }
    if (interactive_) std::puts("");
    return leave(exit_);
  }

 private:
  [[nodiscard]] std::string prompt() const {
    if (waiting_.size() < 2) return waiting_.empty() ? "> " : "[picture] > ";
    char text[48];
    std::snprintf(text, sizeof text, "[%zu pictures] > ", waiting_.size());
    return text;
  }
  void note(std::string_view text) const { std::puts(paint(stdout, "2", text).c_str()); }
  /// A mistake in a chat is talked about; in a script it also shows in the exit code.
  void fail(std::string_view what, std::string_view hint = {}) {
    print_error(what, hint);
    failed();
  }
  void failed() {
    if (!interactive_) exit_ = kError;
  }
  static int leave(int exit) { return finish_output(exit); }

  /// One of the /commands; false when it is time to leave.
  bool obey(const std::string& line) {
    const std::size_t space = line.find_first_of(" \t");
    const std::string command = line.substr(0, space);
    if (command == "/quit" || command == "/exit") return false;
    if (command == "/help") {
      std::puts(kHelp);
    } else if (command == "/clear") {
      talk_.session.clear();
      waiting_.clear();
      if (interactive_) note("A new conversation.");
    } else if (command == "/image") {
      add_image(space == std::string::npos ? std::string() : line.substr(space));
    } else {
      std::error_code ignored;
      const std::vector<std::string> files = split_files(line);
      const bool file = std::filesystem::exists(to_path(files.front()), ignored);
      fail("unknown command " + command, file ? "to add the picture: /image " + line : "/help lists what there is");
    }
    return true;
  }

  void add_image(const std::string& line) {
    const std::vector<std::string> files = split_files(line);
    if (files.empty()) return fail("/image needs a file", "/image FILE");
    for (const std::string& file : files) {
      if (file.empty() || is_standard_input(file)) {
        fail("/image: '" + file + "' is no file", "/image FILE");
        continue;
      }
      int exit = kOk;
      auto picture = find_picture(file, exit);
      if (picture) add(std::move(*picture));
      else failed();
      interrupt_.reset();  // it may have stopped the waiting for a pipe
    }
  }

  void ask(const std::string& question) {
    interrupt_.reset();
    progress_.clear();  // patience begins now
    dsvl::Answer answer = talk_.session.ask(pictures_of(waiting_), question, settings_.generate);
    progress_.clear();
    while (const auto piece = answer.next()) print_text(piece->text);
    const dsvl::Status status = answer.status();
    const bool stopped = status.code() == dsvl::Code::cancelled;
    if (status.ok() || !answer.text().empty()) std::puts("");
    else if (stopped && interactive_) std::puts("");  // below the ^C
    if (stopped && interactive_) note("(stopped)");
    interrupt_.reset();
    if (settings_.verbose && !stopped) print_seen(answer, waiting_);
    if (!status.ok() && !stopped) return give_back(answer);
    // A question that was stopped before its answer began is forgotten, so its pictures wait for the next.
    if (!(stopped && answer.ids().empty())) waiting_.clear();
    if (stopped) return;
    print_cut(answer, settings_, talk_);
    print_speed(answer, settings_);
    if (settings_.verbose) print_usage(answer, 0);
  }

  /// A question that failed was never asked: its pictures wait for the next, but the one that was the error.
  void give_back(const dsvl::Answer& answer) {
    const std::string what = describe_error(answer, waiting_);
    const auto wrong = failed_picture(answer);
    const bool full = answer.status().code() == dsvl::Code::limit &&
                      (!wrong || what.find("one picture too many") != std::string::npos);
    std::string hint = full ? "/clear begins anew" : hint_for(answer, talk_);
    if (wrong && *wrong < waiting_.size())
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*wrong));
    if (!waiting_.empty()) {
      if (!hint.empty()) hint += "\n      ";
      hint += "still waiting for a question: ";
      for (const NamedPicture& p : waiting_) hint += (&p == waiting_.data() ? "" : ", ") + p.name;
    }
    fail(what, hint);
  }

  const Settings& settings_;
  Talk& talk_;
  ProgressLine& progress_;
  dsvl::CancelToken& interrupt_;
  LineReader input_;
  bool interactive_;
  std::vector<NamedPicture> waiting_;  // for the next question
  int exit_ = kOk;
};

}  // namespace

int run_chat(Arguments arguments) {
  Settings settings;
  std::vector<std::string> images, rest;
  CommandLine line(
      "dsvl chat", "[OPTION]... [-i IMAGE]...",
      "A conversation: one question a line, answered in turn. From a pipe it reads questions and prints answers, and\n"
      "nothing else.");
  line.section("Conversation");
  line.paths('i', "image", "FILE", "A picture for the first question; may be given several times", images);
  line.section("Answers");
  add_generate_options(line, settings);
  line.section("Model");
  add_model_options(line, settings);
  line.epilog("While talking:\n" + std::string(kHelp));
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (!rest.empty())
    return line.usage_error("unexpected argument " + rest[0],
                            "questions are asked in the chat; pictures are named with -i");

  dsvl::CancelToken& interrupt = catch_interrupts();
  Held held;
  if (const auto exit = held.compile(line, settings.wish)) return *exit;
  held.choose(settings.load, settings.generate);
  ProgressLine progress(!settings.quiet);
  settings.load.cancel = settings.generate.cancel = &interrupt;
  settings.generate.progress = progress.hook();
  std::vector<NamedPicture> pictures;
  if (const auto exit = check_input(line, images, "the questions")) return *exit;
  if (const auto exit = find_pictures(images, pictures)) return *exit;
  int exit = kOk;
  auto talk = open_talk(settings, progress, exit);
  if (!talk) return exit;
  Chat chat(settings, *talk, progress, interrupt);
  for (NamedPicture& picture : pictures) chat.add(std::move(picture));
  return chat.run();
}

}  // namespace cli
