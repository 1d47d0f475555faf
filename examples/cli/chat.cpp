// dsvl chat: a conversation, line by line.
#include "commands.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

constexpr const char* kHelp =
    "  /image FILE  add a picture to the next question\n"
    "  /clear       begin anew, without pictures\n"
    "  /help        this text\n"
    "  /quit        leave; so does Ctrl-D\n"
    "Ctrl-C stops an answer and keeps the conversation.";

class Chat {
 public:
  Chat(const Settings& settings, Talk& talk, ProgressLine& progress, dsvl::CancelToken& interrupt)
      : settings_(settings), talk_(talk), progress_(progress), interrupt_(interrupt),
        interactive_(is_terminal(stdin) && is_terminal(stdout)) {}

  void add(dsvl::Picture picture) { waiting_.push_back(std::move(picture)); }

  /// Until the input ends, /quit, or Ctrl-C twice; returns the exit code.
  int run() {
    if (interactive_)
      note(talk_.model.info().file_bytes < (1 << 24) ? "A tiny model: it knows shapes, colours, bar charts "
                                                       "and short texts. /help lists commands."
                                                     : "/help lists commands.");
    bool warned = false;
    for (std::string line;;) {
      if (interactive_) std::fputs(paint(stdout, "1;32", waiting_.empty() ? "> " : "[picture] > ").c_str(), stdout);
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
      fail("unknown command " + command, "/help lists what there is");
    }
    return true;
  }

  /// The file may stand in quotes, as terminals write it when one is dropped onto them.
  void add_image(std::string file) {
    file.erase(0, file.find_first_not_of(" \t"));
    file.erase(file.find_last_not_of(" \t") + 1);
    if (file.size() >= 2 && (file[0] == '"' || file[0] == '\'') && file.back() == file[0])
      file = file.substr(1, file.size() - 2);
    if (file.empty()) return fail("/image needs a file", "/image FILE");
    auto picture = find_picture(file);
    if (!picture) return failed();
    add(std::move(*picture));
  }

  void ask(const std::string& question) {
    interrupt_.reset();
    progress_.clear();  // patience begins now
    dsvl::Answer answer = talk_.session.ask(waiting_, question, settings_.generate);
    progress_.clear();
    while (const auto piece = answer.next()) print_text(piece->text);
    const dsvl::Status status = answer.status();
    const bool stopped = status.code() == dsvl::Code::cancelled;
    if (status.ok() || !answer.text().empty()) std::puts("");
    else if (stopped && interactive_) std::puts("");  // below the ^C
    if (stopped && interactive_) note("(stopped)");
    interrupt_.reset();
    // A question that was stopped before its answer began is forgotten, so its pictures wait for the next.
    if (!(stopped && answer.ids().empty())) waiting_.clear();
    if (stopped) return;
    if (give_up(status, status.code() == dsvl::Code::limit ? "/clear begins anew" : hint_for(status)) != kOk)
      return failed();
    print_cut(answer, settings_);
    print_speed(answer, settings_);
    if (settings_.verbose) print_usage(answer, 0);
  }

  const Settings& settings_;
  Talk& talk_;
  ProgressLine& progress_;
  dsvl::CancelToken& interrupt_;
  LineReader input_;
  bool interactive_;
  std::vector<dsvl::Picture> waiting_;  // for the next question
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
  line.texts('i', "image", "FILE", "A picture for the first question; may be given several times", images);
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
  ProgressLine progress(!settings.quiet);
  settings.load.cancel = settings.generate.cancel = &interrupt;
  settings.generate.progress = progress.hook();
  std::vector<dsvl::Picture> pictures;
  for (const std::string& image : images) {
    auto picture = find_picture(image);
    if (!picture) return kError;
    pictures.push_back(std::move(*picture));
  }
  int exit = kOk;
  auto talk = open_talk(settings, progress, exit);
  if (!talk) return exit;
  Chat chat(settings, *talk, progress, interrupt);
  for (dsvl::Picture& picture : pictures) chat.add(std::move(picture));
  return chat.run();
}

}  // namespace cli
