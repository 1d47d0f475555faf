#include <doctest/doctest.h>
#include <dsvl/io/safetensors.hpp>

#include <string>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "support.hpp"

using dsvl::Code;
using dsvl::Safetensors;

namespace {

/// Header length, header, data.
using test::safetensors_file;
using test::bytes_of;

std::string refusal(const std::string& file) {
  const auto parsed = Safetensors::parse(bytes_of(file), "some.safetensors");
  return parsed ? std::string() : std::string(name(parsed.error().code())) + ": " + parsed.error().text();
}
std::string refusal(const std::string& header, std::size_t data) {
  return refusal(safetensors_file(header, std::string(data, 'd')));
}
using test::has;

const char* const kGood =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
    R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
    R"("empty":{"dtype":"I64","shape":[0,7],"data_offsets":[16,16]}})";

}  // namespace

TEST_CASE("tensors are listed by name with shape and place") {
  const std::string file = safetensors_file(kGood, "0123456789abcdef");
  auto parsed = Safetensors::parse(bytes_of(file), "some.safetensors");
  REQUIRE(parsed);
  const Safetensors tensors = std::move(*parsed);
  REQUIRE(tensors.tensors().size() == 3);
  CHECK(tensors.tensors()[0].name == "a");
  CHECK(tensors.tensors()[1].name == "b");
  CHECK(tensors.tensors()[2].name == "empty");
  const dsvl::TensorInfo* const b = tensors.find("b");
  REQUIRE(b);
  CHECK(b->dtype == "BF16");
  CHECK(b->dims().size() == 2);
  CHECK(b->dims()[1] == 3);
  CHECK(b->bytes == 12);
  CHECK(*b->data == std::byte{'4'});
  CHECK(tensors.find("a")->rank == 0);
  CHECK_FALSE(tensors.find("c"));
  CHECK_FALSE(tensors.find("__metadata__"));
  CHECK(tensors.metadata().find("format").string() == "pt");
}

TEST_CASE("a tensor becomes a matrix of rows when its dtype is a weight's") {
  dsvl::TensorInfo tensor;
  tensor.name = "w";
  tensor.rank = 3;
  tensor.shape[0] = 2, tensor.shape[1] = 3, tensor.shape[2] = 4;
  for (const auto& [dtype, format] : {std::pair{"F32", dsvl::Format::f32}, std::pair{"BF16", dsvl::Format::bf16},
                                      std::pair{"F16", dsvl::Format::f16}}) {
    tensor.dtype = dtype;
    const auto matrix = as_matrix(tensor);
    REQUIRE(matrix);
    CHECK(matrix->format == format);
    CHECK(matrix->rows == 2);
    CHECK(matrix->cols == 12);
  }
  tensor.rank = 1;
  CHECK(as_matrix(tensor)->rows == 1);
  CHECK(as_matrix(tensor)->cols == 2);
  tensor.rank = 0;
  CHECK(as_matrix(tensor)->cols == 1);
  tensor.dtype = "I64";
  CHECK(as_matrix(tensor).error().code() == Code::unsupported);
  CHECK(has(as_matrix(tensor).error().text(), "tensor 'w': has dtype I64"));
}

TEST_CASE("a file that is no safetensors file is refused") {
  CHECK(has(refusal(""), "bad_file: some.safetensors: 0 bytes are too few"));
  CHECK(has(refusal("1234567"), "7 bytes are too few"));
  CHECK(has(refusal("PK\x03\x04 some zip file"), "is no safetensors file, or a damaged one"));
  CHECK(has(refusal(std::string("\x10\0\0\0\0\0\0\0{}", 10)), "truncated: its header takes 16 bytes, the file has 10"));
  CHECK(has(refusal(safetensors_file("")), "does not begin with '{'"));
  CHECK(has(refusal(safetensors_file(" {}")), "does not begin with '{'"));
  CHECK(has(refusal(safetensors_file("{\"a\":")), "some.safetensors: byte"));
  CHECK(has(refusal(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8)), "is no safetensors file, or a damaged one"));
  CHECK(refusal(safetensors_file("{}")).empty());
  CHECK(refusal(safetensors_file("{}   ")).empty());
}

