// Makes one file of a checkpoint, with its weights in 8 bits, and asks the file:
//   dsvl-example-tiny-vl.gguf: 5 MiB
//   There are 4 bars.
#include <cstdio>
#include <dsvl/convert/convert.hpp>
#include <dsvl/dsvl.hpp>
#include <filesystem>
#include <string>

int main(int argc, char** argv) {
  const std::string from = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const std::filesystem::path to =
      argc > 2 ? std::filesystem::path(argv[2]) : std::filesystem::temp_directory_path() / "dsvl-example-tiny-vl.gguf";

  dsvl::ConvertOptions options;
  options.types = dsvl::WeightTypes::of(dsvl::Format::q8_0);  // what such a weight is made of, and what it costs: README
  if (auto status = dsvl::convert(dsvl::Folder::directory(from), to, options); !status.ok()) return dsvl::report(status);
  std::printf("%s: %zu MiB\n", to.filename().string().c_str(),
              static_cast<std::size_t>(std::filesystem::file_size(to) >> 20));

  {
    auto model = dsvl::Model::load(to);  // maps the file: weights are used where they lie
    if (!model) return dsvl::report(model.error());
    auto session = dsvl::Session::open(*model);
    if (!session) return dsvl::report(session.error());
    auto answer = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/000.png"), "How many bars are there?");
    while (answer.next()) {}
    if (!answer.status().ok()) return dsvl::report(answer.status());
    std::puts(std::string(answer.text()).c_str());
  }
  if (argc <= 2) std::filesystem::remove(to);  // after the model is gone, which has it mapped
}
