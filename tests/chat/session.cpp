// What a session promises beside right answers: choices, endings, histories, sources of pictures and models, the host's ways.
#include <cfenv>
#include <cmath>
#include <dsvl/base/thread_pool.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "health.hpp"
#include "model_files.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace dsvl;

namespace {

using test::first;

using test::brief;

GenerateOptions hot(std::uint64_t seed, float temperature = 1.0f) {
  GenerateOptions options;
  options.sampling.temperature = temperature;
  options.sampling.seed = seed;
  options.max_tokens = 24;
  return options;
}

std::vector<float> first_logits(const Answer& answer) {
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  return {answer.logits().begin(), answer.logits().end()};
}

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Logits of the first demo question in a session of its own.
std::vector<float> logits_of(const Model& model, const SessionOptions& options = {}) {
  Session session = test::open_session(options, model);
  return first_logits(session.ask(first().picture, first().question));
}

const std::vector<float>& reference_logits() {
  static const std::vector<float> once = logits_of(test::tiny_model());
  return once;
}

Image first_image() {
  auto image = read_image(first().picture);
  if (!image) FAIL(image.error().text());
  return std::move(*image);
}

int threads_of_this_process() {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) count += !entry.path().empty();
  return count;
}

}  // namespace

// --- choosing -----------------------------------------------------------------------------------

TEST_CASE("the same seed gives the same answer, other seeds give others") {
  Session session = test::open_session(brief());
  std::set<std::vector<std::int32_t>> answers;
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
    session.clear();
    const auto once = test::drain(session.ask(first().picture, "Describe the image.", hot(seed, 2.0f)));
    session.clear();
    CHECK(test::drain(session.ask(first().picture, "Describe the image.", hot(seed, 2.0f))) == once);
    answers.insert(once);
  }
  CHECK(answers.size() > 1);
}

TEST_CASE("drawing among the one best is greedy, and so is a very low temperature") {
  Session session = test::open_session(brief());
  const auto greedy = test::drain(session.ask(first().picture, "Describe the image."));
  for (int way = 0; way < 3; ++way) {
    CAPTURE(way);
    GenerateOptions options = hot(9);
    if (way == 0) options.sampling.top_k = 1;
    if (way == 1) options.sampling.top_p = 1e-6f;
    if (way == 2) options.sampling.temperature = 1e-4f;
    options.max_tokens = 512;
    session.clear();
    CHECK(test::drain(session.ask(first().picture, "Describe the image.", options)) == greedy);
  }
}

TEST_CASE("banned tokens never come, biased ones do") {
  Session session = test::open_session(brief());
  const auto greedy = test::drain(session.ask(first().picture, first().question));
  GenerateOptions options;
  options.max_tokens = 8;
  options.sampling.banned = {greedy[0], greedy[1]};
  session.clear();
  const auto without = test::drain(session.ask(first().picture, first().question, options));
  CHECK(std::count(without.begin(), without.end(), greedy[0]) + std::count(without.begin(), without.end(), greedy[1]) == 0);
  options.sampling.banned.clear();
  options.sampling.bias = {{77, 1000.0f}};
  session.clear();
  CHECK(test::drain(session.ask(first().picture, first().question, options)) == std::vector<std::int32_t>(8, 77));
}

TEST_CASE("log-probabilities are the model's own: those of all tokens sum to one, the greedy token has the highest") {
  Session session = test::open_session(brief());
  for (const float temperature : {0.0f, 3.0f}) {
    session.clear();
    Answer answer = session.ask(first().picture, "Describe the image.", hot(4, temperature));
    while (const auto piece = answer.next()) {
      const std::vector<float> logits(answer.logits().begin(), answer.logits().end());
      if (logits.empty()) break;  // the answer has ended
      double sum = 0, largest = -INFINITY;
      for (const float x : logits) {
        const double log_p = double{x} - double{logits[static_cast<std::size_t>(piece->id)]} + piece->log_probability;
        sum += std::exp(log_p);
        largest = std::max(largest, log_p);
      }
      CHECK(std::abs(sum - 1) < 1e-9);
      CHECK(piece->log_probability <= 0);
      if (temperature == 0.0f) CHECK(piece->log_probability == doctest::Approx(largest));
    }
  }
}

// --- ending -------------------------------------------------------------------------------------

