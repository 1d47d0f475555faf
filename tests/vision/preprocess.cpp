#include <dsvl/vision/preprocess.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>

#include <dsvl/io/image.hpp>

#include "../picture_formula.hpp"
#include "../sha256.hpp"
#include "../support.hpp"

namespace {

using dsvl::Index;
using dsvl::LowSource;
using dsvl::PixelFormat;
using dsvl::Pixels;
using dsvl::PreprocessConfig;
using dsvl::SizeRule;
using dsvl::Volume;

constexpr std::array<float, 3> kClipMean = {0.48145466f, 0.4578275f, 0.40821073f};
constexpr std::array<float, 3> kClipStd = {0.26862954f, 0.26130258f, 0.27577711f};

PreprocessConfig one_view(SizeRule rule) {
  PreprocessConfig config;
  config.size_rule = rule;
  return config;
}

PreprocessConfig two_views(SizeRule rule, LowSource from) {
  PreprocessConfig config = one_view(rule);
  config.high.side = 1024;
  config.high.background = {122, 116, 104};
  config.high.image_mean = kClipMean;
  config.high.image_std = kClipStd;
  config.low.filter = dsvl::Filter::bilinear;
  config.low_source = from;
  return config;
}

/// Small enough for many runs, with every step there is.
PreprocessConfig small_views(LowSource from) {
  PreprocessConfig config = two_views(SizeRule::round_scaled, from);
  config.high.side = 100;
  config.low.side = 40;
  config.min_side = 5;
  return config;
}

/// The outputs of one preprocessing.
struct Outputs {
  std::vector<float> low, high;
  std::vector<std::uint8_t> low_pixels, high_pixels;
  bool operator==(const Outputs&) const = default;
};

std::vector<std::uint8_t> copy(Volume<const std::uint8_t> v) { return {v.data, v.data + v.size()}; }

/// Runs every tile of every step, in the order that `arrange` gives to the tile numbers.
template <class Arrange>
Outputs run(const Pixels& picture, const PreprocessConfig& config, Arrange arrange) {
  Outputs out;
  const auto floats = [](Index side) { return static_cast<std::size_t>(3 * side * side); };
  out.low.assign(floats(config.low.side), NAN);
  out.high.assign(floats(config.high.side), NAN);
  dsvl::Preprocessor work;
  const auto status = work.prepare(picture, config, {out.low.data(), 3, config.low.side, config.low.side},
                                   config.high.side ? Volume<float>(out.high.data(), 3, config.high.side,
                                                                    config.high.side) : Volume<float>());
  REQUIRE_MESSAGE(status.ok(), status.text());
  std::vector<float> scratch(work.scratch_bytes() / sizeof(float) + 16);
  for (int step = 0; step < work.steps(); ++step) {
    std::vector<Index> tiles(static_cast<std::size_t>(work.tiles(step)));
    std::iota(tiles.begin(), tiles.end(), Index{0});
    arrange(tiles);
    for (const Index tile : tiles) {
      std::fill(scratch.begin(), scratch.end(), NAN);  // nothing may be carried from tile to tile
      work.run(step, tile, scratch.data());
    }
  }
  out.low_pixels = copy(work.low_pixels());
  out.high_pixels = copy(work.high_pixels());
  return out;
}
Outputs run(const Pixels& picture, const PreprocessConfig& config) {
  return run(picture, config, [](std::vector<Index>&) {});
}

template <class T>
std::string sha256_of(const std::vector<T>& values) {
  return test::sha256_hex(std::as_bytes(std::span(values)));
}

/// The decoded RGB bytes of a picture of expected.json.
struct Picture {
  std::vector<std::uint8_t> rgb;
  Index width = 0, height = 0;
  Pixels pixels() const { return {rgb.data(), width, height, PixelFormat::rgb, 0}; }
};

Picture picture_of(const std::string& name) {
  for (std::size_t k = 0; k < std::size(test::kFormulaPictures); ++k) {
    const auto& p = test::kFormulaPictures[k];
    if (p.name == name)
      return {test::formula_picture(p.width, p.height, static_cast<std::int64_t>(k)), p.width, p.height};
  }
  auto image = dsvl::read_image(test::data("preprocess/" + name));
  REQUIRE_MESSAGE(image.has_value(), image.error().text());
  const Pixels at = image->pixels();
  Picture out{{}, at.width, at.height};
  const auto from = dsvl::samples_of(at);
  for (Index y = 0; y < at.height; ++y)
    for (Index x = 0; x < at.width; ++x)
      for (int c = 0; c < 3; ++c) out.rgb.push_back(from.plane[c][y * from.row_stride + x * from.pixel_stride]);
  return out;
}

nlohmann::json expected() {
  return nlohmann::json::parse(test::read_file(test::data("preprocess/expected.json")), nullptr, false);
}

/// Value i of the probes stands at i * 7919 mod size.
template <class T>
void check_probes(const std::vector<T>& values, const nlohmann::json& probes, double tolerance) {
  REQUIRE(probes.size() >= 8);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    CAPTURE(i);
    const double got = static_cast<double>(values[i * 7919 % values.size()]), want = probes[i].get<double>();
    CHECK(std::abs(got - want) <= tolerance);
  }
}

