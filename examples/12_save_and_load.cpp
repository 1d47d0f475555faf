// Saves a conversation with its picture, and goes on with it as another program would, computing nothing again:
//   There are 4 bars. (saved: 1 MiB)
//   The green bar. (computed 13 of 179 tokens)
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <filesystem>
#include <string>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  const auto file = std::filesystem::temp_directory_path() / "dsvl-example-conversation.dsvl";

  {
    auto session = dsvl::Session::open(*model);
    if (!session) return dsvl::report(session.error());
    auto answer = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/000.png"), "How many bars are there?");
    while (answer.next()) {}
    if (!answer.status().ok()) return dsvl::report(answer.status());
    // The file is there whole or not at all; {.sync = true} would wait until the disk has it.
    if (auto status = session->save(file); !status.ok()) return dsvl::report(status);
    std::printf("%s (saved: %zu MiB)\n", std::string(answer.text()).c_str(),
                static_cast<std::size_t>(std::filesystem::file_size(file) >> 20));
  }

  auto session = dsvl::Session::load(*model, file);  // the same model, perhaps on another day
  std::filesystem::remove(file);
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask("Which bar is the tallest?");
  while (answer.next()) {}
  const dsvl::Usage usage = answer.usage();
  std::printf("%s (computed %td of %td tokens)\n", std::string(answer.text()).c_str(),
              usage.prompt_tokens - usage.reused_tokens, usage.prompt_tokens);
  return dsvl::report(answer.status());
}
