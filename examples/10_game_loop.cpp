// A game loop: every frame gives the model two milliseconds, whatever it is at (picture, question, answer):
//   frame 23: A
//   …
//   A large red square in the center. (32 frames)
#include <chrono>
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());

  // What is on the screen, as the game has it: 320 x 200 BGRA, here with a red square in it.
  std::vector<std::uint8_t> screen(320 * 200 * 4, 255);
  for (int y = 60; y < 140; ++y)
    for (int x = 120; x < 200; ++x)
      screen[static_cast<std::size_t>(y * 320 + x) * 4] = screen[static_cast<std::size_t>(y * 320 + x) * 4 + 1] = 20;
  const auto picture = dsvl::Picture::pixels({screen.data(), 320, 200, dsvl::PixelFormat::bgra, 0});

  auto answer = session->start({&picture, 1}, "Describe the image.");  // computes nothing yet, so the pixels
  // must stay as they are until the first token has come
  int frame = 0;
  for (; answer.finish() == dsvl::Finish::none; ++frame) {
    if (const auto piece = answer.step(std::chrono::milliseconds(2)); piece && !piece->text.empty())
      std::printf("frame %d: %.*s\n", frame, static_cast<int>(piece->text.size()), piece->text.data());
    // … and here the game draws its frame
  }
  std::printf("%s (%d frames)\n", std::string(answer.text()).c_str(), frame);
  return dsvl::report(answer.status());
}