TEST_CASE("answers end at eos, at a stop text and at max_tokens, and say so") {
  Session session = test::open_session();
  Answer answer = session.ask(first().picture, first().question);
  CHECK(answer.finish() == Finish::none);
  const auto ids = test::drain(answer);
  const std::string text(answer.text());
  REQUIRE(text == "There are 4 bars.");
  CHECK(answer.finish() == Finish::eos);
  CHECK(ids.back() == *test::tiny_model().tokenizer()->eos());
  CHECK(answer.usage().answer_tokens == static_cast<Index>(ids.size()));
  CHECK(answer.usage().prompt_tokens == static_cast<Index>(answer.prompt_ids().size()));
  CHECK(answer.usage().reused_tokens == 0);
  CHECK(answer.usage().encode > 0);
  CHECK(answer.usage().prefill > 0);
  CHECK(answer.usage().decode > 0);
  CHECK(!answer.next());

  const Picture picture(first().picture);
  const auto again = [&](const GenerateOptions& options) {  // beside the conversation, so that the cache serves every time
    return session.generate(first().prompt_ids, {&picture, 1}, options);
  };
  for (Index most = 1; most < static_cast<Index>(ids.size()); ++most) {
    GenerateOptions options;
    options.max_tokens = most;
    Answer cut = again(options);
    CHECK(test::drain(cut) == std::vector<std::int32_t>(ids.begin(), ids.begin() + most));
    CHECK(cut.finish() == Finish::length);
    CHECK(cut.status().ok());
    CHECK(text.starts_with(cut.text()));
  }
  // Every stretch of three bytes, wherever tokens begin and end: the text in front of its first place, and no more.
  for (std::size_t at = 1; at + 3 <= text.size(); ++at) {
    const std::string stop = text.substr(at, 3);
    CAPTURE(stop);
    GenerateOptions options;
    options.stop = {"never met", stop};
    Answer stopped = again(options);
    std::string shown;
    while (auto piece = stopped.next()) shown += piece->text;
    CHECK(stopped.finish() == Finish::stop);
    CHECK(shown == text.substr(0, text.find(stop)));
    CHECK(stopped.text() == shown);
  }
}

TEST_CASE("pieces are whole characters, and together the text") {
  const Tokenizer& tokenizer = *test::tiny_model().tokenizer();
  Session session = test::open_session(brief());
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {  // hot enough to break characters
    session.clear();
    Answer answer = session.ask("Describe it.", hot(seed, 30.0f));
    std::string shown;
    while (auto piece = answer.next()) {
      CHECK(utf8::validate(piece->text).ok());
      shown += piece->text;
    }
    CHECK(shown == answer.text());
    CHECK(utf8::validate(shown).ok());
    std::string decoded = tokenizer.decode(answer.ids());
    decoded.erase(0, std::min(decoded.find_first_not_of(" \t\r\n"), decoded.size()));
    CHECK(shown == decoded);
    CHECK(session.ask("Why?").status().ok());  // whatever was said can stand in a prompt
  }
}

// --- histories ----------------------------------------------------------------------------------

TEST_CASE("generated ids are kept as they were when asked to, and then nothing of them is prefilled again") {
  SessionOptions options;
  options.keep_generated_ids = true;
  Session session = test::open_session(options);
  const auto ids = test::drain(session.ask(first().picture, first().question));
  Answer next = session.ask("Which bar is the tallest?");
  REQUIRE(next.status().ok());
  const auto prompt = test::ids(next.prompt_ids());
  CHECK(std::search(prompt.begin(), prompt.end(), ids.begin(), ids.end()) != prompt.end());
  CHECK(next.usage().reused_tokens == static_cast<Index>(first().prompt_ids.size() + ids.size()) - 1);  // eos was never run
}

TEST_CASE("an answer of generated ids that holds image tokens or eos can still stand in a conversation") {
  SessionOptions options = brief();
  options.keep_generated_ids = true;
  Session session = test::open_session(options);
  GenerateOptions forced;
  forced.max_tokens = 3;
  forced.sampling.bias = {{*test::tiny_model().image_token(), 1000.0f}};
  CHECK(test::drain(session.ask(first().picture, "What is this?", forced)) == std::vector<std::int32_t>(3, 535));
  const Answer next = session.ask("Why?");
  CHECK_MESSAGE(next.status().ok(), next.status().text());
}

