// Many questions about one picture: it is looked at once, and every fork goes on from there, on a thread of its own.
//   How many bars are there? There are 4 bars.
//   Which bar is the tallest? The green bar.
//   Is there a red bar? Yes 0.04, No 0.96
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  const auto picture = dsvl::Picture::file("examples/models/tiny-vl/demo/000.png");

  // What a question is made of before its own words is computed here, and shared by all that follow.
  if (auto first = session->ask(picture, "Describe the image."); !first.status().ok())
    return dsvl::report(first.status());
  const std::vector<std::string> questions = {"How many bars are there?", "Which bar is the tallest?"};
  std::vector<std::string> answers(questions.size());
  std::vector<dsvl::Session> forks;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto fork = session->fork(512);  // tokens it may hold in all: that is what it takes memory for
    if (!fork) return dsvl::report(fork.error());
    forks.push_back(std::move(*fork));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < questions.size(); ++i)
    threads.emplace_back([&, i] {
      auto answer = forks[i].ask(picture, questions[i]);
      while (answer.next()) {}
      answers[i] = answer.text();
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < questions.size(); ++i) std::printf("%s %s\n", questions[i].c_str(), answers[i].c_str());

  // A choice needs no answer to be generated: how likely is each? Texts are taken exactly as given: this model's answers
  // begin with a space, the published models' do not.
  const std::vector<std::string_view> choices = {" Yes", " No"};
  const auto shares = session->classify({&picture, 1}, "Is there a red bar?", choices);
  if (!shares) return dsvl::report(shares.error());
  std::printf("Is there a red bar? Yes %.2f, No %.2f\n", (*shares)[0], (*shares)[1]);
}