TEST_CASE("a tensor whose entry is wrong is refused by name") {
  CHECK(has(refusal(R"({"x":1})", 0), "tensor 'x' has no dtype"));
  CHECK(has(refusal(R"({"x":{"shape":[1],"data_offsets":[0,4]}})", 4), "tensor 'x' has no dtype"));
  CHECK(has(refusal(R"({"x":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}})", 4),
            "unsupported: some.safetensors: tensor 'x' has the unknown dtype 'Q9'"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","data_offsets":[0,4]}})", 4), "tensor 'x' has no shape"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4),
            "tensor 'x' has 9 dimensions"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), "is no size"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4), "is no size"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4), "is no size"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[2147483647,2147483647],"data_offsets":[0,0]}})", 0), "too large"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[0,2147483647,2147483647],"data_offsets":[0,0]}})", 0),
            "tensor 'x' has a shape too large"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1]}})", 4), "tensor 'x' has no data_offsets"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4), "no data_offsets"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), "no data_offsets"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4), "no data_offsets"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
            "tensor 'x' ends at byte 8 of 4: the file is truncated"));
  CHECK(has(refusal(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
            "tensor 'x' has 4 bytes, its shape and dtype F32 need 8"));
  CHECK(has(refusal(R"({"x":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1), "tensor 'x' has 1 bytes"));
  CHECK(refusal(R"({"x":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", 2).empty());
  CHECK(has(refusal(R"({"__metadata__":{"a":1}})", 0), "__metadata__ has 'a', which is no string"));
  CHECK(has(refusal(R"({"__metadata__":[]})", 0), "__metadata__ is no object"));
  CHECK(has(refusal(R"({"x":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)"
                     R"("x":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})", 2),
            "the key 'x' is there twice"));
}

TEST_CASE("tensors that overlap, or bytes that no tensor names, are refused") {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"x":{"dtype":"I8","shape":[4],"data_offsets":)") + first +
           R"(},"y":{"dtype":"I8","shape":[4],"data_offsets":)" + second + "}}";
  };
  CHECK(refusal(two("[4,8]", "[0,4]"), 8).empty());
  CHECK(has(refusal(two("[0,4]", "[0,4]"), 4), "begins at byte 0, inside another that goes on to byte 4"));
  CHECK(has(refusal(two("[0,4]", "[3,7]"), 7), "tensor 'y' begins at byte 3, inside another that goes on to byte 4"));
  CHECK(has(refusal(two("[0,4]", "[5,9]"), 9), "tensor 'y' begins at byte 5, but nothing is named from byte 4"));
  CHECK(has(refusal(two("[1,5]", "[5,9]"), 9), "tensor 'x' begins at byte 1, but nothing is named from byte 0"));
  CHECK(has(refusal(two("[0,4]", "[4,8]"), 9), "1 bytes follow the last tensor"));
  CHECK(has(refusal("{}", 1), "1 bytes follow the last tensor"));
}

TEST_CASE("every truncation of a file is an error") {
  const std::string file = safetensors_file(kGood, "0123456789abcdef");
  REQUIRE(refusal(file).empty());
  for (std::size_t n = 0; n < file.size(); ++n) CHECK_FALSE(refusal(file.substr(0, n)).empty());
}

TEST_CASE("no flipped bit in a file makes a tensor reach outside") {
  const std::string file = safetensors_file(kGood, "0123456789abcdef");
  int refused = 0;
  for (std::size_t at = 0; at < file.size() - 16; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = file;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const auto parsed = Safetensors::parse(bytes_of(flipped), "flipped");
      refused += parsed ? 0 : 1;
      if (!parsed) continue;
      for (const dsvl::TensorInfo& tensor : parsed->tensors()) {
        const auto from = static_cast<std::size_t>(tensor.data - bytes_of(flipped).data());
        if (from > file.size() || tensor.bytes > file.size() - from) FAIL("outside: ", at, ".", bit);
      }
    }
  }
  CHECK(refused > 800);
}

TEST_CASE("an allocator that says no at any place gives out_of_memory") {
  const std::string file = safetensors_file(kGood, "0123456789abcdef");
  const int requests = test::refuse_each([&](dsvl::Allocator& allocator) {
    return Safetensors::parse(bytes_of(file), "some.safetensors", &allocator).error();
  });
  CHECK(requests >= 3);
}