TEST_CASE("clear() forgets the conversation; what was computed of the same beginning stays and gives the same bits") {
  Session session = test::open_session();
  CHECK(equal_bits(first_logits(session.ask(first().picture, first().question)), reference_logits()));
  test::drain(session.ask("Why?"));
  session.clear();
  const Answer answer = session.ask(first().picture, first().question);
  CHECK(equal_bits(first_logits(answer), reference_logits()));
  CHECK(answer.usage().reused_tokens == 128);  // the two pages that were full: the other question wrote over the rest
  CHECK(answer.usage().encode == 0);
  CHECK(session.turns() == 0);
}

TEST_CASE("an answer that is left for another ends there: its handle says so and its question is forgotten") {
  Session session = test::open_session();
  Answer left = session.ask("How are you?");
  Answer right = session.ask(first().picture, first().question);
  CHECK(!left.next());
  CHECK(left.finish() == Finish::cancelled);
  CHECK(left.status().code() == Code::cancelled);
  CHECK(left.text().empty());
  CHECK(left.logits().empty());
  CHECK(test::ids(right.prompt_ids()) == first().prompt_ids);
  CHECK(test::drain(right) == first().answer_ids);
  session.clear();
  CHECK(!right.next());
  CHECK(right.text().empty());
}

TEST_CASE("an answer outlives its session, and a session its model") {
  std::optional<Answer> answer;
  {
    std::optional<Session> session;
    {
      const auto model = Model::load(test::tiny_vl());
      REQUIRE(model);
      session = test::open_session({}, *model);
    }
    answer = session->ask(first().picture, first().question);
  }
  CHECK(test::drain(*answer) == first().answer_ids);
}

TEST_CASE("the last answer's own text and ids can be asked with") {
  Session session = test::open_session(brief());
  Answer answer = session.ask(first().picture, first().question);
  test::drain(answer);
  const std::string text(answer.text());
  Answer echo = session.ask(answer.text());
  REQUIRE(echo.status().ok());
  CHECK(test::tiny_model().tokenizer()->decode(echo.prompt_ids()).find("User: " + text + "\n") != std::string::npos);
  const auto prompt = test::ids(echo.prompt_ids());
  session.clear();
  Answer plain = session.ask("Hello?");
  const auto plain_prompt = test::ids(plain.prompt_ids());
  Answer same = session.generate(plain.prompt_ids(), {});
  CHECK(test::ids(same.prompt_ids()) == plain_prompt);
  CHECK(same.usage().reused_tokens == static_cast<Index>(plain_prompt.size()) - 1);
}

TEST_CASE("complete() and generate() stand beside the conversation and do not touch it") {
  test::Patient patient;
  Session& session = patient.session;
  const Picture picture(first().picture);
  Answer given = session.generate(first().prompt_ids, {&picture, 1});
  CHECK(equal_bits(first_logits(given), reference_logits()));
  CHECK(test::drain(given) == first().answer_ids);
  CHECK(given.text() == "There are 4 bars.");
  CHECK(patient.well());
  GenerateOptions short_one;
  short_one.max_tokens = 4;
  Answer completed = session.complete({&picture, 1}, "User: What is this?\n\nAssistant:", short_one);
  REQUIRE(completed.status().ok());
  CHECK(completed.prompt_ids()[0] == 533);
  CHECK(completed.prompt_ids()[1] == 535);
  CHECK(completed.prompt_ids()[64] == 535);
  test::drain(completed);
  short_one.placeholders = true;
  Answer placed = session.complete({&picture, 1}, "User: <image_placeholder>What is this?\n\nAssistant:", short_one);
  CHECK(test::drain(placed).size() == 4);
  CHECK(patient.well());
}

// --- pictures -----------------------------------------------------------------------------------

