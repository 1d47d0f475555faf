#include "setup.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "decoders.hpp"
#include "pictures.hpp"
#include "system.hpp"

namespace cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kWhatAModelIs =
    "a model is a directory with config.json, tokenizer.json and *.safetensors, as published, or a .gguf file";

void log(void* settings, dsvl::Level level, std::string_view text) {
  if (level >= dsvl::Level::warning) print_warning(text);
  else if (static_cast<const Settings*>(settings)->verbose)
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

/// Lists what a checkpoint lacks; a headline with one name is not enough to mend it.
void print_report(const dsvl::LoadReport& report) {
  static constexpr std::size_t kMost = 10;
  const auto list = [](const char* what, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), kMost); ++i)
      std::fprintf(stderr, "      %s %s\n", what, names[i].c_str());
    if (names.size() > kMost) std::fprintf(stderr, "      … and %zu more\n", names.size() - kMost);
  };
  if (report.missing.size() + report.misshapen.size() < 2) return;  // the headline has it
  list("missing:", report.missing);
  list("misfit:", report.misshapen);
}

/// Takes RRGGBB, also behind a number sign.
std::function<std::string(std::string_view)> color_of(std::optional<std::array<std::uint8_t, 3>>& to) {
  return [&to](std::string_view value) -> std::string {
    if (value.starts_with('#')) value.remove_prefix(1);
    std::array<std::uint8_t, 3> color{};
    bool good = value.size() == 2 * color.size();
    for (std::size_t c = 0; good && c < color.size(); ++c) {
      const char* const end = value.data() + 2 * (c + 1);
      good = std::from_chars(value.data() + 2 * c, end, color[c], 16).ptr == end;
    }
    if (!good) return "a color is six hexadecimal digits, RRGGBB";
    to = color;
    return {};
  };
}

}  // namespace

void add_model_options(CommandLine& to, Settings& settings) {
  to.path('m', "model", "PATH", "Directory or .gguf file of the model (default: tiny-vl, which ships with dsvl)",
          settings.model);
  to.path(0, "mmproj", "FILE", "Path of its vision towers, where the model is the text half (default: mmproj-NAME there)",
          settings.load.mmproj);
  to.other(0, "load", "MODE", "How weights get into memory: map (default), read, prefault",
           one_of<dsvl::LoadMode>(settings.load.mode, {{"map", dsvl::LoadMode::map},
                                                       {"read", dsvl::LoadMode::read},
                                                       {"prefault", dsvl::LoadMode::prefault}}));
  to.whole(0, "threads", "Threads to use (default: all this process may use); never changes an answer",
           settings.load.threads, 1, 256);
  to.whole(0, "context", "Tokens of conversation to hold (default: 4096, or what the model allows)",
           settings.session.limits.context, 1, 1 << 24);
  to.other(0, "kv", "FORMAT", "How keys and values are kept: f32, bf16 or q8 (default: f32; bf16 where weights are quantised)",
           one_of<dsvl::KvFormat>(settings.session.limits.kv, {{"f32", dsvl::KvFormat::full},
                                                               {"bf16", dsvl::KvFormat::bf16},
                                                               {"q8", dsvl::KvFormat::q8}}));
  to.other(0, "activations", "KIND",
           "f32 (default), or bf16: activations are rounded where weights are bf16, sooner on some CPUs",
           one_of<dsvl::ActivationPrecision>(
               settings.session.limits.activations,
               {{"f32", dsvl::ActivationPrecision::f32}, {"bf16", dsvl::ActivationPrecision::bf16}}));
  to.text(0, "system", "TEXT", "System text in front of the conversation; \"\" for none", settings.session.system);
  to.flag(0, "exif", "Turn photos upright as their EXIF data says", settings.session.apply_exif_orientation);
  to.flag(0, "clip-gray16", "16-bit gray pictures as the reference has them: nearly white", settings.session.clip_gray16);
  to.other(0, "background", "COLOR", "Lay pictures with alpha upon this color, as RRGGBB (default: alpha is dropped)",
           color_of(settings.session.background));
  to.flag('v', "verbose", "Say where time went, and what the library has to say", settings.verbose);
  to.flag('q', "quiet", "No progress line", settings.quiet);
}

