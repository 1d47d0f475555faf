#include <doctest/doctest.h>
#include <dsvl/io/image.hpp>
#include <dsvl/io/json.hpp>

#include <string>
#include <vector>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "sha256.hpp"
#include "support.hpp"

using dsvl::Code;
using dsvl::Image;
using dsvl::ImageLimits;
using dsvl::Index;

namespace {

using test::bytes_of;
auto decode(const std::string& file, const ImageLimits& limits = {}, dsvl::Allocator* allocator = nullptr) {
  return dsvl::decode_image(bytes_of(file), limits, allocator, "some picture");
}
std::string error_of(const std::string& file, const ImageLimits& limits = {}) {
  const auto image = decode(file, limits);
  return image ? std::string() : std::string(name(image.error().code())) + ": " + image.error().text();
}
using test::has;
std::string sha_of(const Image& image) { return test::sha256_hex(std::as_bytes(image.rgb.span())); }

std::string be32(std::size_t v) {
  return {static_cast<char>(v >> 24 & 255), static_cast<char>(v >> 16 & 255), static_cast<char>(v >> 8 & 255),
          static_cast<char>(v & 255)};
}
std::string chunk(const std::string& type, const std::string& data) {
  return be32(data.size()) + type + data + be32(dsvl::png::crc32(bytes_of(type + data)));
}
/// Deflate without compression.
std::string zlib_of(const std::string& raw) {
  std::string out = "\x78\x01";
  for (std::size_t at = 0; at < raw.size() || at == 0; at += 65535) {
    const std::size_t n = std::min<std::size_t>(65535, raw.size() - at);
    out += at + n == raw.size() ? '\1' : '\0';
    for (const std::size_t v : {n & 255, n >> 8, ~n & 255, (~n >> 8) & 255}) out += static_cast<char>(v);
    out += raw.substr(at, n);
    if (raw.empty()) break;
  }
  return out + "????";  // the checksum
}
std::string ihdr(std::size_t width, std::size_t height, int depth, int color, int interlace = 0) {
  return chunk("IHDR", be32(width) + be32(height) + static_cast<char>(depth) + static_cast<char>(color) +
                           std::string(2, '\0') + static_cast<char>(interlace));
}
const std::string kSignature = "\x89PNG\r\n\x1A\n";
/// A PNG file of rows that each begin with their filter byte.
std::string png_of(std::size_t width, std::size_t height, int depth, int color, const std::string& raw,
                   const std::string& before = "", int interlace = 0) {
  return kSignature + ihdr(width, height, depth, color, interlace) + before + chunk("IDAT", zlib_of(raw)) +
         chunk("IEND", "");
}
std::vector<int> values_of(const Image& image) { return {image.rgb.begin(), image.rgb.end()}; }

std::string jpeg_file(const char* name = "004.jpg") { return test::read_file(test::data("tiny-vl/jpeg") / name); }
/// The file with one more segment behind its start.
std::string with_segment(const std::string& jpeg, char marker, const std::string& data) {
  const std::size_t n = data.size() + 2;
  return jpeg.substr(0, 2) + '\xFF' + marker + static_cast<char>(n >> 8) + static_cast<char>(n & 255) + data +
         jpeg.substr(2);
}

void check_against_reference(const std::filesystem::path& folder, int expected_pictures) {
  const std::string text = test::read_file(folder / "expected.json");
  const auto expected = dsvl::json::Document::parse(text, "expected.json");
  REQUIRE(expected);
  int pictures = 0;
  for (const dsvl::json::Value entry : expected->root()) {
    const std::string file(entry.find("image").string().value());
    if (!std::filesystem::exists(folder / file)) continue;
    CAPTURE(file);
    const auto image = dsvl::read_image(folder / file);
    REQUIRE(image);
    CHECK(sha_of(*image) == entry.find("rgb_sha256").string().value());
    ++pictures;
  }
  CHECK(pictures == expected_pictures);
}

}  // namespace

TEST_CASE("PNG pictures of every kind decode to the bytes of the reference") {
  check_against_reference(test::data("preprocess"), 4);
}

TEST_CASE("PNG pictures of every size decode to the bytes of the reference") {
  const auto folder = test::shared("golden/preprocess");
  if (!folder.empty()) check_against_reference(folder, 14);
}

