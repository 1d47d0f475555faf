// How long what a host hands in must live: each thing is taken back as soon as the documentation allows, overwritten and
// freed, and then everything that may follow is done. Under AddressSanitizer (the program test_lifetimes) a look at it is
// an error; without, it shows in the answer.
#include <algorithm>
#include <memory>

#include "health.hpp"
#include "trace.hpp"

using namespace dsvl;

namespace {

using test::first;

/// A run of bytes, texts or ids on the heap, for the library to borrow.
template <class T>
class Lent {
 public:
  template <class Source>
  explicit Lent(const Source& source) : values_(new T[source.size()]), size_(source.size()) {
    std::copy(source.begin(), source.end(), values_.get());
  }
  [[nodiscard]] std::span<const T> span() const { return {values_.get(), size_}; }
  [[nodiscard]] std::string_view text() const { return {values_.get(), size_}; }
  void take_back() {
    std::fill_n(values_.get(), size_, T{'?'});
    values_.reset();
  }

 private:
  std::unique_ptr<T[]> values_;
  std::size_t size_;
};

/// What an answer watches and reports to.
struct Watch {
  CancelToken cancel;
  int reports = 0;
  void put_in(GenerateOptions& options) {
    options.cancel = &cancel;
    options.progress = {[](void* user, Stage, double, double) { ++static_cast<Watch*>(user)->reports; }, this};
  }
};

/// What may still be asked of an answer that is over, and of its session.
void go_on(Session& session, Answer& answer) {
  CHECK(!answer.next());
  CHECK(!answer.step(std::chrono::milliseconds(1)));
  CHECK(answer.rewind(0, {}).code() == Code::bad_argument);
  CHECK(answer.finish() != Finish::none);
  static_cast<void>(answer.status());
  CHECK(answer.text().size() < 4096);
  CHECK(answer.prompt_ids().size() < 4096);
  auto fork = session.fork();
  REQUIRE(fork);
  CHECK(fork->ask("Well?").status().ok());
  CHECK(test::answers_first_question(session));
}

struct Frame {
  Image image;
  Frame() {
    auto read = read_image(first().picture);
    if (!read) FAIL(read.error().text());
    image = std::move(*read);
  }
};

}  // namespace

TEST_CASE("pixels, a picture's bytes, texts, lists and ids may go when ask(), complete() or generate() has returned") {
  const Frame frame;
  const std::string file = test::read_file(first().picture);
  for (int way = 0; way < 4; ++way) {
    CAPTURE(way);
    Session session = test::open_session();
    Lent<std::uint8_t> pixels(frame.image.rgb.span());
    Lent<std::byte> bytes(std::as_bytes(std::span<const char>(file)));
    Lent<char> question(first().question), draft(std::string_view(" There are 4 bars."));
    Lent<std::int32_t> ids(first().prompt_ids);
    auto options = std::make_unique<GenerateOptions>();
    options->stop = {"a text that is long enough to lie on the heap", "no such text"};
    options->sampling.bias = {{400, -1.0f}};
    options->sampling.banned = {401, 402};
    options->draft = 4;
    options->draft_text = draft.text();
    auto pictures = std::make_unique<std::vector<Picture>>();
    if (way % 2) pictures->emplace_back(bytes.span());
    else pictures->emplace_back(Pixels{pixels.span().data(), frame.image.width, frame.image.height});
    Answer answer = way == 0   ? session.ask((*pictures)[0], question.text(), *options)
                    : way == 1 ? session.ask(*pictures, question.text(), *options)
                    : way == 2 ? session.complete(*pictures, question.text(), *options)
                               : session.generate(ids.span(), *pictures, *options);
    pictures.reset(), options.reset();
    pixels.take_back(), bytes.take_back(), question.take_back(), draft.take_back(), ids.take_back();
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    if (way != 2) {
      REQUIRE(answer.next());
      REQUIRE(answer.step(std::chrono::seconds(10)));
      REQUIRE(answer.rewind(1, {}).ok());
      CHECK(test::drain(answer) == first().answer_ids);
    } else {
      while (answer.next()) {}
    }
    go_on(session, answer);
  }
}