TEST_CASE("a picture gives the same logits as a path, as a file in memory and as pixels in any layout") {
  const Image image = first_image();
  const std::string file = test::read_file(first().picture);
  const auto same = [](const Picture& picture) {
    Session session = test::open_session();
    return equal_bits(first_logits(session.ask(picture, first().question)), reference_logits());
  };
  CHECK(same(std::filesystem::path(first().picture)));
  CHECK(same(Picture::file(first().picture.string())));
  CHECK(same(Picture::file(first().picture)));
  CHECK(same(std::as_bytes(std::span<const char>(file))));
  CHECK(same(Picture::bytes(std::as_bytes(std::span<const char>(file)))));
  CHECK(same(image.pixels()));
  CHECK(same(Picture::pixels(image.pixels())));
  for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra})
    for (const Index pad : {0, 5})
      for (const bool bottom_up : {false, true}) {
        CAPTURE(static_cast<int>(format));
        const Index step = channels(format), stride = image.width * step + pad;
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(stride * image.height), 77);
        const bool swapped = format == PixelFormat::bgr || format == PixelFormat::bgra;
        for (Index y = 0; y < image.height; ++y)
          for (Index x = 0; x < image.width; ++x)
            for (Index c = 0; c < 3; ++c)
              bytes[static_cast<std::size_t>((bottom_up ? image.height - 1 - y : y) * stride + x * step + (swapped ? 2 - c : c))] =
                  image.rgb[static_cast<std::size_t>((y * image.width + x) * 3 + c)];
        const std::uint8_t* const top = bytes.data() + (bottom_up ? (image.height - 1) * stride : 0);
        CHECK(same(Pixels{top, image.width, image.height, format, bottom_up ? -stride : stride}));
      }
}

TEST_CASE("a gray picture is the same as its three equal channels") {
  std::vector<std::uint8_t> gray(60 * 40), rgb;
  for (std::size_t i = 0; i < gray.size(); ++i) gray[i] = static_cast<std::uint8_t>(i * 7);
  for (const std::uint8_t g : gray) rgb.insert(rgb.end(), 3, g);
  Session a = test::open_session(brief()), b = test::open_session(brief());
  CHECK(equal_bits(first_logits(a.ask(Pixels{gray.data(), 60, 40, PixelFormat::gray, 0}, "What is this?")),
                   first_logits(b.ask(Pixels{rgb.data(), 60, 40, PixelFormat::rgb, 0}, "What is this?"))));
}

TEST_CASE("a picture is encoded once, however it is shown again") {
  const Image image = first_image();
  Session session = test::open_session(brief());
  Answer once = session.ask(first().picture, first().question);
  CHECK(once.usage().encode > 0);
  test::drain(once);
  for (const Picture& picture : {Picture(first().picture), Picture(image.pixels())}) {
    Answer again = session.ask(picture, "And this?");
    REQUIRE(again.status().ok());
    CHECK(again.usage().encode == 0);
    CHECK(again.usage().preprocess == 0);
    const auto ids = again.prompt_ids();
    CHECK(std::count(ids.begin(), ids.end(), 535) >= 128);
    test::drain(again);
  }
  Answer both = session.complete(std::vector<Picture>{first().picture, first().picture}, " Two.");
  CHECK(both.status().ok());
  CHECK(both.usage().encode == 0);
}

TEST_CASE("the smallest and the thinnest pictures work") {
  const std::vector<std::uint8_t> bytes(3 * 4096, 200);
  Session session = test::open_session(brief());
  for (const auto& [width, height] : std::vector<std::pair<Index, Index>>{{1, 1}, {1, 4096}, {4096, 1}, {3, 2}}) {
    session.clear();
    const Answer answer = session.ask(Pixels{bytes.data(), width, height}, "What is this?");
    CHECK(!first_logits(answer).empty());
  }
}

// --- sources, formats ---------------------------------------------------------------------------

