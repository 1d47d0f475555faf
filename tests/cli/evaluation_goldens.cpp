// Every case that the official scorers were run on, against ours: 0 may differ.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "../../examples/cli/evaluation/gsm8k.hpp"
#include "../../examples/cli/evaluation/hellaswag.hpp"
#include "../../examples/cli/evaluation/mathvista.hpp"
#include "../../examples/cli/evaluation/mmbench.hpp"
#include "../../examples/cli/evaluation/mmlu.hpp"
#include "../../examples/cli/evaluation/mmvet.hpp"
#include "../../examples/cli/evaluation/pope.hpp"
#include "../../examples/cli/evaluation/random.hpp"
#include "../../examples/cli/evaluation/records.hpp"
#include "../../examples/cli/evaluation/statistics.hpp"
#include "../../examples/cli/evaluation/table.hpp"
#include "../../examples/cli/evaluation/textvqa.hpp"
#include "../../examples/cli/evaluation/vqa.hpp"
#include "../support.hpp"

using namespace cli::evaluation;
using dsvl::json::Document;
using dsvl::json::Value;
namespace python = cli::python;

namespace {

/// A golden file; it says how many cases of it were compared when it goes.
class Golden {
 public:
  explicit Golden(const std::string& name) : name_(name), document_(read(name)) {}
  ~Golden() { MESSAGE(name_ << ": " << cases << " cases compared"); }
  Value operator[](std::string_view key) const { return document_.root().find(key); }

  int cases = 0;

 private:
  static Document read(const std::string& name) {
    auto parsed = Document::parse(test::read_file(test::data("evaluation/" + name)), name);
    REQUIRE_MESSAGE(parsed, parsed.error().text());
    return std::move(*parsed);
  }
  std::string name_;
  Document document_;
};

std::string text(Value value) { return std::string(value.string().value_or("(no string)")); }
/// A number, or the words for what JSON has no numbers for.
double number(Value value) {
  return value.is_string() ? python::to_float(text(value)).value_or(0) : value.number().value_or(-1);
}
std::vector<std::string> texts(Value list) {
  std::vector<std::string> out;
  for (const Value v : list) out.push_back(text(v));
  return out;
}
std::vector<double> numbers(Value list) {
  std::vector<double> out;
  for (const Value v : list) out.push_back(number(v));
  return out;
}
bool equal(double got, double want) {
  return got == want || std::abs(got - want) < 1e-12 || (std::isnan(got) && std::isnan(want));
}
std::optional<char> letter(Value value) { return value.is_string() ? std::optional(text(value)[0]) : std::nullopt; }
std::vector<Choice> choices_of(Value object) {
  std::vector<Choice> out;
  for (const Value c : object)
    if (c.is_string()) out.push_back({c.key()[0], text(c)});
  return out;
}

}  // namespace

TEST_CASE("VQAv2: texts become what vqaEval.py makes of them, step by step") {
  Golden golden("vqa.json");
  for (const Value c : golden["cases"]) {
    CAPTURE(text(c.find("text")));
    CHECK(vqa_strip(text(c.find("text"))) == text(c.find("stripped")));
    CHECK(vqa_punctuation(text(c.find("stripped"))) == text(c.find("punctuation")));
    CHECK(vqa_words(text(c.find("punctuation"))) == text(c.find("final")));
    CHECK(vqa_normalise(text(c.find("text"))) == text(c.find("final")));
    ++golden.cases;
  }
  for (const Value c : golden["contractions"]) {
    CHECK(vqa_words(c.key()) == text(c));
    ++golden.cases;
  }
  CHECK(golden["contractions"].size() == std::size(kContractions));
}

