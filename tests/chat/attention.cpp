// What the tokens of an answer looked at.
#include <dsvl/chat/scheduler.hpp>
#include <dsvl/engine/image_encoder.hpp>
#include <dsvl/model/deepseek_vl.hpp>

#include <cstring>
#include <numeric>

#include "demo.hpp"

using namespace dsvl;

namespace {

using test::demo;

SessionOptions keeping(Index tokens, KvFormat kv = KvFormat::full) {
  SessionOptions options;
  options.attention_maps = tokens;
  options.limits.kv = kv;
  return options;
}

using Map = std::vector<float>;
Map map_of(const Answer& answer, Index token, Index picture) {
  const auto map = answer.attention().map(token, picture);
  return {map.begin(), map.end()};
}
/// The maps of all tokens over one picture, one behind the other.
Map all_of(const Answer& answer, Index picture) {
  Map out;
  for (Index t = 0; t < answer.attention().tokens(); ++t) {
    const auto map = answer.attention().map(t, picture);
    out.insert(out.end(), map.begin(), map.end());
  }
  return out;
}
double sum(const Map& map) { return std::accumulate(map.begin(), map.end(), 0.0); }

struct Said {
  std::vector<std::int32_t> ids;
  std::vector<float> logits;
  bool operator==(const Said&) const = default;
};
Said finish(Answer& answer) {
  Said out;
  while (answer.next()) out.logits.insert(out.logits.end(), answer.logits().begin(), answer.logits().end());
  CHECK_MESSAGE(answer.status().ok(), answer.status().text());
  out.ids = test::ids(answer.ids());
  return out;
}

}  // namespace

TEST_CASE("an answer with attention maps has the bits of one without, in every format of keys and values") {
  for (const KvFormat kv : {KvFormat::full, KvFormat::bf16, KvFormat::q8})
    for (const Index draft : {0, 4}) {
      GenerateOptions options;
      options.draft = draft;
      options.draft_text = "A small blue square at the top";
      Session plain = test::open_session(keeping(0, kv)), watched = test::open_session(keeping(100, kv));
      Answer a = plain.ask(demo("002.png"), "Describe the image.", options);
      Answer b = watched.ask(demo("002.png"), "Describe the image.", options);
      const Said said = finish(a);
      CHECK(said == finish(b));
      CHECK(said.ids.size() > 10);
      CHECK(a.attention().tokens() == 0);
      CHECK(a.attention().pictures() == 1);
      CHECK(a.attention().map(0, 0).empty());
      CHECK(b.attention().tokens() == std::ssize(said.ids));
      CHECK(b.attention().cells() == 64);
    }
}