std::uint64_t sum(const std::vector<std::uint8_t>& v) { return std::accumulate(v.begin(), v.end(), std::uint64_t{0}); }

}  // namespace

TEST_CASE("preprocess: every reference picture comes out as the original and the HF processors make it") {
  const auto all = expected();
  REQUIRE(all.size() == 14);
  for (const auto& want : all) {
    const std::string name = want["image"];
    CAPTURE(name);
    const Picture picture = picture_of(name);
    REQUIRE(sha256_of(picture.rgb) == want["rgb_sha256"].get<std::string>());
    {
      const Outputs v = run(picture.pixels(), one_view(SizeRule::truncate));
      CHECK(sha256_of(v.low_pixels) == want["original_384_u8_sha256"].get<std::string>());
      CHECK(sum(v.low_pixels) == want["original_384_u8_sum"].get<std::uint64_t>());
      check_probes(v.low_pixels, want["original_384_u8_probe"], 0);
      check_probes(v.low, want["original_384_float_probe"], 1e-6);
    }
    {
      const Outputs v = run(picture.pixels(), two_views(SizeRule::truncate, LowSource::high_floats));
      CHECK(v.low_pixels.empty());
      CHECK(sha256_of(v.high_pixels) == want["original_1024_u8_sha256"].get<std::string>());
      CHECK(sum(v.high_pixels) == want["original_1024_u8_sum"].get<std::uint64_t>());
      check_probes(v.high_pixels, want["original_1024_u8_probe"], 0);
      check_probes(v.high, want["original_1024_float_probe"], 1e-6);
      std::vector<double> unit(v.low.begin(), v.low.end());  // the golden is stored before normalisation
      for (double& x : unit) x = x * 0.5 + 0.5;
      check_probes(unit, want["original_low_from_1024_probe"], 2e-7);
      const double mean = std::accumulate(unit.begin(), unit.end(), 0.0) / static_cast<double>(unit.size());
      CHECK(std::abs(mean - want["original_low_from_1024_mean"].get<double>()) < 1e-7);
    }
    {
      const Outputs v = run(picture.pixels(), one_view(SizeRule::round_scaled));
      CHECK(sha256_of(v.low_pixels) == want["hf_lowres_u8_sha256"].get<std::string>());
      check_probes(v.low_pixels, want["hf_lowres_u8_probe"], 0);
    }
    {
      const Outputs v = run(picture.pixels(), two_views(SizeRule::round_scaled, LowSource::high_pixels));
      CHECK(sha256_of(v.high_pixels) == want["hf_hybrid_high_u8_sha256"].get<std::string>());
      CHECK(sha256_of(v.low_pixels) == want["hf_hybrid_low_u8_sha256"].get<std::string>());
      CHECK(sum(v.high_pixels) == want["hf_hybrid_high_u8_sum"].get<std::uint64_t>());
      CHECK(sum(v.low_pixels) == want["hf_hybrid_low_u8_sum"].get<std::uint64_t>());
      check_probes(v.high_pixels, want["hf_hybrid_high_u8_probe"], 0);
      check_probes(v.low_pixels, want["hf_hybrid_low_u8_probe"], 0);
    }
  }
}