TEST_CASE("VQAv2: questions score what vqaEval.py gives them, and so does all of it") {
  Golden golden("vqa.json");
  Mean all;
  std::map<std::string, Mean> question_types, answer_types;
  for (const Value c : golden["questions"]) {
    CAPTURE(text(c.find("pred")));
    std::vector<VqaReference> references;
    for (const Value r : c.find("answers"))
      references.push_back({text(r.find("answer")), std::string(r.find("answer_confidence").string().value_or("")) +
                                                        std::to_string(r.find("answer_id").integer().value_or(0))});
    const double score = vqa_accuracy(references, text(c.find("pred")));
    CHECK(python::round(100 * score, 2) == number(c.find("accuracy_percent")));
    for (Mean* const to :
         {&all, &question_types[text(c.find("question_type"))], &answer_types[text(c.find("answer_type"))]})
      to->add(score);
    ++golden.cases;
  }
  const Value totals = golden["totals"];
  CHECK(python::round(100 * all.mean(), 2) == number(totals.find("overall")));
  for (const Value t : totals.find("perQuestionType"))
    CHECK(python::round(100 * question_types[std::string(t.key())].mean(), 2) == number(t));
  for (const Value t : totals.find("perAnswerType"))
    CHECK(python::round(100 * answer_types[std::string(t.key())].mean(), 2) == number(t));
}

TEST_CASE("TextVQA: texts and scores are those of mmf and of VLMEvalKit in two versions") {
  Golden golden("textvqa.json");
  for (const Value c : golden["cases"]) {
    const std::string given = text(c.find("text"));
    CAPTURE(given);
    CHECK(textvqa_tokens(given) == text(c.find("tokenised")));
    CHECK(vqa_punctuation(vqa_strip(text(c.find("tokenised")))) == text(c.find("punctuation")));
    CHECK(textvqa_normalise(given) == text(c.find("final")));
    CHECK(textvqa_normalise(given, TextVqaRules::vlmevalkit) == text(c.find("vlmevalkit")));
    CHECK(textvqa_normalise(given, TextVqaRules::vlmevalkit_2024) == text(c.find("vlmevalkit_2024")));
    ++golden.cases;
  }
  Mean all;
  for (const Value c : golden["questions"]) {
    const std::vector<std::string> references = texts(c.find("answers"));
    const std::string given = text(c.find("pred"));
    CAPTURE(given);
    const double score = textvqa_accuracy(references, given);
    all.add(score);
    CHECK(equal(score, number(c.find("score"))));
    CHECK(equal(textvqa_accuracy(references, given, TextVqaRules::vlmevalkit), number(c.find("vlmevalkit"))));
    CHECK(equal(textvqa_accuracy(references, given, TextVqaRules::vlmevalkit_2024), number(c.find("vlmevalkit_2024"))));
    ++golden.cases;
  }
  CHECK(equal(all.mean(), number(golden["total"])));
}

TEST_CASE("GSM8K: what is extracted and what counts as right are the four official rules'") {
  Golden golden("gsm8k.json");
  for (const Value c : golden["cases"]) {
    const std::string solution = text(c.find("completion")), reference = text(c.find("answer"));
    CAPTURE(solution);
    const struct {
      Gsm8kRule rule;
      std::string name;
    } rules[] = {{Gsm8kRule::official, "official"},
                 {Gsm8kRule::strict, "strict"},
                 {Gsm8kRule::flexible, "flexible"},
                 {Gsm8kRule::cot, "cot_strict"}};
    for (const auto& [rule, name] : rules) {
      CAPTURE(name);
      CHECK(gsm8k_extract(solution, rule).value_or("[invalid]") == text(c.find(name)));
      CHECK(gsm8k_is_right(solution, reference, rule) == c.find(name + "_correct").boolean());
    }
    ++golden.cases;
  }
  for (const Value c : golden["stops"]) {
    const std::vector<std::string> stops = gsm8k_stops("Question:");
    CHECK(cut_at(text(c.find("generated")), stops) == text(c.find("kept")));
    ++golden.cases;
  }
}

