#include "options.hpp"

#include <fstream>
#include <iterator>

#include "../cli/command_line.hpp"
#include "../cli/console.hpp"
#include "../cli/system.hpp"

namespace robot {

namespace {

/// Adds the questions of a file. What is wrong with it.
std::string read_question_file(const std::string& file, std::vector<Question>& to) {
  std::ifstream in(cli::to_path(file), std::ios::binary);
  if (!in) return "can not be read";
  auto questions = read_questions(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!questions) return questions.error().text();
  std::move(questions->begin(), questions->end(), std::back_inserter(to));
  return {};
}

/// A function for CommandLine::other that adds a question.
auto question_adder(Options& o, bool is_gate) {
  return [&o, is_gate](std::string_view text) {
    if (text.empty()) return std::string("is empty, a question is needed");
    Question question;
    question.name = question.text = text;
    question.is_gate = is_gate;
    return o.questions.push_back(std::move(question)), std::string();
  };
}

/// What the command line says before it is made sense of.
struct Words {
  RawFormat raw;
  dsvl::ColorRange range = dsvl::ColorRange::limited;
  dsvl::ColorMatrix matrix = dsvl::ColorMatrix::bt601;
  float change_percent = 1, cpu_share = 0;
  int deadline_ms = 0;
};

void add_source(cli::CommandLine& line, Options& o, Words& words) {
  line.section("Frames, from one of");
  line.path('f', "folder", "FOLDER", "Its PNG and JPEG files, by their names", o.folder);
  line.other(0, "raw", "WxH:ENCODING", "Standard input, as 640x480:bgr8; encodings have ROS's names",
             [&](std::string_view text) {
               std::string wrong = read_raw_format(text, words.raw);
               if (wrong.empty()) o.raw = words.raw;
               return wrong;
             });
  line.path(0, "video", "FILE", "A video (OpenCV)", o.video);
  line.path('c', "camera", "N", "A camera: its number, a device, an address (OpenCV)", o.camera);
  line.section("How they come");
  line.real(0, "fps", "Frames a second of a folder or a video (default: a video's own; a folder waits)", o.fps, 0.001,
            1000);
  line.flag(0, "each", "Drops none: the source waits for the answers", o.each);
  line.other(0, "range", "NAME", "Of YUV on standard input: limited (default), full",
             cli::one_of<dsvl::ColorRange>(
                 words.range, {{"limited", dsvl::ColorRange::limited}, {"full", dsvl::ColorRange::full}}));
  line.other(0, "matrix", "NAME", "Of YUV on standard input: bt601 (default), bt709",
             cli::one_of<dsvl::ColorMatrix>(
                 words.matrix, {{"bt601", dsvl::ColorMatrix::bt601}, {"bt709", dsvl::ColorMatrix::bt709}}));
}

void add_questions(cli::CommandLine& line, Options& o, Words& words) {
  line.section("Questions");
  line.other('q', "questions", "FILE", "A JSON array of them (see README.md)",
             [&o](std::string_view file) { return read_question_file(std::string(file), o.questions); });
  line.other('a', "ask", "QUESTION", "Asks about every picture that is new; again for another",
             question_adder(o, false));
  line.other('g', "gate", "QUESTION", "Yes or no, with its probability; again for another", question_adder(o, true));
  line.whole(0, "deadline-ms", "From a frame to its answer, where a question has no deadline of its own",
             words.deadline_ms, 1, 3'600'000);
  line.section("What is new");
  line.whole(0, "tolerance", "How far a colour may be off without being a change (default: 12 of 255)",
             o.watch.tolerance, 0, 255);
  line.real(0, "change", "Percent of the pixels that have to change; 0: any (default: 1)", words.change_percent, 0,
            100);
  line.flag(0, "same-frame", "Asks all questions about one frame, which is as old then as they take together",
            o.watch.same_frame);
}

void add_machine(cli::CommandLine& line, Options& o, Words& words) {
  line.section("Model and machine");
  line.path('m', "model", "PATH", "A folder or a GGUF file (default: examples/models/tiny-vl)", o.model);
  line.whole(0, "threads", "Threads of the model (default: as many as there are)", o.threads, 0, 1024);
  line.whole(0, "context", "Tokens of a picture, a question and its answer (default: 1024, or the model's)",
             o.watch.context, 1, 1 << 20);
  line.real(0, "cpu-share", "Cores that the program may have in the mean: 0.5 is half of one (default: all)",
            words.cpu_share, 0.01, 1024);
  line.whole(0, "status-every", "Frames from one line of counts to the next (default: none)", o.watch.status_every, 1,
             1'000'000'000);
}

/// What does not go together; empty when all does.
std::string conflict(const Options& o, const Words& words) {
  const int sources = !o.folder.empty() + !o.video.empty() + !o.camera.empty() + o.raw.has_value();
  if (sources != 1) return "frames come from one of --folder, --raw, --video and --camera";
  if (o.questions.empty()) return "there is no question: give --ask, --gate or --questions";
  if (o.fps > 0 && (o.raw || !o.camera.empty())) return "--fps goes with --folder or --video";
  if (o.fps > 0 && o.each) return "--fps and --each contradict each other";
  if (o.each && !o.camera.empty()) return "--each: a camera does not wait";
  const bool is_yuv = o.raw && dsvl::is_yuv(*pixel_format(o.raw->encoding));
  if (!is_yuv && (words.range != dsvl::ColorRange::limited || words.matrix != dsvl::ColorMatrix::bt601))
    return "--range and --matrix go with --raw and one of yuv422, uyvy, yuv422_yuy2, yuyv, nv12, nv21";
  return {};
}

}  // namespace

std::optional<int> read_options(std::span<const std::string> arguments, Options& options) {
  cli::CommandLine line(
      "dsvl-robot", "--camera 0 --ask QUESTION [options]",
      "Looks at the frames of a camera, and says what a model says to those that show something new.");
  Words words;
  add_source(line, options, words);
  add_questions(line, options, words);
  add_machine(line, options, words);
  line.epilog("It writes an object of JSON a line. Ctrl-C ends it with a summary.");
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return exit;
  if (!rest.empty()) return line.usage_error("unexpected argument " + rest[0], "name the frames with --folder");
  if (const std::string wrong = conflict(options, words); !wrong.empty()) return line.usage_error(wrong);
  if (options.raw) options.raw->range = words.range, options.raw->matrix = words.matrix;
  for (Question& question : options.questions)
    if (question.deadline.count() == 0) question.deadline = std::chrono::milliseconds(words.deadline_ms);
  options.each = options.each || (!options.folder.empty() && options.fps == 0);
  options.watch.live = !options.each;
  options.watch.least_change = static_cast<double>(words.change_percent) / 100;
  options.watch.cpu_share = static_cast<double>(words.cpu_share);
  return std::nullopt;
}

}  // namespace robot