TEST_CASE("preprocess: a background is the mean times 255, cut off") {
  const auto all = expected();
  for (const auto& want : all) {
    const auto one = [](double a, double b, double c) {
      return nlohmann::json{dsvl::background_of(a), dsvl::background_of(b), dsvl::background_of(c)};
    };
    CHECK(one(0.5, 0.5, 0.5) == want["original_384_background"]);
    CHECK(one(0.48145466, 0.4578275, 0.40821073) == want["original_1024_background"]);
  }
  CHECK(dsvl::background_of(-1.0) == 0);
  CHECK(dsvl::background_of(2.0) == 255);
}

TEST_CASE("target_side: the three rules give the sizes of the three processors") {
  using dsvl::target_side;
  CHECK(target_side(SizeRule::truncate, 2522, 2522, 384, 14) == 384);
  CHECK(target_side(SizeRule::truncate_scaled, 2522, 2522, 384, 14) == 383);  // the bug that rule C mended
  CHECK(target_side(SizeRule::round_scaled, 2522, 2522, 384, 14) == 384);
  CHECK(target_side(SizeRule::truncate, 200, 1500, 1024, 14) == 136);  // 136.53
  CHECK(target_side(SizeRule::round_scaled, 200, 1500, 1024, 14) == 137);
  CHECK(target_side(SizeRule::round_scaled, 125, 1000, 20, 1) == 2);  // 2.5 goes to the even side
  CHECK(target_side(SizeRule::round_scaled, 175, 1000, 20, 1) == 4);  // and so does 3.5
  for (const SizeRule rule : {SizeRule::truncate, SizeRule::truncate_scaled, SizeRule::round_scaled})
    CHECK(target_side(rule, 1, 100000, 384, 14) == 14);
  for (Index n = 1; n < 5000; ++n) {
    CHECK(target_side(SizeRule::truncate, n, n, 384, 14) == 384);
    CHECK(target_side(SizeRule::round_scaled, n, n, 1024, 14) == 1024);
  }
}

TEST_CASE("preprocess: a side that rule B makes one short is letterboxed to the tower's size") {
  const Picture picture{test::formula_picture(2522, 3, 1), 2522, 3};
  const Outputs v = run(picture.pixels(), one_view(SizeRule::truncate_scaled));
  REQUIRE(v.low_pixels.size() == 3 * 384 * 384);
  const std::size_t middle = 192 * 384;
  CHECK(v.low_pixels[middle + 383] == 127);
  CHECK(std::count(v.low.begin(), v.low.end(), v.low[0]) > 3 * 384 * 370);
}

TEST_CASE("preprocess: pixel format, stride and direction of the rows do not matter") {
  constexpr Index kWidth = 61, kHeight = 47;
  const Picture picture{test::formula_picture(kWidth, kHeight, 3), kWidth, kHeight};
  for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats}) {
    const PreprocessConfig config = small_views(from);
    const Outputs want = run(picture.pixels(), config);
    for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra}) {
      for (const Index stride : {Index{0}, Index{300}, Index{-250}}) {
        CAPTURE(static_cast<int>(format));
        CAPTURE(stride);
        const bool swapped = format == PixelFormat::bgr || format == PixelFormat::bgra;
        const Index step = dsvl::channels(format), pitch = stride ? std::abs(stride) : kWidth * step;
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(pitch * (kHeight - 1) + kWidth * step), 99);
        for (Index y = 0; y < kHeight; ++y)
          for (Index x = 0; x < kWidth; ++x)
            for (Index c = 0; c < 3; ++c)
              bytes[static_cast<std::size_t>((stride < 0 ? kHeight - 1 - y : y) * pitch + x * step +
                                             (swapped ? 2 - c : c))] =
                  picture.rgb[static_cast<std::size_t>((y * kWidth + x) * 3 + c)];
        const std::uint8_t* top = bytes.data() + (stride < 0 ? (kHeight - 1) * pitch : 0);
        CHECK((run({top, kWidth, kHeight, format, stride}, config) == want));
      }
    }
  }
}

