#include <doctest/doctest.h>
#include <dsvl/io/gguf.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "support.hpp"

using dsvl::Code;
using dsvl::Gguf;
using dsvl::Index;
using dsvl::gguf::Kind;

namespace {

template <class T>
std::string raw(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}
std::string u32(std::uint32_t value) { return raw(value); }
std::string u64(std::uint64_t value) { return raw(value); }
std::string text(std::string_view s) { return u64(s.size()) + std::string(s); }
std::string key(std::string_view name, Kind kind, const std::string& value) {
  return text(name) + raw(kind) + value;
}
std::string array(std::string_view name, Kind kind, std::uint64_t count, const std::string& values) {
  return key(name, Kind::array, raw(kind) + u64(count) + values);
}
/// `dims` as the file has them: innermost first.
std::string tensor(std::string_view name, std::vector<std::uint64_t> dims, std::uint32_t type, std::uint64_t offset) {
  std::string out = text(name) + u32(static_cast<std::uint32_t>(dims.size()));
  for (const std::uint64_t d : dims) out += u64(d);
  return out + u32(type) + u64(offset);
}
std::string start(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
  return "GGUF" + u32(version) + u64(tensors) + u64(keys);
}
std::string pad(std::string head, std::size_t alignment = 32) {
  head.append((alignment - head.size() % alignment) % alignment, '\0');
  return head;
}

/// Reads all that a parsed file offers, so that a sanitizer sees what lies outside. Some number, so that it must.
std::size_t visit(dsvl::gguf::Value value) {
  std::size_t sum = value.key().size() + value.size();
  const std::string_view text = value.string().value_or("");
  for (const char c : text) sum += static_cast<unsigned char>(c);
  sum += static_cast<std::size_t>(value.integer().value_or(1)) + (value.number() ? 1u : 0u);
  sum += value.boolean().value_or(false);
  for (const dsvl::gguf::Value element : value) sum += visit(element);
  if (value.size() > 0) sum += visit(value[value.size() - 1]);
  CHECK(value[value.size()].missing());
  return sum;
}
std::size_t visit(const Gguf& file) {
  std::size_t sum = 0;
  for (const dsvl::gguf::Value value : file.values()) sum += visit(value);
  for (const dsvl::TensorInfo& t : file.tensors())
    for (std::size_t i = 0; i < t.bytes; ++i) sum += static_cast<std::size_t>(t.data[i]);
  return sum;
}

/// Parses a copy that lies in memory of exactly its size. Empty when all is well.
std::string file_error(const std::string& file) {
  const std::unique_ptr<std::byte[]> exact(new std::byte[file.size()]);
  std::memcpy(exact.get(), file.data(), file.size());
  const auto parsed = Gguf::parse({exact.get(), file.size()}, "some.gguf");
  if (!parsed) return std::string(name(parsed.error().code())) + ": " + parsed.error().text();
  return visit(*parsed) == ~std::size_t{0} ? "a sum that it can hardly be" : "";
}
using test::has;
/// The error of a file with one key, or with one tensor and as many bytes of data.
std::string key_error(const std::string& entry) { return file_error(start(0, 1) + entry); }
std::string tensor_error(const std::string& entry, std::size_t data) {
  return file_error(pad(start(1, 0) + entry) + std::string(data, 'd'));
}

/// Keys of every kind and four tensors; ends with the last byte of the last tensor.
const std::string& good() {
  static const std::string file = [] {
    std::string out = start(4, 17);
    out += key("general.alignment", Kind::u32, u32(64)) + key("u8", Kind::u8, raw<std::uint8_t>(200));
    out += key("i8", Kind::i8, raw<std::int8_t>(-5)) + key("u16", Kind::u16, raw<std::uint16_t>(65535));
    out += key("i16", Kind::i16, raw<std::int16_t>(-300)) + key("u32", Kind::u32, u32(4000000000u));
    out += key("i32", Kind::i32, raw<std::int32_t>(-70000)) + key("f32", Kind::f32, raw(1.5f));
    out += key("yes", Kind::boolean, "\1") + key("name", Kind::string, text("t\xC3\xA9ste"));
    out += key("u64", Kind::u64, u64(1ull << 40)) + key("huge", Kind::u64, u64(~0ull));
    out += key("i64", Kind::i64, raw<std::int64_t>(-1)) + key("f64", Kind::f64, raw(0.1));
    out += array("words", Kind::string, 3, text("one") + text("") + text("three"));
    out += array("sizes", Kind::i32, 3, u32(7) + u32(8) + u32(9)) + array("none", Kind::f32, 0, "");
    out += tensor("w", {3, 2}, 30, 64) + tensor("a", {4}, 0, 0);       // BF16 (2, 3), F32 (4)
    out += tensor("q", {64, 2, 1}, 8, 128) + tensor("empty", {5, 0}, 26, 0);  // Q8_0 (1, 2, 64), I32 (0, 5)
    out = pad(out, 64);
    out += std::string(16, 'a') + std::string(48, '\0') + std::string(12, 'w') + std::string(52, '\0');
    return out + std::string(136, 'q');
  }();
  return file;
}
using test::bytes_of;
Gguf parse(const std::string& file) {
  auto parsed = Gguf::parse(bytes_of(file), "some.gguf");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().text());
  return std::move(*parsed);
}

}  // namespace

