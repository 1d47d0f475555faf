// The limits of readers, each from both sides: what is exactly at it is taken, one more is refused by name.
#include <doctest/doctest.h>
#include <dsvl/io/checkpoint.hpp>
#include <dsvl/io/gguf.hpp>
#include <dsvl/io/image.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/safetensors.hpp>
#include <dsvl/vision/check_pixels.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "messages.hpp"
#include "support.hpp"

using dsvl::Code;

namespace {

using test::bytes_of;

using test::error_of;
using test::has;
std::string json_error(std::string_view text) { return error_of(dsvl::json::Document::parse(text, "some.json")); }

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}
std::string gguf_text(std::string_view s) { return number(s.size(), 8) + std::string(s); }

/// A GGUF file with one number under a key, and a tensor of so many dimensions of size 1.
std::string gguf_error(const std::string& key, std::uint32_t value, std::size_t rank) {
  std::string file = "GGUF" + number(3, 4) + number(1, 8) + number(1, 8) + gguf_text(key) + number(4, 4) + number(value, 4);
  file += gguf_text("t") + number(rank, 4);
  for (std::size_t i = 0; i < rank; ++i) file += number(1, 8);
  file += number(0, 4) + number(0, 8);
  const std::size_t alignment = key == "general.alignment" && value >= 8 && value <= 65536 ? value : 32;
  file.append((alignment - file.size() % alignment) % alignment + 4, '\0');
  return error_of(dsvl::Gguf::parse(bytes_of(file), "some.gguf"));
}

}  // namespace

TEST_CASE("JSON texts, tokens and numbers of values are taken up to their limits") {
  using namespace dsvl::json;
  CHECK(json_error("\"" + std::string(kMaxToken - 1, 'x') + "\"") == "");
  CHECK(json_error("\"" + std::string(kMaxToken, 'x') + "\"") == "limit: some.json: byte 0: a string or number is too long");
  std::string values = "[0";
  values.reserve(2 * kMaxNodes + 8);
  for (std::size_t i = 2; i < kMaxNodes; ++i) values += ",0";  // with the array itself
  CHECK(json_error(values + "]") == "");
  CHECK(json_error(values + ",0]").find("more values than are accepted") != std::string::npos);
  std::string spaces(kMaxText, ' ');
  spaces[0] = '1';
  CHECK(json_error(spaces) == "");
  CHECK(json_error(spaces + ' ') == "limit: some.json: byte 0: the text is longer than is accepted");
}

TEST_CASE("a safetensors header is taken up to the reference reader's hundred million bytes") {
  constexpr std::size_t kMost = dsvl::Safetensors::kMaxHeader;
  std::string file = number(kMost, 8) + "{}" + std::string(kMost - 2, ' ');
  CHECK(error_of(dsvl::Safetensors::parse(bytes_of(file), "some file")) == "");
  file.replace(0, 8, number(kMost + 1, 8));
  file += ' ';
  CHECK(error_of(dsvl::Safetensors::parse(bytes_of(file), "some file")).find("more than the 100000000 bytes allowed") !=
        std::string::npos);
}

TEST_CASE("GGUF keys, ranks and alignments are taken up to their limits") {
  using namespace dsvl::gguf;
  CHECK(gguf_error(std::string(kMaxKey, 'k'), 1, 1) == "");
  CHECK(has(gguf_error(std::string(kMaxKey + 1, 'k'), 1, 1), "has 65536 bytes, at most 65535 are allowed"));
  CHECK(gguf_error("k", 1, kMaxRank) == "");
  CHECK(has(gguf_error("k", 1, kMaxRank + 1), "has 5 dimensions, must have 1 to 4"));
  for (const std::uint32_t good : {8u, 32u, 65536u}) CHECK(gguf_error("general.alignment", good, 1) == "");
  for (const std::uint32_t bad : {0u, 4u, 24u, 131072u}) CHECK(has(gguf_error("general.alignment", bad, 1), "general.alignment"));
}

TEST_CASE("an index may name as many files as the limit says, whether they are there or not") {
  for (const std::size_t files : {dsvl::Checkpoint::kMaxFiles, dsvl::Checkpoint::kMaxFiles + 1}) {
    std::string index = "{\"weight_map\": {";
    for (std::size_t i = 0; i < files; ++i) {
      const std::string n = std::to_string(1000 + i);
      index += (i ? ", \"t" : "\"t") + n + "\": \"model-" + n + ".safetensors\"";
    }
    index += "}}";
    const dsvl::NamedBytes entry{"model.safetensors.index.json", bytes_of(index)};
    const std::string error = error_of(dsvl::Checkpoint::open(dsvl::Folder::memory({&entry, 1})));
    CAPTURE(error);
    CHECK(error.starts_with(files > dsvl::Checkpoint::kMaxFiles ? "limit" : "not_found"));
  }
}

TEST_CASE("sides, pixels and bytes of pictures are taken up to the limits that were given") {
  const std::string jpeg = test::read_file(test::data("tiny-vl/jpeg/004.jpg"));  // 162 x 256
  const auto error = [&](const dsvl::ImageLimits& limits) { return error_of(dsvl::decode_image(bytes_of(jpeg), limits)); };
  CHECK(error({.max_side = 256}) == "");
  CHECK(error({.max_side = 255}).starts_with("limit"));
  CHECK(error({.max_side = 162}).starts_with("limit"));
  CHECK(error({.max_pixels = 162 * 256}) == "");
  CHECK(error({.max_pixels = 162 * 256 - 1}).starts_with("limit"));
  const auto bytes = static_cast<dsvl::Index>(jpeg.size());
  CHECK(error({.max_file_bytes = bytes}) == "");
  CHECK(error({.max_file_bytes = bytes - 1}).starts_with("limit"));
  const std::uint8_t pixel[3] = {};
  for (const dsvl::Index side : {dsvl::kMaxPictureSide, dsvl::kMaxPictureSide + 1}) {  // only looked at
    const Code code = side > dsvl::kMaxPictureSide ? Code::limit : Code::ok;
    CHECK(dsvl::detail::check({pixel, side, 1, dsvl::PixelFormat::rgb}).code() == code);
    CHECK(dsvl::detail::check({pixel, 1, side, dsvl::PixelFormat::rgb}).code() == code);
  }
}
