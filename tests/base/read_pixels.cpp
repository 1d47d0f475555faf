// What pixels of every format mean in RGB: OpenCV's conversions, libjpeg's, and formulas written down again.
#include <dsvl/base/read_pixels.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "../sha256.hpp"
#include "../support.hpp"

using namespace dsvl;

namespace {

using Bytes = std::vector<std::uint8_t>;

nlohmann::json golden() {
  return nlohmann::json::parse(test::read_file(test::data("frames/yuv.json")), nullptr, false);
}

/// All of a picture, (height, width, 3), read in runs of `run` pixels.
Bytes rgb_of(const Pixels& p, Index run = 1 << 20) {
  Bytes out;
  for (Index y = 0; y < p.height; ++y)
    for (Index x = 0; x < p.width; x += run) {
      const Index n = std::min(run, p.width - x);
      Bytes planes(static_cast<std::size_t>(3 * n));
      read_pixels(p, x, y, n, planes.data(), n);
      for (Index i = 0; i < n; ++i)
        for (Index c = 0; c < 3; ++c) out.push_back(planes[static_cast<std::size_t>(c * n + i)]);
    }
  return out;
}

constexpr PixelFormat kYuvFormats[] = {PixelFormat::nv12, PixelFormat::nv21, PixelFormat::i420, PixelFormat::yuy2,
                                       PixelFormat::uyvy};

/// A row of 256 pixels, Y from 0 to 255, of one colour.
Bytes ramp(PixelFormat format, int u, int v) {
  Bytes out;
  const auto put = [&](auto... values) { (out.push_back(static_cast<std::uint8_t>(values)), ...); };
  if (format == PixelFormat::yuy2 || format == PixelFormat::uyvy) {
    for (int y = 0; y < 256; y += 2)
      if (format == PixelFormat::yuy2) put(y, u, y + 1, v);
      else put(u, y, v, y + 1);
    return out;
  }
  for (int y = 0; y < 256; ++y) put(y);
  for (int i = 0; i < 128; ++i)
    if (format == PixelFormat::nv12) put(u, v);
    else if (format == PixelFormat::nv21) put(v, u);
    else put(u);
  if (format == PixelFormat::i420)
    for (int i = 0; i < 128; ++i) put(v);
  return out;
}

/// Calls use(u, v, planes) for every colour, in the order of the golden sums: planes (3, 256) of a ramp.
template <class Use>
void for_all_triples(PixelFormat format, ColorRange range, ColorMatrix matrix, const Use& use) {
  std::uint8_t planes[3 * 256];
  Bytes bytes;
  for (int u = 0; u < 256; ++u)
    for (int v = 0; v < 256; ++v) {
      if (v == 0) bytes = ramp(format, u, v);
      else
        for (std::size_t i = 0; i < 128; ++i) {  // only what changes: this is most of the time
          if (format == PixelFormat::nv12) bytes[256 + 2 * i + 1] = static_cast<std::uint8_t>(v);
          else if (format == PixelFormat::nv21) bytes[256 + 2 * i] = static_cast<std::uint8_t>(v);
          else if (format == PixelFormat::i420) bytes[384 + i] = static_cast<std::uint8_t>(v);
          else bytes[4 * i + (format == PixelFormat::yuy2 ? 3 : 2)] = static_cast<std::uint8_t>(v);
        }
      Pixels p{bytes.data(), 256, 1, format, 0};
      p.range = range;
      p.matrix = matrix;
      read_pixels(p, 0, 0, 256, planes, 256);
      use(u, v, planes);
    }
}

int clamped(int value) { return value < 0 ? 0 : value > 255 ? 255 : value; }

/// How far results are from `want(y, u, v, out)`: the greatest difference and the number of unequal samples.
struct Distance { int most = 0; std::int64_t unequal = 0; };
template <class Want>
Distance distance(ColorRange range, ColorMatrix matrix, const Want& want) {
  Distance out;
  for_all_triples(PixelFormat::nv12, range, matrix, [&](int u, int v, const std::uint8_t* planes) {
    for (int y = 0; y < 256; ++y) {
      int rgb[3];
      want(y, u - 128, v - 128, rgb);
      for (int c = 0; c < 3; ++c) {
        const int off = std::abs(planes[c * 256 + y] - rgb[c]);
        out.most = std::max(out.most, off);
        out.unequal += off != 0;
      }
    }
  });
  return out;
}

}  // namespace