TEST_CASE("JPEG pictures, baseline and progressive, have the mean that libjpeg-turbo's have") {
  const std::string text = test::read_file(test::data("tiny-vl/more.json"));
  const auto more = dsvl::json::Document::parse(text, "more.json");
  REQUIRE(more);
  CHECK(more->root().find("jpeg").size() == 16);
  double worst = 0;
  for (const dsvl::json::Value entry : more->root().find("jpeg")) {
    const std::string file(entry.find("image").string().value());
    CAPTURE(file);
    const auto image = dsvl::read_image(test::data("tiny-vl/jpeg") / file);
    REQUIRE(image);
    double sum[3] = {};
    for (std::size_t i = 0; i < image->rgb.size(); ++i) sum[i % 3] += image->rgb[i];
    for (std::size_t c = 0; c < 3; ++c) {
      const double mean = sum[c] / static_cast<double>(image->width * image->height);
      worst = std::max(worst, std::abs(mean - entry.find("decoded_mean")[c].number().value()));
    }
  }
  MESSAGE("largest difference of a mean: ", worst);
  CHECK(worst < 1e-4);  // the means are written with four digits behind the point
}

TEST_CASE("an image shows its pixels as a packed picture") {
  const auto image = decode(png_of(2, 1, 8, 2, std::string("\0\1\2\3\4\5\6", 7)));
  REQUIRE(image);
  const dsvl::Pixels pixels = image->pixels();
  CHECK(pixels.width == 2);
  CHECK(pixels.height == 1);
  CHECK(pixels.format == dsvl::PixelFormat::rgb);
  CHECK(pixels.row(0)[5] == 6);
}

TEST_CASE("of 16 bits the high byte is taken, alpha is dropped, and gray is spread") {
  using namespace std::string_literals;
  CHECK(values_of(*decode(png_of(1, 1, 16, 2, "\0\x12\xFF\x34\0\x56\x80"s))) == std::vector<int>{0x12, 0x34, 0x56});
  CHECK(values_of(*decode(png_of(1, 1, 16, 6, "\0\x12\xFF\x34\0\x56\x80\0\1"s))) == std::vector<int>{0x12, 0x34, 0x56});
  CHECK(values_of(*decode(png_of(1, 1, 16, 0, "\0\xFE\xFF"s))) == std::vector<int>{0xFE, 0xFE, 0xFE});
  CHECK(values_of(*decode(png_of(1, 1, 8, 4, "\0\x77\0"s))) == std::vector<int>{0x77, 0x77, 0x77});
  CHECK(values_of(*decode(png_of(2, 1, 1, 0, "\0\x40"s))) == std::vector<int>{0, 0, 0, 255, 255, 255});
  CHECK(values_of(*decode(png_of(2, 1, 2, 0, "\0\x60"s))) == std::vector<int>{85, 85, 85, 170, 170, 170});
  CHECK(values_of(*decode(png_of(2, 1, 4, 0, "\0\x1F"s))) == std::vector<int>{17, 17, 17, 255, 255, 255});
  // a color declared transparent keeps its color
  const std::string transparent = chunk("tRNS", "\0\1\0\2\0\3"s);
  CHECK(values_of(*decode(png_of(1, 1, 8, 2, "\0\1\2\3"s, transparent))) == std::vector<int>{1, 2, 3});
}