TEST_CASE("GSM8K: the examples that Python would draw, the prompt, the mean and its error") {
  Golden golden("gsm8k.json");
  const struct {
    const char* name;
    std::size_t n, k;
  } draws[] = {{"fewshot_5_of_7473_seed_1234", 7473, 5},
               {"fewshot_8_of_7473_seed_1234", 7473, 8},
               {"fewshot_5_of_20_seed_1234", 20, 5}};
  for (const auto& [name, n, k] : draws) {
    python::Random random(1234);
    REQUIRE(golden[name].size() > 0);
    for (const Value want : golden[name]) {
      const std::vector<std::size_t> got = random.sample(n, k);
      REQUIRE(got.size() == want.size());
      for (std::size_t i = 0; i < k; ++i) CHECK(got[i] == static_cast<std::size_t>(want[i].integer().value_or(-1)));
      ++golden.cases;
    }
  }
  std::vector<Gsm8kExample> shots;
  for (const Value s : golden["prompt"].find("shots"))
    shots.push_back({text(s.find("question")), text(s.find("answer"))});
  CHECK(gsm8k_prompt(shots, text(golden["prompt"].find("doc").find("question"))) ==
        text(golden["prompt"].find("text")));
  Mean mean;
  for (const double score : numbers(golden["aggregate"].find("scores"))) mean.add(score);
  CHECK(equal(mean.mean(), number(golden["aggregate"].find("mean"))));
  CHECK(equal(mean.error(), number(golden["aggregate"].find("stderr"))));
  golden.cases += 2;
}

TEST_CASE("POPE: yes and no are what the official rule and VLMEvalKit's read") {
  Golden golden("pope.json");
  const auto name = [](YesNo says) { return says == YesNo::yes ? "Yes" : says == YesNo::no ? "No" : "Unknown"; };
  for (const Value c : golden["cases"]) {
    const std::string given = text(c.find("text"));
    CAPTURE(given);
    CHECK((pope_says_yes(given) ? "yes" : "no") == text(c.find("official")));
    CHECK(name(find_yes_or_no(given)) == text(c.find("vlmevalkit")));
    CHECK(name(find_yes_or_no(given, Dots::before_no_digit)) == text(c.find("vlmevalkit_2024")));
    ++golden.cases;
  }
}

TEST_CASE("POPE: whole runs have evaluate.py's figures, and stop where it would divide by zero") {
  Golden golden("pope.json");
  for (const Value run : golden["runs"]) {
    const Value want = run.find("official");
    const std::vector<std::string> answers = texts(run.find("answers")), labels = texts(run.find("labels"));
    PopeCounts counts;
    // evaluate.py pairs lines as far as both files go. Ours writes every line, so there the two are as long.
    for (std::size_t i = 0; i < std::min(answers.size(), labels.size()); ++i)
      counts.add(pope_says_yes(answers[i]), labels[i] != "no");
    const auto is = [&](std::size_t got, const char* key) {
      return static_cast<double>(got) == number(want.find(key));
    };
    CHECK((is(counts.true_yes, "TP") && is(counts.false_yes, "FP")));
    CHECK((is(counts.true_no, "TN") && is(counts.false_no, "FN")));
    if (want.find("error").missing()) {
      CHECK(equal(counts.accuracy(), number(want.find("acc"))));
      CHECK(equal(counts.precision(), number(want.find("precision"))));
      CHECK(equal(counts.recall(), number(want.find("recall"))));
      CHECK(equal(counts.f1(), number(want.find("f1"))));
      if (answers.size() == labels.size()) CHECK(equal(counts.yes_ratio(), number(want.find("yes_ratio"))));
    } else {
      CHECK((std::isnan(counts.precision()) || std::isnan(counts.recall()) || std::isnan(counts.f1())));
    }
    ++golden.cases;
  }
  std::map<std::string, PopeCounts> rating;
  for (const Value row : golden["vlmevalkit_rating"].find("rows")) {
    const std::string says = text(row.find("extracted"));
    const YesNo read = says == "Yes" ? YesNo::yes : says == "No" ? YesNo::no : YesNo::unknown;
    for (const std::string& category : python::split(text(row.find("category")), ","))
      for (const std::string& to : {category, std::string("Overall")})
        rating[to].add(read, text(row.find("answer")) == "Yes");
  }
  for (const Value want : golden["vlmevalkit_rating"].find("result")) {
    const PopeCounts& got = rating[text(want.find("split"))];
    CHECK(equal(100 * got.f1(), number(want.find("f1"))));
    CHECK(equal(100 * got.accuracy(), number(want.find("acc"))));
    CHECK(equal(100 * got.precision(), number(want.find("precision"))));
    CHECK(equal(100 * got.recall(), number(want.find("recall"))));
    ++golden.cases;
  }
}

