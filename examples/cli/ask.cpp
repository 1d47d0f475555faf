// dsvl ask: one question, one answer.
#include "library.hpp"

#include <dsvl/io/json_writer.hpp>

#include "commands.hpp"
#include "decoders.hpp"
#include "drawing.hpp"
#include "looked.hpp"
#include "pictures.hpp"
#include "record.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

struct Ask : Settings {
  std::vector<std::string> images;
  std::vector<NamedRegion> regions;
  std::string question, attention, record;
  float deadline = 0;  // seconds; 0: none
  bool json = false;
};

CommandLine describe(Ask& ask) {
  CommandLine line(
      "dsvl ask", "[OPTION]... [-i IMAGE]... QUESTION",
      std::string("Asks one question and prints the answer as it comes. The pictures come before the text in the order\n"
                  "given; without one the question is about text alone. QUESTION - is read from standard input; a\n"
                  "picture may come from there (-i -) or from any other pipe, but not both. This build reads pictures\n"
                  "of these formats: ") + decoded_formats() + ".");
  line.section("Question");
  line.paths('i', "image", "FILE", "A picture, - for standard input; may be given several times", ask.images);
  add_region_option(line, ask.images, ask.regions);
  line.path(0, "attention", "FILE.png", "Draw what the answer looked at: the pictures, lit where they were looked at",
            ask.attention);
  line.flag(0, "json", "One JSON object: text, token ids, counts, why it ended, seconds by stage", ask.json);
  line.path(0, "record", "FILE", "Also write what dsvl replay needs to find out whether it is answered the same elsewhere",
            ask.record);
  line.section("Answer");
  add_generate_options(line, ask);
  line.real(0, "deadline", "End the answer this many seconds after the question is asked, with what was said until then",
            ask.deadline, 1e-3, 1e6);
  line.section("Model");
  add_model_options(line, ask);
  return line;
}

/// The question from the arguments or from standard input; an exit code when there is none.
std::optional<int> read_question(const CommandLine& line, const std::vector<std::string>& rest, std::string& question) {
  if (rest.empty())
    return line.usage_error("no question was given", "for example: dsvl ask -i photo.jpg \"What is this?\"");
  std::error_code ignored;
  if (rest.size() > 1) {
    const auto first = to_path(rest[0]);
    const bool picture = std::filesystem::is_regular_file(first, ignored) || has_name_of_picture(first);
    return line.usage_error("one question is expected, " + std::to_string(rest.size()) + " arguments were given",
                            picture ? "pictures are named with -i, each with its own: -i " + rest[0]
                                    : "put the question in quotes");
  }
  question = rest[0];
  if (question != "-" && std::filesystem::is_regular_file(to_path(question), ignored))
    return line.usage_error("the question is the name of a file: " + question,
                            "a picture is named with -i, and then asked about: dsvl ask -i FILE \"What is this?\"");
  if (question == "-") {
    question.clear();
    LineReader input;
    std::string text;
    for (LineReader::Got got; (got = input.next(text)) != LineReader::Got::end; question += text + '\n')
      if (got == LineReader::Got::interrupt) return kInterrupted;
    while (!question.empty() && question.back() == '\n') question.pop_back();
  }
  if (question.find_first_not_of(" \t\r\n") == std::string::npos) return line.usage_error("the question is empty");
  return std::nullopt;
}

void print_json(const dsvl::Answer& answer, bool held, std::span<const NamedPicture> pictures, const Talk& talk,
                double total_seconds) {
  const dsvl::Usage u = answer.usage();
  dsvl::json::Writer w;
  w.begin_object().key("text").value(answer.text()).key("token_ids").begin_array();
  for (const std::int32_t id : answer.ids()) w.value(id);
  w.end_array().key("finish").value(name(answer.finish()));
  if (held) w.key("whole").value(answer.is_whole());
  w.key("prompt_tokens").value(u.prompt_tokens).key("reused_tokens").value(u.reused_tokens);
  w.key("answer_tokens").value(u.answer_tokens).key("pictures");
  write_seen(w, answer, pictures);
  w.key("seconds").begin_object().key("load").value(talk.load_seconds).key("decode_image").value(u.decode_image);
  w.key("preprocess").value(u.preprocess).key("encode").value(u.encode).key("prefill").value(u.prefill);
  w.key("decode").value(u.decode).key("total").value(total_seconds).end_object().end_object();
  std::printf("%s\n", w.text().c_str());
}