TEST_CASE("upon a background, a PNG's transparency counts where it is sound: in its place, once, and not for more colors than there are") {
  using namespace std::string_literals;
  dsvl::ImageLimits upon;
  upon.background = {9, 8, 7};
  const auto values = [&](const std::string& file) { return values_of(*dsvl::decode_image(bytes_of(file), upon)); };
  const std::string palette = chunk("PLTE", "\1\2\3\4\5\6"s), indices = "\0\1\0"s, clear = chunk("tRNS", "\xFF\0"s);
  const std::vector<int> seen{4, 5, 6, 1, 2, 3}, behind{9, 8, 7, 1, 2, 3};
  CHECK(values(png_of(2, 1, 8, 3, indices, palette + clear)) == behind);
  CHECK(values(png_of(2, 1, 8, 3, indices, palette + clear + chunk("tRNS", "\xFF\xFF"s))) == behind);
  CHECK(values(png_of(2, 1, 8, 3, indices, palette)) == seen);
  CHECK(values(png_of(2, 1, 8, 3, indices, clear + palette)) == seen);
  CHECK(values(png_of(2, 1, 8, 3, indices, palette + chunk("tRNS", "\xFF\0\0"s))) == seen);
  CHECK(values(png_of(2, 1, 8, 3, indices, palette + chunk("tRNS", ""))) == seen);
  std::string late = png_of(2, 1, 8, 3, indices, palette);
  late.insert(late.size() - 12, clear);
  CHECK(values(late) == seen);
  CHECK(values(png_of(1, 1, 8, 2, "\0\1\2\3"s, chunk("tRNS", "\0\1\0\2\0\3"s))) == std::vector<int>{9, 8, 7});
  CHECK(values(png_of(1, 1, 8, 2, "\0\1\2\3"s, chunk("tRNS", "\0\1\0\2\0\4"s))) == std::vector<int>{1, 2, 3});
  CHECK(values(png_of(1, 1, 8, 2, "\0\1\2\3"s, chunk("tRNS", "\0\1"s))) == std::vector<int>{1, 2, 3});
  CHECK(values(png_of(1, 1, 8, 4, "\0\x77\x80"s)) == std::vector<int>{64, 64, 63});
  // Half of 16 bits of alpha, by its high byte; and gray of 16 bits as it is clipped, where that is asked for.
  CHECK(values(png_of(1, 1, 16, 4, "\0\x77\0\x80\0"s)) == std::vector<int>{64, 64, 63});
  const std::string gray = png_of(2, 1, 16, 0, "\0\1\2\1\3"s, chunk("tRNS", "\1\2"s));
  CHECK(values(gray) == std::vector<int>{9, 8, 7, 1, 1, 1});
  upon.clip_gray16 = true;
  CHECK(values(gray) == std::vector<int>{9, 8, 7, 255, 255, 255});
  std::string damaged = png_of(2, 1, 8, 3, indices, palette + clear);
  damaged[damaged.find("tRNS") + 4] = '\1';
  CHECK(values_of(*decode(damaged)) == seen);
  CHECK(has(dsvl::decode_image(bytes_of(damaged), upon).error().text(), "the checksum of its chunk 'tRNS' is wrong"));
}

TEST_CASE("a palette is looked up, and colors that it lacks are black") {
  using namespace std::string_literals;
  const std::string palette = chunk("PLTE", "\1\2\3\4\5\6"s);
  CHECK(values_of(*decode(png_of(3, 1, 8, 3, "\0\1\0\2"s, palette))) == std::vector<int>{4, 5, 6, 1, 2, 3, 0, 0, 0});
  CHECK(values_of(*decode(png_of(3, 1, 8, 3, "\0\1\0\xFF"s, palette + chunk("tRNS", "\0"s)))) ==
        std::vector<int>{4, 5, 6, 1, 2, 3, 0, 0, 0});
  CHECK(has(error_of(png_of(1, 1, 8, 3, "\0\0"s)), "has no palette before its data"));
  CHECK(has(error_of(png_of(1, 1, 8, 3, "\0\0"s, chunk("PLTE", "\1\2"s))), "has a palette of a wrong size"));
  CHECK(has(error_of(png_of(1, 1, 8, 3, "\0\0"s, palette + palette)), "has two palettes"));
}

TEST_CASE("an interlaced PNG gives the same picture as a plain one") {
  const int xs[] = {0, 4, 0, 2, 0, 1, 0}, ys[] = {0, 0, 4, 0, 2, 0, 1};
  const int dxs[] = {8, 8, 4, 4, 2, 2, 1}, dys[] = {8, 8, 8, 4, 4, 2, 2};
  const auto pixel = [](int x, int y) { return static_cast<char>(x * 16 + y * 3 + 1); };
  std::string plain, passes;
  for (int y = 0; y < 9; ++y) {
    plain += '\0';
    for (int x = 0; x < 13; ++x) plain += pixel(x, y);
  }
  for (int p = 0; p < 7; ++p)
    for (int y = ys[p]; y < 9; y += dys[p]) {
      passes += '\0';
      for (int x = xs[p]; x < 13; x += dxs[p]) passes += pixel(x, y);
    }
  const auto one = decode(png_of(13, 9, 8, 0, plain)), other = decode(png_of(13, 9, 8, 0, passes, "", 1));
  REQUIRE(one);
  REQUIRE(other);
  CHECK(values_of(*one) == values_of(*other));
}