TEST_CASE("MMBench: letters are read from answers as VLMEvalKit reads them, then and now") {
  Golden golden("mmbench.json");
  for (const Value c : golden["cases"]) {
    const std::vector<Choice> choices = choices_of(c.find("choices"));
    const std::string given = text(c.find("prediction"));
    CAPTURE(given);
    const struct {
      MatchingRules rules;
      std::string suffix;
    } versions[] = {{MatchingRules::current, ""}, {MatchingRules::of_2024, "_2024"}};
    for (const auto& [rules, suffix] : versions) {
      CAPTURE(suffix);
      CHECK(find_option(given, choices, rules) == letter(c.find("option" + suffix)));
      CHECK(find_option_text(given, choices, rules) == letter(c.find("text" + suffix)));
      CHECK(find_choice(given, choices, rules) == letter(c.find("result" + suffix)));
    }
    ++golden.cases;
  }
}

TEST_CASE("MMBench: a question counts when all its rotations are right") {
  Golden golden("mmbench.json");
  const Value circular = golden["circular"];
  std::vector<RotationAnswer> rows;
  std::map<std::int64_t, std::vector<std::string>> groups;  // of the base rows
  std::map<std::int64_t, bool> vanilla;
  for (const Value row : circular.find("rows")) {
    std::vector<Choice> choices;
    for (const char l : std::string("ABCD"))
      if (row.find({&l, 1}).is_string()) choices.push_back({l, text(row.find({&l, 1}))});
    rows.push_back({row.find("index").integer().value_or(-1), text(row.find("answer"))[0],
                    find_choice(text(row.find("prediction")), choices, MatchingRules::current)});
    if (rows.back().index >= kRotationStep) continue;
    groups[rows.back().index] = {"Overall", text(row.find("l2-category")), text(row.find("category"))};
    vanilla[rows.back().index] = rows.back().chosen == rows.back().right;
  }
  const auto got = evaluate_circular(rows);
  std::map<std::string, Mean> report;
  for (const Value want : circular.find("hits")) {
    const std::int64_t index = want.find("index").integer().value_or(-1);
    const bool hit = got.at(index) == Circular::hit;
    CHECK(hit == (number(want.find("hit")) == 1));
    for (const std::string& group : groups.at(index)) report[group].add(hit);
    ++golden.cases;
  }
  for (const Value want : circular.find("vanilla_base_rows"))
    CHECK(vanilla.at(want.find("index").integer().value_or(-1)) == (number(want.find("hit")) == 1));
  for (const Value want : circular.find("report"))
    if (want.key() != "split") CHECK(equal(report.at(std::string(want.key())).mean(), number(want)));
}

TEST_CASE("MMBench: prompts of rows are VLMEvalKit's to the last blank") {
  Golden golden("mmbench.json");
  const auto table = read_table(text(golden["prompts"].find("tsv")), "tsv", '\t', true, Pandas::v1);
  REQUIRE_MESSAGE(table, table.error().text());
  std::size_t row = 0;
  for (const Value want : golden["prompts"].find("prompts")) {
    const Record& r = table->records[row++];
    const auto cell = [&](std::string_view column) { return r.cells[table->find(column).value()]; };
    std::vector<Choice> choices;
    for (const char l : std::string("ABCD"))
      if (cell({&l, 1})) choices.push_back({l, *cell({&l, 1})});
    CHECK(choice_prompt(cell("hint"), cell("question").value_or("nan"), choices) == text(want.find("prompt")));
    ++golden.cases;
  }
  CHECK(row == table->records.size());
}