TEST_CASE("every triple of Y, U and V becomes what OpenCV makes of it") {
  std::string all;
  all.reserve(std::size_t{3} << 24);
  for_all_triples(PixelFormat::nv12, ColorRange::limited, ColorMatrix::bt601,
                  [&](int, int, const std::uint8_t* planes) {
                    for (int y = 0; y < 256; ++y)
                      for (int c = 0; c < 3; ++c) all.push_back(static_cast<char>(planes[c * 256 + y]));
                  });
  CHECK(test::sha256_hex(std::as_bytes(std::span(all))) == golden()["all"]["opencv"].get<std::string>());
  for (const PixelFormat format : kYuvFormats) {  // and it is the same in all of them
    std::size_t at = 0;
    std::int64_t unequal = 0;
    for_all_triples(format, ColorRange::limited, ColorMatrix::bt601, [&](int, int, const std::uint8_t* planes) {
      for (int y = 0; y < 256; ++y)
        for (int c = 0; c < 3; ++c) unequal += static_cast<std::uint8_t>(all[at++]) != planes[c * 256 + y];
    });
    CAPTURE(name(format));
    CHECK(at == all.size());
    CHECK(unequal == 0);
  }
}

TEST_CASE("colours of the golden list are OpenCV's, or within one of the exact formula of the other switches") {
  const auto want = golden();
  struct Column { const char* name; ColorRange range; ColorMatrix matrix; int most; };
  for (const Column column : {Column{"opencv", ColorRange::limited, ColorMatrix::bt601, 0},
                              {"exact_jfif", ColorRange::full, ColorMatrix::bt601, 1},
                              {"exact_bt709", ColorRange::limited, ColorMatrix::bt709, 0}}) {
    const auto& triples = want["yuv"];
    const auto& rgb = want["rgb"][column.name];
    REQUIRE(triples.size() == 64);
    REQUIRE(rgb.size() == 64);
    for (std::size_t i = 0; i < 64; ++i) {
      const auto value = [&](std::size_t k) { return triples[i][k].get<std::uint8_t>(); };
      for (const PixelFormat format : kYuvFormats) {
        const Bytes bytes = ramp(format, value(1), value(2));
        Pixels p{bytes.data(), 256, 1, format, 0};
        p.range = column.range;
        p.matrix = column.matrix;
        std::uint8_t got[3];
        read_pixels(p, value(0), 0, 1, got, 1);
        for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(got[c] - rgb[i][c].get<int>()) <= column.most);
      }
    }
  }
}

TEST_CASE("full range is libjpeg's, and BT.709 the exact formula but for a sample in ten thousand") {
  const Distance jfif = distance(ColorRange::full, ColorMatrix::bt601, [](int y, int u, int v, int* rgb) {
    rgb[0] = clamped(y + ((91881 * v + 32768) >> 16));
    rgb[1] = clamped(y + ((-22554 * u - 46802 * v + 32768) >> 16));
    rgb[2] = clamped(y + ((116130 * u + 32768) >> 16));
  });
  CHECK(jfif.unequal == 0);
  for (const ColorRange range : {ColorRange::limited, ColorRange::full}) {
    const bool full = range == ColorRange::full;
    const double kr = 0.2126, kb = 0.0722, kg = 1 - kr - kb, scale = full ? 1 : 255.0 / 224;
    const Distance bt709 = distance(range, ColorMatrix::bt709, [=](int y, int u, int v, int* rgb) {
      const double bright = full ? y : (y - 16) * (255.0 / 219), pr = 2 * (1 - kr) * scale * v, pb = 2 * (1 - kb) * scale * u;
      const double exact[3] = {bright + pr, bright - (kr * pr + kb * pb) / kg, bright + pb};
      for (int c = 0; c < 3; ++c) rgb[c] = clamped(static_cast<int>(std::floor(exact[c] + 0.5)));
    });
    CHECK(bt709.most <= 1);
    CHECK(bt709.unequal < 3 * (1 << 24) / 10000);
  }
}