TEST_CASE("tensors are listed by name, outer dimension first, with type and place") {
  const Gguf file = parse(good());
  CHECK(file.version() == 3);
  CHECK(file.alignment() == 64);
  REQUIRE(file.tensors().size() == 4);
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.tensors()[1].name == "empty");
  CHECK(file.tensors()[2].name == "q");
  CHECK(file.tensors()[3].name == "w");
  const dsvl::TensorInfo* const w = file.find("w");
  REQUIRE(w);
  CHECK(w->dtype == "BF16");
  REQUIRE(w->rank == 2);
  CHECK(w->shape[0] == 2);
  CHECK(w->shape[1] == 3);
  CHECK(w->bytes == 12);
  CHECK(*w->data == std::byte{'w'});
  const dsvl::TensorInfo* const q = file.find("q");
  REQUIRE(q);
  CHECK(q->dtype == "Q8_0");
  REQUIRE(q->rank == 3);
  CHECK(q->shape[0] == 1);
  CHECK(q->shape[1] == 2);
  CHECK(q->shape[2] == 64);
  CHECK(q->bytes == 136);
  CHECK(*q->data == std::byte{'q'});
  CHECK(file.find("a")->dtype == "F32");
  CHECK(file.find("a")->rank == 1);
  CHECK(file.find("empty")->bytes == 0);
  CHECK(file.find("empty")->dtype == "I32");
  CHECK_FALSE(file.find("b"));
  CHECK(as_matrix(*w)->rows == 2);
}

TEST_CASE("values are what they are and never anything else") {
  const Gguf file = parse(good());
  CHECK(file.value("u8").integer() == Index{200});
  CHECK(file.value("i8").integer() == Index{-5});
  CHECK(file.value("u16").integer() == Index{65535});
  CHECK(file.value("i16").integer() == Index{-300});
  CHECK(file.value("i32").integer() == Index{-70000});
  CHECK(file.value("i64").integer() == Index{-1});
  CHECK(file.value("u32").number() == 4000000000.0);
  CHECK(file.value("u64").number() == 1099511627776.0);
  if constexpr (sizeof(Index) == 8) {
    CHECK(file.value("u32").integer() == static_cast<Index>(4000000000ll));
    CHECK(file.value("u64").integer() == static_cast<Index>(1ll << 40));
  }
  CHECK_FALSE(file.value("huge").integer().has_value());
  CHECK(file.value("huge").number() == 18446744073709551615.0);
  CHECK(file.value("f32").number() == 1.5);
  CHECK(file.value("f64").number() == 0.1);
  CHECK(file.value("i8").number() == -5.0);
  CHECK(file.value("yes").boolean() == true);
  CHECK(file.value("name").string() == "t\xC3\xA9ste");
  CHECK(file.value("name").key() == "name");
  CHECK(file.value("u16").kind() == Kind::u16);

  CHECK_FALSE(file.value("f32").integer().has_value());
  CHECK_FALSE(file.value("yes").integer().has_value());
  CHECK_FALSE(file.value("yes").number().has_value());
  CHECK_FALSE(file.value("u8").boolean().has_value());
  CHECK_FALSE(file.value("u8").string().has_value());
  CHECK_FALSE(file.value("name").number().has_value());
  CHECK_FALSE(file.value("words").string().has_value());
  CHECK_FALSE(file.value("sizes").integer().has_value());
  CHECK(file.value("name").size() == 0);
  CHECK(file.value("name").element_kind() == Kind::missing);
  const dsvl::gguf::Value nothing = file.value("nothing");
  CHECK(nothing.missing());
  CHECK_FALSE(nothing.string().has_value());
  CHECK_FALSE(nothing.integer().has_value());
  CHECK(nothing[0].missing());
  CHECK(nothing.begin() == nothing.end());
  CHECK(name(nothing.kind()) == "missing");

  std::string keys;
  for (const dsvl::gguf::Value value : file.values()) (keys += value.key()) += ' ';
  CHECK(keys == "f32 f64 general.alignment huge i16 i32 i64 i8 name none sizes u16 u32 u64 u8 words yes ");
}

