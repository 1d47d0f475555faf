// What a gate costs: yes or no about a picture that was not seen before, and about one that was.
//
//   bench_gate [MODEL [ROUNDS [THREADS]]]
//
// First: picture, towers, and a pass over the whole prompt. Again: another question about the same picture, whose prompt
// begins alike. Checks itself: a question that is asked again has the same probability.
#include <dsvl/chat/gate.hpp>
#include <dsvl/dsvl.hpp>

#include "bench.hpp"

using namespace dsvl;

namespace {

/// A picture that no other is equal to.
std::vector<std::uint8_t> picture(int number) {
  std::vector<std::uint8_t> out(640 * 480 * 3);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * 7 % 251 + i / 1920 % (5 + static_cast<std::size_t>(number)));
  out[0] = static_cast<std::uint8_t>(number);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  LoadOptions load;
  if (argc > 3) load.threads = std::atoi(argv[3]);
  auto model = Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl", load);
  if (!model) return report(model.error());
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 9;
  SessionOptions options;
  options.limits.context = std::min<Index>(model->info().max_context, 1024);
  auto session = Session::open(*model, options);
  if (!session) return report(session.error());
  auto gate = Gate::open(*model);
  if (!gate) return report(gate.error());
  std::vector<double> first, again;
  bool equal = true;
  for (int i = 0; i < rounds; ++i) {
    session->clear();
    const std::vector<std::uint8_t> rgb = picture(i);
    const Picture shown = Pixels{rgb.data(), 640, 480, PixelFormat::rgb};
    const auto ask = [&](const char* question, std::vector<double>& to) {
      const double began = bench::now();
      const auto said = gate->yes_no(*session, shown, question);
      to.push_back(bench::now() - began);
      return said ? said->probability : -1;
    };
    const double once = ask("Is there a red circle in the image?", first);
    ask("Is there a blue star in the image?", again);
    std::vector<double> unread;
    equal = equal && once >= 0 && ask("Is there a red circle in the image?", unread) == once;
  }
  std::printf("yes or no     first %.1f ms, again %.1f ms (medians of %d pictures of 640 x 480)\n", 1e3 * bench::median(first),
              1e3 * bench::median(again), rounds);
  std::printf("check: the same question has the same probability: %s\n", equal ? "yes" : "NO");
  return equal ? 0 : 1;
}
