// The picture encoder alone: no session, no decoder at work. Prints what it makes of a picture, and how alike another one
// is, as the cosine between the means of their rows:
//   000.png  64 rows of 192 numbers
//   001.png  cosine 0.84
//   002.png  cosine 0.85
#include <cmath>
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <dsvl/engine/image_encoder.hpp>
#include <dsvl/io/image.hpp>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  dsvl::InlineExecutor here;  // this thread; a ThreadPool of your own works as well
  dsvl::ImageEncoder encoder(model->network(), model->config().preprocess, dsvl::Limits(), here.workers(), nullptr);
  if (auto status = encoder.open(); !status.ok()) return dsvl::report(status);

  std::vector<double> first;
  for (const char* const file : {"000.png", "001.png", "002.png"}) {
    auto image = dsvl::read_image(std::string("examples/models/tiny-vl/demo/") + file);
    if (!image) return dsvl::report(image.error());
    auto rows = encoder.encode(image->pixels(), here);
    if (!rows) return dsvl::report(rows.error());
    std::vector<double> mean(static_cast<std::size_t>(rows->cols));
    for (dsvl::Index r = 0; r < rows->rows; ++r)
      for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += static_cast<double>(rows->row(r)[c]);
    if (first.empty()) {
      std::printf("%s  %td rows of %zu numbers\n", file, rows->rows, mean.size());
      first = mean;
      continue;
    }
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t c = 0; c < mean.size(); ++c)
      ab += first[c] * mean[c], aa += first[c] * first[c], bb += mean[c] * mean[c];
    std::printf("%s  cosine %.2f\n", file, ab / std::sqrt(aa * bb));
  }
}