TEST_CASE("numbers that are not finite are no numbers") {
  const float inf = std::numeric_limits<float>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string text = start(0, 2) + key("a", Kind::f32, raw(inf)) + key("b", Kind::f64, raw(nan));
  const Gguf file = parse(text);
  CHECK_FALSE(file.value("a").number().has_value());
  CHECK_FALSE(file.value("b").number().has_value());
}

TEST_CASE("arrays are walked and indexed, of strings too") {
  const Gguf file = parse(good());
  const dsvl::gguf::Value words = file.value("words"), sizes = file.value("sizes"), none = file.value("none");
  CHECK(words.is_array());
  CHECK(words.element_kind() == Kind::string);
  REQUIRE(words.size() == 3);
  std::vector<std::string_view> walked;
  for (const dsvl::gguf::Value word : words) walked.push_back(word.string().value());
  CHECK(walked == std::vector<std::string_view>{"one", "", "three"});
  CHECK(words[2].string() == "three");
  CHECK(words[3].missing());
  REQUIRE(sizes.size() == 3);
  CHECK(sizes.element_kind() == Kind::i32);
  CHECK(sizes[1].integer() == Index{8});
  CHECK(sizes[1].key().empty());
  Index sum = 0;
  for (const dsvl::gguf::Value size : sizes) sum += size.integer().value();
  CHECK(sum == 24);
  CHECK(none.is_array());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
}

TEST_CASE("a file that is no GGUF file, or another version of one, is refused") {
  CHECK(has(file_error(""), "bad_file: some.gguf: 0 bytes are too few"));
  CHECK(has(file_error(start(0, 0).substr(0, 23)), "23 bytes are too few"));
  CHECK(has(file_error("PK\x03\x04 some zip file that is long enough"), "does not begin with 'GGUF'"));
  CHECK(has(file_error("GGML" + start(0, 0).substr(4)), "does not begin with 'GGUF'"));
  CHECK(has(file_error(start(0, 0, 1)), "unsupported: some.gguf: is of GGUF version 1, only 2 and 3 are read"));
  CHECK(has(file_error(start(0, 0, 0)), "unsupported: some.gguf: is of GGUF version 0"));
  CHECK(has(file_error(start(0, 0, 4)), "unsupported: some.gguf: is of GGUF version 4"));
  CHECK(has(file_error(start(0, 0, 0x03000000)), "unsupported: some.gguf: is a big-endian GGUF file"));
  CHECK(file_error(start(0, 0, 2)).empty());
  CHECK(file_error(start(0, 0)).empty());
  std::string second = good();
  second[4] = 2;
  CHECK(file_error(second).empty());
}

TEST_CASE("counts that the file has no room for are refused before anything is allocated") {
  for (const std::string& file : {start(0, 1), start(1, 0), start(0, ~0ull), start(~0ull, 0), start(1ull << 60, 1),
                                  start(0, 2) + key("a", Kind::u64, u64(0)), start(2, 0) + std::string(63, '\0')}) {
    test::FailingAllocator allocator;
    const auto parsed = Gguf::parse(bytes_of(file), "some.gguf", &allocator);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Code::bad_file);
    CHECK(has(parsed.error().text(), "have room for at most"));
    CHECK(allocator.requests == 0);
  }
}

