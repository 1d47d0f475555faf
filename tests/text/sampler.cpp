// The sampler: choices, cuts, log-probabilities, refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dsvl/text/sampler.hpp"
#include "support.hpp"

using namespace dsvl;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

Sampler make(const SamplerOptions& options, Index vocab) {
  Sampler made(vocab);
  REQUIRE(made.ready());
  const Status set = made.set(options);
  REQUIRE_MESSAGE(set.ok(), set.text());
  return made;
}

/// How often each token is drawn over `n` positions, as a share.
std::vector<double> shares(SamplerOptions options, const std::vector<float>& logits, int n) {
  Sampler s = make(options, static_cast<Index>(logits.size()));
  std::vector<double> out(logits.size());
  for (int i = 0; i < n; ++i) {
    const auto choice = s.choose(logits, static_cast<std::uint64_t>(i));
    out[static_cast<std::size_t>(choice->id)] += 1.0 / n;
  }
  return out;
}

}  // namespace

TEST_CASE("greedy takes the best token, the lowest id among equals, with its log softmax") {
  Sampler s = make({}, 4);
  const std::vector<float> logits{1, 3, 3, 2};
  const auto choice = s.choose(logits, 0);
  REQUIRE(choice.has_value());
  CHECK(choice->id == 1);
  const double sum = std::exp(-2.0) + 1 + 1 + std::exp(-1.0);
  CHECK(choice->log_probability == doctest::Approx(-std::log(sum)).epsilon(1e-14));
  const std::vector<float> huge{-3e38f, 3e38f, -kInf, 0};  // neither overflow nor NaN
  CHECK(s.choose(huge, 0)->id == 1);
  CHECK(s.choose(huge, 0)->log_probability == 0);
}

TEST_CASE("drawing follows the softmax at its temperature") {
  const std::vector<float> logits{0, 1, 2, -1};
  for (const float temperature : {0.5f, 1.0f, 2.0f}) {
    CAPTURE(temperature);
    SamplerOptions o;
    o.temperature = temperature;
    o.seed = 7;
    double sum = 0;
    for (const float x : logits) sum += std::exp(x / temperature);
    const auto found = shares(o, logits, 20000);
    for (std::size_t i = 0; i < 4; ++i)
      CHECK(found[i] == doctest::Approx(std::exp(logits[i] / temperature) / sum).epsilon(0.1));
  }
  SamplerOptions cold;
  cold.temperature = 1e-30f;
  CHECK(shares(cold, logits, 100)[2] == doctest::Approx(1));
}

TEST_CASE("top-k keeps the k best, the lower ids among equals, in their proportion") {
  SamplerOptions o;
  o.temperature = 1;
  o.top_k = 2;
  const auto found = shares(o, {1, 2, 0, 1, -5}, 20000);
  CHECK(found[1] == doctest::Approx(std::exp(1.0) / (std::exp(1.0) + 1)).epsilon(0.05));
  CHECK(found[0] == doctest::Approx(1 - found[1]));
  o.top_k = 99;
  CHECK(shares(o, {1, 2, 0, 1, -5}, 2000)[2] > 0);
}

TEST_CASE("top-p keeps the fewest best that reach p, with the one that crosses, after top-k") {
  const std::vector<float> logits{std::log(0.1f), std::log(0.5f), std::log(0.15f), std::log(0.25f)};
  SamplerOptions o;
  o.temperature = 1;
  o.top_p = 0.6f;  // 0.5 does not reach it, 0.5 + 0.25 does
  auto found = shares(o, logits, 20000);
  CHECK(found[1] == doctest::Approx(2.0 / 3).epsilon(0.05));
  CHECK(found[1] + found[3] == doctest::Approx(1));
  o.top_p = 1e-6f;  // the best one always stays
  CHECK(shares(o, logits, 100)[1] == doctest::Approx(1));
  o.top_p = 0.7f;
  o.top_k = 2;  // of two thirds and one third, 0.7 needs both
  found = shares(o, logits, 20000);
  CHECK(found[3] == doctest::Approx(1.0 / 3).epsilon(0.05));
  o.top_p = 0.6f;  // the first alone
  CHECK(shares(o, logits, 100)[1] == doctest::Approx(1));
}

TEST_CASE("the penalty lowers what was seen, once, and the prompt only when asked") {
  const std::vector<float> logits{2, 1.9f, -1};
  const std::int32_t prompt[] = {0, 0};
  SamplerOptions o;
  o.repetition_penalty = 1.1f;
  Sampler generated = make(o, 3);
  generated.begin(prompt);
  CHECK(generated.choose(logits, 0)->id == 0);
  generated.accept(0);
  generated.accept(0);
  CHECK(generated.choose(logits, 0)->id == 1);
  generated.accept(1);
  CHECK(generated.choose(logits, 0)->id == 0);  // both penalised once: the order is back
  generated.begin({});
  CHECK(generated.choose(logits, 0)->id == 0);
  o.penalize_prompt = true;
  Sampler with_prompt = make(o, 3);
  with_prompt.begin(prompt);
  CHECK(with_prompt.choose(logits, 0)->id == 1);
  with_prompt.accept(-1);  // ids beyond the logits (padding, another vocabulary) do no harm
  with_prompt.accept(3);
  const std::vector<float> negative{-1, -1.05f, -9};
  CHECK(with_prompt.choose(negative, 0)->id == 1);  // -1.1 < -1.05: negative logits are multiplied
}

