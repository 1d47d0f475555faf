// A model and a picture that lie in memory already (a pak file, an app's resources), used in place:
//   There are 4 bars.
//   from 9.5 MB in memory, no file was opened by the library
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <string>
#include <fstream>
#include <iterator>

/// Stands for the archive of your program.
std::vector<char> bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const char* const names[] = {"config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json",
                               "processor_config.json", "model.safetensors"};
  std::vector<std::vector<char>> contents;  // must outlive the model
  std::vector<dsvl::NamedBytes> files;
  std::size_t bytes = 0;
  for (const char* const name : names) {
    contents.push_back(bytes_of(directory + "/" + name));
    if (contents.back().empty()) continue;  // not every model has all of them
    files.push_back({name, std::as_bytes(std::span(contents.back()))});
    bytes += contents.back().size();
  }
  auto model = dsvl::Model::load(dsvl::Folder::memory(files));  // dsvl::Folder::reader: from callbacks of yours
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  const std::vector<char> picture = bytes_of("examples/models/tiny-vl/demo/000.png");  // until ask() returns
  auto answer = session->ask(dsvl::Picture::bytes(std::as_bytes(std::span(picture))), "How many bars are there?");
  while (answer.next()) {}
  std::puts(std::string(answer.text()).c_str());
  std::printf("from %.1f MB in memory, no file was opened by the library\n", static_cast<double>(bytes) / 1e6);
  return dsvl::report(answer.status());
}