TEST_CASE("a small frame is OpenCV's in every layout, wherever its planes lie and however it is read") {
  const auto frame = golden()["frame"];
  Bytes nv12, i420, want;
  for (const auto& row : frame["nv12"]) for (const auto& v : row) nv12.push_back(v);
  for (const auto& v : frame["i420"]) i420.push_back(v);
  for (const auto& row : frame["opencv_rgb"]) for (const auto& v : row) want.push_back(v);
  REQUIRE(nv12.size() == 48);
  REQUIRE(want.size() == 96);
  for (const Index run : {1, 3, 5, 8}) {
    CHECK(rgb_of({nv12.data(), 8, 4, PixelFormat::nv12}, run) == want);
    CHECK(rgb_of({i420.data(), 8, 4, PixelFormat::i420}, run) == want);
  }
  // YV12: the planes of colour have changed places.
  Bytes yv12(i420.begin(), i420.begin() + 32);
  yv12.insert(yv12.end(), i420.begin() + 40, i420.end());
  yv12.insert(yv12.end(), i420.begin() + 32, i420.begin() + 40);
  CHECK(rgb_of({.data = yv12.data(), .width = 8, .height = 4, .format = PixelFormat::i420,
                .chroma = {{yv12.data() + 40, 0}, {yv12.data() + 32, 0}}}) == want);
  // Of a frame of 4:2:2 each row has its colour.
  Bytes yuy2, uyvy;
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t x = 0; x < 8; x += 2) {
      const std::uint8_t a = nv12[y * 8 + x], b = nv12[y * 8 + x + 1], u = nv12[32 + y / 2 * 8 + x],
                         v = nv12[32 + y / 2 * 8 + x + 1];
      yuy2.insert(yuy2.end(), {a, u, b, v});
      uyvy.insert(uyvy.end(), {u, a, v, b});
    }
  CHECK(rgb_of({yuy2.data(), 8, 4, PixelFormat::yuy2}, 3) == want);
  CHECK(rgb_of({uyvy.data(), 8, 4, PixelFormat::uyvy}, 3) == want);
}

TEST_CASE("what a frame leaves open about its planes is as in one buffer, rounded up where a side is odd") {
  const std::uint8_t base[1] = {};
  const auto planes = [&](PixelFormat format, Index width, Index height, Index stride) {
    const Pixels p{base, width, height, format, stride};
    std::vector<Index> out;
    for (int i = 0; i < plane_count(format); ++i) out.insert(out.end(), {p.plane(i).data - base, p.plane(i).stride});
    return out;
  };
  using List = std::vector<Index>;
  CHECK(planes(PixelFormat::nv12, 8, 4, 0) == List{0, 8, 32, 8});
  CHECK(planes(PixelFormat::nv12, 7, 5, 0) == List{0, 7, 35, 8});
  CHECK(planes(PixelFormat::nv21, 7, 5, 10) == List{0, 10, 50, 10});
  CHECK(planes(PixelFormat::i420, 8, 4, 0) == List{0, 8, 32, 4, 40, 4});
  CHECK(planes(PixelFormat::i420, 7, 5, 0) == List{0, 7, 35, 4, 47, 4});
  CHECK(planes(PixelFormat::i420, 7, 5, 16) == List{0, 16, 80, 8, 104, 8});
  CHECK(planes(PixelFormat::yuy2, 7, 5, 0) == List{0, 16});
  CHECK(planes(PixelFormat::rgba32f, 7, 5, 0) == List{0, 112});
  const Pixels up{.data = base, .width = 7, .height = 5, .format = PixelFormat::nv12, .stride = -9, .chroma = {{base}}};
  CHECK(up.plane(1).stride == -10);
  for (const PixelFormat format : kYuvFormats) CHECK(channels(format) == 3);
  CHECK(row_bytes(PixelFormat::i420, 7, 2) == 4);
  CHECK(row_bytes(PixelFormat::nv12, 7, 1) == 8);
  CHECK(row_bytes(PixelFormat::bgr16, 7) == 42);
  CHECK(row_bytes(PixelFormat::gray32f, 7) == 28);
  CHECK(name(PixelFormat::uyvy) == "uyvy");
  CHECK(name(PixelFormat::rgb32f) == "rgb32f");
  CHECK(name(static_cast<PixelFormat>(77)) == "unknown");
}

