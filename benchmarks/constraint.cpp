// What a constraint costs: the mask of a token, compiling, and the tables.
//
//   bench_constraint [TOKENIZER [SUITE]]
//
// TOKENIZER is a folder with tokenizer.json, SUITE the folder of the JSON-Schema-Test-Suite's draft 2020-12; where it is
// absent only the forms below are measured. Every valid instance of the suite, and an instance of each form, is followed
// token by token as the tokenizer cuts it, and at every position a mask is made. Checks itself: at some positions the
// mask is compared with every token fed byte by byte.
#include <dsvl/constraint/constraint.hpp>
#include <dsvl/constraint/mask.hpp>
#include <dsvl/text/tokenizer_json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bench.hpp"

using namespace dsvl;
using Json = nlohmann::ordered_json;

namespace {

struct Work {
  std::string name, schema;
  std::vector<std::string> texts;
};

/// Schemas as applications have them, beside those of the suite.
const Work kForms[] = {
    {"invoice",
     R"({"type":"object","properties":{"number":{"type":"string","pattern":"^[A-Z]{2}-\\d{4,8}$"},
      "date":{"type":"string","format":"date"},"total":{"type":"number","minimum":0,"multipleOf":0.01},
      "currency":{"enum":["EUR","USD","CNY"]},"note":{"type":["string","null"],"maxLength":200},
      "items":{"type":"array","minItems":1,"maxItems":50,"items":{"type":"object","properties":{
        "name":{"type":"string","minLength":1,"maxLength":80},"quantity":{"type":"integer","minimum":1}},
        "required":["name","quantity"],"additionalProperties":false}}},
      "required":["number","date","total","currency","items"],"additionalProperties":false})",
     {R"({"number":"AB-20391","date":"2024-02-29","total":1249.50,"currency":"EUR","note":"Thank you, pay within 14 days.","items":[{"name":"A4 paper, 500 sheets","quantity":12},{"name":"Ink \"black\"","quantity":1}]})"}},
    {"any JSON", "true",
     {R"({"objects":[{"label":"a red car","box":[12,40,233,180],"score":0.93},{"label":"猫","box":[1,2,3,4]}],"ok":true,"more":null})"}},
    {"long text", R"({"type":"object","properties":{"caption":{"type":"string","minLength":20,"maxLength":400}},"required":["caption"]})",
     {R"({"caption":"The picture shows a small harbour at dusk, with three fishing boats and a lighthouse; the water is calm."})"}},
    {"bounded words", R"({"type":"string","pattern":"^[a-z]{1,100}$"})", {R"("antidisestablishmentarianism")"}},
    {"spoken by \\w", R"({"type":"string","pattern":"^\\w+( \\w+){0,20}\\.$"})", {R"("A dog runs over a green field.")"}},
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<Work> list_work(const std::filesystem::path& suite) {
  std::vector<Work> out(std::begin(kForms), std::end(kForms));
  std::error_code ignored;
  if (!std::filesystem::is_directory(suite, ignored)) return out;
  for (const auto& file : std::filesystem::directory_iterator(suite)) {
    if (file.path().extension() != ".json") continue;
    for (const Json& one : Json::parse(read(file.path()))) {
      Work work{file.path().stem().string() + ": " + one["description"].get<std::string>(), one["schema"].dump(), {}};
      for (const Json& test : one["tests"])
        if (test["valid"].get<bool>()) work.texts.push_back(test["data"].dump());
      out.push_back(std::move(work));
    }
  }
  return out;
}

struct Sample {
  double seconds = 0;
  std::string where;
};

/// Follows texts, and takes the time of each mask.
class Course {
 public:
  explicit Course(const Tokenizer& tokenizer, const constraint::TokenTrie& trie) : tokenizer_(tokenizer) {
    ready = matcher_.open() && maker_.open(trie);
    mask_.resize(trie.vocabulary() / 64 + 1);
  }
  void follow(const Constraint& constraint, const Work& work) {
    for (const std::string& text : work.texts) {
      Buffer<std::int32_t> ids;
      if (!tokenizer_.encode(text, ControlTokens::as_text, ids).ok()) continue;
      matcher_.begin(constraint.grammar());
      std::string so_far;
      for (const std::int32_t id : ids) {
        const double began = bench::now();
        maker_.make(matcher_, mask_);
        const double seconds = bench::now() - began;
        samples.push_back({seconds, work.name + "  ..." + so_far.substr(so_far.size() < 30 ? 0 : so_far.size() - 30)});
        if (samples.size() % 101 == 1) check();
        so_far += tokenizer_.token_bytes(id);
        if (!matcher_.accept(tokenizer_.token_bytes(id))) break;
      }
    }
  }
  bool ready = false, right = true;
  std::vector<Sample> samples;
  int checked = 0;

