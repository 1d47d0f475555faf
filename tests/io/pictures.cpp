// Pictures as Pillow over libjpeg-turbo decodes them; tests/data/pictures has the files and what it makes of each.
#include <doctest/doctest.h>
#include <dsvl/io/image.hpp>
#include <dsvl/io/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "failing_allocator.hpp"
#include "jpeg_reference.hpp"
#include "messages.hpp"
#include "sha256.hpp"
#include "support.hpp"

using dsvl::Code;
using dsvl::Index;

namespace {

/// What became of a file: the hash of its pixels, or "refused".
std::string outcome(const std::filesystem::path& file, const dsvl::ImageLimits& limits) {
  const auto image = dsvl::read_image(file, limits);
  if (image) return test::sha256_hex(std::as_bytes(image->rgb.span()));
  const Code code = image.error().code();
  return code == Code::bad_file || code == Code::unsupported ? "refused" : std::string(image.error().text());
}

bool as_wanted(std::string_view want, const std::string& plain, const std::string& clipped, std::string_view hash) {
  if (want == "equal") return plain == hash;
  if (want == "refuse") return plain == "refused";
  if (want == "equal_or_refuse" || want == "damaged") return plain == hash || plain == "refused";
  if (want == "equal_with_option") return plain != hash && clipped == hash;
  return want == "free";
}

std::string jpeg_of_list(const char* name) { return test::read_file(test::data("pictures") / name); }
using test::bytes_of;
std::string picture_error(const std::string& file) {
  const auto image = dsvl::decode_image(bytes_of(file), {}, nullptr, "some picture");
  return image ? "" : std::string(name(image.error().code())) + ": " + image.error().text();
}
using test::has;

}  // namespace

TEST_CASE("every picture of the collection decodes to the reference's pixels, or is refused where it is damaged") {
  const std::string text = test::read_file(test::data("pictures/expected.json"));
  const auto expected = dsvl::json::Document::parse(text, "expected.json");
  REQUIRE(expected);
  std::map<std::string, int> kinds;
  for (const dsvl::json::Value entry : expected->root()) {
    const std::string file(entry.find("file").string().value());
    CAPTURE(file);
    for (const bool upright : {false, true}) {
      const dsvl::ImageLimits limits{.apply_exif_orientation = upright};
      dsvl::ImageLimits clipping = limits;
      clipping.clip_gray16 = true;
      const std::string want(entry.find(upright ? "want_upright" : "want").string().value());
      const auto hash = entry.find(upright ? "upright_sha256" : "rgb_sha256").string();
      const std::filesystem::path path = test::data("pictures") / file;
      const std::string plain = outcome(path, limits), clipped = outcome(path, clipping);
      CAPTURE(want);
      CAPTURE(plain);
      CHECK(as_wanted(want, plain, clipped, hash.value_or("")));
      ++kinds[want];
    }
  }
  CHECK(kinds["equal"] > 230);
  CHECK(kinds["refuse"] == 44);
  CHECK(kinds["damaged"] == 26);
}

// upon.json: Pillow 9.4's convert("RGBA") of each, upon the color (200, 40, 90), rounded to the nearest.
TEST_CASE("PNG files with alpha, of their own, of a palette or of one color, lie upon the color that is asked for") {
  const auto expected = dsvl::json::Document::parse(test::read_file(test::data("pictures/upon.json")), "upon.json");
  REQUIRE(expected);
  dsvl::ImageLimits limits;
  limits.background = {200, 40, 90};
  for (const dsvl::json::Value entry : expected->root()) {
    const std::string file(entry.find("file").string().value());
    CAPTURE(file);
    CHECK(outcome(test::data("pictures") / file, limits) == entry.find("sha256").string().value());
  }
  CHECK(expected->root().size() == 12);
}

// Pillow 9.4 holds the transparent color against values that it has brought to 8 bits, so of these it sees none. The numbers
// were counted in the files' inflated data.
TEST_CASE("the transparent color of a PNG is compared with values as they are stored, of 1, 2 and 16 bits too") {
  dsvl::ImageLimits limits;
  limits.background = {1, 2, 3};
  struct File { const char* name; std::size_t transparent; };
  const File files[] = {
      {"p01_gray16_trns.png", 0}, {"p11_rgb16_trns.png", 0}, {"p25_gray1_trns.png", 623}, {"p25_gray2_trns.png", 420}};
  for (const File& file : files) {
    CAPTURE(file.name);
    const std::filesystem::path path = test::data("pictures") / file.name;
    const auto plain = dsvl::read_image(path), upon = dsvl::read_image(path, limits);
    REQUIRE(plain);
    REQUIRE(upon);
    std::size_t behind = 0, own = 0;
    for (std::size_t i = 0; i < plain->rgb.size(); i += 3) {
      const std::uint8_t* const now = upon->rgb.data() + i;
      if (std::equal(now, now + 3, plain->rgb.data() + i)) ++own;
      else if (now[0] == 1 && now[1] == 2 && now[2] == 3) ++behind;
    }
    CHECK(own + behind == plain->rgb.size() / 3);
    CHECK(behind == file.transparent);
  }
}

