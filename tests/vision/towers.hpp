// The towers' blocks in plain doubles, as the specification writes them: what the tests of vision compare with.
#ifndef DSVL_TESTS_VISION_TOWERS_HPP
#define DSVL_TESTS_VISION_TOWERS_HPP

#include <dsvl/vision/high_res_tower.hpp>
#include <dsvl/vision/siglip.hpp>

#include "../oracle.hpp"

namespace test {

inline Mat mlp(const Weights& w, const std::string& at, const Mat& h, dsvl::GeluKind kind) {
  const Mat inner = linear(h, w[at + "fc1.weight"], w[at + "fc1.bias"]);
  return linear(each(inner, kind == dsvl::GeluKind::erf ? gelu_erf : gelu_tanh), w[at + "fc2.weight"], w[at + "fc2.bias"]);
}
inline Mat norm(const Weights& w, const std::string& at, const Mat& x, double eps) {
  return layer_norm(x, w[at + "weight"], w[at + "bias"], eps);
}
/// A channels-first picture as rows of tokens with their positions.
inline Mat patch_embed(const Weights& w, const Mat& picture, const dsvl::PatchShape& s) {
  const Mat x = convolve(transposed(picture), {s.image, s.image}, w["patch.weight"], s.patch, s.patch, 0);
  Mat y = plus(x, w["position"]);
  for (Index r = 0; r < y.rows; ++r)
    for (Index c = 0; c < y.cols; ++c) y(r, c) += w["patch.bias"].v[static_cast<std::size_t>(c)];
  return y;
}

inline Mat vit_block(const Weights& w, const std::string& at, const dsvl::SiglipDims& d, Mat x) {
  const Mat qkv = linear(norm(w, at + "norm1.", x, d.eps), w[at + "attn.qkv.weight"], w[at + "attn.qkv.bias"]);
  const Mat y = attend_heads(qkv.columns(0, d.hidden), qkv.columns(d.hidden, d.hidden), qkv.columns(2 * d.hidden, d.hidden),
                             d.heads, d.heads, [](Index, Index) { return 0.0; });
  x = plus(x, linear(y, w[at + "attn.out.weight"], w[at + "attn.out.bias"]));
  return plus(x, mlp(w, at + "mlp.", norm(w, at + "norm2.", x, d.eps), d.activation));
}

/// Attention of one window of normed tokens, projected.
inline Mat sam_window(const Weights& w, const std::string& at, Index heads, const Mat& h, Grid window) {
  const Mat qkv = linear(h, w[at + "attn.qkv.weight"], w[at + "attn.qkv.bias"]);
  const Index hidden = h.cols;
  const Mat y = attend_map(qkv.columns(0, hidden), qkv.columns(hidden, hidden), qkv.columns(2 * hidden, hidden), heads, window,
                           resize_table(w[at + "attn.rel_pos_h"], 2 * window.height - 1),
                           resize_table(w[at + "attn.rel_pos_w"], 2 * window.width - 1));
  return linear(y, w[at + "attn.out.weight"], w[at + "attn.out.bias"]);
}
inline Mat sam_block(const Weights& w, const std::string& at, const dsvl::SamDims& d, Index layer, Mat x) {
  const Grid map = d.input.grid();
  const bool global = d.is_global(layer);
  const Index side_y = global ? map.height : d.window, side_x = global ? map.width : d.window;
  const Mat h = norm(w, at + "norm1.", x, d.eps);
  for (Index top = 0; top < map.height; top += side_y)
    for (Index left = 0; left < map.width; left += side_x) {
      Mat part(side_y * side_x, d.hidden);  // zeros where the window hangs over the border
      const auto meet = [&](auto&& visit) {
        for (Index y = 0; y < side_y && top + y < map.height; ++y)
          for (Index c = 0; c < side_x && left + c < map.width; ++c) visit((top + y) * map.width + left + c, y * side_x + c);
      };
      meet([&](Index of_map, Index of_part) {
        for (Index k = 0; k < d.hidden; ++k) part(of_part, k) = h(of_map, k);
      });
      part = sam_window(w, at, d.heads, part, {side_y, side_x});
      meet([&](Index of_map, Index of_part) {
        for (Index k = 0; k < d.hidden; ++k) x(of_map, k) += part(of_part, k);
      });
    }
  return plus(x, mlp(w, at + "mlp.", norm(w, at + "norm2.", x, d.eps), d.activation));
}

inline Mat neck(const Weights& w, const std::string& at, const Mat& x, Grid grid) {
  const Mat y = norm(w, at + "norm1.", linear(x, w[at + "conv1.weight"]), 1e-6);
  return norm(w, at + "norm2.", convolve(y, grid, w[at + "conv2.weight"], 3, 1, 1), 1e-6);
}
inline Mat downsample(const Weights& w, const Mat& map, Grid grid, const dsvl::DownsampleDims& d) {
  const Mat resized = resize_bilinear(map, grid, d.resized);
  const Mat half = convolve(resized, d.resized, w["down.conv1.weight"], 3, 2, 1);
  return convolve(half, {(d.resized.height - 1) / 2 + 1, (d.resized.width - 1) / 2 + 1}, w["down.conv2.weight"], 3, 2, 1);
}

}  // namespace test

#endif  // DSVL_TESTS_VISION_TOWERS_HPP