TEST_CASE("HellaSwag: texts are cleaned up, cut and measured as lm-eval does") {
  Golden golden("hellaswag.json");
  for (const Value c : golden["cases"]) {
    CHECK(hellaswag_clean(text(c.find("text"))) == text(c.find("clean")));
    ++golden.cases;
  }
  for (const Value doc : golden["docs"]) {
    const std::string query =
        hellaswag_query(text(doc.find("activity_label")), text(doc.find("ctx_a")), text(doc.find("ctx_b")));
    CHECK(query == text(doc.find("query")));
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string choice = hellaswag_clean(text(doc.find("endings")[i]));
      CHECK(choice == text(doc.find("choices")[i]));
      const ContextAndEnding pair = move_blanks(query, " " + choice);
      CHECK(pair.context == text(doc.find("pairs")[i][0]));
      CHECK(pair.ending == text(doc.find("pairs")[i][1]));
      CHECK(static_cast<double>(python::length(choice)) == number(doc.find("chars")[i]));
      CHECK(static_cast<double>(choice.size()) == number(doc.find("bytes")[i]));
    }
    ++golden.cases;
  }
}

TEST_CASE("HellaSwag: the ending that each way of measuring likes best is lm-eval's") {
  Golden golden("hellaswag.json");
  for (const Value c : golden["scoring"]) {
    const std::vector<double> sums = numbers(c.find("loglikelihoods"));
    std::vector<double> by_character, by_byte;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::string choice = text(c.find("choices")[i]);
      by_character.push_back(for_each_of(sums[i], python::length(choice)));
      by_byte.push_back(for_each_of(sums[i], choice.size()));
    }
    CHECK(static_cast<double>(largest(sums)) == number(c.find("pred")));
    CHECK(static_cast<double>(largest(by_character)) == number(c.find("pred_norm")));
    CHECK(static_cast<double>(largest(by_byte)) == number(c.find("pred_bytes")));
    const double gold = number(c.find("gold"));
    CHECK((static_cast<double>(largest(sums)) == gold) == (number(c.find("acc")) == 1));
    CHECK((static_cast<double>(largest(by_character)) == gold) == (number(c.find("acc_norm")) == 1));
    CHECK((static_cast<double>(largest(by_byte)) == gold) == (number(c.find("acc_bytes")) == 1));
    ++golden.cases;
  }
  Mean mean;
  for (const double score : numbers(golden["aggregate"].find("scores"))) mean.add(score);
  CHECK(equal(mean.mean(), number(golden["aggregate"].find("mean"))));
  CHECK(equal(mean.error(), number(golden["aggregate"].find("stderr"))));
}

namespace {

MathVistaProblem problem(Value c) {
  MathVistaProblem p{std::string(c.find("question").string().value_or("")),
                     std::string(c.find("unit").string().value_or("")),
                     std::string(c.find("answer").string().value_or("")),
                     text(c.find("question_type")),
                     text(c.find("answer_type")),
                     texts(c.find("choices")),
                     0};
  p.precision = static_cast<int>(c.find("precision").number().value_or(0));
  return p;
}

}  // namespace

