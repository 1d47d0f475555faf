#include <doctest/doctest.h>
#include <dsvl/convert/gguf_writer.hpp>

#include <limits>
#include <string>
#include <vector>

#include "messages.hpp"

using dsvl::Code;
using dsvl::Gguf;
using dsvl::GgufHead;
using dsvl::Index;
using dsvl::gguf::Kind;

namespace {

std::span<const std::byte> bytes_of(const std::string& file) { return std::as_bytes(std::span(file)); }

Gguf parse(const std::string& file) {
  auto parsed = Gguf::parse(bytes_of(file), "written.gguf");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().text());
  return std::move(*parsed);
}
std::uint64_t add(GgufHead& head, std::string_view name, std::vector<Index> shape, std::string_view type,
                  std::uint64_t bytes) {
  const auto offset = head.add(name, shape, type, bytes);
  REQUIRE_MESSAGE(offset.has_value(), offset.error().text());
  return *offset;
}
std::string add_error(std::vector<Index> shape, std::string_view type, std::uint64_t bytes) {
  GgufHead head;
  const auto offset = head.add("x", shape, type, bytes);
  CHECK(head.text() == GgufHead().text());
  return offset ? std::string() : std::string(name(offset.error().code())) + ": " + offset.error().text();
}
bool has(const std::string& message, std::string_view part) {
  const bool found = message.find(part) != std::string::npos;
  if (!found) MESSAGE(message);
  return found;
}

}  // namespace

TEST_CASE("what is set is read back as the same") {
  const std::vector<std::string_view> words{"one", "", "three"};
  const std::vector<std::int32_t> signs{-1, 0, 1};
  const std::vector<std::uint32_t> sizes{384, 1024};
  const std::vector<float> mean{0.5f, -0.25f, 1e-6f};
  GgufHead head;
  head.set("text", "a literal").set("string", std::string("a string")).set("count", 24u).set("eps", 1e-6f);
  head.set("yes", true).set("no", false).set("words", words).set("signs", signs).set("sizes", sizes).set("mean", mean);
  head.set("empty", std::span<const std::string_view>());
  const std::string text = head.text();
  CHECK(text.size() % GgufHead::kAlign == 0);
  const Gguf file = parse(text);
  CHECK(file.version() == 3);
  CHECK(file.alignment() == 64);
  CHECK(file.tensors().empty());
  CHECK(file.values().size() == 12);
  CHECK(file.value("text").string() == "a literal");
  CHECK(file.value("string").string() == "a string");
  CHECK(file.value("count").kind() == Kind::u32);
  CHECK(file.value("count").integer() == Index{24});
  CHECK(file.value("eps").kind() == Kind::f32);
  CHECK(file.value("eps").number() == static_cast<double>(1e-6f));
  CHECK(file.value("yes").boolean() == true);
  CHECK(file.value("no").boolean() == false);
  REQUIRE(file.value("words").size() == 3);
  CHECK(file.value("words")[2].string() == "three");
  CHECK(file.value("signs").element_kind() == Kind::i32);
  CHECK(file.value("signs")[0].integer() == Index{-1});
  CHECK(file.value("sizes").element_kind() == Kind::u32);
  CHECK(file.value("sizes")[1].integer() == Index{1024});
  CHECK(file.value("mean").element_kind() == Kind::f32);
  CHECK(file.value("mean")[1].number() == -0.25);
  CHECK(file.value("empty").element_kind() == Kind::string);
  CHECK(file.value("empty").size() == 0);
}

TEST_CASE("a key that is set again has its last value, once") {
  GgufHead head;
  head.set("a", 1u).set("b", 2u).set("a", "text");
  const std::string text = head.text();
  const Gguf file = parse(text);
  CHECK(file.values().size() == 3);
  CHECK(file.value("a").string() == "text");
  CHECK(file.value("b").integer() == Index{2});
}

TEST_CASE("tensors lie where they were promised, whatever their types") {
  GgufHead head;
  head.set("general.architecture", "test");
  struct Tensor {
    std::string name, type;
    std::vector<Index> shape;
    std::uint64_t bytes, offset;
  };
  std::vector<Tensor> tensors{{"z", "F32", {3}, 12, 0},          {"q8", "Q8_0", {2, 64}, 136, 0},
                              {"none", "F16", {0, 4}, 0, 0},     {"q4", "Q4_K", {3, 256}, 432, 0},
                              {"b", "BF16", {2, 3, 5}, 60, 0},   {"full", "F32", {16}, 64, 0},
                              {"q6", "Q6_K", {1, 1, 1, 512}, 420, 0}};
  for (Tensor& t : tensors) t.offset = add(head, t.name, t.shape, t.type, t.bytes);
  CHECK(tensors[0].offset == 0);
  CHECK(tensors[1].offset == 64);
  CHECK(tensors[2].offset == 256);
  CHECK(tensors[3].offset == 256);
  CHECK(tensors[6].offset == 832);
  CHECK(head.data_bytes() == 832 + 448);

  std::string text = head.text();
  const std::size_t data = text.size();
  char fill = 'A';
  for (const Tensor& t : tensors) {
    CHECK(text.size() == data + t.offset);
    text.append(static_cast<std::size_t>(t.bytes), fill++);
    text.append(static_cast<std::size_t>(GgufHead::padding(t.bytes)), '\0');
  }
  CHECK(text.size() == data + head.data_bytes());
  const Gguf file = parse(text);
  REQUIRE(file.tensors().size() == tensors.size());
  fill = 'A';
  for (const Tensor& t : tensors) {
    CAPTURE(t.name);
    const dsvl::TensorInfo* const found = file.find(t.name);
    REQUIRE(found);
    CHECK(found->dtype == t.type);
    CHECK(std::vector<Index>(found->dims().begin(), found->dims().end()) == t.shape);
    CHECK(found->bytes == t.bytes);
    CHECK(found->data == bytes_of(text).data() + data + t.offset);
    if (t.bytes) CHECK(static_cast<char>(found->data[t.bytes - 1]) == fill);
    ++fill;
  }
}

TEST_CASE("padding fills up to the next line of a cache") {
  CHECK(GgufHead::padding(0) == 0);
  CHECK(GgufHead::padding(1) == 63);
  CHECK(GgufHead::padding(63) == 1);
  CHECK(GgufHead::padding(64) == 0);
  CHECK(GgufHead::padding(65) == 63);
}

TEST_CASE("a tensor that no file could have is refused by name and leaves the head as it was") {
  CHECK(has(add_error({2}, "f32", 8), "unsupported: tensor 'x': has the type f32, which GGUF files do not"));
  CHECK(has(add_error({}, "F32", 4), "bad_shape: tensor 'x': has 0 dimensions, GGUF files need 1 to 4"));
  CHECK(has(add_error({1, 1, 1, 1, 1}, "F32", 4), "has 5 dimensions"));
  CHECK(has(add_error({-1, 2}, "F32", 8), "bad_shape: tensor 'x': has a dimension of -1"));
  CHECK(has(add_error({2, 33}, "Q8_0", 68), "has rows of 33 elements, which are no whole blocks of Q8_0 (32)"));
  CHECK(has(add_error({2, 3}, "F16", 11), "has 11 bytes, its shape and type F16 need 12"));
  const Index most = std::numeric_limits<Index>::max();
  CHECK(has(add_error({most, most}, "F16", 0), "bad_shape"));
}