/// Where an answer ends is decided by the clock then, so that replaying it would tell nothing; an exit code for both.
std::optional<int> check_deadline(const CommandLine& line, const Ask& ask) {
  if (ask.deadline <= 0 || ask.record.empty()) return std::nullopt;
  return line.usage_error("--deadline and --record do not go together: a clock ends the answer elsewhere each time",
                          "--max-tokens ends it at the same token each time");
}

/// A mistake in what --attention asks for; an exit code then.
std::optional<int> check_attention(const CommandLine& line, const Ask& ask) {
  if (ask.attention.empty()) return std::nullopt;
  if (ask.images.empty()) return line.usage_error("--attention is about pictures, and there is none", "name one with -i");
  if (to_path(ask.attention).extension() == ".png") return std::nullopt;
  return line.usage_error("--attention " + ask.attention + ": the name has to end in .png");
}

/// Draws what the answer looked at, all pictures beside each other; returns the exit code.
int draw_answer(const Ask& ask, const dsvl::Answer& answer, std::span<const NamedPicture> pictures, const Talk& talk) {
  std::vector<Drawing> drawings;
  dsvl::SessionOptions options = ask.session;
  options.host.decode_picture = picture_decoder();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto looked = Looked::at(answer, i);
    const auto shown = dsvl::prepare_picture(talk.model, pictures[i].picture(), options);
    if (!shown) return print_error(name_picture(pictures[i], shown.error().text())), kError;
    if (looked) drawings.push_back(draw_attention(*shown, looked->cells, looked->strongest_token(shown->seen.map())));
  }
  const dsvl::Status saved = save_png(beside(drawings), to_path(ask.attention));
  return saved.ok() ? kOk : (print_error(saved.text()), kError);
}

/// Writes the record, now that the answer is there; returns the exit code.
int save_record(const Ask& ask, Record record, const dsvl::Answer& answer) {
  record.prompt.assign(answer.prompt_ids().begin(), answer.prompt_ids().end());
  // A token that ended the answer came without a piece.
  record.tokens.resize(answer.ids().size());
  for (std::size_t i = 0; i < record.tokens.size(); ++i) record.tokens[i].id = answer.ids()[i];
  record.finish = name(answer.finish());
  return give_up(write_record(record, ask.record));
}

/// Prints the answer while it comes; returns the exit code.
int answer_question(const Ask& ask, std::span<const NamedPicture> pictures, Talk& talk, ProgressLine& progress,
                    Clock::time_point began, Record record) {
  dsvl::GenerateOptions generate = ask.generate;
  const std::chrono::duration<float> time(ask.deadline);
  if (ask.deadline > 0) generate.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  dsvl::Answer answer = talk.session.ask(pictures_of(pictures), ask.question, generate);
  progress.clear();
  while (const auto piece = answer.next()) {
    if (!ask.json) print_text(piece->text);
    record.tokens.push_back({piece->id, piece->log_probability});
  }
  if (ask.json && answer.status().ok()) print_json(answer, ask.generate.constraint != nullptr, pictures, talk, seconds_since(began));
  if (!ask.json && (answer.status().ok() || !answer.text().empty())) std::puts("");
  int exit = give_up(answer, pictures, talk);
  if (exit == kOk && !ask.record.empty()) exit = save_record(ask, std::move(record), answer);
  if (exit == kOk) print_cut(answer, ask, talk), print_speed(answer, ask);
  if (exit == kOk && ask.generate.constraint && !answer.is_whole()) {
    print_error("the answer ended before it was whole", "--max-tokens and --context allow longer ones");
    exit = kError;
  }
  if (exit == kOk && !ask.attention.empty()) exit = draw_answer(ask, answer, pictures, talk);
  if (ask.verbose) print_seen(answer, pictures), print_usage(answer, talk.load_seconds);
  return finish_output(exit);
}