TEST_CASE("preprocess: a gray picture equals the colour picture with three equal channels") {
  constexpr Index kWidth = 33, kHeight = 75;
  std::vector<std::uint8_t> gray, rgb;
  const auto formula = test::formula_picture(kWidth, kHeight, 2);
  for (std::size_t i = 0; i < formula.size(); i += 3) {
    gray.push_back(formula[i]);
    rgb.insert(rgb.end(), 3, formula[i]);
  }
  for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats}) {
    const PreprocessConfig config = small_views(from);
    CHECK((run({gray.data(), kWidth, kHeight, PixelFormat::gray, 0}, config) ==
           run({rgb.data(), kWidth, kHeight, PixelFormat::rgb, 0}, config)));
  }
}

TEST_CASE("preprocess: the order of the tiles does not matter") {
  const Picture picture{test::formula_picture(777, 500, 4), 777, 500};
  for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats}) {
    const PreprocessConfig config = two_views(SizeRule::truncate, from);
    const Outputs want = run(picture.pixels(), config);
    CHECK((run(picture.pixels(), config, [](auto& tiles) { std::reverse(tiles.begin(), tiles.end()); }) == want));
    CHECK((run(picture.pixels(), config, [](auto& tiles) {
             std::stable_partition(tiles.begin(), tiles.end(), [](Index t) { return t % 3 == 1; });
           }) == want));
    CHECK((run(picture.pixels(), config, [](auto& tiles) {  // a tile done twice, too
             tiles.push_back(tiles.front());
           }) == want));
  }
}

TEST_CASE("preprocess: a low view from the picture ignores the high view") {
  const Picture picture{test::formula_picture(90, 70, 5), 90, 70};
  PreprocessConfig config = small_views(LowSource::picture);
  const Outputs both = run(picture.pixels(), config);
  config.high.side = 0;
  const Outputs one = run(picture.pixels(), config);
  CHECK(both.low == one.low);
  CHECK(one.high_pixels.empty());
}

TEST_CASE("preprocess: extreme shapes fit and keep at least the shortest side") {
  struct Shape { Index width, height; };
  for (const Shape shape : {Shape{1, 1}, {1, 5000}, {5000, 1}, {2, 201}, {3000, 2}, {1, 13}}) {
    const Index width = shape.width, height = shape.height;
    CAPTURE(width);
    CAPTURE(height);
    const Picture picture{std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 200), width, height};
    for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats}) {
      const Outputs v = run(picture.pixels(), small_views(from));
      const Index content = std::count(v.high_pixels.begin(), v.high_pixels.end(), std::uint8_t{200});
      CHECK(content == (width == height ? 3 * 100 * 100 : height == 13 ? 3 * 100 * 8 : 3 * 100 * 5));
      CHECK(std::none_of(v.low.begin(), v.low.end(), [](float x) { return std::isnan(x); }));
    }
  }
}

TEST_CASE("preprocess: an identity normalisation gives the 8-bit values times the rescale factor") {
  const Picture picture{test::formula_picture(40, 40, 6), 40, 40};
  PreprocessConfig config = one_view(SizeRule::round_scaled);
  config.low.side = 40;
  config.low.image_mean = {0, 0, 0};
  config.low.image_std = {1, 1, 1};
  const Outputs v = run(picture.pixels(), config);
  for (std::size_t i = 0; i < v.low.size(); ++i) {
    CHECK(v.low_pixels[i] == picture.rgb[i % 1600 * 3 + i / 1600]);  // equal sizes: copied
    CHECK(v.low[i] == static_cast<float>(v.low_pixels[i] * (1.0 / 255.0)));
  }
}