TEST_CASE("a key whose entry is wrong is refused by name") {
  CHECK(has(key_error(u64(~0ull) + "abcdefgh"), "bad_file: some.gguf: truncated: it ends inside key 0 of 1"));
  CHECK(has(key_error(u64(60) + std::string(59, 'k')), "truncated: it ends inside key 0 of 1"));
  CHECK(has(key_error(key("k", static_cast<Kind>(13), u64(0))), "key 'k' has a value of the unknown type 13"));
  CHECK(has(key_error(key("k", static_cast<Kind>(~0u), u64(0))), "unknown type 4294967295"));
  CHECK(has(key_error(key("k", Kind::u64, u32(0))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(key("k", Kind::string, u64(5) + "four")), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(key("k", Kind::string, u64(~0ull) + "four")), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(key("k", Kind::boolean, "\2")), "key 'k' has a boolean that is neither 0 nor 1"));
  CHECK(has(key_error(array("k", Kind::boolean, 2, "\1\3")), "neither 0 nor 1"));
  CHECK(file_error(start(0, 1) + key(std::string(65535, 'k'), Kind::u8, "\7")).empty());
  CHECK(has(key_error(key(std::string(65536, 'k'), Kind::u8, "\7")), "has 65536 bytes, at most 65535 are allowed"));
  CHECK(has(file_error(start(0, 2) + key("k", Kind::u32, u32(1)) + key("k", Kind::u32, u32(1))),
            "bad_file: some.gguf: the key 'k' is there twice"));
}

TEST_CASE("an array that is longer than the file is refused, whatever its length multiplied by is") {
  CHECK(has(key_error(key("k", Kind::array, u32(4))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::u32, 3, u64(0))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::u64, 1ull << 61, u64(0))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::u64, (1ull << 61) + 1, u64(0))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::u8, ~0ull, u64(0))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::string, 3, text("a") + text("b"))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", Kind::string, ~0ull, text("a"))), "truncated: it ends inside key 'k'"));
  CHECK(has(key_error(array("k", static_cast<Kind>(13), 0, u64(0))), "key 'k' has a value of the unknown type 13"));
  CHECK(has(key_error(array("k", Kind::array, 1, u32(4) + u64(1) + u32(1))),
            "unsupported: some.gguf: key 'k' is an array of arrays"));
}

TEST_CASE("the alignment is a power of two within reason") {
  const auto with = [](Kind kind, const std::string& value) {
    return file_error(start(0, 1) + key("general.alignment", kind, value));
  };
  for (const std::uint32_t fine : {8u, 32u, 65536u}) CHECK(with(Kind::u32, u32(fine)).empty());
  for (const std::uint32_t bad : {0u, 1u, 4u, 24u, 131072u, 0x80000000u})
    CHECK(has(with(Kind::u32, u32(bad)), "must be a power of two from 8 to 65536"));
  CHECK(has(with(Kind::i64, raw<std::int64_t>(-32)), "must be a power of two"));
  CHECK(has(with(Kind::u64, u64(1ull << 63)), "must be a power of two"));
  CHECK(has(with(Kind::string, text("32")), "bad_file: some.gguf: general.alignment is string 0"));
  CHECK(has(with(Kind::f32, raw(32.0f)), "general.alignment is f32 0"));
  CHECK(parse(start(0, 0)).alignment() == 32);
}

TEST_CASE("a tensor whose entry is wrong is refused by name") {
  CHECK(has(file_error(start(1, 0) + u64(25) + std::string(24, 'n')), "truncated: it ends inside tensor 0 of 1"));
  CHECK(has(tensor_error(tensor("x", {}, 0, 0) + u64(0), 4), "tensor 'x' has 0 dimensions, must have 1 to 4"));
  CHECK(has(tensor_error(tensor("x", {1, 1, 1, 1, 1}, 0, 0), 4), "tensor 'x' has 5 dimensions"));
  CHECK(has(file_error(start(1, 0) + text("x") + u32(4) + std::string(20, '\0')), "truncated: it ends inside tensor 'x'"));
  CHECK(has(tensor_error(tensor("x", {1}, 42, 0), 4), "unsupported: some.gguf: tensor 'x' has the unknown type 42"));
  CHECK(has(tensor_error(tensor("x", {1}, 4, 0), 4), "unsupported: some.gguf: tensor 'x' has the unknown type 4"));
  CHECK(has(tensor_error(tensor("x", {1ull << 63}, 0, 0), 4), "tensor 'x' has a shape too large for any file"));
  CHECK(has(tensor_error(tensor("x", {1ull << 62}, 0, 0), 4), "tensor 'x' has a shape too large for any file"));
  CHECK(has(tensor_error(tensor("x", {1ull << 32, 1ull << 32}, 0, 0), 4), "too large"));
  CHECK(has(tensor_error(tensor("x", {1ull << 32, 0, 1ull << 32}, 0, 0), 4), "too large"));
  CHECK(has(tensor_error(tensor("x", {0, 1ull << 62, 4}, 12, 0), 4), "too large"));
  CHECK(has(tensor_error(tensor("x", {33}, 8, 0), 68),
            "tensor 'x' has rows of 33 elements, which are no whole blocks of Q8_0 (32)"));
  CHECK(has(tensor_error(tensor("x", {32, 8}, 12, 0), 144), "no whole blocks of Q4_K (256)"));
  CHECK(has(tensor_error(tensor("x", {4}, 0, 16), 32), "tensor 'x' begins at byte 16, which is no multiple of 32"));
  CHECK(has(tensor_error(tensor("x", {4}, 0, 0), 15),
            "tensor 'x' has 16 bytes from byte 0 on, of 15: the file is truncated"));
  CHECK(has(tensor_error(tensor("x", {4}, 0, 32), 47), "tensor 'x' has 16 bytes from byte 32 on, of 47"));
  CHECK(has(tensor_error(tensor("x", {4}, 0, ~0ull - 31), 64), "the file is truncated"));
  CHECK(has(tensor_error(tensor("x", {0}, 0, 32), 16), "the file is truncated"));
  CHECK(tensor_error(tensor("x", {4}, 0, 32), 48).empty());
}