TEST_CASE("what start() was given may go when the first token has come, and all but pictures when it has returned") {
  const Frame frame;
  Session session = test::open_session();
  Lent<std::uint8_t> pixels(frame.image.rgb.span());
  Lent<char> question(first().question);
  auto options = std::make_unique<GenerateOptions>();
  options->stop = {"a text that is long enough to lie on the heap"};
  auto list = std::make_unique<std::vector<Picture>>();
  list->emplace_back(Pixels{pixels.span().data(), frame.image.width, frame.image.height});
  Answer answer = session.start(*list, question.text(), *options);
  list.reset(), options.reset(), question.take_back();
  while (answer.ids().empty()) answer.step(std::chrono::microseconds(500));
  pixels.take_back();
  CHECK(test::drain(answer) == first().answer_ids);
  go_on(session, answer);
}

TEST_CASE("ids that start() was given may go when it has returned; it computes nothing, and answers as generate() does") {
  const Frame frame;
  Session session = test::open_session();
  Lent<std::uint8_t> pixels(frame.image.rgb.span());
  Lent<std::int32_t> ids(first().prompt_ids);
  const Picture picture = Pixels{pixels.span().data(), frame.image.width, frame.image.height};
  Answer answer = session.start(ids.span(), {&picture, 1});
  ids.take_back();
  CHECK(answer.finish() == Finish::none);
  CHECK(answer.usage().encode + answer.usage().prefill == 0);
  while (answer.ids().empty()) answer.step(std::chrono::microseconds(500));
  pixels.take_back();
  CHECK(test::drain(answer) == first().answer_ids);
  CHECK(session.turns() == 0);
  go_on(session, answer);
}

TEST_CASE("what start() was given may go when the answer is over before a token came, however that is") {
  const Frame frame;
  const std::string file = test::read_file(first().picture);
  for (int way = 0; way < 6; ++way)
    for (const int steps : {0, 1, 2, 5}) {
      CAPTURE(way);
      CAPTURE(steps);
      std::optional<Session> session = test::open_session();
      Lent<std::uint8_t> pixels(frame.image.rgb.span());
      Lent<std::byte> bytes(std::as_bytes(std::span<const char>(file)));
      auto watch = std::make_unique<Watch>();
      GenerateOptions options;
      watch->put_in(options);
      const std::vector<Picture> pictures{Pixels{pixels.span().data(), frame.image.width, frame.image.height},
                                          Picture::bytes(bytes.span())};
      std::optional<Answer> answer = session->start(pictures, "What are these?", options);
      for (int i = 0; i < steps; ++i) answer->step(std::chrono::microseconds(100));
      REQUIRE(answer->ids().empty());
      Answer* over = &*answer;
      std::optional<Answer> next;
      switch (way) {
        case 0:
          watch->cancel.cancel();
          CHECK(!answer->next());
          break;
        case 1: next = session->ask("Hello?"); break;
        case 2: session->clear(); break;
        case 3: CHECK(session->rewind(0).ok()); break;
        case 4: CHECK(session->log_probabilities("Hello?")); break;
        default: answer.reset(), over = nullptr;
      }
      watch.reset(), pixels.take_back(), bytes.take_back();
      if (next) CHECK(next->next());
      if (!over) over = &next.emplace(session->ask("", {}));
      go_on(*session, *over);
    }
}

TEST_CASE("a cancel token and what progress points to may go when the answer is over, left or gone, and not before") {
  for (int way = 0; way < 6; ++way) {
    CAPTURE(way);
    Session session = test::open_session();
    auto watch = std::make_unique<Watch>();
    std::optional<Answer> answer, next;
    {
      GenerateOptions options;
      watch->put_in(options);
      options.max_tokens = way == 0 ? 3 : 512;
      answer = session.ask(first().picture, first().question, options);
    }
    REQUIRE(answer->next());
    CHECK(watch->reports > 0);
    const int before = watch->reports;
    REQUIRE(answer->next());
    CHECK(watch->reports > before);  // it is still looked at behind the first token
    REQUIRE(answer->rewind(1, {}).ok());
    REQUIRE(answer->next());
    switch (way) {
      case 0:
      case 1: test::drain(*answer); break;
      case 2:
        watch->cancel.cancel();
        CHECK(!answer->next());
        CHECK(answer->finish() == Finish::cancelled);
        break;
      case 3: next = session.ask("Why?"); break;
      case 4: session.clear(); break;
      default: answer.reset();
    }
    watch.reset();
    if (next) CHECK(next->next());
    if (answer) go_on(session, *answer);
    else CHECK(test::answers_first_question(session));
  }
  Session session = test::open_session();
  auto watch = std::make_unique<Watch>();
  GenerateOptions options;
  watch->put_in(options);
  Lent<char> text(std::string_view(" Yes"));
  const std::string_view texts[] = {text.text()};
  CHECK(session.score({}, "Is it?", texts, options));
  CHECK(session.log_probabilities(text.text(), options));
  watch.reset(), text.take_back();
  CHECK(test::answers_first_question(session));
}