TEST_CASE("encoded floats are clamped, times 255, to the nearest, halves up") {
  CHECK(byte_of_encoded(0.0f) == 0);
  CHECK(byte_of_encoded(1.0f) == 255);
  CHECK(byte_of_encoded(std::nextafterf(1.0f, 0.0f)) == 255);
  CHECK(byte_of_encoded(-0.0f) == 0);
  CHECK(byte_of_encoded(-7.0f) == 0);
  CHECK(byte_of_encoded(1e30f) == 255);
  CHECK(byte_of_encoded(std::numeric_limits<float>::infinity()) == 255);
  CHECK(byte_of_encoded(-std::numeric_limits<float>::infinity()) == 0);
  CHECK(byte_of_encoded(std::numeric_limits<float>::quiet_NaN()) == 0);
  CHECK(byte_of_encoded(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(byte_of_encoded(0.5f) == 128);  // 127.5
  for (int value = 1; value < 256; ++value) {
    // The least float not below (value - 1/2) / 255, found without a rounding that matters: k / 2^24 >= that.
    const std::int64_t k = ((2 * value - 1) * (std::int64_t{1} << 24) + 509) / 510;
    const float least = static_cast<float>(std::ldexp(static_cast<double>(k), -24));
    if (value > 128) CHECK(byte_of_encoded(least) == value);  // above 1/2 every k is a float
    if (value > 128) CHECK(byte_of_encoded(std::nextafterf(least, 0.0f)) == value - 1);
    CHECK(byte_of_encoded(static_cast<float>(value / 255.0)) == value);
  }
}

TEST_CASE("linear light becomes the exact value of sRGB's transfer function, at every threshold to the last bit") {
  const auto exact = [](float light) {
    const double x = static_cast<double>(light);
    return 255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055) + 0.5;
  };
  int value = 0;
  for (int next = 1; next < 256; ++next) {
    const float begins = dsvl::bit_cast<float>(detail::kSrgb.begins[next]);
    CHECK(exact(begins) >= next);
    CHECK(exact(std::nextafterf(begins, 0.0f)) < next);
    CHECK(byte_of_linear(begins) == next);
    CHECK(byte_of_linear(std::nextafterf(begins, 0.0f)) == next - 1);
  }
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0; bits <= 0x3F800000; bits += 257) {  // 4 million floats from 0 to 1
    while (value < 255 && bits >= detail::kSrgb.begins[value + 1]) ++value;
    wrong += byte_of_linear(dsvl::bit_cast<float>(bits)) != value;
  }
  CHECK(wrong == 0);
  // Bits of the thresholds as computed with 60 decimal digits: no compiler may find others.
  CHECK(test::sha256_hex(std::as_bytes(std::span(detail::kSrgb.begins).subspan(1, 255))) ==
        "0b408a80ff623c35aef23dc30ed2669cc9893ecc3227e21394a963f4e5bb51de");
  CHECK(byte_of_linear(0.5f) == 188);
  CHECK(byte_of_linear(0.0f) == 0);
  CHECK(byte_of_linear(-1.0f) == 0);
  CHECK(byte_of_linear(1.0f) == 255);
  CHECK(byte_of_linear(100.0f) == 255);
  CHECK(byte_of_linear(std::numeric_limits<float>::infinity()) == 255);
  CHECK(byte_of_linear(std::numeric_limits<float>::quiet_NaN()) == 0);
  CHECK(byte_of_linear(-std::numeric_limits<float>::quiet_NaN()) == 0);
  static_assert(byte_of_linear(0.214f) == 127 && byte_of_encoded(0.25f) == 64);
}

TEST_CASE("with a background, alpha blends to the nearest in 8 bits; without one it is ignored") {
  for (int alpha = 0; alpha < 256; ++alpha)
    for (int value = 0; value < 256; ++value) {
      const auto a = static_cast<std::uint8_t>(alpha), v = static_cast<std::uint8_t>(value);
      const std::uint8_t pixel[4] = {v, 0, 255, a};
      Pixels p{pixel, 1, 1, PixelFormat::rgba, 0};
      std::uint8_t got[3];
      read_pixels(p, 0, 0, 1, got, 1);
      const bool dropped = got[0] == v && got[1] == 0 && got[2] == 255;
      p.background = {{10, 200, 30}};
      read_pixels(p, 0, 0, 1, got, 1);
      const auto blended = [&](int x, int behind) { return std::lround((alpha * x + (255 - alpha) * behind) / 255.0); };
      if (!dropped || got[0] != blended(value, 10) || got[1] != blended(0, 200) || got[2] != blended(255, 30))
        FAIL("alpha " << alpha << ", value " << value);
    }
}