void add_generate_options(CommandLine& to, Settings& settings) {
  dsvl::GenerateOptions& g = settings.generate;
  to.whole(0, "max-tokens", "Longest answer, in tokens (default: 512)", g.max_tokens, 1, 1 << 24);
  to.real(0, "temperature", "0 (default): always the likeliest token; above: draw, the higher the freer",
          g.sampling.temperature, 0, 100);
  to.whole(0, "top-k", "Draw among the N likeliest tokens only (default: 0, all)", g.sampling.top_k, 0, 1 << 24);
  to.real(0, "top-p", "Draw among the likeliest that make up this share, 0 to 1 (default: 1)", g.sampling.top_p, 1e-6,
          1);
  to.real(0, "repetition-penalty", "Above 1: avoid tokens that were used before (default: 1)",
          g.sampling.repetition_penalty, 0.01, 100);
  to.whole(0, "draft", "Guess N tokens at a time from what was said before, and check them at once (default: 0)",
           g.draft, 0, 7);
  to.whole(0, "seed", "Another number, another draw (default: 0)", g.sampling.seed, 0, INT64_MAX);
  to.texts(0, "stop", "TEXT", "End the answer before this text; may be given several times", g.stop);
  add_constraint_options(to, settings.wish);
}

std::string settings_text(const Settings& settings) {
  const dsvl::GenerateOptions& g = settings.generate;
  const dsvl::SessionOptions& s = settings.session;
  char sampling[160];
  std::snprintf(sampling, sizeof sampling, "temperature %g top-k %td top-p %g penalty %g seed %llu",
                static_cast<double>(g.sampling.temperature), static_cast<std::ptrdiff_t>(g.sampling.top_k),
                static_cast<double>(g.sampling.top_p), static_cast<double>(g.sampling.repetition_penalty),
                static_cast<unsigned long long>(g.sampling.seed));
  std::string text = sampling;
  for (const std::string& stop : g.stop) text += " stop " + stop;
  if (s.limits.kv) text += " kv " + std::to_string(static_cast<int>(*s.limits.kv));
  if (s.limits.activations == dsvl::ActivationPrecision::bf16) text += " activations bf16";
  if (s.apply_exif_orientation) text += " exif";
  if (s.clip_gray16) text += " clip-gray16";
  if (s.background) {
    text += " background";
    for (const std::uint8_t channel : *s.background) (text += " ") += std::to_string(channel);
  }
  if (s.system != dsvl::kDefaultSystem) text += " system " + s.system;
  return text;
}

std::string model_name(const Settings& settings) {
  fs::path path = to_path(settings.model.empty() ? "tiny-vl" : settings.model);
  if (!path.has_filename()) path = path.parent_path();  // it ends in a slash
  return to_text(path.extension() == ".gguf" ? path.stem() : path.filename());
}

std::optional<fs::path> find_model(const std::string& named) {
  std::error_code ignored;
  if (!named.empty()) {
    const fs::path path = to_path(named);
    const std::string why = why_unreadable(path);
    if (why.empty() || fs::is_directory(path, ignored)) return path;
    print_error(named + ": " + (why == "no such file" ? "no such file or directory" : why), kWhatAModelIs);
    return std::nullopt;
  }
  const fs::path shipped = "examples/models/tiny-vl", here = program_directory();
  std::vector<fs::path> places = {shipped};
  if (!here.empty()) places.push_back((here / "../.." / shipped).lexically_normal());
  if (!here.empty()) places.push_back((here / "../share/dsvl/tiny-vl").lexically_normal());  // where both are installed
#ifdef DSVL_DEFAULT_MODEL
  places.push_back(to_path(DSVL_DEFAULT_MODEL));
#endif
  std::string looked;
  for (const fs::path& place : places) {
    if (fs::is_directory(place, ignored)) return place;
    looked += "\n        " + to_text(place);
  }
  print_error("no model was named, and the one that ships with dsvl is not where it was expected",
              "name one: dsvl ask -m PATH …\n      looked for:" + looked);
  return std::nullopt;
}

std::optional<int> parse_for_model(const CommandLine& line, std::span<const std::string> arguments,
                                   Settings& settings) {
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return exit;
  if (rest.size() > 1 || (!rest.empty() && !settings.model.empty())) return line.usage_error("one model is expected");
  if (!rest.empty() && rest[0].empty()) return line.usage_error("MODEL \"\": is empty, a path is needed");
  if (!rest.empty()) settings.model = rest[0];
  return std::nullopt;
}

namespace {

/// Whether the model can have the context that was asked for; known from its settings, before weights are read. What
/// else is wrong with the model, loading says.
bool context_fits(const fs::path& path, const Settings& settings) {
  if (settings.session.limits.context == 0) return true;
  const auto planned = dsvl::plan(path, settings.session, settings.load);
  if (planned) return true;
  const dsvl::Code code = planned.error().code();
  if (code != dsvl::Code::limit && code != dsvl::Code::bad_argument) return true;
  dsvl::SessionOptions without = settings.session;
  without.limits.context = 0;
  if (!dsvl::plan(path, without, settings.load)) return true;
  print_error(planned.error().text(), "choose a --context of at most that");
  return false;
}

}  // namespace