TEST_CASE("tensors that overlap, or have one name, are refused") {
  const auto two = [](std::string_view name, std::uint64_t first, std::uint64_t second) {
    return file_error(pad(start(2, 0) + tensor("x", {16}, 0, first) + tensor(name, {16}, 0, second)) +
                    std::string(160, 'd'));
  };
  CHECK(two("y", 0, 64).empty());
  CHECK(two("y", 96, 0).empty());  // holes, and another order than that of the table
  CHECK(has(two("y", 0, 32), "bad_file: some.gguf: tensor 'y' begins inside tensor 'x'"));
  CHECK(has(two("y", 64, 32), "tensor 'x' begins inside tensor 'y'"));
  CHECK(has(two("y", 32, 32), "begins inside tensor"));
  CHECK(has(two("x", 0, 64), "bad_file: some.gguf: tensor 'x' is there twice"));
}

TEST_CASE("every type of GGML that files have is known with the size of its blocks") {
  for (const dsvl::GgmlType& type : dsvl::kGgmlTypes) {
    CAPTURE(type.name);
    const std::string file = pad(start(1, 0) + tensor("x", {type.elements * 2ull, 3}, type.number, 0)) +
                             std::string(6 * type.bytes, 'd');
    CHECK(file_error(file).empty());
    CHECK(has(file_error(file.substr(0, file.size() - 1)), "the file is truncated"));
    CHECK(parse(file).tensors()[0].dtype == type.name);
    CHECK(dsvl::find_ggml_type(type.name) == &type);
    CHECK(dsvl::find_ggml_type(type.number) == &type);
  }
  CHECK(dsvl::find_ggml_type("Q4_K")->bytes == 144);
  CHECK(dsvl::find_ggml_type("Q6_K")->bytes == 210);
  CHECK_FALSE(dsvl::find_ggml_type("q8_0"));
}

TEST_CASE("every truncation of a file is an error") {
  REQUIRE(file_error(good()).empty());
  for (std::size_t n = 0; n < good().size(); ++n) {
    CAPTURE(n);
    CHECK_FALSE(file_error(good().substr(0, n)).empty());
  }
}

TEST_CASE("no damaged byte in a file makes anything reach outside") {
  std::size_t refused = 0;
  std::uint64_t state = 1;
  const auto random = [&](std::size_t n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<std::size_t>(state >> 33) % n;
  };
  const std::size_t head = good().find("aaaa");
  for (std::size_t at = 0; at < head; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = good();
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      refused += file_error(damaged).empty() ? 0 : 1;
    }
  }
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = good();
    for (std::size_t n = 1 + random(4); n > 0; --n) damaged[random(head)] = static_cast<char>(random(256));
    refused += file_error(damaged).empty() ? 0 : 1;
  }
  CHECK(refused > 3000);
}

TEST_CASE("an allocator that says no at any place gives out_of_memory") {
  const int requests = test::refuse_each([&](dsvl::Allocator& allocator) {
    return Gguf::parse(bytes_of(good()), "some.gguf", &allocator).error();
  });
  CHECK(requests >= 3);
}

TEST_CASE("a hundred thousand strings are read without memory for any") {
  std::string strings;
  for (int i = 0; i < 100000; ++i) strings += text("token " + std::to_string(i));
  const std::string file = start(0, 1) + array("tokens", Kind::string, 100000, strings);
  test::FailingAllocator allocator;
  const auto parsed = Gguf::parse(bytes_of(file), "some.gguf", &allocator);
  REQUIRE(parsed);
  CHECK(allocator.requests == 1);
  CHECK(allocator.peak < 4096);
  std::size_t i = 0, wrong = 0;
  for (const dsvl::gguf::Value token : parsed->value("tokens"))
    wrong += token.string() != "token " + std::to_string(i++);
  CHECK(i == 100000);
  CHECK(wrong == 0);
}
