// dsvl convert: writes a model as GGUF.
#include "library.hpp"

#include <dsvl/convert/convert.hpp>

#include "commands.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace fs = std::filesystem;
using dsvl::Format;

namespace {

struct Wanted {
  Format type = Format::q8_0;
  std::optional<Format> embedding, head, vision;
  bool split = false, quiet = false;

  [[nodiscard]] dsvl::WeightTypes types() const noexcept {
    dsvl::WeightTypes out = dsvl::WeightTypes::of(type);
    out.embedding = embedding.value_or(out.embedding);
    out.head = head.value_or(out.head);
    out.vision = vision.value_or(out.vision);
    return out;
  }
};

CommandLine describe(Wanted& wanted) {
  CommandLine line("dsvl convert", "[OPTION]... DIRECTORY FILE.gguf",
                   "Writes a model as one GGUF file with weights, tokenizer and settings, by default in 8 bits.\n"
                   "DIRECTORY is a model as published: config.json, tokenizer.json and *.safetensors.");
  std::vector<std::pair<std::string_view, Format>> formats;
  for (int f = 0; f < dsvl::kFormats; ++f) formats.push_back({name(static_cast<Format>(f)), static_cast<Format>(f)});
  const auto add = [&](const char* option, const char* help, auto& to) {
    line.other(0, option, "TYPE", help, one_of(to, formats));
  };
  add("type", "q8_0 (default), q4_0, q4_k, q6_k, bf16, f16 or f32: the decoder, and what follows it", wanted.type);
  add("embedding", "The table of tokens (default: q8_0 where the type has fewer bits)", wanted.embedding);
  add("head", "The matrix that gives logits (default: q6_k where the type has fewer bits)", wanted.head);
  add("vision", "The vision towers and the aligner (default: q8_0 where the type has fewer bits)", wanted.vision);
  line.flag(0, "split", "Two files: FILE.gguf with the text half, which llama.cpp runs too, and mmproj-FILE.gguf",
            wanted.split);
  line.flag('q', "quiet", "No progress line", wanted.quiet);
  return line;
}

/// Files that killed conversions left.
void print_log(void* progress, dsvl::Level level, std::string_view text) {
  if (level < dsvl::Level::warning) return;
  static_cast<ProgressLine*>(progress)->clear();
  print_warning(text);
}

void print_file(const fs::path& path) {
  std::error_code unknown;
  std::printf("%s: %s\n", to_text(path).c_str(), bytes_text(static_cast<double>(fs::file_size(path, unknown))).c_str());
}

}  // namespace

int run_convert(Arguments arguments) {
  Wanted wanted;
  const CommandLine line = describe(wanted);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (rest.size() != 2)
    return line.usage_error("a directory and a file are expected",
                            "for example: dsvl convert deepseek-vl-1.3b-chat deepseek-vl-1.3b-chat.gguf");
  const fs::path from = to_path(rest[0]), to = to_path(rest[1]);
  if (to.extension() != ".gguf") return line.usage_error(rest[1] + ": the name has to end in .gguf");
  std::error_code ignored;
  if (!fs::is_directory(from, ignored)) {
    const std::string why = why_unreadable(from);
    print_error(rest[0] + ": " + (why.empty() ? "is no directory" : why == "no such file" ? "no such directory" : why),
                "a model to convert is a directory with config.json and *.safetensors");
    return kError;
  }
  ProgressLine progress(!wanted.quiet);
  dsvl::LoadReport report;
  dsvl::ConvertOptions options;
  options.types = wanted.types();
  options.split = wanted.split;
  options.name = to_text(fs::absolute(from, ignored).lexically_normal().filename());
  options.progress = progress.hook();
  options.host.log = {print_log, &progress};
  options.cancel = &catch_interrupts();
  options.report = &report;
  const dsvl::Status status = dsvl::convert(dsvl::Folder::directory(from), to, options);
  progress.clear();
  if (!status.ok()) return give_up(status);
  print_file(to);
  if (wanted.split) print_file(dsvl::mmproj_beside(to));
  return finish_output();
}

}  // namespace cli