TEST_CASE("MathVista: extractions, normal forms and verdicts are the official ones") {
  Golden golden("mathvista.json");
  for (const Value c : golden["extract"]) {
    const std::string response(c.find("response").string().value_or(""));
    CAPTURE(response);
    CHECK(mathvista_extract(problem(c), response, false) == text(c.find("rules")));
    CHECK(mathvista_extract(problem(c), response, true) == text(c.find("quick")));
    ++golden.cases;
  }
  for (const Value c : golden["normalise"]) {
    const std::string extraction = mathvista_extraction(problem(c), c.find("extraction"));
    CAPTURE(extraction);
    CHECK(mathvista_normalise(problem(c), extraction).value_or("(none)") ==
          c.find("normalised").string().value_or("(none)"));
    CHECK(mathvista_normalise(problem(c), extraction, true).value_or("(none)") ==
          c.find("ignoring_empty").string().value_or("(none)"));
    CHECK((mathvista_normalise(problem(c), extraction) == problem(c).answer) == c.find("correct").boolean());
    ++golden.cases;
  }
  const Value judge = golden["extraction_prompt"];
  CHECK(text(judge.find("text"))
            .ends_with(mathvista_judge_prompt(text(judge.find("query")), text(judge.find("response")))));
  for (const Value c : golden["queries"]) {
    CHECK(mathvista_query(problem(c)) == text(c.find("query_json_layout")));
    ++golden.cases;
  }
}

TEST_CASE("MathVista: the table of scores is calculate_score.py's, and VLMEvalKit reads what it reads") {
  Golden golden("mathvista.json");
  std::map<std::string, std::map<std::string, Mean>> table;
  for (const Value p : golden["score"].find("problems")) {
    const auto normal = mathvista_normalise(problem(p), text(p.find("extraction")));
    const Value want = golden["score"].find("per_problem").find(text(p.find("pid")));
    CHECK(normal == text(want[0]));
    const bool right = normal == problem(p).answer;
    CHECK(right == want[1].boolean());
    table["question_type"][text(p.find("question_type"))].add(right);
    table["answer_type"][text(p.find("answer_type"))].add(right);
    for (const char* key : {"language", "source", "category", "task", "context", "grade"})
      table[key][text(p.find("metadata").find(key))].add(right);
    for (const Value skill : p.find("metadata").find("skills")) table["skills"][text(skill)].add(right);
    ++golden.cases;
  }
  for (const Value group : golden["score"].find("scores")) {
    if (group.key() == "average") continue;
    for (const Value want : group) {
      const Mean& got = table.at(std::string(group.key())).at(std::string(want.key()));
      CHECK(equal(got.mean(), number(want.find("accuracy"))));
      CHECK(got.sum() == number(want.find("correct")));
    }
  }
  for (const Value c : golden["vlmevalkit"]) {
    const MathVistaPrefetch got = mathvista_prefetch(problem(c), text(c.find("text")));
    const Value want = c.find("prefetch");
    CAPTURE(text(c.find("text")));
    CHECK(got.value.has_value() == !want.is_boolean());
    if (want.is_string()) CHECK(got.value == text(want));
    if (want.is_number()) CHECK(python::to_float(got.value.value_or("")) == want.number());
    CHECK(got.correct == c.find("judged_correct").boolean());
    ++golden.cases;
  }
}

TEST_CASE("MMLU: files become the official prompts, and log-probabilities the official verdicts") {
  Golden golden("mmlu.json");
  const auto questions_of = [](Value csv) {
    const auto table = read_table(text(csv), "csv", ',', false, Pandas::v1);
    REQUIRE_MESSAGE(table, table.error().text());
    std::vector<MmluQuestion> out;
    for (const Record& r : table->records) {
      const auto cell = [&](std::size_t i) { return r.cells[i].value_or("nan"); };
      out.push_back({cell(0), {cell(1), cell(2), cell(3), cell(4)}, cell(5)});
    }
    return out;
  };
  std::size_t right = 0, all = 0;
  for (const Value subject : golden["subjects"]) {
    const auto examples = questions_of(subject.find("dev_csv")), questions = questions_of(subject.find("test_csv"));
    REQUIRE(questions.size() == subject.find("prompts").size());
    for (std::size_t i = 0; i < questions.size(); ++i) {
      CHECK(mmlu_prompt(subject.key(), examples, questions[i]) == text(subject.find("prompts")[i]));
      std::vector<double> scores;
      for (const char l : kMmluLetters) {
        const std::string token = std::string(" ") + l;
        scores.push_back(subject.find("logprobs")[i].find(token).number().value_or(-100));
      }
      const bool correct = questions[i].answer == std::string(1, kMmluLetters[largest(scores)]);
      CHECK(correct == subject.find("correct")[i].boolean());
      right += correct, ++all;
      ++golden.cases;
    }
  }
  CHECK(equal(static_cast<double>(right) / static_cast<double>(all), number(golden["weighted_accuracy"])));
  CHECK(mmlu_prompt("made_up_math", {}, {"", {"", "", "", ""}, ""}).starts_with(text(golden["zero_shot_head"])));
  for (const Value c : golden["format_subject"]) {
    CHECK(mmlu_subject_text(text(c.find("subject"))) == text(c.find("text")));
    ++golden.cases;
  }
}