TEST_CASE("a model from memory, from a reader, and from a directory in any mode gives the same logits") {
  class FileReader final : public Reader {
   public:
    ~FileReader() = default;
    std::optional<std::uint64_t> size(std::string_view name) noexcept override {
      const auto path = test::tiny_vl() / name;
      if (!std::filesystem::is_regular_file(path)) return std::nullopt;
      return std::filesystem::file_size(path);
    }
    bool read(std::string_view name, std::uint64_t offset, std::span<std::byte> into) noexcept override {
      std::ifstream in(test::tiny_vl() / name, std::ios::binary);
      in.seekg(static_cast<std::streamoff>(offset));
      in.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
      return static_cast<std::size_t>(in.gcount()) == into.size();
    }
  };
  for (const LoadMode mode : {LoadMode::map, LoadMode::read, LoadMode::prefault}) {
    LoadOptions options;
    options.mode = mode;
    const auto model = Model::load(test::tiny_vl(), options);
    REQUIRE(model);
    CHECK(equal_bits(logits_of(*model), reference_logits()));
  }
  const auto from_memory = Model::load(test::ModelFiles::tiny().folder());
  REQUIRE(from_memory);
  CHECK(equal_bits(logits_of(*from_memory), reference_logits()));
  FileReader reader;
  const auto from_reader = Model::load(Folder::reader(reader));
  REQUIRE(from_reader);
  CHECK(equal_bits(logits_of(*from_reader), reference_logits()));
  std::string shifted = "?" + test::ModelFiles::tiny().get(test::ModelFiles::kWeights);  // an odd address
  test::ModelFiles odd = test::ModelFiles::tiny();
  odd.remove(test::ModelFiles::kWeights);
  std::vector<NamedBytes> named;
  for (const char* name : {"config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json"})
    named.push_back({name, std::as_bytes(std::span<const char>(odd.get(name)))});
  named.push_back({test::ModelFiles::kWeights, std::as_bytes(std::span<const char>(shifted).subspan(1))});
  const auto misaligned = Model::load(Folder::memory(named));
  REQUIRE(misaligned);
  CHECK(equal_bits(logits_of(*misaligned), reference_logits()));
}

namespace {

/// How the demo's answers, of every `step`-th question, compare with the reference's.
struct Agreement {
  int same = 0, asked = 0;
};
Agreement agreement(Session& session, std::size_t step) {
  const json::Value questions = test::json_file(test::tiny_vl() / "demo" / "questions.json").root();
  Agreement out;
  for (std::size_t i = 0; i < questions.size(); i += step, ++out.asked) {
    session.clear();
    const json::Value q = questions[i];
    out.same += test::drain(session.ask(test::demo_picture(q), test::text(q.find("question")))) ==
                test::ids(q.find("reference_ids"));
  }
  return out;
}

double far_from_reference(const std::vector<float>& logits) {
  return test::relative_error(std::span<const float>(logits), std::span<const float>(reference_logits()));
}

}  // namespace

TEST_CASE("a narrower cache answers alike, and takes no notice of chunks either") {
  std::size_t bytes = test::open_session().bytes();
  for (const KvFormat kv : {KvFormat::bf16, KvFormat::q8}) {
    std::vector<std::vector<float>> all;
    SessionOptions options;
    options.limits.kv = kv;
    for (const Index chunk : {7, 128}) {
      options.limits.chunk = chunk;
      all.push_back(logits_of(test::tiny_model(), options));
    }
    CHECK(equal_bits(all[0], all[1]));
    CHECK(!equal_bits(all[0], reference_logits()));
    CHECK(far_from_reference(all[0]) < 0.03);
    Session session = test::open_session(options);
    CHECK(session.bytes() < bytes);
    bytes = session.bytes();
    const auto [same, asked] = agreement(session, 6);
    const std::string cache = kv == KvFormat::bf16 ? "bf16" : "8-bit";
    MESSAGE(same << " of " << asked << " demo answers identical with a " << cache << " cache, logits within "
                 << far_from_reference(all[0]));
    CHECK(same * 10 >= asked * 8);
  }
}

TEST_CASE("rounded activations answer alike") {
  SessionOptions options;
  options.limits.activations = ActivationPrecision::bf16;
  const double far = far_from_reference(logits_of(test::tiny_model(), options));
  CHECK(far > 1e-5);
  CHECK(far < 0.02);
  Session session = test::open_session(options);
  const auto [same, asked] = agreement(session, 3);
  MESSAGE(same << " of " << asked << " demo answers identical with rounded activations, logits within " << far);
  CHECK(same * 10 >= asked * 9);
}

// --- the host -----------------------------------------------------------------------------------