TEST_CASE("preprocess: what makes no sense is refused with a reason") {
  std::vector<std::uint8_t> bytes(64 * 64 * 3);
  std::vector<float> low(3 * 40 * 40), high(3 * 100 * 100);
  const Pixels good{bytes.data(), 64, 64, PixelFormat::rgb, 0};
  const PreprocessConfig config = small_views(LowSource::high_pixels);
  const Volume<float> to_low(low.data(), 3, 40, 40), to_high(high.data(), 3, 100, 100);
  const auto code = [&](const Pixels& p, const PreprocessConfig& c, Volume<float> l, Volume<float> h) {
    const auto status = dsvl::preprocess(p, c, l, h);
    CHECK((status.ok() || std::strlen(status.text()) > 10));
    return status.code();
  };
  using dsvl::Code;
  const auto with = [&](auto change) { Pixels p = good; change(p); return code(p, config, to_low, to_high); };
  CHECK(code(good, config, to_low, to_high) == Code::ok);
  CHECK(with([](Pixels& p) { p.data = nullptr; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.width = 0; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.height = 0; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.height = -64; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.width = dsvl::kMaxPictureSide + 1; }) == Code::limit);
  CHECK(with([](Pixels& p) { p.height = PTRDIFF_MAX; }) == Code::limit);
  CHECK(with([](Pixels& p) { p.stride = 191; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.stride = -191; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.stride = PTRDIFF_MAX / 8; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.stride = PTRDIFF_MIN; }) == Code::bad_argument);
  CHECK(with([](Pixels& p) { p.format = static_cast<PixelFormat>(99); }) == Code::bad_argument);

  CHECK(code(good, config, {}, to_high) == Code::bad_shape);
  CHECK(code(good, config, to_low, {}) == Code::bad_shape);
  CHECK(code(good, config, to_high, to_high) == Code::bad_shape);
  CHECK(code(good, config, {low.data(), 1, 40, 40}, to_high) == Code::bad_shape);
  CHECK(code(good, one_view(SizeRule::truncate), to_low, {}) == Code::bad_shape);

  const auto set = [&](auto change) { PreprocessConfig c = config; change(c); return code(good, c, to_low, to_high); };
  CHECK(set([](auto& c) { c.low.side = 0; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.low.side = -40; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.high.side = -1; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.high.side = PTRDIFF_MAX; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.high.side = 0; }) == Code::bad_argument);  // but the low view needs it
  CHECK(set([](auto& c) { c.min_side = 0; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.min_side = 41; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.rescale = INFINITY; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.low.image_std[1] = 0; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.high.image_mean[2] = NAN; }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.low.filter = static_cast<dsvl::Filter>(7); }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.size_rule = static_cast<SizeRule>(7); }) == Code::bad_argument);
  CHECK(set([](auto& c) { c.low_source = static_cast<LowSource>(7); }) == Code::bad_argument);
}

namespace {

/// Says no to allocation number `fails_at`, and counts what is out.
class Failing final : public dsvl::Allocator {
 public:
  int fails_at = -1, asked = 0;
  std::size_t out = 0;
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    if (asked++ == fails_at) return nullptr;
    out += bytes;
    return ::operator new(bytes, std::align_val_t(align), std::nothrow);
  }
  void deallocate(void* memory, std::size_t bytes, std::size_t align) noexcept override {
    out -= bytes;
    ::operator delete(memory, std::align_val_t(align));
  }
};

}  // namespace

TEST_CASE("preprocess: running out of memory at any place is an error, and everything is given back") {
  const Picture picture{test::formula_picture(64, 48, 7), 64, 48};
  std::vector<float> low(3 * 40 * 40), high(3 * 100 * 100);
  for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats}) {
    int failures = 0;
    for (int at = 0;; ++at) {
      CAPTURE(at);
      Failing memory;
      memory.fails_at = at;
      const auto status = dsvl::preprocess(picture.pixels(), small_views(from), {low.data(), 3, 40, 40},
                                           {high.data(), 3, 100, 100}, &memory);
      CHECK(memory.out == 0);
      if (status.ok()) break;
      CHECK(status.code() == dsvl::Code::out_of_memory);
      ++failures;
      REQUIRE(failures < 100);
    }
    CHECK(failures == 2);  // a slab, and scratch
  }
}