TEST_CASE("what a model is loaded with may go when it is loaded, all but the host and the bytes of files in memory") {
  class Files final : public Reader {
   public:
    ~Files() = default;
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
  std::optional<Model> model;
  {
    auto reader = std::make_unique<Files>();
    auto watch = std::make_unique<Watch>();
    auto report = std::make_unique<LoadReport>();
    auto options = std::make_unique<LoadOptions>();
    GenerateOptions watching;
    watch->put_in(watching);
    options->progress = watching.progress, options->cancel = watching.cancel, options->report = report.get();
    auto loaded = Model::load(Folder::reader(*reader), *options);
    REQUIRE(loaded);
    model = *loaded;
  }
  Session session = test::open_session({}, *model);
  CHECK(test::answers_first_question(session));

  std::optional<Lent<std::byte>> bytes;
  {
    const std::string file = test::read_file(test::data("older/model.gguf"));
    bytes.emplace(std::as_bytes(std::span<const char>(file)));
    auto table = std::make_unique<std::vector<NamedBytes>>();
    Lent<char> name(std::string_view("a-name-that-is-longer-than-a-short-string.gguf"));
    table->push_back({name.text(), bytes->span()});
    LoadOptions options;
    options.file = std::string(name.text());
    auto loaded = Model::load(Folder::memory(*table), options);
    table.reset(), name.take_back();
    REQUIRE_MESSAGE(loaded, loaded.error().text());
    model = *loaded;
  }
  SessionOptions small;
  small.limits.context = 128;
  GenerateOptions few;
  few.max_tokens = 4;
  std::optional<Session> of_bytes = test::open_session(small, *model);
  model.reset();  // the session keeps it
  std::optional<Answer> answer = of_bytes->ask("Hi", few);
  of_bytes.reset();  // and the answer keeps that
  CHECK(test::drain(*answer).size() == 4);
  answer.reset();
  bytes->take_back();
}

TEST_CASE("options of a session and the bytes of a saved one may go when it is open; its host when all of it is gone") {
  struct Host_ {
    struct Counting final : Allocator {
      std::size_t blocks = 0;
      ~Counting() = default;
      void* allocate(std::size_t bytes, std::size_t align) noexcept override {
        ++blocks;
        return ::operator new(bytes, std::align_val_t(align), std::nothrow);
      }
      void deallocate(void* p, std::size_t, std::size_t align) noexcept override {
        --blocks;
        ::operator delete(p, std::align_val_t(align));
      }
    } memory;
    InlineExecutor threads;
    int warnings = 0;
  };
  auto host = std::make_unique<Host_>();
  const auto options = [&](const char* system) {
    auto made = std::make_unique<SessionOptions>();
    made->system = system;
    made->host = {&host->memory, &host->threads,
                  {[](void* user, Level, std::string_view) { ++static_cast<Host_*>(user)->warnings; }, host.get()}};
    return made;
  };
  std::optional<Answer> failed, left;
  {
    auto given = options("A system text that is long enough to lie on the heap.");
    Session session = test::open_session(*given);
    given.reset();
    test::drain(session.ask(first().picture, first().question));
    const auto file = test::temporary("lifetimes");
    REQUIRE(session.save(file).ok());
    const std::string saved = test::read_file(file);
    std::filesystem::remove(file);
    Lent<std::byte> bytes(std::as_bytes(std::span<const char>(saved)));
    given = options("");
    auto loaded = Session::load(test::tiny_model(), bytes.span(), *given);
    given.reset(), bytes.take_back();
    REQUIRE_MESSAGE(loaded, loaded.error().text());
    CHECK(test::trace(loaded->ask("Why?")) == test::trace(session.ask("Why?")));
    failed = session.ask("");
    left = loaded->ask("And why?");
  }
  CHECK(left->next());
  CHECK(host->memory.blocks > 0);
  failed.reset(), left.reset();
  CHECK(host->memory.blocks == 0);
  CHECK(host->warnings == 1);
  host.reset();
}
