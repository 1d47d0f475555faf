#include "choices.hpp"

#include <dsvl/chat/calibration.hpp>
#include <dsvl/io/json_writer.hpp>
#include <dsvl/text/tokenizer.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "system.hpp"

namespace cli {

namespace {

constexpr std::size_t kFewest = 4;  // questions of a set of choices that a temperature is fitted for
constexpr double kCoverage = 0.9;

/// Questions that are answered alike, and all their answers.
struct ChoiceSet {
  std::vector<const ChoiceQuestion*> questions;
  std::vector<std::string_view> choices;
  std::vector<dsvl::LabelledChoice> scored;  // in the order of the questions
};

/// Questions belong together when they have the same text or the same answer, or when others join them.
std::vector<ChoiceSet> group(std::span<const ChoiceQuestion> questions) {
  std::vector<std::size_t> leader(questions.size());
  std::iota(leader.begin(), leader.end(), std::size_t{0});
  const auto find = [&](std::size_t i) {
    while (leader[i] != i) i = leader[i];
    return i;
  };
  for (std::size_t i = 0; i < questions.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (questions[i].question == questions[j].question || questions[i].answer == questions[j].answer)
        leader[find(i)] = find(j);
  std::vector<ChoiceSet> sets(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ChoiceSet& set = sets[find(i)];
    set.questions.push_back(&questions[i]);
    const auto known = std::find(set.choices.begin(), set.choices.end(), questions[i].answer);
    if (known == set.choices.end()) set.choices.push_back(questions[i].answer);
  }
  std::erase_if(sets, [](const ChoiceSet& set) { return set.choices.size() < 2; });
  return sets;
}

/// Whether the model's answers begin with a space: what its first answer begins with.
dsvl::Result<bool> begins_with_space(Talk& talk, const ChoiceQuestion& question, std::span<const dsvl::Picture> pictures,
                                     dsvl::GenerateOptions options) {
  options.max_tokens = 1;
  dsvl::Answer answer = talk.session.ask(pictures, question.question, options);
  while (answer.next()) {}
  DSVL_CHECK_STATUS(answer.status());
  return !answer.ids().empty() && talk.model.tokenizer()->token_bytes(answer.ids()[0]).starts_with(' ');
}

std::vector<dsvl::Picture> pictures_of(const ChoiceQuestion& question, const std::filesystem::path& folder) {
  std::vector<dsvl::Picture> out;
  if (!question.image.empty()) out.emplace_back(folder / to_path(std::string(question.image)));
  return out;
}

/// Scores all choices of every question of a set.
dsvl::Status score(ChoiceSet& set, const std::filesystem::path& folder, Talk& talk, bool spaced,
                   const dsvl::GenerateOptions& options) {
  std::vector<std::string> texts;
  for (const std::string_view choice : set.choices) texts.emplace_back(spaced ? " " : "").append(choice);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const ChoiceQuestion* question : set.questions) {
    talk.session.clear();
    DSVL_TRY(scores, talk.session.score(pictures_of(*question, folder), question->question, views, options));
    const auto right = std::find(set.choices.begin(), set.choices.end(), question->answer) - set.choices.begin();
    set.scored.push_back({dsvl::log_likelihoods(scores), static_cast<std::size_t>(right)});
  }
  return {};
}

/// What is measured of all questions, with and without temperatures.
struct Quality {
  std::vector<dsvl::Judged> judged;
  double surprise = 0;  // the sum of the negative log-probabilities of what is right