TEST_CASE("what is no picture, or none that is read, is refused by name and fault") {
  using namespace std::string_literals;
  const std::string good = png_of(1, 1, 8, 0, "\0\1"s);
  REQUIRE(error_of(good).empty());
  CHECK(has(error_of(""), "bad_file: some picture: is empty"));
  CHECK(has(error_of("GIF89a..............."), "unsupported: some picture: is a GIF picture; dsvl reads PNG and JPEG: convert it"));
  CHECK(has(error_of(kSignature), "truncated: it ends before its IEND chunk"));
  CHECK(has(error_of(good.substr(0, good.size() - 12)), "truncated: it ends before its IEND chunk"));
  CHECK(has(error_of(good.substr(0, good.size() - 20)), "truncated: it ends inside a chunk"));
  CHECK(has(error_of(png_of(0, 1, 8, 0, "\0"s)), "is a picture without pixels"));
  CHECK(has(error_of(png_of(1, 0, 8, 0, "\0"s)), "is a picture without pixels"));
  CHECK(has(error_of(png_of(1, 1, 3, 0, "\0\1"s)), "depth and color type"));
  CHECK(has(error_of(png_of(1, 1, 16, 3, "\0\1\1"s)), "depth and color type"));
  CHECK(has(error_of(png_of(1, 1, 8, 5, "\0\1"s)), "depth and color type"));
  CHECK(has(error_of(png_of(1, 1, 8, 0, "\0\1"s, "", 2)), "interlace method"));
  CHECK(has(error_of(kSignature + chunk("IEND", "")), "has no IHDR chunk at its beginning"));
  CHECK(has(error_of(kSignature + ihdr(1, 1, 8, 0) + ihdr(1, 1, 8, 0) + chunk("IEND", "")), "or a second one"));
  CHECK(has(error_of(kSignature + ihdr(1, 1, 8, 0) + chunk("IEND", "")), "has no picture data"));
  CHECK(has(error_of(kSignature + ihdr(1, 1, 8, 0) + chunk("IDAT", "") + chunk("IEND", "")), "has no picture data"));
  CHECK(has(error_of(kSignature + chunk("CgBI", "1234") + good.substr(8)), "unsupported: some picture: is Apple's"));
  CHECK(has(error_of(png_of(1, 1, 8, 0, "\0\1"s, chunk("ABCD", ""))), "unknown critical chunk 'ABCD'"));
  CHECK(error_of(png_of(1, 1, 8, 0, "\0\1"s, chunk("abCD", "whatever"))).empty());
  CHECK(has(error_of(png_of(2, 2, 8, 0, "\0\1"s)), "damaged: its data cannot be decoded"));
  CHECK(has(error_of(png_of(1, 1, 8, 0, "\7\1"s)), "damaged: its data cannot be decoded"));
  std::string flipped = good;
  flipped[8 + 25 + 12] ^= 1;  // in the data
  CHECK(has(error_of(flipped), "damaged: the checksum of its chunk 'IDAT' is wrong"));
}

TEST_CASE("JPEG files that are damaged, or of a kind that is not read, are refused") {
  using namespace std::string_literals;
  const std::string jpeg = jpeg_file();
  REQUIRE(error_of(jpeg).empty());
  CHECK(error_of(jpeg + "what a camera appended").empty());
  CHECK(has(error_of(jpeg.substr(0, 3)), "truncated"));
  CHECK(has(error_of(jpeg.substr(0, jpeg.size() - 2)), "truncated: it ends before its end-of-image marker"));
  CHECK(has(error_of("\xFF\xD8\xFF\xD9"s), "has no frame header"));
  CHECK(has(error_of(with_segment(jpeg, '\xC9', "12345678901")), "unsupported: some picture: is a JPEG with"));
  CHECK(has(error_of(with_segment(jpeg, '\xC3', "12345678901")), "is a JPEG without loss"));
  const std::string frame = "\x08\0\x10\0\x10\1\1\x11\0"s;
  CHECK(has(error_of(with_segment(jpeg, '\xC0', frame)), "has two frame headers"));
  CHECK(has(error_of(with_segment(jpeg, '\xC0', "\x0C" + frame.substr(1))), "of other than 8 bits"));
  CHECK(has(error_of(with_segment(jpeg, '\xC0', "\x08\0\0\0\x10\1\1\x11\0"s)), "how high it is"));
  CHECK(has(error_of(with_segment(jpeg, '\xC0', "\x08\0\x10\0\0\1\1\x11\0"s)), "without pixels"));
  CHECK(has(error_of(with_segment(jpeg, '\xC0', "\x08\0\x10\0\x10\2\1\x11\0"s)), "1, 3 or 4 components"));
  CHECK(has(error_of(with_segment(jpeg, '\xDA', "\1\1\0\0\x3F\0"s)), "has data before its frame header"));
  CHECK(has(error_of(with_segment(jpeg, '\xC4', "\0" + std::string(16, '\x11') + std::string(272, 'v'))),
            "damaged Huffman table"));
  CHECK(has(error_of(with_segment(jpeg, '\xC4', "\0" + std::string(16, '\1'))), "damaged Huffman table"));
  const std::string again = "\xFF\xDA\0\x08\1\1\0\0\x3F\0\1\xFF\xD9"s;
  CHECK(has(error_of(jpeg.substr(0, jpeg.size() - 2) + again), "has two scans of one component"));
}

