// Models in GGUF files: what convert() writes is what Model::load reads, and how far fewer bits move the answers.
#include <algorithm>
#include <cstdlib>
#include <dsvl/convert/convert.hpp>
#include <dsvl/convert/gguf_writer.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/model/gguf_model.hpp>

#include "demo.hpp"
#include "memory.hpp"
#include "place.hpp"

using namespace dsvl;
using test::CountingAllocator;
using test::Place;

namespace fs = std::filesystem;

namespace {

fs::path write(const Place& place, const char* name, Format format, bool split = false) {
  ConvertOptions options;
  options.types = WeightTypes::of(format);
  options.split = split;
  const Status status = convert(Folder::directory(test::tiny_vl()), place.path / name, options);
  REQUIRE_MESSAGE(status.ok(), status.text());
  return place.path / name;
}

Model load(const fs::path& path, const LoadOptions& options = {}) {
  auto model = Model::load(path, options);
  if (!model) FAIL(std::string(model.error().text()));
  return *model;
}

std::vector<float> logits(const Model& model) {
  Session session = test::open_session({}, model);
  Answer answer = session.ask(test::tiny_vl() / "demo" / "005.png", "What is the value of the blue bar?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  return {answer.logits().begin(), answer.logits().end()};
}

/// Changes bytes of a file in place.
void patch(const fs::path& path, std::size_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
}

/// Of the 114 demo questions: answers that are right, those that are PyTorch's, and how sure PyTorch was of the surest
/// one that differs: its smallest distance between the best and the second logit.
struct Outcome {
  int right = 0, identical = 0;
  double surest_moved = 0;
};

Outcome ask_demo(const Model& model) {
  Outcome score;
  Session session = test::open_session({}, model);
  const json::Value questions = test::json_file(test::tiny_vl() / "demo" / "questions.json").root();
  REQUIRE(questions.size() == 114);
  for (const json::Value q : questions) {
    session.clear();
    GenerateOptions options;
    options.max_tokens = static_cast<Index>(q.find("reference_ids").size());
    Answer answer = session.ask(test::demo_picture(q), test::text(q.find("question")), options);
    while (answer.next()) {}
    const bool same = test::ids(answer.ids()) == test::ids(q.find("reference_ids"));
    score.right += test::strip(std::string(answer.text())) == test::text(q.find("answer"));
    score.identical += same;
    if (!same) score.surest_moved = std::max(score.surest_moved, q.find("smallest_top2_gap").number().value_or(0));
  }
  return score;
}

}  // namespace

TEST_CASE("16-bit weights give the same bits from a folder, from one GGUF file and from two") {
  const Place place("bits");
  const auto want = logits(test::tiny_model());
  CHECK(logits(load(write(place, "one.gguf", Format::bf16))) == want);
  CHECK(logits(load(write(place, "text.gguf", Format::bf16, true))) == want);
  CHECK(place.files().size() == 3);
  CHECK(fs::exists(place.path / "mmproj-text.gguf"));
}

TEST_CASE("quantised weights give the same bits whether they were interleaved in the file or while it was loaded") {
  const Place place("quantised");
  for (const Format format : {Format::q8_0, Format::q4_0, Format::q4_k}) {
    CAPTURE(name(format));
    const auto want = logits(load(write(place, "one.gguf", format)));
    CHECK(logits(load(write(place, "text.gguf", format, true))) == want);
  }
}

TEST_CASE("two files load to the same bits on any threads, the application's too") {
  const Place place("threads");
  const fs::path path = write(place, "text.gguf", Format::q4_0, true);
  LoadOptions options;
  options.threads = 1;
  const auto want = logits(load(path, options));
  for (const int threads : {2, 3}) {
    options.threads = threads;
    CHECK(logits(load(path, options)) == want);
  }
  struct Backwards final : Executor {
    [[nodiscard]] int workers() const noexcept override { return 4; }
    void run(int tasks, FunctionRef<void(int)> task) noexcept override {
      for (int i = tasks; i-- > 0;) task(i);
    }
  } backwards;
  options.host.executor = &backwards;
  CHECK(logits(load(path, options)) == want);
}

TEST_CASE("two files report how far they are interleaved, and loading ends where it is cancelled there") {
  const Place place("cancelled");
  const fs::path path = write(place, "text.gguf", Format::q8_0, true);
  struct Canceller {
    CancelToken token;
    int reports = 0, cancel_at = 0;
    double done = 0, total = 0;
    static void report(void* user, Stage, double done, double total) {
      Canceller& c = *static_cast<Canceller*>(user);
      c.done = done, c.total = total;
      if (++c.reports == c.cancel_at) c.token.cancel();
    }
  };
  CountingAllocator memory;
  const auto load_until = [&](Canceller& c) {
    LoadOptions options;
    options.host.allocator = &memory;
    options.cancel = &c.token;
    options.progress = {Canceller::report, &c};
    return Model::load(path, options).error();
  };
  Canceller all;
  CHECK(load_until(all).ok());
  CHECK(all.reports > 30);  // two files, then every weight
  CHECK(all.done == all.total);
  for (int k = 1; k <= all.reports; k += k < 4 || k + 8 > all.reports ? 1 : 7) {
    CAPTURE(k);
    Canceller c;
    c.cancel_at = k;
    CHECK(load_until(c).code() == Code::cancelled);
    CHECK(c.reports <= std::max(k, 2));
    CHECK(memory.live == 0);
  }
}

TEST_CASE("two files load or say that memory ended, whichever allocation is refused") {
  const Place place("refused");
  const fs::path path = write(place, "text.gguf", Format::q8_0, true);
  CountingAllocator memory;
  LoadOptions options;
  options.host.allocator = &memory;
  long refused = 0;
  for (long n = 0;; ++n) {
    CAPTURE(n);
    memory.restart();
    memory.refuse = n;
    const auto model = Model::load(path, options);
    if (memory.refused == 0) {
      CHECK(model);
      break;
    }
    REQUIRE(model.error().code() == Code::out_of_memory);
    REQUIRE(memory.live == 0);
    ++refused;
  }
  CHECK(refused > 10);
  CHECK(memory.live == 0);
}

TEST_CASE("fewer bits move answers that were close, and none that PyTorch was sure of: the table of README") {
  const Place place("answers");
  // The distance between the two best logits above which no answer moves, as far as the kernels' own roundings go.
  const std::pair<Format, double> types[] = {
      {Format::q8_0, 0.1}, {Format::q6_k, 0.3}, {Format::q4_k, 2}, {Format::q4_0, 2}};
  for (const auto& type : types) {  // no structured binding: Clang 14 does not let CAPTURE have it
    const Format format = type.first;
    const double clear = type.second;
    CAPTURE(name(format));
    const Model model = load(write(place, "model.gguf", format));
    CHECK(logits(model) != logits(test::tiny_model()));  // otherwise these were no fewer bits
    const Outcome outcome = ask_demo(model);
    MESSAGE(std::string(active_kernels<float>().name)
            << ", " << name(format) << ": " << outcome.right << " right, " << outcome.identical
            << " PyTorch's, surest moved " << outcome.surest_moved);
    CHECK(outcome.surest_moved <= clear);
    CHECK(std::abs(outcome.right - 97) <= 114 - outcome.identical);
  }
}

TEST_CASE("a GGUF file loads from the caller's memory, aligned or not, and from a reader") {
  const Place place("memory");
  const fs::path path = write(place, "model.gguf", Format::q8_0);
  const auto want = logits(load(path));
  const std::string file = test::read_file(path);
  std::vector<std::byte> memory(file.size() + 128);
  for (const std::size_t off : {std::size_t{0}, std::size_t{7}}) {
    const std::size_t aligned = 64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
    std::memcpy(memory.data() + aligned + off, file.data(), file.size());
    const auto model = Model::load(std::span<const std::byte>(memory).subspan(aligned + off, file.size()));
    REQUIRE_MESSAGE(model, model.error().text());
    CHECK(logits(*model) == want);
    CHECK(model->info().layout == "gguf");
  }
  struct FileReader final : Reader {
    const std::string& file;
    explicit FileReader(const std::string& f) : file(f) {}
    std::optional<std::uint64_t> size(std::string_view name) noexcept override {
      return name == "model.gguf" ? std::optional<std::uint64_t>(file.size()) : std::nullopt;
    }
    bool read(std::string_view, std::uint64_t at, std::span<std::byte> into) noexcept override {
      std::memcpy(into.data(), file.data() + at, into.size());
      return true;
    }
  } reader(file);
  const auto model = Model::load(Folder::reader(reader));
  REQUIRE_MESSAGE(model, model.error().text());
  CHECK(logits(*model) == want);
  CHECK(logits(load(place.path)) == want);  // a folder that has a model.gguf and no config.json
}

TEST_CASE("a mapped file of quantised weights takes no memory, one that is interleaved while loading takes theirs") {
  const Place place("plan");
  for (const bool split : {false, true}) {
    CAPTURE(split);
    const fs::path path = write(place, split ? "text.gguf" : "one.gguf", Format::q8_0, split);
    const auto planned = plan(path);
    REQUIRE_MESSAGE(planned, planned.error().text());
    test::CountingAllocator memory;
    LoadOptions options;
    options.host.allocator = &memory;
    const Model model = load(path, options);
    CHECK(memory.live <= planned->model);
    CHECK(static_cast<double>(memory.live) >= 0.9 * static_cast<double>(planned->model));
    CHECK((planned->model > 4'000'000) == split);
    const auto whole = std::find_if(planned->buffers.begin(), planned->buffers.end(),
                                    [](const Plan::Buffer& b) { return b.name == "interleaved weights"; });
    CHECK((whole != planned->buffers.end()) == split);
  }
}

TEST_CASE("with quantised weights the cache is bf16 unless another is asked for, and the plan says so") {
  const Place place("cache");
  const auto bytes = [](const fs::path& path, std::optional<KvFormat> kv) {
    SessionOptions options;
    options.limits.kv = kv;
    const auto planned = plan(path, options);
    REQUIRE_MESSAGE(planned, planned.error().text());
    const Session session = test::open_session(options, load(path));
    CHECK(session.bytes() == planned->session());
    return session.bytes();
  };
  for (const Format format : {Format::q8_0, Format::bf16}) {
    CAPTURE(name(format));
    const fs::path path = write(place, "model.gguf", format);
    CHECK(bytes(path, KvFormat::bf16) < bytes(path, KvFormat::full));
    CHECK(bytes(path, {}) == bytes(path, quantized(format) ? KvFormat::bf16 : KvFormat::full));
  }
}

TEST_CASE("half a model says which half is missing") {
  const Place place("halves");
  const fs::path text = write(place, "text.gguf", Format::q8_0, true), towers = place.path / "mmproj-text.gguf";
  const auto alone = Model::load(towers);
  CHECK(alone.error().code() == Code::unsupported);
  CHECK(std::string_view(alone.error().text()).find("towers alone") != std::string_view::npos);
  fs::rename(towers, place.path / "other.gguf");
  const auto half = Model::load(text);
  CHECK(half.error().code() == Code::not_found);
  CHECK(std::string_view(half.error().text()).find("mmproj-text.gguf") != std::string_view::npos);
  LoadOptions options;
  options.mmproj = (place.path / "other.gguf").string();
  CHECK(Model::load(text, options));
  options.mmproj = text.string();
  CHECK(Model::load(text, options).error().code() == Code::unsupported);
  options = {.file = "text.gguf", .mmproj = "other.gguf"};  // in a folder, names are names within it
  CHECK(Model::load(Folder::directory(place.path), options));
  CHECK(Model::load(place.path / "no.gguf").error().code() == Code::not_found);
}

TEST_CASE("a scale that is infinite or NaN, and rows that are interleaved in another way, are refused") {
  const Place place("scales");
  const fs::path path = write(place, "one.gguf", Format::q8_0);
  const std::string file = test::read_file(path);
  const auto head = Gguf::parse(std::as_bytes(std::span(file)), "one.gguf");
  REQUIRE(head);
  const auto* const tensor = head->find("blk.3.ffn_down.weight");
  REQUIRE(tensor);
  const auto at = static_cast<std::size_t>(reinterpret_cast<const char*>(tensor->data) - file.data());
  for (const char* half : {"\x00\x7C", "\x00\xFC", "\x01\x7E"}) {
    patch(path, at + 4, std::string(half, 2));
    const auto model = Model::load(path);
    REQUIRE(!model);
    CHECK(std::string_view(model.error().text()).find("language.3.mlp.down.weight") != std::string_view::npos);
    CHECK(std::string_view(model.error().text()).find("infinite or NaN") != std::string_view::npos);
  }
  const std::size_t key = file.find(gguf::kInterleavedKey);
  patch(path, key + gguf::kInterleavedKey.size() + 4, std::string("\x08\0\0\0", 4));
  CHECK(Model::load(path).error().code() == Code::unsupported);
}

TEST_CASE("a file without settings, or of another architecture, is refused by name") {
  const Place place("foreign");
  GgufHead head;
  head.set(gguf::kArchitectureKey, "qwen2");
  const std::string text = head.text();
  std::ofstream(place.path / "foreign.gguf", std::ios::binary) << text;
  const auto foreign = Model::load(place.path / "foreign.gguf");
  CHECK(foreign.error().code() == Code::unsupported);
  CHECK(std::string_view(foreign.error().text()).find("'qwen2'") != std::string_view::npos);
  GgufHead bare;
  bare.set(gguf::kArchitectureKey, gguf::kWhole).set(gguf::kInterleavedKey, 16u);
  std::ofstream(place.path / "bare.gguf", std::ios::binary) << bare.text();
  const auto without = Model::load(place.path / "bare.gguf");
  CHECK(without.error().code() == Code::not_found);
  CHECK(std::string_view(without.error().text()).find("config.json") != std::string_view::npos);
}

TEST_CASE("a conversion that is stopped or fails leaves what was there, and nothing beside it") {
  const Place place("stopped");
  const fs::path path = place.path / "model.gguf";
  std::ofstream(path) << "precious";
  CancelToken cancel;
  ConvertOptions options;
  options.cancel = &cancel;
  struct Stop {
    static void soon(void* token, Stage, double done, double total) {
      if (done > total / 2) static_cast<CancelToken*>(token)->cancel();
    }
  };
  options.progress = {&Stop::soon, &cancel};
  CHECK(convert(Folder::directory(test::tiny_vl()), path, options).code() == Code::cancelled);
  CHECK(test::read_file(path) == "precious");
  CHECK(place.files().size() == 1);
  CHECK(convert(Folder::directory(test::tiny_vl()), place.path / "no" / "model.gguf", {}).code() == Code::io);
  CHECK(convert(Folder::directory(place.path), path, {}).code() == Code::not_found);
  CHECK(test::read_file(path) == "precious");
}
