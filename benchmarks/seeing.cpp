// What the model saw: what attention maps cost, where their strongest cell lies, and what regions read.
//
//   bench_seeing [MODEL [THREADS [ROUNDS]]]
//
// Without a model, or with tiny-vl, its demo questions are asked from examples/models (so run it at the top of the
// repository). First, of answers that name one colour: how often the token of the picture that got the most attention
// shows some of the thing in that colour, against tokens picked blindly. Then texts of the demo pictures, shrunk and put
// into a large picture, are read from the whole, from the whole and the region, and from the region alone. Then all demo
// questions are asked with the picture twice. Last, with any model, decoding with maps and without, in turns. Checks
// itself: ids are the same with maps and without.
#include <algorithm>
#include <cmath>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/dsvl.hpp>
#include <dsvl/io/image.hpp>
#include <dsvl/text/tokenizer.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench.hpp"

using namespace dsvl;

namespace {

/// Stops the program with an error.
[[noreturn]] void stop(const Status& status) { std::exit(report(status)); }
template <class T>
T take(Result<T> result) {
  if (!result) stop(result.error());
  return std::move(*result);
}

/// A demo question with its picture.
struct Question {
  std::filesystem::path picture;
  std::string kind, text, answer;
};
std::vector<Question> demo_questions(const std::filesystem::path& model) {
  std::ifstream file(model / "demo/questions.json");
  std::vector<Question> out;
  for (const auto& q : nlohmann::json::parse(file))
    out.push_back({model / "demo" / q["image"].get<std::string>(), q["kind"], q["question"], q["answer"]});
  return out;
}

std::string answer_to(Session& session, std::span<const Picture> pictures, const std::string& question, Index& tokens) {
  session.clear();
  Answer answer = session.ask(pictures, question);
  while (answer.next()) {}
  if (!answer.status().ok()) stop(answer.status());
  tokens = answer.usage().prompt_tokens;
  std::string text(answer.text());
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// --- what the strongest token shows ---------------------------------------------------------------

struct Colour {
  const char* name;
  int rgb[3];
};
/// The colours of things in the demo pictures, which vary by about ten levels.
constexpr Colour kColours[] = {{"red", {222, 42, 36}},     {"green", {34, 150, 60}},  {"blue", {46, 88, 216}},
                               {"yellow", {238, 218, 54}}, {"orange", {245, 142, 36}}, {"purple", {135, 66, 170}},
                               {"pink", {244, 132, 184}},  {"cyan", {64, 196, 214}},  {"black", {20, 24, 22}},
                               {"white", {246, 246, 246}}};

/// The one colour that a text names; none when it names several, or none.
const Colour* named_colour(const std::string& text) {
  const Colour* found = nullptr;
  for (const Colour& c : kColours) {
    if (text.find(c.name) == std::string::npos) continue;
    if (found) return nullptr;
    found = &c;
  }
  return found;
}
/// For each token whether its cell shows some pixels of a colour, and the share of these in the picture.
struct Shown {
  std::vector<bool> tokens;
  double share = 0;
};
Shown tokens_with(const Image& image, const Colour& colour, const TokenMap& map) {
  constexpr int kLeast = 12;  // pixels: fewer may be edges between other colours
  std::vector<int> count(static_cast<std::size_t>(map.grid().tokens()));
  Index all = 0;
  for (Index y = 0; y < image.height; ++y)
    for (Index x = 0; x < image.width; ++x) {
      const std::uint8_t* const p = image.rgb.data() + 3 * (y * image.width + x);
      int far_off = 0;
      for (int c = 0; c < 3; ++c) far_off += (p[c] - colour.rgb[c]) * (p[c] - colour.rgb[c]);
      if (far_off > 35 * 35) continue;
      ++all;
      if (const auto t = map.token_at(static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5))
        ++count[static_cast<std::size_t>(*t)];
    }
  Shown out;
  for (const int n : count) out.tokens.push_back(n >= kLeast);
  out.share = static_cast<double>(all) / static_cast<double>(image.width * image.height);
  return out;
}

struct Hits {
  int asked = 0, answer = 0, word = 0;
  double blind = 0, share = 0, lit = 0;
};
/// The token of an answer in which a word begins.
Index token_of(const Answer& answer, const Tokenizer& tokenizer, std::string_view word) {
  std::string text;
  std::vector<std::size_t> begins;
  for (const std::int32_t id : answer.ids()) begins.push_back(text.size()), text += tokenizer.token_bytes(id);
  const std::size_t at = text.find(word);
  return std::upper_bound(begins.begin(), begins.end(), at) - begins.begin() - 1;
}
/// Asks with maps, and compares the strongest cell of the whole answer, and of the colour's own token, with the pixels.
void count_hits(Session& session, const Tokenizer& tokenizer, const Question& q, Hits& hits) {
  const Colour* const colour = named_colour(q.answer);
  if (!colour) return;
  session.clear();
  Answer answer = session.ask(Picture(q.picture), q.text);
  while (answer.next()) {}
  if (!answer.status().ok()) stop(answer.status());
  if (std::string(answer.text()) != q.answer) return;
  const Image image = take(read_image(q.picture));
  const TokenMap map = answer.pictures()[0].map();
  const Shown shown = tokens_with(image, *colour, map);
  const auto lit = std::count(shown.tokens.begin(), shown.tokens.end(), true);
  if (lit == 0 || shown.share > 0.25) return;  // the background has that colour too
  const AnswerAttention maps = answer.attention();
  std::vector<float> mean(static_cast<std::size_t>(maps.cells()));
  const auto strongest_is_lit = [&](Index first, Index count) {
    if (!maps.mean(first, count, 0, mean).ok()) return false;
    return bool(shown.tokens[static_cast<std::size_t>(std::max_element(mean.begin(), mean.end()) - mean.begin())]);
  };
  Index places = 0;
  for (Index t = 0; t < map.grid().tokens(); ++t) places += !map.box_of(t).empty();
  ++hits.asked;
  hits.answer += strongest_is_lit(0, maps.tokens());
  hits.word += strongest_is_lit(token_of(answer, tokenizer, colour->name), 1);
  hits.blind += static_cast<double>(lit) / static_cast<double>(places);
  if (!maps.mean(0, maps.tokens(), 0, mean).ok()) return;
  double all = 0, on_it = 0;
  for (std::size_t t = 0; t < mean.size(); ++t) {
    all += static_cast<double>(mean[t]);
    if (shown.tokens[t]) on_it += static_cast<double>(mean[t]);
  }
  hits.share += all;
  hits.lit += on_it / all;
}
void print_hits(const Model& model, std::span<const Question> questions) {
  SessionOptions options;
  options.attention_maps = 64;
  Session session = take(Session::open(model, options));
  Hits hits;
  for (const Question& q : questions) count_hits(session, *model.tokenizer(), q, hits);
  const double n = std::max(1, hits.asked);
  std::printf("strongest token of a right answer that names one colour, %d questions:\n", hits.asked);
  std::printf("  shows the thing in that colour: mean of the answer %d (%.0f %%), token of the colour %d (%.0f %%)\n",
              hits.answer, 100 * hits.answer / n, hits.word, 100 * hits.word / n);
  std::printf("  tokens that show it: %.0f %% of the picture's, with %.0f %% of the attention that goes to the picture, which "
              "is %.0f %% of all\n\n", 100 * hits.blind / n, 100 * hits.lit / n, 100 * hits.share / n);
}

// --- small texts ----------------------------------------------------------------------------------

/// A large picture with a small one in it.
struct Page {
  std::vector<std::uint8_t> rgb;
  Index width, height;
  Rect part;
  [[nodiscard]] Pixels pixels() const { return {rgb.data(), width, height}; }
};
/// Puts a picture into one that is `times` as wide, filled with the colour of its corner, at one of nine places.
Page page_with(const Image& image, Index times, Index place) {
  Page page{{}, image.width * times, image.height * times, {}};
  page.part = {image.width * (times - 1) * (place % 3) / 2, image.height * (times - 1) * (place / 3) / 2, image.width,
               image.height};
  for (Index i = 0; i < page.width * page.height; ++i)
    page.rgb.insert(page.rgb.end(), image.rgb.data(), image.rgb.data() + 3);
  for (Index y = 0; y < image.height; ++y)
    std::copy_n(image.rgb.data() + 3 * y * image.width, 3 * image.width,
                page.rgb.data() + 3 * ((page.part.y + y) * page.width + page.part.x));
  return page;
}
/// The text in quotes that a right answer has, whatever else it says.
std::string quoted(const std::string& answer) {
  const std::size_t first = answer.find('"');
  return first == std::string::npos ? std::string() : answer.substr(first, answer.rfind('"') + 1 - first);
}
/// Of the texts that are read where they fill the picture.
void print_regions(const Model& model, std::span<const Question> questions) {
  Session session = take(Session::open(model));
  std::vector<Question> texts;
  Index tokens[3] = {};
  for (const Question& q : questions) {
    const Picture picture(q.picture);
    const std::string text = quoted(q.answer);
    if (!text.empty() && answer_to(session, {&picture, 1}, q.text, tokens[0]).find(text) != std::string::npos)
      texts.push_back(q);
  }
  std::printf("texts that are read in pictures of their own, %zu questions\n", texts.size());
  std::printf("at nine places of a larger picture, read with     the whole   whole and region   region alone\n");
  for (const Index times : {2, 3, 4, 6}) {
    int right[3] = {}, asked = 0;
    for (const Question& q : texts)
      for (Index place = 0; place < 9; ++place, ++asked) {
        const Page page = page_with(take(read_image(q.picture)), times, place);
        const Picture whole(page.pixels()), part = whole.region(page.part);
        const std::vector<Picture> ways[] = {{whole}, {whole, part}, {part}};
        for (std::size_t w = 0; w < 3; ++w)
          right[w] += answer_to(session, ways[w], q.text, tokens[w]).find(quoted(q.answer)) != std::string::npos;
      }
    std::printf("  %td times as wide, of %d                          %9d   %16d   %12d\n", times, asked, right[0], right[1],
                right[2]);
  }
  std::printf("  tokens of the prompt                            %9td   %16td   %12td\n\n", tokens[0], tokens[1], tokens[2]);
}
void print_twice(const Model& model, std::span<const Question> questions) {
  Session session = take(Session::open(model));
  int once = 0, twice = 0;
  Index tokens[2] = {};
  for (const Question& q : questions) {
    const Picture picture(q.picture);
    const Picture both[] = {picture, picture};
    once += answer_to(session, {both, 1}, q.text, tokens[0]) == q.answer;
    twice += answer_to(session, both, q.text, tokens[1]) == q.answer;
  }
  std::printf("demo questions, %zu: right with the picture %d, with the picture twice %d; prompts of %td and %td tokens\n\n",
              questions.size(), once, twice, tokens[0], tokens[1]);
}

// --- what maps cost -------------------------------------------------------------------------------

/// Decodes behind a picture, in turns with maps and without; seconds of a token of each.
bool print_cost(const Model& model, Executor& executor, int rounds) {
  constexpr Index kTokens = 48;
  GenerateOptions generate;
  generate.max_tokens = kTokens;
  for (const std::int32_t id : model.end_tokens()) generate.sampling.bias.push_back({id, -1e6f});
  const bench::MadeUpPicture made_up;
  const Picture picture(made_up.pixels());
  if (!model.image_token()) stop(fail(Code::unsupported, "the model has no token for pictures"));
  // Ids, so that models without a tokenizer do as well.
  std::vector<std::int32_t> prompt(static_cast<std::size_t>(model.info().image_tokens), *model.image_token());
  for (std::int32_t id = 5; id < 30; ++id) prompt.push_back(id);
  std::vector<double> seconds[2], ratios;
  std::vector<std::int32_t> ids[2];
  std::vector<Session> sessions;
  for (const Index maps : {Index{0}, kTokens}) {
    SessionOptions options;
    options.host.executor = &executor;
    options.attention_maps = maps;
    options.limits.context = std::min<Index>(1024, model.info().max_context);
    sessions.push_back(take(Session::open(model, options)));
  }
  for (int round = 0; round <= rounds; ++round)
    for (std::size_t s = 0; s < 2; ++s) {
      Answer answer = sessions[s].generate(prompt, {&picture, 1}, generate);
      while (answer.next()) {}
      if (!answer.status().ok()) stop(answer.status());
      if (round == 0) ids[s].assign(answer.ids().begin(), answer.ids().end());  // it warms up as well
      else seconds[s].push_back(answer.usage().decode / static_cast<double>(kTokens - 1));
    }
  for (std::size_t i = 0; i < seconds[0].size(); ++i) ratios.push_back(seconds[1][i] / seconds[0][i]);
  std::printf("decoding behind a picture, %d rounds: %.4f ms a token, with attention maps %.4f ms (median of ratios %.3f)\n",
              rounds, 1e3 * bench::median(seconds[0]), 1e3 * bench::median(seconds[1]), bench::median(ratios));
  std::printf("memory of a session: %.2f MiB, with attention maps %.2f MiB\n",
              static_cast<double>(sessions[0].bytes()) / (1 << 20), static_cast<double>(sessions[1].bytes()) / (1 << 20));
  return ids[0] == ids[1];
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path path = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  ThreadPool executor(argc > 2 ? std::atoi(argv[2]) : available_threads());
  LoadOptions load;
  load.host.executor = &executor;
  const Model model = take(Model::load(path, load));
  if (std::filesystem::exists(path / "demo/questions.json")) {
    const std::vector<Question> questions = demo_questions(path);
    print_hits(model, questions);
    print_regions(model, questions);
    print_twice(model, questions);
  }
  if (print_cost(model, executor, argc > 3 ? std::atoi(argv[3]) : 9)) return 0;
  std::fprintf(stderr, "ids differ with attention maps\n");
  return 1;
}