TEST_CASE("the size is checked before anything is decoded") {
  using namespace std::string_literals;
  test::FailingAllocator allocator;
  const auto huge = decode(png_of(60000, 60000, 8, 6, "\0"s), {}, &allocator);
  CHECK(huge.error().code() == Code::limit);
  CHECK(has(huge.error().text(), "some picture: 60000 x 60000 pixels are more than is accepted"));
  CHECK(allocator.peak < 10000);
  CHECK(has(error_of(png_of(70000, 1, 8, 0, "\0"s)), "sides up to 65536"));
  const std::string jpeg = jpeg_file();
  CHECK(has(error_of(jpeg, {.max_pixels = 162 * 256 - 1}), "limit: some picture: 162 x 256 pixels"));
  CHECK(error_of(jpeg, {.max_pixels = 162 * 256}).empty());
  CHECK(has(error_of(jpeg, {.max_side = 255}), "limit"));
  CHECK(has(error_of(jpeg, {.max_file_bytes = 100}), "limit: some picture: "));
  const auto read = dsvl::read_image(test::data("tiny-vl/jpeg/004.jpg"), {.max_file_bytes = 100});
  CHECK(read.error().code() == Code::limit);
  CHECK(has(read.error().text(), "004.jpg"));
  CHECK(dsvl::read_image(test::data("tiny-vl/jpeg/none.jpg")).error().code() == Code::not_found);
}

TEST_CASE("data for a larger picture than the header says does not take more memory than that picture") {
  // Deflate with fixed codes: a zero, then a hundred thousand times "258 more of it": 26 MB in 160 KB.
  std::string bits = "11000110000", packed = "\x78\x01";
  for (int i = 0; i < 100000; ++i) bits += "1100010100000";
  bits += "0000000";
  for (std::size_t at = 0; at < bits.size(); at += 8) {
    int byte = 0;
    for (std::size_t b = 0; b < 8 && at + b < bits.size(); ++b) byte |= (bits[at + b] - '0') << b;
    packed += static_cast<char>(byte);
  }
  const auto file = [&](std::size_t side) {
    return kSignature + ihdr(side, side, 8, 0) + chunk("IDAT", packed + "????") + chunk("IEND", "");
  };
  test::FailingAllocator allocator;
  CHECK(decode(file(5000), {}, &allocator));  // 25 M pixels: it is honest
  const std::size_t honest = allocator.peak;
  allocator.peak = 0;
  const auto image = decode(file(4), {}, &allocator);
  CHECK(image.error().code() == Code::bad_file);
  CHECK(has(image.error().text(), "some picture: damaged: its data is for a larger picture than its header says"));
  CHECK(allocator.peak < 4u << 20);
  CHECK(honest > 25u << 20);
}

TEST_CASE("memory while decoding stays within what the documentation says") {
  const auto path = test::shared("golden/preprocess/rgb_1024x1024.png");
  if (path.empty()) return;
  test::FailingAllocator allocator;
  {
    const auto image = dsvl::read_image(path, {}, &allocator);
    REQUIRE(image);
    CHECK(allocator.live == image->rgb.capacity());
  }
  CHECK(allocator.live == 0);
  CHECK(allocator.peak < 12u * 1024 * 1024 + 2 * std::filesystem::file_size(path));
}

