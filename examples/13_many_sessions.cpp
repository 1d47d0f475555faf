// Many answers at once: sessions that share each pass of the decoder, as servers, batches and games need them.
//   How many bars are there? There are 4 bars.
//   Which bar is the tallest? The green bar.
//   Describe the image. A small blue square at the top right, a small purple square on the left and a small red …
//   What does the text say? The text says "STOP".
#include <cstdio>
#include <dsvl/chat/scheduler.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  auto model = dsvl::Model::load(path);
  if (!model) return dsvl::report(model.error());
  auto scheduler = dsvl::Scheduler::open(*model, {.sessions = 4});
  if (!scheduler) return dsvl::report(scheduler.error());

  const struct { const char* picture; const char* question; } asked[] = {
      {"000.png", "How many bars are there?"},
      {"000.png", "Which bar is the tallest?"},
      {"002.png", "Describe the image."},
      {"037.png", "What does the text say?"},
  };
  std::vector<dsvl::Session> sessions;
  std::vector<dsvl::Answer> answers;
  for (const auto& [picture, question] : asked) {
    auto session = scheduler->session();  // like any other session; it may come and go at any time
    if (!session) return dsvl::report(session.error());
    sessions.push_back(std::move(*session));
    const auto shown = dsvl::Picture::file("examples/models/tiny-vl/demo/" + std::string(picture));
    answers.push_back(sessions.back().start({&shown, 1}, question));
  }
  // A step is one pass for all who can go on. Their tokens are taken here; an answer whose token is left waits.
  while (scheduler->step())
    for (dsvl::Answer& answer : answers)
      while (answer.poll()) {}
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].status().ok()) return dsvl::report(answers[i].status());
    std::printf("%s %.*s\n", asked[i].question, static_cast<int>(answers[i].text().size()), answers[i].text().data());
  }
}
