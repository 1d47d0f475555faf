// What the model saw: how a picture was scaled, which tokens show a part of it, and what an answer looked at.
//
//   640 x 437 pixels became 256 x 175, 64 tokens
//   The pixel (550, 60) is in token 22.
//   A small blue square at the top right, a small purple square on the left and a small red triangle in the center.
//   It looked most at 80 x 80 pixels around (520, 100).
#include <algorithm>
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <vector>

int main() {
  auto model = dsvl::Model::load("examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model, {.attention_maps = 64});  // of an answer's first 64 tokens
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/002.png"), "Describe the image.");
  while (answer.next()) {}
  if (!answer.status().ok()) return dsvl::report(answer.status());

  const dsvl::SeenPicture& seen = answer.pictures()[0];
  const dsvl::SeenPicture::View& view = seen.high.side > 0 ? seen.high : seen.low;
  std::printf("%td x %td pixels became %td x %td, %td tokens\n", seen.width, seen.height, view.content.width,
              view.content.height, seen.tokens);
  const dsvl::TokenMap map = seen.map();
  if (const auto token = map.token_at(550, 60)) std::printf("The pixel (550, 60) is in token %td.\n", *token);
  std::printf("%.*s\n", static_cast<int>(answer.text().size()), answer.text().data());

  const dsvl::AnswerAttention maps = answer.attention();
  std::vector<float> cells(static_cast<std::size_t>(maps.cells()));
  if (const auto mean = maps.mean(0, maps.tokens(), 0, cells); !mean.ok()) return dsvl::report(mean);
  const dsvl::Box most = map.box_of(std::max_element(cells.begin(), cells.end()) - cells.begin());
  std::printf("It looked most at %.0f x %.0f pixels around (%.0f, %.0f).\n", most.width, most.height,
              most.x + most.width / 2, most.y + most.height / 2);
}