/// The options of dsvl replay that win over the recorded ones.
struct Replayed {
  std::string model;
  int threads = 0;
  bool quiet = false;
};

/// Asks what the arguments say, and with `replay` compares the answer with a recorded one instead of printing it.
int ask_question(Arguments arguments, const Replay* replay) {
  const auto began = Clock::now();
  Ask ask;
  const CommandLine line = describe(ask);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (replay) {
    if (const auto exit = line.parse(replay->options, rest)) return *exit;
    ask.question = replay->record.question;
    ask.wish.schema_text = replay->record.schema;
  }
  dsvl::CancelToken& interrupt = catch_interrupts();
  const bool asked_there = rest.size() == 1 && rest[0] == "-";
  if (const auto exit = check_attention(line, ask)) return *exit;
  if (const auto exit = check_deadline(line, ask)) return *exit;
  if (!replay) {
    if (const auto exit = check_input(line, ask.images, asked_there ? "the question" : "")) return *exit;
    if (const auto exit = read_question(line, rest, ask.question)) return *exit;
  }
  Held held;
  if (const auto exit = held.compile(line, ask.wish)) return *exit;
  held.choose(ask.load, ask.generate);
  std::vector<NamedPicture> pictures;
  if (const auto exit = replay ? find_pictures(*replay, ask.images, pictures) : find_pictures(ask.images, pictures))
    return *exit;
  add_regions(ask.regions, pictures);
  if (!ask.attention.empty()) ask.session.attention_maps = ask.generate.max_tokens;
  ProgressLine progress(!ask.quiet);
  ask.load.cancel = ask.generate.cancel = &interrupt;
  ask.generate.progress = progress.hook();
  int exit = kOk;
  auto talk = open_talk(ask, progress, exit);
  if (!talk) return exit;
  Record record;
  if (replay || !ask.record.empty()) record = begin_record(arguments, ask.question, held.schema(), pictures, *talk);
  if (!replay) return answer_question(ask, pictures, *talk, progress, began, std::move(record));
  dsvl::Answer answer = talk->session.ask(pictures_of(pictures), ask.question, ask.generate);
  progress.clear();
  const int same = compare(*replay, record, answer, *talk);
  const int failed = give_up(answer, pictures, *talk);
  return failed == kOk ? same : failed;
}

CommandLine describe(Replay& replay, Replayed& options) {
  CommandLine line("dsvl replay", "[OPTION]... FILE",
                   "Asks again what dsvl ask --record FILE recorded, with the same options, and prints whether the answer\n"
                   "is the same, token by token, or which token is the first that differs. Exit code 0 when it is the\n"
                   "same. Relative paths in it begin where dsvl runs.");
  line.path('m', "model", "PATH", "The model, if not the recorded one", options.model);
  line.path(0, "pictures", "DIRECTORY", "Where the recorded pictures are now", replay.pictures);
  line.whole(0, "threads", "Threads to use", options.threads, 1, 256);
  line.flag('q', "quiet", "No progress line", options.quiet);
  return line;
}

}  // namespace

int run_ask(Arguments arguments) { return ask_question(arguments, nullptr); }

int run_replay(Arguments arguments) {
  Replay replay;
  Replayed options;
  const CommandLine line = describe(replay, options);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (rest.size() != 1 || rest[0].empty()) return line.usage_error("one file is expected that dsvl ask --record wrote");
  auto record = read_record(rest[0]);
  if (!record) return give_up(record.error());
  replay.record = std::move(*record);
  if (!options.model.empty()) replay.options.insert(replay.options.end(), {"-m", options.model});
  if (options.threads > 0) replay.options.insert(replay.options.end(), {"--threads", std::to_string(options.threads)});
  if (options.quiet) replay.options.push_back("-q");
  return ask_question(replay.record.arguments, &replay);
}

}  // namespace cli