TEST_CASE("the inverse DCT is libjpeg's, on small numbers and on the wildest") {
  std::mt19937 random(7);
  for (int round = 0; round < 4000; ++round) {
    std::int16_t block[64];
    const int reach = round % 4 == 0 ? 32767 : round % 4 == 1 ? 2000 : 200, filled = round % 64 + 1;
    for (int i = 0; i < 64; ++i)
      block[i] = static_cast<std::int16_t>(i < filled ? std::uniform_int_distribution<int>(-reach - 1, reach)(random) : 0);
    std::uint8_t out[8 * 11];
    dsvl::jpeg::idct(out, 11, block);
    std::vector<int> got;
    for (int y = 0; y < 8; ++y) got.insert(got.end(), out + 11 * y, out + 11 * y + 8);
    REQUIRE(got == test::plain_idct(block));
  }
}

TEST_CASE("components of every ratio and size are brought to the picture's size as libjpeg does") {
  std::mt19937 random(3);
  const int ratios[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {1, 4}, {4, 2}, {2, 4}, {3, 1}, {1, 3}};
  for (const auto& ratio : ratios)
    for (Index width = 1; width <= 35; ++width)
      for (const Index height : {1, 2, 5}) {
        const Index stride = dsvl::round_up(width, 8);
        std::vector<std::uint8_t> samples(static_cast<std::size_t>(stride * height));
        for (std::uint8_t& s : samples) s = static_cast<std::uint8_t>(random());
        const dsvl::jpeg::Plane plane{samples.data(), stride, width, height, ratio[0], ratio[1]};
        std::vector<std::uint8_t> row(static_cast<std::size_t>(stride * plane.across + dsvl::jpeg::kRowSlack));
        std::vector<std::int16_t> sums(static_cast<std::size_t>(stride + dsvl::jpeg::kRowSlack));
        for (Index y = 0; y < height * plane.down; ++y) {
          const std::uint8_t* const got = dsvl::jpeg::upsampled_row(plane, y, row.data(), sums.data());
          for (Index x = 0; x < width * plane.across; ++x) REQUIRE(int{got[x]} == test::plain_sample(plane, x, y));
        }
      }
}

TEST_CASE("every one of the sixteen million YCbCr colors becomes libjpeg's RGB") {
  std::uint8_t luma[256], blue[256], red[256], out[768];
  for (int i = 0; i < 256; ++i) luma[i] = static_cast<std::uint8_t>(i);
  int wrong = 0;
  for (int cb = 0; cb < 256; ++cb)
    for (int cr = 0; cr < 256; ++cr) {
      std::fill(blue, blue + 256, static_cast<std::uint8_t>(cb));
      std::fill(red, red + 256, static_cast<std::uint8_t>(cr));
      dsvl::jpeg::to_rgb(dsvl::jpeg::Colors::ycbcr, {luma, blue, red, nullptr}, 256, out);
      for (int y = 0; y < 256; ++y) {
        const std::array<int, 3> want = test::plain_rgb(dsvl::jpeg::Colors::ycbcr, {y, cb, cr, 0});
        for (int c = 0; c < 3; ++c) wrong += out[3 * y + c] != want[static_cast<std::size_t>(c)] ? 1 : 0;
      }
    }
  CHECK(wrong == 0);
}

TEST_CASE("pixels are written for every width and none behind them") {
  for (const auto kind : {dsvl::jpeg::Colors::gray, dsvl::jpeg::Colors::rgb, dsvl::jpeg::Colors::ycbcr,
                          dsvl::jpeg::Colors::cmyk, dsvl::jpeg::Colors::ycck})
    for (std::size_t width = 1; width <= 40; ++width) {
      std::uint8_t rows[4][64];
      for (auto& row : rows) std::fill(row, row + 64, std::uint8_t{128});
      std::vector<std::uint8_t> out(3 * width + 1, 77);
      dsvl::jpeg::to_rgb(kind, {rows[0], rows[1], rows[2], rows[3]}, static_cast<Index>(width), out.data());
      CHECK(out.back() == 77);
      const bool inks = kind == dsvl::jpeg::Colors::cmyk || kind == dsvl::jpeg::Colors::ycck;
      CHECK(std::count(out.begin(), out.end(), inks ? 64 : 128) == static_cast<std::ptrdiff_t>(3 * width));
    }
}

TEST_CASE("a JPEG whose data end early, or whose scans are not all there, is refused however it ends") {
  using namespace std::string_literals;
  for (const char* name : {"j_422.jpg", "j22_exif6_prog.jpg", "j18_restart1row.jpg"}) {

    CAPTURE(name);
    const std::string file = jpeg_of_list(name);
    REQUIRE(picture_error(file).empty());
    const std::size_t data = file.find("\xFF\xDA");
    int accepted = 0;
    for (std::size_t end = data + 14; end + 3 < file.size(); ++end)
      if (file[end - 1] != '\xFF') accepted += picture_error(file.substr(0, end) + "\xFF\xD9") == "" ? 1 : 0;
    CHECK(accepted == 0);
  }
}