std::optional<dsvl::Model> load_model(const Settings& settings, dsvl::LoadReport& report, ProgressLine& progress,
                                      int& exit) {
  exit = kError;
  const auto path = find_model(settings.model);
  if (!path) return std::nullopt;
  if (!context_fits(*path, settings)) return exit = kUsage, std::nullopt;
  dsvl::LoadOptions options = settings.load;
  options.host.log = {log, const_cast<Settings*>(&settings)};
  options.host.decode_picture = picture_decoder();
  options.progress = progress.hook();
  options.report = &report;
  auto model = dsvl::Model::load(*path, options);
  progress.clear();
  if (model) return std::move(*model);
  exit = give_up(model.error(),
                 model.error().code() == dsvl::Code::not_found && report.missing.empty() ? kWhatAModelIs : "");
  if (exit == kError) print_report(report);
  return std::nullopt;
}

int give_up_session(const dsvl::Status& error) {
  return give_up(error, error.code() == dsvl::Code::out_of_memory
                            ? "a smaller --context N takes less, and so does --kv bf16 or --kv q8"
                            : "");
}

std::optional<Talk> open_talk(const Settings& settings, ProgressLine& progress, int& exit) {
  const auto began = Clock::now();
  dsvl::LoadReport report;
  auto model = load_model(settings, report, progress, exit);
  if (!model) return std::nullopt;
  auto session = dsvl::Session::open(*model, settings.session);
  if (session) return Talk{std::move(*model), std::move(*session), seconds_since(began)};
  exit = give_up_session(session.error());
  return std::nullopt;
}

namespace {

/// What a full context allows.
std::string more_context(const Talk& talk) {
  const dsvl::Index most = talk.model.info().max_context;
  return talk.session.context() < most ? "--context N allows more, up to " + std::to_string(most)
                                       : "which is all that the model has positions for";
}

}  // namespace

std::string hint_for(const dsvl::Answer& answer, const Talk& talk) {
  const dsvl::Status status = answer.status();
  if (status.code() == dsvl::Code::out_of_memory)
    return failed_picture(answer) ? "a smaller picture takes less: nothing is seen of more than 1024 pixels a side"
                                  : "a smaller --context N takes less";
  const bool context = std::string_view(status.text()).find("the context holds") != std::string_view::npos;
  return status.code() == dsvl::Code::limit && context ? more_context(talk) : "";
}

void print_usage(const dsvl::Answer& answer, double load_seconds) {
  std::fflush(stdout);
  const dsvl::Usage u = answer.usage();
  std::string line = "prompt " + std::to_string(u.prompt_tokens) + " tokens";
  if (u.reused_tokens > 0) line += " (" + std::to_string(u.reused_tokens) + " known)";
  line += ", answer " + std::to_string(u.answer_tokens) + ", " + std::string(name(answer.finish()));
  const struct { const char* what; double seconds; } stages[] = {
      {"load", load_seconds}, {"decode image", u.decode_image}, {"preprocess", u.preprocess},
      {"encode", u.encode},   {"prefill", u.prefill},           {"decode", u.decode}};
  for (const auto& [what, seconds] : stages)
    if (seconds > 0) line += std::string(" · ") + what + " " + seconds_text(seconds);
  char speed[40] = "";
  // The first token comes out of the prefill, so the decoder ran once less.
  if (u.answer_tokens > 1 && u.decode > 0)
    std::snprintf(speed, sizeof speed, " · %.1f tokens/s", static_cast<double>(u.answer_tokens - 1) / u.decode);
  std::fprintf(stderr, "%s\n", paint(stderr, "2", line + speed).c_str());
}

void print_speed(const dsvl::Answer& answer, const Settings& settings) {
  const dsvl::Usage u = answer.usage();
  const double first = u.decode_image + u.preprocess + u.encode + u.prefill;
  if (!is_terminal(stderr) || settings.quiet || settings.verbose || first + u.decode < 2 || u.answer_tokens < 2) return;
  std::fflush(stdout);
  char text[96];
  std::snprintf(text, sizeof text, "(%s to the first word, then %.1f tokens/s)", seconds_text(first).c_str(),
                static_cast<double>(u.answer_tokens - 1) / u.decode);
  std::fprintf(stderr, "%s\n", paint(stderr, "2", text).c_str());
}

void print_cut(const dsvl::Answer& answer, const Settings& settings, const Talk& talk) {
  if (!is_terminal(stderr) && !settings.verbose) return;
  std::fflush(stdout);
  std::string why;
  if (answer.finish() == dsvl::Finish::length)
    why = "(cut after " + std::to_string(settings.generate.max_tokens) + " tokens; --max-tokens allows more)";
  if (answer.finish() == dsvl::Finish::context_full) why = "(cut: the context is full; " + more_context(talk) + ")";
  if (answer.finish() == dsvl::Finish::deadline) why = "(cut: the deadline has passed)";
  if (!why.empty()) std::fprintf(stderr, "%s\n", paint(stderr, "2", why).c_str());
}

}  // namespace cli
