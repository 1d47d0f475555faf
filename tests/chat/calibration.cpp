// From likelihoods of choices to probabilities that mean what they say.
#include "dsvl/chat/calibration.hpp"

#include <random>

#include "demo.hpp"

using namespace dsvl;

namespace {

/// Examples of a model that is right as often as its likelihoods, divided by `temperature`, say.
std::vector<LabelledChoice> drawn(double temperature, int count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> logit(0, 3);
  std::vector<LabelledChoice> out;
  for (int i = 0; i < count; ++i) {
    LabelledChoice e{{logit(random), logit(random), logit(random)}, 0};
    const auto shares = choice_probabilities(e.log_likelihoods, temperature);
    double left = std::uniform_real_distribution<double>()(random);
    while (e.right + 1 < shares.size() && (left -= shares[e.right]) > 0) ++e.right;
    out.push_back(std::move(e));
  }
  return out;
}

std::vector<Judged> judge(std::span<const LabelledChoice> examples, const Calibration& calibration) {
  std::vector<Judged> out;
  for (const LabelledChoice& e : examples) {
    const Classification made = decide(e.log_likelihoods, {calibration.temperature, 0});
    out.push_back({made.probabilities[*made.choice], *made.choice == e.right});
  }
  return out;
}

}  // namespace

TEST_CASE("a temperature is found again from answers that were drawn with it") {
  for (const double temperature : {0.4, 1.0, 2.5, 6.0}) {
    CAPTURE(temperature);
    const auto fitted = fit_calibration(drawn(temperature, 3000, 1));
    REQUIRE(fitted);
    CHECK(fitted->temperature == doctest::Approx(temperature).epsilon(0.1));
    const auto others = drawn(temperature, 3000, 2);
    const double after = expected_calibration_error(judge(others, *fitted));
    CHECK(after < 0.03);
    if (temperature != 1) CHECK(after < expected_calibration_error(judge(others, {})) / 2);
  }
}

TEST_CASE("a handful of examples that are all right makes surer, but not certain") {
  const std::vector<LabelledChoice> right(6, LabelledChoice{{-1, -2}, 0}), wrong(6, LabelledChoice{{-1, -9}, 1});
  const auto surer = fit_calibration(right), less_sure = fit_calibration(wrong);
  REQUIRE(surer);
  REQUIRE(less_sure);
  CHECK(surer->temperature < 1);
  CHECK(surer->temperature > 0.1);
  CHECK(less_sure->temperature > 3);
  CHECK(fit_calibration({{right[0]}})->temperature > 0.5);  // one says little
}

TEST_CASE("a choice is not made below the threshold, and a coverage finds one") {
  const double likely[] = {-0.1, -2.3}, even[] = {-0.7, -0.69};
  const Calibration strict{1, 0.8};
  CHECK(decide(likely, strict).choice == std::size_t{0});
  CHECK_FALSE(decide(even, strict).choice);
  CHECK(decide(even, {}).choice == std::size_t{1});
  CHECK(decide(even, strict).probabilities == decide(even, {}).probabilities);
  CHECK_FALSE(decide({}, {}).choice);
  const auto examples = drawn(1, 50, 3);
  const auto fitted = fit_calibration(examples, 0.8);
  REQUIRE(fitted);
  int made = 0;
  for (const LabelledChoice& e : examples) made += decide(e.log_likelihoods, *fitted).choice.has_value();
  CHECK(made == 40);
}

TEST_CASE("the calibration error is the gap between what choices claim and how many are right") {
  std::vector<Judged> judged;
  for (int i = 0; i < 10; ++i) judged.push_back({0.75, i < 5}), judged.push_back({0.95, true});
  CHECK(expected_calibration_error(judged) == doctest::Approx((10 * 0.25 + 10 * 0.05) / 20));
  CHECK(expected_calibration_error(judged, 1) == doctest::Approx(0.85 - 0.75));
  CHECK(expected_calibration_error({}) == 0);
  CHECK(accuracy_at(judged, 1) == 0.75);
  CHECK(accuracy_at(judged, 0.5) == 1);
  CHECK(accuracy_at(judged, 0.501) == doctest::Approx(10.0 / 11 + 1.0 / 11));
  CHECK(accuracy_at({}, 0.9) == 0);
}

TEST_CASE("examples that say nothing are refused") {
  const LabelledChoice good{{-1, -2}, 0}, out_of_range{{-1, -2}, 2}, infinite{{-1, -INFINITY}, 0};
  CHECK(fit_calibration({}).error().code() == Code::bad_argument);
  CHECK(fit_calibration({{good, out_of_range}}).error().code() == Code::bad_argument);
  CHECK(fit_calibration({{good, infinite}}).error().code() == Code::bad_argument);
  for (const double coverage : {0.0, -1.0, 1.1, double{NAN}})
    CHECK(fit_calibration({{good}}, coverage).error().code() == Code::bad_argument);
}

TEST_CASE("classify with a calibration has the probabilities of classify at temperature 1, and flatter ones above") {
  Session session = test::open_session();
  const Picture picture(test::tiny_vl() / "demo" / "000.png");
  const std::string_view choices[] = {" The green bar.", " The red bar.", " The white bar."};
  const auto plain = session.classify({&picture, 1}, "Which bar is the tallest?", choices);
  const auto same = classify(session, {&picture, 1}, "Which bar is the tallest?", choices, {});
  const auto flat = classify(session, {&picture, 1}, "Which bar is the tallest?", choices, {8, 0.999});
  REQUIRE(plain);
  REQUIRE(same);
  REQUIRE(flat);
  CHECK(same->probabilities == *plain);
  CHECK(same->choice == std::size_t{0});
  CHECK(flat->probabilities[0] < same->probabilities[0]);
  CHECK_FALSE(flat->choice);
}
