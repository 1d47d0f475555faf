#include "speed.hpp"

#include "../../benchmarks/stages.hpp"

#include <algorithm>
#include <cstdio>

namespace cli {

namespace {

using dsvl::Index;
using dsvl::Stage;
using dsvl::Status;

// Together three seconds. A stage is tried at least twice in its time: the first try also fetches weights and memory.
constexpr double kEncode = 1.3, kPrefill = 1.0, kToken = 0.7;
constexpr int kMostTries = 8;

/// How far work has come, in operations, from what it reports.
struct Watch {
  Stage stage;
  double share = 0;

  static void on_progress(void* self, Stage stage, double done, double total) {
    Watch& watch = *static_cast<Watch*>(self);
    if (stage == watch.stage && total > 0) watch.share = std::min<double>(1, done / total);
  }
  [[nodiscard]] dsvl::Progress hook() { return {&Watch::on_progress, this}; }
};

/// Runs the work twice, each time for half of `budget` seconds at most, and again while there is time; takes the
/// fastest, and all of it in proportion to what was done. `work(control)` begins it and goes on until it is done or
/// late.
template <class Work>
dsvl::Result<StageSpeed> time_stage(Stage stage, double budget, const dsvl::CancelToken& cancel, Work&& work) {
  StageSpeed best;
  const auto started = dsvl::Clock::now();
  for (int i = 0; i < 2 || (i < kMostTries && dsvl::seconds_since(started) < budget / 2); ++i) {
    Watch watch{stage};
    const auto began = dsvl::Clock::now();
    const auto time = std::chrono::duration_cast<dsvl::Clock::duration>(std::chrono::duration<double>(budget / 2));
    DSVL_CHECK_STATUS(work(dsvl::Control{&cancel, watch.hook(), began + time}));
    if (watch.share == 0) continue;  // not one whole step in that time
    const double all = dsvl::seconds_since(began) / watch.share;
    if (best.share == 0 || all < best.seconds) best = {all, watch.share};
  }
  return best;
}

}  // namespace

std::string measured_text(const Speed& speed) {
  if (speed.measured()) return "measured with a picture of 640 x 480 pixels and 64 tokens of text";
  char text[160];
  std::snprintf(text, sizeof text,
                "estimated: %.0f %% of looking at a picture, %.0f %% of reading it with 64 tokens of text and %.0f %% "
                "of a token were run",
                100 * speed.encode.share, 100 * speed.prefill.share, 100 * speed.token.share);
  return text;
}

dsvl::Result<Speed> measure_speed(const dsvl::Model& model, const dsvl::Limits& wanted, dsvl::Executor& executor,
                                  const dsvl::CancelToken& cancel) {
  const dsvl::DeepseekVl& net = model.network();
  dsvl::Limits limits = wanted;
  limits.context = net.siglip.dims.tokens() + bench::kQuestion + bench::kAnswer;
  DSVL_TRY(complete, dsvl::complete_limits(limits, model.config(), net.decoder));
  bench::Bench bench(net, model.config().preprocess, complete, executor);
  DSVL_CHECK_STATUS(bench.open());
  Speed speed;
  const bench::MadeUpPicture picture;
  dsvl::Usage usage;
  DSVL_TRY(encode, time_stage(Stage::encode, kEncode, cancel, [&](const dsvl::Control& control) -> Status {
             DSVL_CHECK_STATUS(bench.encoder.begin(picture.pixels()));
             return bench.encoder.advance(executor, control, usage);
           }));
  speed.encode = encode;
  bench.encoder.abandon();
  // What the rows say makes no difference to the time they take.
  const std::vector<float> rows(static_cast<std::size_t>(net.siglip.dims.tokens() * net.decoder.dims.hidden), 0.01f);
  const auto inputs = bench::prompt(net, rows);
  const std::vector<dsvl::TokenKey> slots(inputs.size());
  DSVL_TRY(prefill, time_stage(Stage::prefill, kPrefill, cancel, [&](const dsvl::Control& control) -> Status {
             bench.decoding.remove(bench.request);
             bench.cache.truncate(0);
             DSVL_CHECK_STATUS(bench.request.begin(bench.cache, {slots, inputs}, 1, Stage::prefill));
             return bench.decoding.advance(bench.request, executor, control);
           }));
  speed.prefill = prefill;
  bench.decoding.remove(bench.request);
  const Index prompt = bench.cache.size();  // 0 where there was no time to read all of it
  DSVL_TRY(token, time_stage(Stage::decode, kToken, cancel, [&](const dsvl::Control& control) -> Status {
             const dsvl::TokenInput<float> next{1, nullptr};
             const dsvl::TokenKey slot{next.id};
             bench.decoding.remove(bench.request);
             bench.cache.truncate(prompt);
             DSVL_CHECK_STATUS(bench.request.begin(bench.cache, {{&slot, 1}, {&next, 1}}, 1, Stage::decode));
             return bench.decoding.advance(bench.request, executor, control);
           }));
  bench.decoding.remove(bench.request);
  speed.token = token;
  return speed;
}

}  // namespace cli