TEST_CASE("MMLU: subjects are in the official categories, lm-eval's prompt and errors are lm-eval's") {
  Golden golden("mmlu.json");
  CHECK(std::size(kMmluSubjects) == golden["subject_table"].size());
  for (const Value want : golden["subject_table"]) {
    const auto category = mmlu_category(want.key(), false);
    REQUIRE(category);
    CHECK(text(want[1]).starts_with(kCategoryNames[static_cast<int>(*category)]));
    ++golden.cases;
  }
  for (const Value want : golden["lm_eval_group"]) {
    static constexpr const char* kNames[] = {"stem", "humanities", "social_sciences", "other"};
    CHECK(kNames[static_cast<int>(mmlu_category(want.key(), true).value())] == text(want));
    ++golden.cases;
  }
  std::vector<MmluQuestion> docs;
  for (const Value d : golden["lm_eval"].find("docs")) {
    const std::vector<std::string> o = texts(d.find("choices"));
    docs.push_back({text(d.find("question")),
                    {o[0], o[1], o[2], o[3]},
                    std::string(1, kMmluLetters[static_cast<std::size_t>(number(d.find("answer")))])});
  }
  const std::span<const MmluQuestion> examples(docs.data(), docs.size() - 1);
  CHECK(mmlu_prompt("made_up_history", examples, docs.back(), MmluStyle::lm_eval) ==
        text(golden["lm_eval"].find("prompt")));
  const Value want = golden["lm_eval_aggregate"];
  std::vector<GroupError> groups;
  double right = 0, count = 0, macro = 0;
  for (std::size_t i = 0; i < want.find("sizes").size(); ++i) {
    const double n = number(want.find("sizes")[i]), acc = number(want.find("acc")[i]);
    groups.push_back({static_cast<std::size_t>(n), number(want.find("stderr")[i])});
    right += acc * n, count += n, macro += acc;
  }
  CHECK(equal(right / count, number(want.find("micro"))));
  CHECK(equal(macro / static_cast<double>(groups.size()), number(want.find("macro"))));
  CHECK(equal(pooled_error(groups), number(want.find("pooled_stderr"))));
  golden.cases += 2;
}