 private:
  void check() {
    ++checked;
    for (std::int32_t id = 0; id < tokenizer_.vocab_size(); ++id) {
      const auto i = static_cast<std::size_t>(id);
      const std::string_view bytes = tokenizer_.token_bytes(id);
      const bool text = !bytes.empty() && !tokenizer_.is_special(id);
      const bool set = mask_[i / 64] >> i % 64 & 1u;
      right = right && set == (text && matcher_.allows(bytes));
    }
  }
  const Tokenizer& tokenizer_;
  constraint::Matcher matcher_;
  constraint::MaskMaker maker_;
  std::vector<std::uint64_t> mask_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "../shared/golden/tokenizer";
  const std::filesystem::path suite = argc > 2 ? argv[2] : "../shared/golden/json-schema";
  const auto tokenizer = read_tokenizer_json(read(folder / "tokenizer.json"), "tokenizer.json", {});
  if (!tokenizer) return report(tokenizer.error());
  const double began = bench::now();
  const auto trie = constraint::TokenTrie::build(*tokenizer);
  if (!trie) return report(trie.error());
  std::printf("vocabulary    %zu tokens, tables %.2f MB, built in %.1f ms\n", trie->ids().size(),
              static_cast<double>(trie->bytes()) / 1e6, 1e3 * (bench::now() - began));
  Course course(*tokenizer, *trie);
  if (!course.ready) return 1;
  std::vector<double> compiles, sizes;
  std::size_t refused = 0;
  for (const Work& work : list_work(suite)) {
    const double at = bench::now();
    const auto constraint = Schema::compile(work.schema);
    compiles.push_back(bench::now() - at);
    if (!constraint) {
      compiles.pop_back();
      ++refused;
      continue;
    }
    sizes.push_back(static_cast<double>(constraint->bytes()));
    course.follow(*constraint, work);
  }
  std::sort(compiles.begin(), compiles.end());
  std::sort(sizes.begin(), sizes.end());
  std::printf("compile       median %.3f ms, 99 %% %.3f ms, worst %.3f ms; %zu schemas, %zu refused\n",
              1e3 * bench::median(compiles), 1e3 * bench::quantile(compiles, 0.99), 1e3 * compiles.back(),
              compiles.size(), refused);
  std::printf("automata      median %.1f KB, largest %.1f KB; a matcher %.0f KB, a mask maker %.0f KB\n",
              bench::median(sizes) / 1e3, sizes.back() / 1e3,
              static_cast<double>(constraint::Matcher::bytes_for({})) / 1e3,
              static_cast<double>(constraint::MaskMaker::bytes_for(trie->vocabulary())) / 1e3);
  std::sort(course.samples.begin(), course.samples.end(), [](const Sample& a, const Sample& b) { return a.seconds < b.seconds; });
  std::vector<double> times;
  double sum = 0;
  for (const Sample& s : course.samples) sum += s.seconds;
  for (const Sample& s : course.samples) times.push_back(s.seconds);
  if (times.empty()) return 1;
  std::printf("mask          median %.1f us, 99 %% %.1f us, worst %.1f us, mean %.1f us; %zu masks\n", 1e6 * bench::median(times),
              1e6 * bench::quantile(times, 0.99), 1e6 * times.back(), 1e6 * sum / static_cast<double>(times.size()), times.size());
  for (std::size_t i = 0; i < 30 && i < times.size(); ++i)
    std::printf("  %7.1f us  %s\n", 1e6 * course.samples[times.size() - 1 - i].seconds,
                course.samples[times.size() - 1 - i].where.c_str());
  std::printf("%s: %d masks equal every token fed byte by byte\n", course.right ? "right" : "WRONG", course.checked);
  return course.right ? 0 : 1;
}
