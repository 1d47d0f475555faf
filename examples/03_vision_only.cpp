// A vision tower alone, as an image encoder: no session, no decoder at work. Prints what it makes of a picture, and how
// alike another one is, as the cosine between the means of their rows:
//   000.png  64 rows of 128 numbers
//   001.png  cosine 0.58
//   002.png  cosine 0.70
#include <cmath>
#include <cstdio>
#include <dsvl/dsvl.hpp>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  const dsvl::DeepseekVl& net = model->state()->network->net;

  // Memory is declared once and visited twice: to measure, then to carve.
  dsvl::DeepseekVl::VisionBuffers<float> b;
  const auto declare = [&](dsvl::Arena& arena) { b.carve_table(arena, net), b.carve(arena, net); };
  dsvl::Arena measure;
  declare(measure);
  dsvl::Buffer<std::byte> memory;
  if (!memory.resize(measure.peak())) return dsvl::report(dsvl::fail(dsvl::Code::out_of_memory, "no memory"));
  dsvl::Arena arena(memory.span());
  declare(arena);

  std::vector<double> first;
  for (const char* const file : {"000.png", "001.png", "002.png"}) {
    auto image = dsvl::read_image(std::string("examples/models/tiny-vl/demo/") + file);
    if (!image) return dsvl::report(image.error());
    auto status = dsvl::preprocess(image->pixels(), model->config().preprocess, b.low, b.high);
    if (!status.ok()) return dsvl::report(status);
    dsvl::Immediate<float> on(dsvl::active_kernels<float>());  // runs each operation at once; a session records them
    net.siglip.forward(on, b.low, b.siglip, b.low_features);   // net.encode: all towers, and on through the aligner
    std::vector<double> mean(static_cast<std::size_t>(b.low_features.cols));
    for (dsvl::Index r = 0; r < b.low_features.rows; ++r)
      for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += static_cast<double>(b.low_features.row(r)[c]);
    if (first.empty()) {
      std::printf("%s  %td rows of %zu numbers\n", file, b.low_features.rows, mean.size());
      first = mean;
      continue;
    }
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t c = 0; c < mean.size(); ++c)
      ab += first[c] * mean[c], aa += first[c] * first[c], bb += mean[c] * mean[c];
    std::printf("%s  cosine %.2f\n", file, ab / std::sqrt(aa * bb));
  }
}
