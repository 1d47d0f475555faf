// Asks the model that ships with the project, on whatever this is compiled for, and holds the texts against the
// reference's:
//   000.png  How many bars are there?  There are 4 bars.  -0.00027514 8c1f5a02
//   12 of 12 answers are the reference's; kernels: sse2; loaded in 0.02 s, 0.15 s for each
// Behind an answer stand its log-likelihood and a hash of all logits that it was chosen from. run.sh compares them: the
// hash tells whether two instruction sets compute the same bits, the likelihood how far apart they are.
//
//   platform_answers [QUESTIONS [THREADS [MODEL_DIRECTORY]]]
//
// Files are read by the program and handed over as memory, which works where the library has no file system, too.
#include <dsvl/dsvl.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dsvl/base/bit_cast.hpp>
#include <dsvl/io/json_parse.hpp>
#include <dsvl/kernels/dispatch.hpp>

namespace {

std::vector<char> bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The model's files and the questions, which must outlive the model.
struct Files {
  static constexpr const char* kNames[] = {"config.json", "tokenizer.json", "tokenizer_config.json",
                                           "preprocessor_config.json", "processor_config.json", "model.safetensors"};
  std::vector<std::vector<char>> contents;
  std::vector<dsvl::NamedBytes> named;

  explicit Files(const std::string& directory) {
    for (const char* const name : kNames) {
      contents.push_back(bytes_of(directory + "/" + name));
      named.push_back({name, std::as_bytes(std::span(contents.back()))});
    }
  }
};

/// Asks one question, prints the answer with its log-likelihood, and says whether its text is the reference's.
bool ask(dsvl::Session& session, const std::string& pictures, dsvl::json::Value question) {
  const std::string image(*question.find("image").string()), text(*question.find("question").string());
  const std::vector<char> file = bytes_of(pictures + image);
  session.clear();
  auto answer = session.ask(dsvl::Picture::bytes(std::as_bytes(std::span(file))), text);
  double log_likelihood = 0;
  std::uint32_t hash = 2166136261u;  // FNV-1a, over words
  while (const auto piece = answer.next()) {
    log_likelihood += piece->log_probability;
    for (const float x : answer.logits()) hash = (hash ^ dsvl::bit_cast<std::uint32_t>(x)) * 16777619u;
  }
  if (dsvl::report(answer.status()) != 0) return false;
  const std::string got(answer.text()), wanted(*question.find("reference_text").string());
  std::printf("%s  %s  %s  %.8f %08lx\n", image.c_str(), text.c_str(), got.c_str(), log_likelihood,
              static_cast<unsigned long>(hash));
  if (got != wanted) std::printf("FAILED  the reference says: %s\n", wanted.c_str());
  std::fflush(stdout);
  return got == wanted;
}

}  // namespace

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 12, threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const std::string directory = argc > 3 ? argv[3] : "examples/models/tiny-vl", pictures = directory + "/demo/";
  const Files files(directory);
  const std::vector<char> text = bytes_of(pictures + "questions.json");
  const auto questions = dsvl::json::Document::parse({text.data(), text.size()}, "questions.json");
  if (!questions) return dsvl::report(questions.error());
  const double began = now();
  dsvl::LoadOptions options;
  options.threads = threads;
  auto model = dsvl::Model::load(dsvl::Folder::memory(files.named), options);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  const double loaded = now();
  const std::size_t all = questions->root().size();
  const std::size_t count = wanted > 0 && static_cast<std::size_t>(wanted) < all ? static_cast<std::size_t>(wanted) : all;
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) right += ask(*session, pictures, questions->root()[i * all / count]);
  std::printf("%zu of %zu answers are the reference's; kernels: %s; loaded in %.2f s, %.2f s for each\n", right, count,
              dsvl::active_kernels<float>().name, loaded - began, (now() - loaded) / static_cast<double>(count));
  return right == count ? 0 : 1;
}
