#include "thumbnail.hpp"

#include <algorithm>
#include <cmath>

#include <dsvl/chat/decoded_picture.hpp>

namespace desktop {

using dsvl::Index;

cli::Drawing shrink(const dsvl::Pixels& rgb, Index side) {
  const double times = std::max(1.0, static_cast<double>(std::max(rgb.width, rgb.height)) / static_cast<double>(side));
  const auto smaller = [&](Index n) {
    return std::max<Index>(1, static_cast<Index>(std::lround(static_cast<double>(n) / times)));
  };
  cli::Drawing out(smaller(rgb.width), smaller(rgb.height));
  for (Index y = 0; y < out.height; ++y) {
    const Index top = y * rgb.height / out.height, bottom = std::max(top + 1, (y + 1) * rgb.height / out.height);
    for (Index x = 0; x < out.width; ++x) {
      const Index left = x * rgb.width / out.width, right = std::max(left + 1, (x + 1) * rgb.width / out.width);
      std::uint64_t sum[3] = {};
      for (Index row = top; row < bottom; ++row)
        for (Index column = left; column < right; ++column)
          for (int c = 0; c < 3; ++c) sum[c] += rgb.row(row)[3 * column + c];
      const auto pixels = static_cast<std::uint64_t>((bottom - top) * (right - left));
      for (int c = 0; c < 3; ++c) out.at(x, y)[c] = static_cast<std::uint8_t>((sum[c] + pixels / 2) / pixels);
    }
  }
  return out;
}

dsvl::Result<Decoded> decode(const PictureSource& source, const dsvl::SessionOptions& options, Index side) {
  const auto image = dsvl::decode_picture(source.picture(), options);
  if (!image) return image.error();
  return Decoded{image->width, image->height, image->orientation, shrink(image->pixels(), side)};
}

}  // namespace desktop
