// Two conversations at the same time: the weights are there once, each session has its own memory and its own thread.
//   000.png: There are 4 bars. The green bar.
//   002.png: A small blue square at the top right, …
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <string>
#include <thread>
#include <vector>

/// A Model is a handle to something immutable: copy it, share it between threads.
std::string talk(const dsvl::Model& model, const std::string& picture, const std::vector<const char*>& questions) {
  auto session = dsvl::Session::open(model);  // belongs to this thread
  if (!session) return session.error().text();
  std::string said;
  for (const char* const question : questions) {
    auto answer = said.empty()
                      ? session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/" + picture), question)
                      : session->ask(question);
    while (answer.next()) {}
    if (!answer.status().ok()) return answer.status().text();
    said.append(said.empty() ? "" : " ").append(answer.text());
  }
  return picture + ": " + said;
}

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  std::string bars, shapes;
  std::thread other([&] { bars = talk(*model, "000.png", {"How many bars are there?", "Which bar is the tallest?"}); });
  shapes = talk(*model, "002.png", {"Describe the image."});
  other.join();
  std::printf("%s\n%s\n", bars.c_str(), shapes.c_str());
}