TEST_CASE("MM-Vet: replies become the grades, and the grades the tables, that the official program writes") {
  Golden golden("mmvet.json");
  const auto runs = [](Value of, std::size_t run) { return of[run]; };
  const struct {
    const char* name;
    std::size_t runs;
    int places;
  } tables[] = {{"one_run", 1, 1}, {"two_runs", 2, 1}, {"two_runs_3_decimals", 2, 3}};
  for (const auto& [name, count, places] : tables) {
    CAPTURE(name);
    std::vector<MmVetGraded> questions;
    for (const Value q : golden["metadata"]) {
      MmVetGraded& graded = questions.emplace_back();
      graded.capabilities = texts(q.find("capability"));
      const Value want = golden[name].find("grade").find(q.key());
      for (std::size_t run = 0; run < count; ++run) {
        const MmVetGrade grade = mmvet_grade(texts(runs(golden["replies"].find(q.key()), run)));
        CHECK(grade.score == number(want.find("score")[run]));
        CHECK(grade.content == text(want.find("content")[run]));
        graded.grades.push_back(number(want.find("score")[run]));
        ++golden.cases;
      }
    }
    const auto check = [&](Value table, const auto& in_group) {
      for (const Value want : table) {
        if (!want.is_number()) continue;
        const std::string key(want.key());
        const bool whole = key == "total" || key == "std";
        const RunTotals totals =
            mmvet_totals(questions, [&](const MmVetGraded& q) { return whole || in_group(q, key); });
        CAPTURE(key);
        CHECK(python::round(key == "std" ? deviation_of(totals) : mean_of(totals), places) == number(want));
        ++golden.cases;
      }
    };
    check(golden[name].find("capability"), has_capability);
    check(golden[name].find("integration"),
          [](const MmVetGraded& q, const std::string& key) { return capability_set(q) == key; });
  }
}

TEST_CASE("MM-Vet: the judge's row is the official one, and VLMEvalKit's tables are VLMEvalKit's") {
  Golden golden("mmvet.json");
  std::set<std::string> rows;
  for (const Value q : golden["metadata"])
    rows.insert(
        mmvet_judge_row(text(q.find("question")), text(q.find("answer")), text(golden["predictions"].find(q.key()))));
  for (const Value call : golden["one_run"].find("calls")) {
    const std::string tail = text(call.find("tail"));
    CHECK(std::any_of(rows.begin(), rows.end(), [&](const std::string& row) { return tail.starts_with(row); }));
    ++golden.cases;
  }
  CHECK(mmvet_judge_row("Q", "a<AND>b<OR>c", "P") == text(golden["vlmevalkit"].find("prompt_tail")));
  for (const Value c : golden["vlmevalkit"].find("parse")) {
    CAPTURE(text(c.find("replies")[0]));
    CHECK(equal(mmvet_vlmevalkit_grade(texts(c.find("replies"))), number(c.find("score"))));
    ++golden.cases;
  }
  std::vector<MmVetGraded> questions;
  for (const Value q : golden["metadata"])
    questions.push_back(
        {texts(q.find("capability")), {number(golden["one_run"].find("grade").find(q.key()).find("score")[0])}});
  const auto got = mmvet_vlmevalkit_rows(questions);
  for (const char* table : {"capability", "integration"}) {
    for (const Value want : golden["vlmevalkit"].find(table)) {
      const MmVetRow& row = got.at(text(want.find("category")));
      CHECK(static_cast<double>(row.count) == number(want.find("tot")));
      CHECK(equal(row.percent(), number(want.find("acc"))));
      ++golden.cases;
    }
  }
}

TEST_CASE("tables are read as pandas reads them") {
  Golden golden("tables.json");
  for (const Value c : golden["cases"]) {
    const std::string given = text(c.find("text"));
    CAPTURE(given);
    const auto table =
        read_table(given, "table", text(c.find("separator"))[0], *c.find("header").boolean(), Pandas::v1);
    REQUIRE_MESSAGE(table, table.error().text());
    CHECK(table->columns == texts(c.find("columns")));
    REQUIRE(table->types.size() == c.find("types").size());
    REQUIRE(table->records.size() == c.find("cells").size());
    static constexpr const char* kTypes[] = {"int64", "float64", "bool", "object", "object"};
    for (std::size_t i = 0; i < table->types.size(); ++i)
      CHECK(kTypes[static_cast<int>(table->types[i])] == text(c.find("types")[i]));
    for (std::size_t r = 0; r < table->records.size(); ++r) {
      const Value want = c.find("cells")[r];
      REQUIRE(table->records[r].cells.size() == want.size());
      for (std::size_t i = 0; i < want.size(); ++i)
        CHECK(table->records[r].cells[i].value_or("(missing)") == want[i].string().value_or("(missing)"));
    }
    ++golden.cases;
  }
}
