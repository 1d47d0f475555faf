// How soon a cancel is noticed: from CancelToken::cancel() on one thread to the return of the call that works on another.
//
//   bench_cancel [MODEL [ROUNDS [PICTURE]]]
//
// A question with a picture and 64 tokens is cancelled ROUNDS times (40 unless said otherwise) in every stage, at moments
// spread over its whole length; decode draws its tokens, so that sampling is in it. PICTURE, a file, is decoded as well.
// The thread that cancels sleeps until then. Checks itself: every question ends as cancelled or with the tokens of the
// first, which one that is asked afterwards has, too.
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/dsvl.hpp>
#include <dsvl/io/image.hpp>
#include <optional>
#include <thread>

#include "bench.hpp"

using namespace dsvl;

namespace {

/// Sets a token after so many seconds, and knows when.
class Canceller {
 public:
  explicit Canceller(double after) : thread_([this, after] {
    std::this_thread::sleep_for(std::chrono::duration<double>(after));
    at_ = bench::now();
    token.cancel();
  }) {}
  /// Seconds from the cancel to `returned`.
  double late(double returned) {
    thread_.join();
    return returned - at_;
  }
  CancelToken token;

 private:
  double at_ = 0;
  std::thread thread_;
};

struct Stretch {
  const char* name;
  double begin, seconds;  // of the call
  std::vector<double> late = {};
};

void print(const Stretch& s, int rounds) {
  std::vector<double> late = s.late;
  std::sort(late.begin(), late.end());
  if (late.empty()) return void(std::printf("%-14s %9.3f s   over before it was cancelled\n", s.name, s.seconds));
  const auto at = [&](double share) { return 1e3 * bench::quantile(late, share); };
  std::printf("%-14s %9.3f s   %3zu of %3d   %8.2f %8.2f %8.2f\n", s.name, s.seconds, late.size(), rounds, at(0.5), at(0.9),
              at(1));
}

/// A picture and 64 tokens of text, as ids, since made-up models have no tokenizer.
std::vector<std::int32_t> prompt(const Model& model) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(model.info().image_tokens), *model.image_token());
  for (std::int32_t i = 0; i < 64; ++i) ids.push_back(100 + 7 * i);
  return ids;
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 40;
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const auto model = Model::load(directory, load);
  if (!model) return report(model.error());
  const bench::MadeUpPicture picture;
  const Picture shown(picture.pixels());
  if (!model->image_token()) {
    std::fprintf(stderr, "%s: has no token for pictures\n", directory.string().c_str());
    return 1;
  }
  const std::vector<std::int32_t> ids = prompt(*model);
  SessionOptions options;
  options.limits.context = static_cast<Index>(ids.size()) + 64;
  GenerateOptions generate;
  generate.max_tokens = 32;
  generate.sampling.temperature = 1;
  generate.sampling.top_p = 0.95f;
  generate.sampling.repetition_penalty = 1.1f;

  // A session of its own each time: one that has seen the picture would not look again.
  struct Answered {
    std::vector<std::int32_t> ids;
    Usage usage;
    double late = 0;  // seconds from the cancel to the return
  };
  /// With an answer that was cancelled in time, `ids` is empty.
  const auto ask = [&](std::optional<double> cancel_after) -> Result<Answered> {
    DSVL_TRY(session, Session::open(*model, options));
    GenerateOptions how = generate;
    std::optional<Canceller> canceller;
    if (cancel_after) how.cancel = &canceller.emplace(*cancel_after).token;
    Answer answer = session.generate(ids, {&shown, 1}, how);
    while (answer.next()) {}
    Answered out;
    const double returned = bench::now();
    if (canceller) out.late = canceller->late(returned);
    if (!answer.status().ok() && answer.status().code() != Code::cancelled) return answer.status();
    out.usage = answer.usage();
    if (answer.status().ok()) out.ids.assign(answer.ids().begin(), answer.ids().end());
    return out;
  };
  const auto first = ask({});
  if (!first) return report(first.error());

  std::vector<Stretch> stretches;
  double begin = 0;
  const Usage& u = first->usage;
  for (const auto& [name, seconds] : {std::pair("take pixels", u.decode_image), std::pair("preprocess", u.preprocess),
                                      std::pair("encode", u.encode), std::pair("prefill", u.prefill),
                                      std::pair("decode", u.decode)}) {
    stretches.push_back({name, begin, seconds});
    begin += seconds;
  }
  bool right = true;
  for (Stretch& s : stretches)
    for (int i = 0; i < rounds; ++i) {
      const auto answer = ask(s.begin + s.seconds * (i + 0.5) / rounds);
      if (!answer) return report(answer.error());
      if (answer->ids.empty()) s.late.push_back(answer->late);
      else right = right && answer->ids == first->ids;
    }
  const auto again = ask({});
  right = right && again && again->ids == first->ids;

  std::printf("%s, %d threads, kernels %s: milliseconds from the cancel to the return\n", directory.string().c_str(),
              available_threads(), active_kernels<float>().name);
  std::printf("%-14s %11s   %10s   %8s %8s %8s\n", "", "length", "cancelled", "median", "90 %", "most");
  for (const Stretch& s : stretches) print(s, rounds);
  if (argc > 3) {
    const auto decode = [&](const CancelToken* cancel) { return read_image(argv[3], {}, nullptr, cancel); };
    const double began = bench::now();
    const auto image = decode(nullptr);
    if (!image) return report(image.error());
    Stretch s{"decode image", 0, bench::now() - began};
    for (int i = 0; i < rounds; ++i) {
      Canceller canceller(s.seconds * (i + 0.5) / rounds);
      const auto cut = decode(&canceller.token);
      const double late = canceller.late(bench::now());
      if (!cut) right = right && cut.error().code() == Code::cancelled;
      if (!cut) s.late.push_back(late);
    }
    print(s, rounds);
  }
  std::printf("check: what was not cancelled, and what is asked afterwards, has the tokens of the first answer: %s\n", right ? "yes" : "NO");
  return right ? 0 : 1;
}