TEST_CASE("bans and biases change the choice and not the reported probability") {
  const std::vector<float> logits{2, 1, 0};
  SamplerOptions o;
  o.banned = {0};
  o.bias = {{2, 1.5f}};
  Sampler s = make(o, 3);
  const auto choice = s.choose(logits, 0);
  CHECK(choice->id == 2);
  CHECK(choice->log_probability == doctest::Approx(-2 - std::log(1 + std::exp(-1.0) + std::exp(-2.0))));
  o.temperature = 5;
  CHECK(shares(o, logits, 500)[0] == 0);
  o.banned = {0, 1, 2};
  CHECK(make(o, 3).choose(logits, 0).error().code() == Code::bad_argument);
}

TEST_CASE("a score that overflows is the largest number, and a draw is still among the best") {
  SamplerOptions options;
  options.temperature = 1;
  options.repetition_penalty = 1e-38f;
  const std::vector<float> logits{0, 1, 50, 2};
  Sampler s = make(options, 4);
  s.begin({});
  s.accept(2);
  for (std::uint64_t position = 0; position < 20; ++position) CHECK(s.choose(logits, position)->id == 2);
  options = {};
  options.bias = {{0, 3e38f}, {0, 3e38f}};  // together infinite, and of a logit that is -infinity no number at all
  CHECK(make(options, 4).choose(std::vector<float>{-kInf, 1, 2, 0}, 0)->id == 2);
}

TEST_CASE("the same seed and position draw the same token, whatever was drawn before; other seeds and forks differ") {
  SamplerOptions o;
  o.temperature = 1;
  o.seed = 42;
  const std::vector<float> logits = test::noise(1000, 3);
  Sampler a = make(o, 1000), b = make(o, 1000);
  int same = 0, other = 0;
  o.seed = fork_seed(42, 0);
  Sampler fork = make(o, 1000);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto id = a.choose(logits, i)->id;
    same += id == b.choose(logits, i)->id;
    other += id == fork.choose(logits, i)->id;
    (void)b.choose(logits, i + 1000);
  }
  CHECK(same == 200);
  CHECK(other < 10);
  CHECK(fork_seed(42, 0) != fork_seed(42, 1));
  CHECK(fork_seed(42, 0) != fork_seed(43, 0));
  static_assert(mix_bits(kGolden) == 0xE220A8397B1DCDAFull);  // first output of SplitMix64 from state 0
}

TEST_CASE("what makes no sense is refused by name") {
  Sampler s = make({}, 3);
  const std::vector<float> nan{0, NAN, 0}, infinite{0, 0, kInf}, nothing{-kInf, -kInf, -kInf}, few{0, 1};
  CHECK(s.choose(nan, 0).error().code() == Code::bad_argument);
  CHECK(std::string(s.choose(nan, 0).error().text()) == "the logit of token 1 is NaN");
  CHECK(s.choose(infinite, 0).error().code() == Code::bad_argument);
  CHECK(s.choose(nothing, 0).error().code() == Code::bad_argument);
  CHECK(s.choose(few, 0).error().code() == Code::bad_argument);
  CHECK(s.choose(std::vector<float>{0, 1, 0}, 0)->id == 1);  // and works on
  const auto refused = [](auto change) {
    SamplerOptions o;
    change(o);
    Sampler refusing(3);
    return refusing.set(o).code() == Code::bad_argument;
  };
  CHECK(refused([](auto& o) { o.temperature = -1; }));
  CHECK(refused([](auto& o) { o.temperature = NAN; }));
  CHECK(refused([](auto& o) { o.top_k = -1; }));
  CHECK(refused([](auto& o) { o.top_p = 0; }));
  CHECK(refused([](auto& o) { o.top_p = 1.5f; }));
  CHECK(refused([](auto& o) { o.repetition_penalty = 0; }));
  CHECK(refused([](auto& o) { o.banned = {3}; }));
  CHECK(refused([](auto& o) { o.bias = {{-1, 0.f}}; }));
  CHECK_FALSE(Sampler(0).ready());
}

TEST_CASE("with a mask only its tokens are chosen, and without one the bits are as before") {
  const std::vector<float> logits{5, 1, 4, 3, 2};
  const std::uint64_t some[] = {0b01010}, none[] = {0};
  Sampler greedy = make({}, 5);
  CHECK(greedy.choose(logits, 0)->id == 0);
  const auto best = greedy.choose(logits, 0, some);
  CHECK(best->id == 3);
  // The log-probability is the model's own, over all tokens.
  CHECK(best->log_probability == doctest::Approx(greedy.choose(logits, 0)->log_probability - 2));
  CHECK(greedy.choose(logits, 0, none).error().code() == Code::bad_argument);
  SamplerOptions o;
  o.temperature = 3;
  Sampler drawn = make(o, 5);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto id = drawn.choose(logits, i, some)->id;
    CHECK((id == 1 || id == 3));
  }
  std::vector<float> wide(200, 0.0f);
  wide[130] = 9;
  Sampler many = make({}, 200);
  const std::uint64_t words[] = {0, 4};  // tokens behind the last word are not allowed
  CHECK(many.choose(wide, 0, words)->id == 66);
}