TEST_CASE("maps are shares of attention, the same with drafts and without, and with any chunk and number of threads") {
  Session session = test::open_session(keeping(100));
  Answer answer = session.ask(demo("002.png"), "Describe the image.");
  finish(answer);
  const Map want = all_of(answer, 0);
  for (Index t = 0; t < answer.attention().tokens(); ++t) {
    const Map map = map_of(answer, t, 0);
    CHECK(map.size() == 64);
    for (const float share : map) CHECK((share > 0 && share < 1));
    CHECK((sum(map) > 0.01 && sum(map) < 1));
  }
  GenerateOptions guessing;
  guessing.draft = 5;
  guessing.draft_text = "A small blue square at the top right, a small purple square";
  for (const Index chunk : {16, 640}) {
    SessionOptions options = keeping(100);
    options.limits.chunk = chunk;
    Session other = test::open_session(options);
    Answer same = other.ask(demo("002.png"), "Describe the image.", guessing);
    finish(same);
    CHECK(same.usage().accepted > 0);
    const Map got = all_of(same, 0);
    REQUIRE(got.size() == want.size());
    CHECK(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("maps of the session are those that the decoder makes with scalar kernels in double precision") {
  for (const KvFormat kv : {KvFormat::full, KvFormat::bf16, KvFormat::q8}) {
    CAPTURE(static_cast<int>(kv));
    Session session = test::open_session(keeping(3, kv));
    Answer answer = session.ask(demo("003.png"), "What is at the top left?");
    const auto prompt = test::ids(answer.prompt_ids());
    REQUIRE(answer.next());
    const Map got = map_of(answer, 0, 0);

    // The same prompt through the reference: embeddings of the picture as the towers made them, all else in double.
    const Model& model = test::tiny_model();
    const Decoder& decoder = model.network().decoder;
    const DecoderDims& d = decoder.dims;
    ImageEncoder encoder(model.network(), model.config().preprocess, Limits(), 1, nullptr);
    REQUIRE(encoder.open().ok());
    const auto image = read_image(demo("003.png"));
    REQUIRE(image);
    InlineExecutor here;
    const auto rows = encoder.encode(image->pixels(), here);
    REQUIRE(rows);
    const std::vector<double> picture(rows->data, rows->data + rows->rows * rows->cols);
    const Index tokens = std::ssize(prompt);
    std::vector<TokenInput<double>> inputs;
    Index first = -1;
    for (Index i = 0; i < tokens; ++i) {
      const std::int32_t id = prompt[static_cast<std::size_t>(i)];
      const bool shown = id == *model.image_token();
      if (shown && first < 0) first = i;
      inputs.push_back({id, shown ? picture.data() + (i - first) * d.hidden : nullptr});
    }
    DecoderState state;
    DecoderBuffers<double> buffers;
    KvCache<double> cache;
    Buffer<std::byte> slab;
    REQUIRE(carve_slab(slab, [&](Arena& arena) {
      buffers.carve(arena, d, tokens);
      buffers.carve_logits(arena, d, 1);
      buffers.carve_maps(arena, d, 1, tokens, state);
      cache.carve(arena, d.heads, d.layers, tokens, kv);
    }));
    std::vector<SequenceRow> places(static_cast<std::size_t>(tokens));
    state.rows = tokens;
    state.logits_from = tokens - 1;
    state.logits_rows = 1;
    state.places = cache.place_rows(0, places);
    Immediate<double> on(reference_kernels<double>());
    decoder.forward(on, inputs.data(), state, cache.layout(), buffers);
    REQUIRE(on.status().ok());
    double worst = 0, total = 0;
    const double* const want = buffers.maps.mean.row(0);
    for (Index i = 0; i < tokens; ++i) total += want[i];
    CHECK(total == doctest::Approx(1));
    for (Index i = 0; i < 64; ++i)
      worst = std::max(worst, std::abs(static_cast<double>(got[static_cast<std::size_t>(i)]) - want[first + i]));
    MESSAGE("attention maps: largest difference " << worst);
    // Rounding of keys to 8 bits differs where their floats do, by the last bit.
    CHECK(worst < (kv == KvFormat::full ? 2e-7 : 2e-5));
  }
}

TEST_CASE("only the first tokens have maps, as many as were asked for, and their mean can be had") {
  Session session = test::open_session(keeping(4));
  Answer answer = session.ask(demo("002.png"), "Describe the image.");
  CHECK(answer.attention().tokens() == 0);
  REQUIRE(answer.next());
  CHECK(answer.attention().tokens() == 1);
  finish(answer);
  CHECK(answer.ids().size() > 4);
  const AnswerAttention maps = answer.attention();
  CHECK(maps.tokens() == 4);
  CHECK(maps.map(4, 0).empty());
  CHECK(maps.map(0, 1).empty());
  CHECK(maps.map(-1, 0).empty());
  Map mean(64);
  REQUIRE(maps.mean(1, 2, 0, mean).ok());
  const Map a = map_of(answer, 1, 0), b = map_of(answer, 2, 0);
  for (std::size_t i = 0; i < mean.size(); ++i) CHECK(mean[i] == doctest::Approx((a[i] + b[i]) / 2));
  CHECK(maps.mean(3, 2, 0, mean).code() == Code::bad_argument);
  CHECK(maps.mean(0, 0, 0, mean).code() == Code::bad_argument);
  CHECK(maps.mean(0, 1, 1, mean).code() == Code::bad_argument);
  CHECK(maps.mean(0, 1, 0, std::span(mean).first(63)).code() == Code::bad_argument);
  CHECK(!session.ask(demo("002.png"), "").status().ok());
  CHECK(answer.attention().tokens() == 0);
}

TEST_CASE("a later question looks at the pictures of earlier turns, which come first, and so does a fork") {
  Session session = test::open_session(keeping(20));
  Answer first = session.ask(demo("002.png"), "What is on the left?");
  finish(first);
  auto fork = session.fork();
  REQUIRE(fork);
  Answer second = session.ask(demo("003.png"), "And here?"), other = fork->ask(demo("003.png"), "And here?");
  finish(second), finish(other);
  CHECK(second.attention().pictures() == 2);
  CHECK(second.pictures().size() == 1);
  CHECK(sum(map_of(second, 0, 0)) > 0);
  CHECK(sum(map_of(second, 0, 0)) + sum(map_of(second, 0, 1)) < 1);
  CHECK(all_of(other, 1) == all_of(second, 1));
  CHECK(all_of(other, 0) == all_of(second, 0));
  Answer text = session.ask("What is 2 plus 3?");
  finish(text);
  CHECK(text.attention().pictures() == 2);
  session.clear();
  Answer alone = session.ask("What is 2 plus 3?");
  finish(alone);
  CHECK(alone.attention().pictures() == 0);
}

TEST_CASE("an answer that goes back keeps the maps of the tokens that stay, and gets the same again for the others") {
  Session session = test::open_session(keeping(20));
  Answer answer = session.ask(demo("002.png"), "Describe the image.", {.max_tokens = 12});
  for (int i = 0; i < 8; ++i) REQUIRE(answer.next());
  const Map want = all_of(answer, 0);
  REQUIRE(answer.rewind(3, {}).ok());
  CHECK(answer.attention().tokens() == 3);
  for (int i = 0; i < 5; ++i) REQUIRE(answer.next());
  CHECK(all_of(answer, 0) == want);
}

TEST_CASE("a scheduler refuses attention maps by name, and a number that is none is refused") {
  SchedulerOptions options;
  options.session.attention_maps = 5;
  const auto refused = Scheduler::open(test::tiny_model(), options);
  REQUIRE(!refused);
  CHECK(refused.error().code() == Code::unsupported);
  CHECK(std::string(refused.error().text()).find("attention_maps is 5") != std::string::npos);
  CHECK(plan(test::tiny_vl(), options).error().code() == Code::unsupported);
  options.session.attention_maps = 0;
  auto scheduler = Scheduler::open(test::tiny_model(), options);
  REQUIRE(scheduler);
  SessionOptions own = scheduler->options().session;
  own.attention_maps = 5;
  CHECK(scheduler->session(own).error().code() == Code::unsupported);
  CHECK(Session::open(test::tiny_model(), keeping(-1)).error().code() == Code::bad_argument);
  CHECK(test::open_session(keeping(1 << 30)).bytes() > test::open_session(keeping(0)).bytes());
}
