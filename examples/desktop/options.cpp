#include "options.hpp"

#include "../cli/command_line.hpp"
#include "../cli/decoders.hpp"
#include "pdf.hpp"

namespace desktop {

std::optional<int> read_options(std::span<const std::string> arguments, Options& o) {
  cli::CommandLine line("dsvl-desktop", "[OPTION]... [PICTURE]...",
                        std::string("A window to ask about pictures in: ") + cli::decoded_formats() +
                            (kHasPdf ? ", pages of PDF files" : "") + ". Drop them, or name them here.");
  line.section("Model");
  line.paths('m', "model", "PATH", "A folder or GGUF file, loaded at once; more of them to choose from", o.models);
  line.whole(0, "threads", "Threads of the model (default: one fewer than cores)", o.threads, 0, 1024);
  line.whole(0, "context", "Tokens of a conversation (default: the model's own)", o.context, 0, 1 << 20);
  line.section("Answers");
  line.text('q', "question", "TEXT", "What the question's field begins with", o.question);
  line.whole(0, "max-tokens", "Tokens of an answer (default: 512)", o.max_tokens, 1, 1 << 20);
  line.real(0, "temperature", "0: the likeliest token (default)", o.temperature, 0, 100);
  line.section("Window");
  line.flag(0, "light", "The light theme (Ctrl+T changes it)", o.light);
  line.path(0, "font", "FILE", "A TrueType font (default: one of the system's)", o.font);
  line.whole(0, "font-size", "Height of the text in pixels (default: 17)", o.font_pixels, 8, 64);
  line.path(0, "state", "FILE", "Keeps in a JSON file what is shown, and where (for tests)", o.state);
  line.epilog(
      "Enter asks, Esc stops. Ctrl+O opens a file, Ctrl+V one whose name was copied, Ctrl+C copies the answer,\n"
      "Ctrl+R asks the last question again, Ctrl+N begins a new conversation, Ctrl+M chooses a model, Ctrl+T\n"
      "changes between dark and light.");
  return line.parse(arguments, o.pictures);
}

}  // namespace desktop