  void add(const dsvl::LabelledChoice& e, double temperature) {
    const std::vector<double> shares = dsvl::choice_probabilities(e.log_likelihoods, temperature);
    const auto best = std::max_element(shares.begin(), shares.end()) - shares.begin();
    judged.push_back({shares[static_cast<std::size_t>(best)], static_cast<std::size_t>(best) == e.right});
    surprise -= std::log(std::max<double>(shares[e.right], 1e-300));
  }
  [[nodiscard]] double error() const { return dsvl::expected_calibration_error(judged); }
  [[nodiscard]] double mean_surprise() const { return surprise / static_cast<double>(judged.size()); }
};

struct Report {
  std::size_t sets = 0, fitted = 0;  // fitted: questions whose set has enough others
  Quality before, after;
};

/// Judges every question with the temperature of the other half of its set, so that none is judged by itself.
Report judge(std::span<const ChoiceSet> sets) {
  Report out;
  out.sets = sets.size();
  for (const ChoiceSet& set : sets) {
    double temperature[2] = {1, 1};  // fitted to questions of even and of odd numbers
    if (set.scored.size() >= kFewest) {
      out.fitted += set.scored.size();
      for (std::size_t half = 0; half < 2; ++half) {
        std::vector<dsvl::LabelledChoice> examples;
        for (std::size_t i = half; i < set.scored.size(); i += 2) examples.push_back(set.scored[i]);
        if (const auto fit = dsvl::fit_calibration(examples)) temperature[half] = fit->temperature;
      }
    }
    for (std::size_t i = 0; i < set.scored.size(); ++i) {
      out.before.add(set.scored[i], 1);
      out.after.add(set.scored[i], temperature[1 - i % 2]);
    }
  }
  return out;
}

void print(const Report& report, bool json) {
  const struct { const char *key, *label; const Quality& quality; } rows[] = {
      {"before", "as the model says", report.before}, {"after", "with a temperature", report.after}};
  if (json) {
    dsvl::json::Writer w;
    w.begin_object().key("questions").value(static_cast<std::int64_t>(report.before.judged.size()));
    w.key("choice_sets").value(static_cast<std::int64_t>(report.sets));
    w.key("calibrated_questions").value(static_cast<std::int64_t>(report.fitted));
    for (const auto& row : rows) {
      w.key(row.key).begin_object().key("accuracy").value(dsvl::accuracy_at(row.quality.judged, 1));
      w.key("accuracy_at_90").value(dsvl::accuracy_at(row.quality.judged, kCoverage));
      w.key("calibration_error").value(row.quality.error());
      w.key("surprise").value(row.quality.mean_surprise()).end_object();
    }
    std::printf("%s\n", w.end_object().text().c_str());
    return;
  }
  std::printf("%zu questions, %zu sets of choices; temperatures for %zu of the questions, fitted on others of their set\n\n",
              report.before.judged.size(), report.sets, report.fitted);
  std::printf("%-20s  %8s  %22s  %17s  %8s\n", "", "right", "right of the surest 90 %", "calibration error", "surprise");
  for (const auto& row : rows)
    std::printf("%-20s  %6.1f %%  %22.1f %%  %17.3f  %8.3f\n", row.label, 100 * dsvl::accuracy_at(row.quality.judged, 1),
                100 * dsvl::accuracy_at(row.quality.judged, kCoverage), row.quality.error(),
                row.quality.mean_surprise());
}

}  // namespace

int run_choices(std::span<const ChoiceQuestion> questions, const std::filesystem::path& folder, Talk& talk,
                const dsvl::GenerateOptions& options, bool json, ProgressLine& progress) {
  std::vector<ChoiceSet> sets = group(questions);
  if (sets.empty()) {
    print_error("no question has several choices: its own answer, and those of questions like it");
    return kError;
  }
  const ChoiceQuestion& first = *sets[0].questions[0];
  const auto spaced = begins_with_space(talk, first, pictures_of(first, folder), options);
  if (!spaced) return give_up(spaced.error());
  std::size_t done = 0;
  for (ChoiceSet& set : sets) {
    if (const dsvl::Status status = score(set, folder, talk, *spaced, options); !status.ok()) {
      progress.clear();
      return give_up(status);
    }
    progress.show("scoring choices", static_cast<double>(done += set.questions.size()),
                  static_cast<double>(questions.size()));
  }
  progress.clear();
  print(judge(sets), json);
  return finish_output();
}

}  // namespace cli