TEST_CASE("a JPEG marker that nobody knows, inside its data or before them, is an error") {
  const std::string file = jpeg_of_list("j_422.jpg");
  const std::size_t data = file.find("\xFF\xDA") + 14;
  for (const char* marker : {"\xFF\x02\x00\x02", "\xFF\xF0\x00\x02", "\xFF\xDE\x00\x02", "\xFF\xC8\x00\x02"}) {
    const std::string known(marker, 4);
    CHECK(has(picture_error(file.substr(0, 2) + known + file.substr(2)), "bad_file: some picture: damaged: has the unknown marker"));
    CHECK(has(picture_error(file.substr(0, data + 40) + known + file.substr(data + 40)), "damaged"));
  }
}

TEST_CASE("scans of a progressive JPEG are limited in number, and have to come in order") {
  using namespace std::string_literals;
  const auto segment = [](char marker, const std::string& data) {
    const std::size_t n = data.size() + 2;
    return "\xFF"s + marker + static_cast<char>(n >> 8) + static_cast<char>(n & 255) + data;
  };
  const auto scan = [&](int first, int last, int high, int low) {
    return segment('\xDA', "\1\1\0"s + static_cast<char>(first) + static_cast<char>(last) +
                               static_cast<char>(high << 4 | low));
  };
  const std::string tables(reinterpret_cast<const char*>(dsvl::jpeg::kStandardTables) + 2,
                           sizeof dsvl::jpeg::kStandardTables - 2);
  const std::string head = "\xFF\xD8"s + segment('\xDB', "\0"s + std::string(64, '\1')) +
                           segment('\xC2', "\x08\0\x08\0\x08\1\1\x11\0"s) + segment('\xC4', tables);
  std::string many = head + scan(0, 0, 0, 0);
  for (int i = 1; i < 64; ++i) {
    many += scan(i, i, 0, 5);
    for (int low = 4; low >= 0; --low) many += scan(i, i, low + 1, low);
  }
  CHECK(has(picture_error(many + "\xFF\xD9"), "limit: some picture: has more than 256 scans"));
  const std::string end = "\xFF\xD9", order = "damaged: its scans are in a wrong order";
  CHECK(has(picture_error(head + scan(0, 0, 0, 1) + end), "unfinished: scans that refine its picture are not there"));
  CHECK(has(picture_error(head + scan(1, 5, 0, 0) + end), order));
  CHECK(has(picture_error(head + scan(0, 0, 1, 0) + end), order));
  CHECK(has(picture_error(head + scan(0, 0, 0, 2) + scan(0, 0, 1, 0) + end), order));
  CHECK(has(picture_error(head + scan(0, 0, 0, 0) + scan(0, 0, 0, 0) + end), order));
  CHECK(has(picture_error(head + scan(0, 5, 0, 0) + end), "has a damaged scan header"));
  CHECK(has(picture_error(head + scan(0, 0, 0, 14) + end), "has a damaged scan header"));
}

TEST_CASE("a cancel stops a JPEG at the next refill of its data, and at the next row after that") {
  const std::string file = test::read_file(test::data("tiny-vl/jpeg/004.jpg"));
  dsvl::CancelToken before;
  before.cancel();
  CHECK(dsvl::decode_image(bytes_of(file), {}, nullptr, "some picture", &before).error().code() == Code::cancelled);
  const dsvl::Until late(nullptr, dsvl::Clock::now());
  CHECK(dsvl::decode_image(bytes_of(file), {}, nullptr, "some picture", late).error().code() == Code::cancelled);
  // The allocator sets the token at each of its calls in turn: after the last one comes only the writing of rows.
  struct Cancelling final : dsvl::Allocator {
    dsvl::CancelToken token;
    int left = 0;
    ~Cancelling() = default;
    void* allocate(std::size_t bytes, std::size_t align) noexcept override {
      if (--left == 0) token.cancel();
      return ::operator new(bytes, std::align_val_t(align), std::nothrow);
    }
    void deallocate(void* memory, std::size_t, std::size_t align) noexcept override {
      ::operator delete(memory, std::align_val_t(align));
    }
  };
  int cancelled = 0;
  for (int at = 1; at < 40; ++at) {
    Cancelling allocator;
    allocator.left = at;
    const auto image = dsvl::decode_image(bytes_of(file), {}, &allocator, "some picture", &allocator.token);
    if (image) break;
    CHECK(image.error().code() == Code::cancelled);
    CHECK(std::string(image.error().text()) == "some picture: decoding it was cancelled");
    ++cancelled;
  }
  CHECK(cancelled >= 6);
  CHECK(cancelled < 39);
}
