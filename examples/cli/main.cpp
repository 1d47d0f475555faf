// dsvl: asks DeepSeek-VL about pictures. A thin layer over the library: each command is one file beside this one.
#include "library.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include <dsvl/kernels/dispatch.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "system.hpp"

namespace {

struct Command {
  std::string_view name, about;
  int (*run)(cli::Arguments);
};

constexpr Command kCommands[] = {
    {"ask", "Ask one question, about one picture or several or none", cli::run_ask},
    {"preview", "Write a picture as the model gets it, to look at", cli::run_preview},
    {"replay", "Ask again what ask --record wrote, and name the first token that differs", cli::run_replay},
    {"chat", "Talk in turns, adding pictures on the way", cli::run_chat},
    {"eval", "Count right answers to a file of questions, or run a published benchmark", cli::run_eval},
    {"batch", "Answer questions about many pictures, resumable, in as many parts as you like", cli::run_batch},
    {"doctor", "Say whether a model is complete, fits this machine, and how fast it is", cli::run_doctor},
    {"inspect", "Show what a model is made of, and the memory it takes", cli::run_inspect},
    {"bench", "Time every stage of a model on this machine", cli::run_bench},
    {"convert", "Write a model as GGUF, in one file, with fewer bits", cli::run_convert},
    {"synth", "Write a checkpoint of full size with synthetic weights", cli::run_synth},
};

void print_help(std::FILE* to) {
  std::fprintf(to,
               "%s dsvl COMMAND [OPTION]... [ARGUMENT]...\n\nDeepSeek-VL on the CPU: questions about pictures.\n\n%s\n",
               cli::paint(to, "1", "Usage:").c_str(), cli::paint(to, "1", "Commands:").c_str());
  for (const Command& c : kCommands)
    std::fprintf(to, "  %-8.*s  %.*s\n", static_cast<int>(c.name.size()), c.name.data(),
                 static_cast<int>(c.about.size()), c.about.data());
  std::fprintf(
      to,
      "\n  dsvl COMMAND --help  explains a command\n  dsvl --version       says which version this is\n\n"
      "%s\n  dsvl ask -i photo.jpg \"What is in this picture?\"\n"
      "  dsvl ask -m deepseek-vl-1.3b-chat -i page1.png -i page2.png \"What changed?\"\n"
      "  dsvl chat -i chart.png\n\n"
      "Without -m, the tiny model answers that ships with dsvl; it knows shapes, colours, bar charts and short texts.\n"
      "Exit codes: 0 all is well, 1 an error, 2 a mistake in the arguments, 130 stopped by Ctrl-C.\n",
      cli::paint(to, "1", "Examples:").c_str());
}

int unknown(const std::string& given) {
  const bool option = given.starts_with('-');
  std::vector<std::string_view> names = {"--help", "--version"};
  if (!option) names.clear();
  for (const Command& c : kCommands)
    if (!option) names.push_back(c.name);
  const std::string meant = cli::nearest(given, names);
  cli::print_error((option ? "unknown option " : "unknown command ") + given,
                   meant.empty() ? "see: dsvl --help" : "did you mean: dsvl " + meant + "?");
  return cli::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments = cli::start_up(argc, argv);
  if (arguments.empty()) return print_help(stderr), cli::kUsage;
  const std::string& first = arguments[0];
  if (first == "--version" || first == "-V") {
    std::printf("dsvl %s (%s)\n", DSVL_VERSION_STRING, dsvl::active_kernels<float>().name);
    return cli::finish_output();
  }
  if (first == "--help" || first == "-h" || (first == "help" && arguments.size() == 1))
    return print_help(stdout), cli::finish_output();
  const std::string help = "--help";
  const bool asks_help = first == "help";  // dsvl help ask
  for (const Command& command : kCommands) {
    if (asks_help && command.name == arguments[1]) return command.run({&help, 1});
    if (command.name == first) return command.run(cli::Arguments(arguments).subspan(1));
  }
  return unknown(asks_help ? arguments[1] : first);
}
