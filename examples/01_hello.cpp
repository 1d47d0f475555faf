// Asks one question about one picture, and prints the answer as it comes:
//   There are 4 bars.
#include <cstdio>
#include <dsvl/dsvl.hpp>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask(dsvl::Picture::file(argc > 2 ? argv[2] : "examples/models/tiny-vl/demo/000.png"),
                             argc > 3 ? argv[3] : "How many bars are there?");
  while (auto piece = answer.next()) std::fwrite(piece->text.data(), 1, piece->text.size(), stdout);
  if (answer.status().ok()) std::puts("");
  return dsvl::report(answer.status());
}