TEST_CASE("the EXIF orientation is ignored unless it is asked for") {
  using namespace std::string_literals;
  const std::string jpeg = jpeg_file();
  const std::string tag = "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"s;
  const std::string turned = with_segment(jpeg, '\xE1', tag);
  const auto plain = decode(jpeg), ignored = decode(turned), applied = decode(turned, {.apply_exif_orientation = true});
  REQUIRE(plain);
  REQUIRE(ignored);
  REQUIRE(applied);
  CHECK(sha_of(*ignored) == sha_of(*plain));
  CHECK(ignored->width == 162);
  CHECK(plain->orientation == 1);
  CHECK(ignored->orientation == 6);  // it is told, also where it is not applied
  CHECK(applied->orientation == 6);
  CHECK(applied->width == 256);
  CHECK(applied->height == 162);
  const dsvl::Pixels from = plain->pixels(), to = applied->pixels();  // turned to the right
  for (Index y = 0; y < 162; y += 23)
    for (Index x = 0; x < 256; x += 17) CHECK(to.row(y)[3 * x + 1] == from.row(255 - x)[3 * y + 1]);

  const std::string png = png_of(2, 1, 8, 0, "\0\1\2"s, chunk("eXIf", tag.substr(6)));
  const auto upright = decode(png, {.apply_exif_orientation = true});
  REQUIRE(upright);
  CHECK(upright->height == 2);
  CHECK(decode(png)->height == 1);
}

TEST_CASE("every truncation of a picture is an error") {
  const std::string png = test::read_file(test::data("preprocess/palette_120x90.png")), jpeg = jpeg_file();
  for (const std::string& file : {png, jpeg}) {
    REQUIRE(error_of(file).empty());
    std::size_t accepted = 0;
    for (std::size_t n = 0; n < file.size(); ++n) accepted += error_of(file.substr(0, n)).empty() ? 1 : 0;
    CHECK(accepted == 0);
  }
}

TEST_CASE("damage inside a PNG is always noticed") {
  const std::string png = test::read_file(test::data("preprocess/gray_120x90.png"));
  int accepted = 0;
  for (std::size_t at = 0; at < png.size(); at += 1 + at / 200) {
    std::string flipped = png;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    accepted += error_of(flipped).empty() ? 1 : 0;
  }
  CHECK(accepted == 0);
}

TEST_CASE("damage that has the right checksums, and damage inside a JPEG, does no harm") {
  std::string compressed = test::read_file(test::data("preprocess/gray_120x90.png"));
  std::size_t idat = compressed.find("IDAT") - 4;
  const std::size_t length = dsvl::big_endian32(bytes_of(compressed).data() + idat);
  const std::string data = compressed.substr(idat + 8, length);
  test::FailingAllocator allocator;
  for (std::size_t at = 0; at < data.size(); at += 1 + at / 20) {
    std::string flipped = data;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    const std::string file = kSignature + ihdr(120, 90, 8, 0) + chunk("IDAT", flipped) + chunk("IEND", "");
    const auto image = decode(file, {}, &allocator);
    if (image) CHECK(image->width == 120);
  }
  for (const char* name : {"004.jpg", "003.jpg"}) {
    const std::string jpeg = jpeg_file(name);
    for (std::size_t at = 2; at < jpeg.size(); at += 1 + at / 25) {
      std::string flipped = jpeg;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      const auto one = decode(flipped, {}, &allocator), again = decode(flipped, {}, &allocator);
      REQUIRE(one.has_value() == again.has_value());
      if (one) CHECK(sha_of(*one) == sha_of(*again));
    }
  }
  CHECK(allocator.live == 0);
}

TEST_CASE("an allocator that says no at any place gives out_of_memory") {
  for (const char* name : {"tiny-vl/jpeg/004.jpg", "tiny-vl/jpeg/003.jpg", "preprocess/palette_120x90.png",
                           "preprocess/rgba_120x90.png"}) {
    CAPTURE(name);
    const int requests = test::refuse_each([&](dsvl::Allocator& allocator) {
      return dsvl::read_image(test::data(name), {}, &allocator).error();
    });
    CHECK(requests >= 6);
  }
}
