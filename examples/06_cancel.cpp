// Stops an answer from another thread, within about half a millisecond, and goes on with the same session:
//   stopped after 37 tokens
//   There are 4 bars.
#include <chrono>
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <string>
#include <thread>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());

  dsvl::CancelToken stop;  // also ends loading (LoadOptions::cancel), and the encoding of a picture
  dsvl::GenerateOptions rambling;
  rambling.cancel = &stop;
  rambling.sampling.temperature = 100;
  auto answer = session->ask("Tell me everything.", rambling);
  std::thread button([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop.cancel();
  });
  while (answer.next()) {}
  button.join();
  if (answer.finish() == dsvl::Finish::cancelled) std::printf("stopped after %zu tokens\n", answer.ids().size());
  else std::printf("done before the button was pressed\n");

  session->clear();  // what was said until then is part of the conversation; this forgets it
  auto next = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/000.png"), "How many bars are there?");
  while (next.next()) {}
  std::puts(std::string(next.text()).c_str());
  return dsvl::report(next.status());
}