TEST_CASE("the host's floating-point modes do not change an answer and are not changed by one") {
  Session session = test::open_session();
  const std::vector<float> logits = first_logits(session.ask(first().picture, first().question));
  GenerateOptions warm = hot(3);
  session.clear();
  Answer plain = session.ask(first().picture, "Describe the image.", warm);
  std::vector<double> probabilities;
  while (auto piece = plain.next()) probabilities.push_back(piece->log_probability);
  const auto ids = test::ids(plain.ids());
  const auto run = [&] {
    Session other = test::open_session();
    CHECK(equal_bits(first_logits(other.ask(first().picture, first().question)), logits));
    other.clear();
    Answer answer = other.ask(first().picture, "Describe the image.", warm);
    std::vector<double> found;
    while (auto piece = answer.next()) found.push_back(piece->log_probability);
    CHECK(test::ids(answer.ids()) == ids);
    CHECK(found == probabilities);
    const auto loaded = Model::load(test::tiny_vl());
    REQUIRE(loaded);
    CHECK(equal_bits(logits_of(*loaded), logits));
  };
  for (const int rounding : {FE_UPWARD, FE_TOWARDZERO}) {
    std::fesetround(rounding);
    run();
    const int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(after == rounding);
  }
#if defined(__SSE__)
  const unsigned before = _mm_getcsr(), flushing = (before & ~0x3Fu) | 0x8040u;  // flush to zero, denormals are zero
  _mm_setcsr(flushing);
  run();
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  CHECK((after & ~0x3Fu) == (flushing & ~0x3Fu));
#endif
}

#if defined(__linux__)
TEST_CASE("with an executor of the host's no thread is created, without one they end with the model") {
  const int before = threads_of_this_process();
  InlineExecutor mine;
  {
    LoadOptions options;
    options.host.executor = &mine;
    const auto model = Model::load(test::tiny_vl(), options);
    REQUIRE(model);
    Session session = test::open_session({}, *model);
    CHECK(equal_bits(first_logits(session.ask(first().picture, first().question)), reference_logits()));
    CHECK(threads_of_this_process() == before);
  }
  {
    LoadOptions options;
    options.threads = 4;
    const auto model = Model::load(test::tiny_vl(), options);
    REQUIRE(model);
    CHECK(threads_of_this_process() == before + 3);
  }
  CHECK(threads_of_this_process() == before);
}
#endif

TEST_CASE("the logger hears what matters and never about tokens, progress grows to its end stage by stage") {
  struct Heard {
    std::vector<std::pair<Level, std::string>> lines;
    std::map<Stage, std::vector<std::pair<double, double>>> progress;
    static void log(void* user, Level level, std::string_view text) { static_cast<Heard*>(user)->lines.emplace_back(level, text); }
    static void report(void* user, Stage stage, double done, double total) {
      static_cast<Heard*>(user)->progress[stage].emplace_back(done, total);
    }
  } heard;
  test::ModelFiles files = test::ModelFiles::tiny();
  files.set("config.json", "/text_config/max_position_embeddings", 16384);
  files.edit_header([](test::Json& h) {
    h["left.over"] = {{"dtype", "U8"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
  });
  LoadOptions load;
  load.host.log = {Heard::log, &heard};
  load.progress = {Heard::report, &heard};
  const auto model = Model::load(files.folder(), load);
  REQUIRE_MESSAGE(model, model.error().text());
  REQUIRE(heard.lines.size() == 1);
  CHECK(heard.lines[0].first == Level::info);
  CHECK(heard.lines[0].second.find("left.over") != std::string::npos);
  CHECK(heard.progress.size() == 1);
  CHECK(heard.progress.count(Stage::load) == 1);
  heard.lines.clear();
  SessionOptions options;
  options.limits.context = 5000;
  Session session = test::open_session(options, *model);
  REQUIRE(heard.lines.size() == 1);
  CHECK(heard.lines[0].first == Level::warning);
  heard.lines.clear();
  heard.progress.clear();
  GenerateOptions generate;
  generate.progress = {Heard::report, &heard};
  CHECK(test::drain(session.ask(first().picture, first().question, generate)) == first().answer_ids);
  CHECK(heard.lines.empty());
  for (const Stage stage : {Stage::decode_image, Stage::preprocess, Stage::encode, Stage::prefill, Stage::decode}) {
    CAPTURE(name(stage));
    REQUIRE(heard.progress.count(stage) == 1);
    double before = 0;
    for (const auto& [done, total] : heard.progress[stage]) {
      CHECK(total > 0);
      CHECK(done <= total * (1 + 1e-9));
      if (stage != Stage::decode) CHECK(done >= before);  // decode begins again with every token
      before = done;
    }
    CHECK(before == doctest::Approx(heard.progress[stage].back().second));
  }
}