TEST_CASE("preprocess: memory that was carved for a longest side is enough for every picture, and not much more") {
  std::vector<PreprocessConfig> configs;
  for (const SizeRule rule : {SizeRule::truncate, SizeRule::truncate_scaled, SizeRule::round_scaled}) {
    configs.push_back(one_view(rule));
    configs.push_back(small_views(LowSource::picture));
    configs.back().size_rule = rule;
    configs.back().min_side = 1;
  }
  for (const LowSource from : {LowSource::picture, LowSource::high_pixels, LowSource::high_floats})
    configs.push_back(two_views(SizeRule::truncate, from));
  configs.push_back({.low = {.side = 1}});
  configs.back().min_side = 1;
  std::minstd_rand random(1);
  const std::uint8_t pixel[3] = {};
  float nothing = 0;  // nothing is written while pictures are only prepared
  for (const PreprocessConfig& config : configs) {
    const Volume<float> low(&nothing, 3, config.low.side, config.low.side);
    const Volume<float> high(config.high.side ? &nothing : nullptr, config.high.side ? 3 : 0, config.high.side,
                             config.high.side);
    for (const Index side : {1, 13, 100, 383, 1024, 4096, 30000}) {
      CAPTURE(side);
      dsvl::Preprocessor carved, alone;
      dsvl::Buffer<std::byte> slab;
      REQUIRE(dsvl::carve_slab(slab, [&](dsvl::Arena& arena) { carved.carve(arena, config, side); }));
      const std::size_t scratch = dsvl::Preprocessor::most_scratch_bytes(config, side);
      std::size_t most = 0;
      int wrong = 0;
      for (int i = 0; i < 40; ++i) {
        const auto up_to = [&](Index n) { return 1 + static_cast<Index>(random()) % n; };
        // Every third picture is a square of the full size or nearly so, the others have all shapes.
        const Index width = i % 3 == 0 ? std::max<Index>(1, side - i / 3) : up_to(i % 3 == 1 ? side : up_to(side));
        const Index height = i % 3 == 0 ? side : i % 5 == 0 ? std::min<Index>(side, up_to(20)) : up_to(side);
        Pixels picture{pixel, width, height, i % 7 == 6 ? PixelFormat::gray : PixelFormat::rgb, 0};
        if (i % 2 == 0) std::swap(picture.width, picture.height);
        Failing none, counted;
        none.fails_at = 0;
        wrong += !carved.prepare(picture, config, low, high, &none).ok() || none.asked > 0;
        wrong += carved.scratch_bytes() > scratch;
        REQUIRE(alone.prepare(picture, config, low, high, &counted).ok());
        most = std::max(most, counted.out);
        alone.clear();
        CHECK(counted.out == 0);
      }
      CHECK(wrong == 0);
      CHECK(slab.size() >= most);
      if (config.low.side == 384) CHECK(static_cast<double>(slab.size()) < 1.02 * static_cast<double>(most));
    }
  }
}

TEST_CASE("preprocess: a picture larger than was carved for takes memory, gives it back, and shows the same") {
  const Picture picture{test::formula_picture(640, 48, 7), 640, 48};
  const PreprocessConfig config = small_views(LowSource::high_floats);
  std::vector<float> low(3 * 40 * 40), high(3 * 100 * 100);
  Failing memory;
  dsvl::Preprocessor work;
  dsvl::Buffer<std::byte> slab;
  REQUIRE(dsvl::carve_slab(slab, [&](dsvl::Arena& arena) { work.carve(arena, config, 20); }));
  REQUIRE(work.prepare(picture.pixels(), config, {low.data(), 3, 40, 40}, {high.data(), 3, 100, 100}, &memory).ok());
  CHECK(memory.out > slab.size());
  std::vector<float> scratch(work.scratch_bytes() / sizeof(float) + 16);
  for (int step = 0; step < work.steps(); ++step)
    for (Index tile = 0; tile < work.tiles(step); ++tile) work.run(step, tile, scratch.data());
  CHECK(low == run(picture.pixels(), config).low);
  work.clear();
  CHECK(memory.out == 0);
}

TEST_CASE("preprocess: a prepared object can be prepared again, and after a failure there is nothing to run") {
  const Picture first{test::formula_picture(64, 48, 7), 64, 48}, second{test::formula_picture(30, 90, 8), 30, 90};
  const PreprocessConfig config = one_view(SizeRule::truncate);
  std::vector<float> low(3 * 384 * 384);
  const Volume<float> out(low.data(), 3, 384, 384);
  dsvl::Preprocessor work;
  REQUIRE(work.prepare(first.pixels(), config, out).ok());
  REQUIRE(work.prepare(second.pixels(), config, out).ok());
  std::vector<float> scratch(work.scratch_bytes() / sizeof(float) + 1);
  for (int step = 0; step < work.steps(); ++step)
    for (Index tile = 0; tile < work.tiles(step); ++tile) work.run(step, tile, scratch.data());
  CHECK(low == run(second.pixels(), config).low);
  CHECK_FALSE(work.prepare({}, config, out).ok());
  CHECK(work.steps() == 0);
  CHECK(work.low_pixels().data == nullptr);
}
