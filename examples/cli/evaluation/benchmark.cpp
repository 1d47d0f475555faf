#include "benchmark.hpp"

#include <cmath>
#include <cstdio>
#include <iterator>

#include "../command_line.hpp"
#include "../base64.hpp"
#include "files.hpp"

namespace cli::evaluation {

namespace {

constexpr BenchmarkName kBenchmarks[] = {
    {"hellaswag", "HellaSwag: which ending follows", "hellaswag_val.jsonl", make_hellaswag},
    {"mmlu", "MMLU: exams of 57 subjects", "data/ (with dev/ and test/), or test/SUBJECT_test.csv", make_mmlu},
    {"gsm8k", "GSM8K: word problems", "test.jsonl (train.jsonl beside it)", make_gsm8k},
    {"pope", "POPE: is there such a thing in the picture",
     "coco_pope_random.json coco_pope_popular.json coco_pope_adversarial.json", make_pope},
    {"mmbench", "MMBench, English or Chinese", "MMBench_DEV_EN.tsv or MMBench_DEV_CN.tsv", make_mmbench},
    {"mathvista", "MathVista: mathematics in pictures", "testmini.json [query.json]", make_mathvista},
    {"mm-vet", "MM-Vet: open questions, graded by a judge", "mm-vet.json", make_mmvet},
    {"vqav2", "VQAv2: ten people's answers", "v2_…_questions.json v2_…_annotations.json", make_vqav2},
    {"textvqa", "TextVQA: reading in pictures", "TextVQA_0.5.1_val.json", make_textvqa},
};

}  // namespace

std::span<const BenchmarkName> benchmarks() { return kBenchmarks; }

const BenchmarkName* find_benchmark(std::string_view name) {
  for (const BenchmarkName& b : kBenchmarks)
    if (b.name == name) return &b;
  return nullptr;
}

dsvl::Status Benchmark::open(const Protocol& protocol) {
  protocol_ = protocol;
  const std::vector<std::string> known = styles();
  if (protocol_.style.empty()) protocol_.style = known[0];
  if (std::find(known.begin(), known.end(), protocol_.style) == known.end())
    return dsvl::fail(dsvl::Code::bad_argument, "--style %s: is none of %s", protocol_.style.c_str(),
                      python::join(known, ", ").c_str());
  DSVL_CHECK_STATUS(read());
  if (!questions_.empty()) return {};
  return dsvl::fail(dsvl::Code::bad_file, "%s: has no questions", protocol_.files[0].c_str());
}

std::optional<std::size_t> Benchmark::find(const std::string& id) const {
  const auto at = numbers_.find(id);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

void Benchmark::take(std::size_t question, Reply reply) {
  replies_ += !replied(question);
  questions_[question].reply = std::move(reply);
  const double points = score(question);
  if (!std::isnan(points)) mean_.add(points);
}

std::string Benchmark::so_far() const {
  if (mean_.count() == 0) return "";
  char text[40];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * mean_.mean());
  return text;
}

dsvl::Status Benchmark::add(std::string id, Place place, std::size_t group, const NamedPicture* picture) {
  if (picture) group = groups_.emplace(picture, groups_.size()).first->second;
  if (!numbers_.emplace(id, questions_.size()).second) return place.wrong("the question " + id + " was there before");
  questions_.push_back({std::move(id), place, group, picture, {}});
  return {};
}

dsvl::Result<const NamedPicture*> Benchmark::picture_file(const std::filesystem::path& file, const Place& place) {
  const std::string name = to_text(file);
  std::unique_ptr<NamedPicture>& known = files_[name];
  if (known) return known.get();
  if (protocol_.asks) {
    const std::string why = why_unreadable(file);
    if (!why.empty())
      return place.wrong("its picture " + name + ": " + why + " (--pictures DIR says where pictures are)");
  }
  known = std::make_unique<NamedPicture>(NamedPicture{name, file, {}});
  return known.get();
}

dsvl::Result<const NamedPicture*> Benchmark::picture_bytes(std::string_view base64, const Place& place) {
  auto bytes = protocol_.asks ? decode_base64(base64) : std::vector<std::byte>(1);
  if (!bytes) return place.wrong("its picture is no base64, or is cut off");
  embedded_.push_back(std::make_unique<NamedPicture>(NamedPicture{place.text(), {}, std::move(*bytes)}));
  return embedded_.back().get();
}

std::string_view Benchmark::answer(std::size_t question) const {
  const auto& reply = questions_[question].reply;
  return reply ? python::strip(reply->text) : std::string_view();
}

dsvl::Status Benchmark::take_text(const std::string& id, std::string text, const Place& place) {
  const auto question = find(id);
  // A run of the first questions may be scored by a file of all.
  if (!question && protocol_.limit > 0) return {};
  if (!question) return place.wrong("there is no question " + id);
  take(*question, {std::move(text), {}, 0});
  return {};
}

}  // namespace cli::evaluation
