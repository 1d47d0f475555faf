// Pixels in the formats of cameras and engines: the views are those of the picture that was first made RGB.
#include <dsvl/vision/preprocess.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <dsvl/base/hash.hpp>

#include "../support.hpp"

using namespace dsvl;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(Index n, unsigned seed) {
  std::mt19937 random(seed);
  Bytes out(static_cast<std::size_t>(n));
  for (std::uint8_t& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

/// Both views, in 8 bits and normalised.
struct Views {
  Bytes low, high;
  std::vector<float> tensors;
  bool operator==(const Views&) const = default;
};

Views views_of(const Pixels& picture) {
  PreprocessConfig config;
  config.low.side = 40;
  config.high.side = 100;
  config.min_side = 5;
  Views out;
  out.tensors.assign(3 * (40 * 40 + 100 * 100), NAN);
  Preprocessor work;
  const Status status = work.prepare(picture, config, {out.tensors.data(), 3, 40, 40},
                                     {out.tensors.data() + 3 * 40 * 40, 3, 100, 100});
  REQUIRE_MESSAGE(status.ok(), status.text());
  std::vector<float> scratch(work.scratch_bytes() / sizeof(float) + 1);
  for (int step = 0; step < work.steps(); ++step)
    for (Index tile = 0; tile < work.tiles(step); ++tile) {
      std::fill(scratch.begin(), scratch.end(), NAN);
      work.run(step, tile, scratch.data());
    }
  const auto low = work.low_pixels(), high = work.high_pixels();
  out.low.assign(low.data, low.data + low.size());
  out.high.assign(high.data, high.data + high.size());
  return out;
}

/// What one pixel of a frame is, by its place: the test's own account of the format.
using At = std::function<std::array<std::uint8_t, 3>(Index x, Index y)>;

/// The views and the hash of `picture` are those of the packed RGB picture that `at` describes.
void check_is(const Pixels& picture, const At& at) {
  Bytes rgb;
  for (Index y = 0; y < picture.height; ++y)
    for (Index x = 0; x < picture.width; ++x)
      for (const std::uint8_t value : at(x, y)) rgb.push_back(value);
  const Pixels want{rgb.data(), picture.width, picture.height, PixelFormat::rgb, 0};
  CAPTURE(name(picture.format));
  CAPTURE(picture.width);
  CAPTURE(picture.height);
  CAPTURE(picture.stride);
  CHECK(hash_pixels(picture) == hash_pixels(want));
  CHECK((views_of(picture) == views_of(want)));
}

/// OpenCV's formula, once more.
std::array<std::uint8_t, 3> opencv(int y, int u, int v) {
  const int level = std::max(0, y - 16) * 1220542, du = u - 128, dv = v - 128;
  const auto byte = [](int sum) { return static_cast<std::uint8_t>(std::clamp(sum >> 20, 0, 255)); };
  return {byte(level + 1673527 * dv + 524288), byte(level - 852492 * dv - 409993 * du + 524288), byte(level + 2116026 * du + 524288)};
}

/// Sizes with odd sides, runs that begin anywhere, and tall ones that are filtered along the columns first.
struct Size { Index width, height; };
constexpr Size kSizes[] = {{64, 48}, {61, 47}, {333, 20}, {1, 1}, {2, 3}, {3, 700}, {5, 501}, {150, 149}};

/// One frame in memory that is larger than it, with its planes wherever the test wants them.
struct Frame {
  Bytes bytes;
  Pixels pixels;
};

/// A plane of `rows` rows that each hold `row` bytes, `pitch` apart, from the top or from the bottom, behind `at`.
PixelPlane plane_at(const Bytes& bytes, Index at, Index rows, Index pitch, bool bottom_up) {
  return bottom_up ? PixelPlane{bytes.data() + at + (rows - 1) * pitch, -pitch} : PixelPlane{bytes.data() + at, pitch};
}

/// Checks a YUV format in one size and arrangement. `apart`: the planes have addresses, gaps between them and strides of
/// their own.
void check_yuv(PixelFormat format, Size size, Index padding, bool apart, bool bottom_up) {
  const Index w = size.width, h = size.height, half_w = (w + 1) / 2, half_h = (h + 1) / 2;
  const bool packed422 = format == PixelFormat::yuy2 || format == PixelFormat::uyvy, planar = format == PixelFormat::i420;
  const Index pitch = (packed422 ? 4 * half_w : w) + padding;
  const Index colour_pitch = apart ? (planar ? half_w : 2 * half_w) + padding + 3
                             : planar ? (pitch + 1) / 2 : pitch + pitch % 2;
  const Index gap = apart ? 13 : 0, u_at = pitch * h + gap, v_at = u_at + colour_pitch * half_h + gap;
  const Bytes bytes = random_bytes(v_at + colour_pitch * half_h, static_cast<unsigned>(w * 7 + h + padding));
  const PixelPlane luma = plane_at(bytes, 0, h, pitch, bottom_up), u = plane_at(bytes, u_at, half_h, colour_pitch, bottom_up),
                   v = plane_at(bytes, v_at, half_h, colour_pitch, bottom_up);
  Pixels p{luma.data, w, h, format, padding || bottom_up ? luma.stride : 0};
  if (apart && !packed422) p.chroma[0] = u;
  if (apart && planar) p.chroma[1] = v;
  check_is(p, [&](Index x, Index y) {
    const std::uint8_t* row = luma.data + y * luma.stride;
    if (packed422) {
      const std::uint8_t* pair = row + x / 2 * 4;
      if (format == PixelFormat::yuy2) return opencv(pair[x % 2 * 2], pair[1], pair[3]);
      return opencv(pair[x % 2 * 2 + 1], pair[0], pair[2]);
    }
    const std::uint8_t* first = u.data + y / 2 * u.stride;
    if (planar) return opencv(row[x], first[x / 2], v.data[y / 2 * v.stride + x / 2]);
    const int a = first[x / 2 * 2], b = first[x / 2 * 2 + 1];
    return format == PixelFormat::nv12 ? opencv(row[x], a, b) : opencv(row[x], b, a);
  });
}

constexpr PixelFormat kYuvFormats[] = {PixelFormat::nv12, PixelFormat::nv21, PixelFormat::i420, PixelFormat::yuy2,
                                       PixelFormat::uyvy};

template <class T>
void put(Bytes& bytes, Index at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

TEST_CASE("a YUV frame in one buffer is seen as the RGB picture that OpenCV makes of it, at odd sizes too") {
  for (const PixelFormat format : kYuvFormats)
    for (const Size size : kSizes)
      for (const Index padding : {0, 6}) check_yuv(format, size, padding, false, false);
}

TEST_CASE("planes of a frame may lie anywhere, with strides of their own, and bottom-up") {
  for (const PixelFormat format : kYuvFormats)
    for (const Size size : kSizes)
      for (const Index padding : {0, 5})
        for (const bool bottom_up : {false, true}) check_yuv(format, size, padding, true, bottom_up);
}

TEST_CASE("range and matrix change what is seen of a frame, and its hash") {
  const Bytes bytes = random_bytes(40 * 30 * 3, 5);
  std::vector<Views> views;
  std::vector<ContentHash> hashes;
  for (const ColorRange range : {ColorRange::limited, ColorRange::full})
    for (const ColorMatrix matrix : {ColorMatrix::bt601, ColorMatrix::bt709})
      for (const PixelFormat format : {PixelFormat::nv12, PixelFormat::nv21, PixelFormat::i420, PixelFormat::yuy2}) {
        Pixels p{bytes.data(), 40, 30, format, 0};
        p.range = range;
        p.matrix = matrix;
        views.push_back(views_of(p));
        hashes.push_back(hash_pixels(p));
      }
  for (std::size_t i = 0; i < views.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      CHECK(views[i] != views[k]);
      CHECK_FALSE(hashes[i] == hashes[k]);
    }
}

TEST_CASE("bottom-up pictures are seen as they are at every shape, very tall ones too") {
  for (const Size size : kSizes)
    for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::bgra, PixelFormat::gray}) {
      const Index of = channels(format), pitch = size.width * of + 1;
      const Bytes bytes = random_bytes(pitch * size.height, 8);
      const std::uint8_t* const top = bytes.data() + (size.height - 1) * pitch;
      check_is({top, size.width, size.height, format, -pitch}, [&](Index x, Index y) -> std::array<std::uint8_t, 3> {
        const std::uint8_t* const at = top - y * pitch + x * of;
        if (of == 1) return {at[0], at[0], at[0]};
        return {at[of == 3 ? 0 : 2], at[1], at[of == 3 ? 2 : 0]};
      });
    }
}

TEST_CASE("of 16 bits the high byte is seen, in every order of channels") {
  for (const Size size : kSizes)
    for (const PixelFormat as : {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra, PixelFormat::gray}) {
      const auto format = static_cast<PixelFormat>(static_cast<int>(as) + static_cast<int>(PixelFormat::rgb16));
      REQUIRE(std::string(name(format)) == std::string(name(as)) + "16");
      const Index of = channels(as), pitch = size.width * of * 2 + 7;  // odd: samples at any address
      const Bytes bytes = random_bytes(pitch * size.height, 9);
      const auto sample = [&](Index x, Index y, Index c) {
        std::uint16_t value;
        std::memcpy(&value, bytes.data() + (size.height - 1 - y) * pitch + (x * of + c) * 2, 2);
        return static_cast<std::uint8_t>(value >> 8);
      };
      check_is({bytes.data() + (size.height - 1) * pitch, size.width, size.height, format, -pitch},
               [&](Index x, Index y) -> std::array<std::uint8_t, 3> {
                 if (of == 1) return {sample(x, y, 0), sample(x, y, 0), sample(x, y, 0)};
                 const bool swapped = as == PixelFormat::bgr || as == PixelFormat::bgra;
                 return {sample(x, y, swapped ? 2 : 0), sample(x, y, 1), sample(x, y, swapped ? 0 : 2)};
               });
    }
}

TEST_CASE("floats are seen as the bytes that they encode, or that their light is in sRGB") {
  constexpr Index kWidth = 61, kHeight = 47;
  std::mt19937 random(3);
  for (const PixelFormat as : {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra, PixelFormat::gray})
    for (const Transfer transfer : {Transfer::srgb, Transfer::linear}) {
      const auto format = static_cast<PixelFormat>(static_cast<int>(as) + static_cast<int>(PixelFormat::rgb32f));
      const Index of = channels(as), pitch = kWidth * of * 4 + 3;
      Bytes bytes(static_cast<std::size_t>(pitch * kHeight));
      for (Index y = 0; y < kHeight; ++y)
        for (Index i = 0; i < kWidth * of; ++i) {
          float value = static_cast<float>(random() % 1300) / 1000.0f - 0.1f;
          if (random() % 50 == 0) value = std::numeric_limits<float>::quiet_NaN();
          put(bytes, y * pitch + i * 4, value);
        }
      const auto sample = [&](Index x, Index y, Index c) {
        float value;
        std::memcpy(&value, bytes.data() + y * pitch + (x * of + c) * 4, 4);
        double light = std::isnan(value) ? 0 : std::clamp(static_cast<double>(value), 0.0, 1.0);
        if (transfer == Transfer::linear)
          light = light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
        return static_cast<std::uint8_t>(std::floor(light * 255 + 0.5));
      };
      Pixels p{bytes.data(), kWidth, kHeight, format, pitch};
      p.transfer = transfer;
      check_is(p, [&](Index x, Index y) -> std::array<std::uint8_t, 3> {
        if (of == 1) return {sample(x, y, 0), sample(x, y, 0), sample(x, y, 0)};
        const bool swapped = as == PixelFormat::bgr || as == PixelFormat::bgra;
        return {sample(x, y, swapped ? 2 : 0), sample(x, y, 1), sample(x, y, swapped ? 0 : 2)};
      });
    }
}

TEST_CASE("a picture with alpha lies upon its background, if it has one, whatever its samples are") {
  constexpr Index kWidth = 33, kHeight = 140;
  constexpr std::array<std::uint8_t, 3> kBackground = {250, 130, 7};
  const Bytes plain = random_bytes(kWidth * kHeight * 4, 11);  // r, g, b, alpha
  const auto value = [&](Index x, Index y, Index c) { return plain[static_cast<std::size_t>((y * kWidth + x) * 4 + c)]; };
  for (const Index size : {1, 2, 4})
    for (const bool swapped : {false, true}) {
      Bytes bytes(static_cast<std::size_t>(kWidth * kHeight * 4 * size), 0xA5);
      for (Index i = 0; i < kWidth * kHeight; ++i)
        for (Index c = 0; c < 4; ++c) {
          const std::uint8_t v = plain[static_cast<std::size_t>(i * 4 + (swapped && c < 3 ? 2 - c : c))];
          const Index at = (i * 4 + c) * size;
          if (size == 4) put(bytes, at, static_cast<float>(v) / 255.0f);
          else put(bytes, at + size - 1, v);  // the low byte of 16 is anything
        }
      const PixelFormat format = size == 1 ? (swapped ? PixelFormat::bgra : PixelFormat::rgba)
                                 : size == 2 ? (swapped ? PixelFormat::bgra16 : PixelFormat::rgba16)
                                             : (swapped ? PixelFormat::bgra32f : PixelFormat::rgba32f);
      Pixels p{bytes.data(), kWidth, kHeight, format, 0};
      check_is(p, [&](Index x, Index y) -> std::array<std::uint8_t, 3> {
        return {value(x, y, 0), value(x, y, 1), value(x, y, 2)};
      });
      p.background = kBackground;
      check_is(p, [&](Index x, Index y) {
        std::array<std::uint8_t, 3> out{};
        for (std::size_t c = 0; c < 3; ++c)
          out[c] = static_cast<std::uint8_t>(std::lround((value(x, y, 3) * value(x, y, static_cast<Index>(c)) +
                                                          (255 - value(x, y, 3)) * kBackground[c]) / 255.0));
        return out;
      });
    }
  // Where there is no alpha, a background changes nothing.
  Pixels p{plain.data(), kWidth, kHeight, PixelFormat::bgr, 0};
  const Views want = views_of(p);
  p.background = kBackground;
  CHECK((views_of(p) == want));
}

TEST_CASE("frames that the model would see differently have different hashes") {
  const Bytes bytes = random_bytes(64 * 64 * 16, 21);
  std::vector<ContentHash> seen;
  const auto add = [&](const Pixels& p) {
    const ContentHash hash = hash_pixels(p);
    CHECK(std::count(seen.begin(), seen.end(), hash) == 0);
    seen.push_back(hash);
  };
  for (int format = 0; format <= static_cast<int>(PixelFormat::uyvy); ++format)
    add({bytes.data(), 64, 64, static_cast<PixelFormat>(format), 0});
  Pixels p{bytes.data(), 64, 64, PixelFormat::rgba, 0};
  p.background = {{0, 0, 0}};
  add(p);
  p.background = {{0, 0, 1}};
  add(p);
  p = {bytes.data(), 64, 64, PixelFormat::rgb32f, 0};
  p.transfer = Transfer::linear;
  add(p);
  p = {bytes.data(), 64, 64, PixelFormat::i420, 0};
  p.chroma[0].data = bytes.data() + 5000;
  p.chroma[1].data = bytes.data() + 7000;
  add(p);
  p.chroma[1].data = bytes.data() + 7001;
  add(p);
  p.chroma[1].stride = 33;
  add(p);
  p.chroma[0].stride = 31 + 2;
  add(p);
  // One sample of colour, at the last place of an odd frame.
  Bytes odd = random_bytes(65 * 65 * 2, 22);
  p = {odd.data(), 65, 65, PixelFormat::nv12, 0};
  add(p);
  odd[65 * 65 + 66 * 33 - 1] ^= 0x40;
  add(p);
}

TEST_CASE("planes and strides that cannot be are refused with what was found, what was needed and what to do") {
  const Bytes bytes(64 * 64 * 16);
  const std::uint8_t* const at = bytes.data();
  std::vector<float> low(3 * 384 * 384);
  const auto text = [&](const Pixels& p) {
    const Status status = preprocess(p, {}, {low.data(), 3, 384, 384});
    CHECK(status.code() == (status.ok() ? Code::ok : Code::bad_argument));
    return std::string(status.text());
  };
  const auto says = [&](const Pixels& p, const char* part) {
    const std::string got = text(p);
    CAPTURE(got);
    CAPTURE(part);
    CHECK((*part ? got.find(part) != std::string::npos : got.empty()));
    CHECK(got.find("...") == std::string::npos);  // all of it fits
  };
  using F = PixelFormat;
  constexpr Index kFar = std::numeric_limits<Index>::max();
  says({at, 7, 5, F::nv12}, "");
  says({at, 7, 5, F::nv12, 6}, "nv12 picture of 7 x 5 pixels: a stride of 6 bytes does not fit rows of 7; it is the bytes "
                               "from row to row, 7 to ");
  says({at, 7, 5, F::yuy2, 15}, "stride of 15 bytes does not fit rows of 16");
  says({at, 8, 5, F::rgba32f, -127}, "stride of -127 bytes does not fit rows of 128");
  says({at, 8, 5, F::gray16, 15}, "does not fit rows of 16");
  for (const F format : {F::rgb, F::nv12, F::i420, F::uyvy, F::rgb32f})
    for (const Index stride : {kFar, -kFar, -kFar - 1, kFar / 4}) {
      says({at, 8, 5, format, stride}, "does not fit");
      if (plane_count(format) > 1)
        says({.data = at, .width = 8, .height = 5, .format = format, .chroma = {{at, stride}, {format == F::i420 ? at : nullptr}}},
             "(chroma[0]) does not fit");
    }
  says({.data = at, .width = 7, .height = 5, .format = F::nv21, .chroma = {{at, 7}}},
       "a stride of 7 bytes (chroma[0]) does not fit rows of 8");
  says({.data = at, .width = 7, .height = 5, .format = F::i420, .chroma = {{at, 4}, {at, -3}}},
       "a stride of -3 bytes (chroma[1]) does not fit rows of 4");
  says({.data = at, .width = 7, .height = 5, .format = F::i420, .chroma = {{at + 64, -4}, {at, 4}}}, "");
  says({.data = at, .width = 7, .height = 5, .format = F::i420, .chroma = {{at}}},
       "i420 picture with chroma[0] alone; needed: both, or neither when all planes follow");
  says({.data = at, .width = 7, .height = 5, .format = F::i420, .chroma = {{}, {at}}}, "with chroma[1] alone; needed: both");
  says({.data = at, .width = 7, .height = 5, .format = F::nv12, .chroma = {{at}, {at}}},
       "nv12 picture with chroma[0] and chroma[1]; needed: chroma[0] alone, or neither");
  says({.data = at, .width = 7, .height = 5, .format = F::nv12, .chroma = {{}, {at}}}, "with chroma[1] alone");
  says({.data = at, .width = 7, .height = 5, .chroma = {{at}}},
       "rgb picture with chroma[0] alone; needed: neither, or the format that has such planes (nv12, nv21, i420)");
  says({.data = at, .width = 7, .height = 5, .format = F::yuy2, .chroma = {{at}}}, "needed: neither");
  says({at + 64, 7, 5, F::nv12, -8}, "nv12 picture with a stride of -8 bytes and no address of colour: where that lies when "
                                    "rows go up is not known");
  says({at + 64, 7, 5, F::i420, -8}, "give the address of its top row (chroma)");
  says({.data = at + 64, .width = 7, .height = 5, .format = F::i420, .chroma = {{nullptr, 4}, {nullptr, -4}}},
       "a stride of -4 bytes and no address");
  says({at + 64, 7, 5, F::yuy2, -16}, "");
  says({nullptr, 7, 5, F::nv12}, "picture of 7 x 5 pixels at no address: there is nothing to see");
  says({at, 7, 5, static_cast<F>(20)}, "unknown pixel format 20");
  const auto colour = [&](auto change) { Pixels p{at, 7, 5, F::nv12}; change(p); return p; };
  says(colour([](Pixels& p) { p.range = static_cast<ColorRange>(2); }), "range 2, matrix 0, transfer 0; each can be 0 or 1");
  says(colour([](Pixels& p) { p.matrix = static_cast<ColorMatrix>(255); }), "matrix 255");
  says(colour([](Pixels& p) { p.transfer = static_cast<Transfer>(9); }), "transfer 9");
}
