// UTF-8: reading, repairing, streaming.
#include <doctest/doctest.h>

#include <string>

#include "dsvl/base/utf8.hpp"
#include "dsvl/text/byte_alphabet.hpp"
#include "tokenizers.hpp"

using namespace dsvl;
using namespace std::string_literals;

TEST_CASE("every Unicode scalar value survives writing and reading, and nothing else is valid") {
  std::size_t valid = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    std::string text;
    utf8::append(text, c);
    const utf8::Character read = utf8::read(text, 0);
    const bool surrogate = c >= 0xD800 && c < 0xE000;
    if (read.valid && read.code == (surrogate ? 0xFFFD : c) && read.bytes == text.size()) ++valid;
  }
  CHECK(valid == 0x110000);
  std::string out;
  utf8::append(out, 0x110000);
  CHECK(out == utf8::kReplacement);
  for (const char* broken : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                             "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98"}) {
    CAPTURE(broken);
    CHECK(utf8::first_invalid(broken) == 0);
  }
}

TEST_CASE("an error names the offset of the first bad byte") {
  CHECK(utf8::validate("").ok());
  CHECK(utf8::validate("a long text in ASCII, then é and 😁").ok());
  const Status s = utf8::validate("eight by\xC3\xA9tes \xE2\x82!");
  CHECK(s.code() == Code::bad_text);
  CHECK(std::string(s.text()).find("byte 14 (0xE2)") != std::string::npos);
}

TEST_CASE("repair puts one U+FFFD for each maximal broken part") {
  const std::string r(utf8::kReplacement);
  CHECK(utf8::repair("abc") == "abc");
  CHECK(utf8::repair("a\xE2\x82z") == "a" + r + "z");          // a beginning that is not finished: one
  CHECK(utf8::repair("\xF0\x9F\x98") == r);                     // likewise at the end
  CHECK(utf8::repair("\xED\xA0\x80") == r + r + r);             // a surrogate: not even a beginning
  CHECK(utf8::repair("\xC0\xAF\xE0\x80\xBF") == r + r + r + r + r);
  CHECK(utf8::repair("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == r + r + r + r + "A");  // Unicode, table 3-11
  CHECK(utf8::repair("F\xFChrer") == "F" + r + "hrer");
}

TEST_CASE("a stream gives whole characters only, and the same text however its bytes are cut") {
  test::Random random;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = test::random_text(random, 1 + random.below(12));
    for (std::size_t n = random.below(4); n > 0; --n)  // break some of it
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    std::string out;
    Utf8Stream stream;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = random.below(6);
      stream.push(std::string_view(bytes).substr(at, n), out);
      CHECK(utf8::validate(out).ok());
      at += n;
    }
    stream.flush(out);
    CHECK(out == utf8::repair(bytes));
  }
}

TEST_CASE("a stream holds back an emoji until its last byte, and says U+FFFD when it never comes") {
  Utf8Stream stream;
  std::string out;
  for (const char byte : "a\xF0\x9F\x98"s) stream.push(std::string_view(&byte, 1), out);
  CHECK(out == "a");
  stream.push("\x81", out);
  CHECK(out == "a😁");
  stream.push("\xF0\x9F", out);
  stream.flush(out);
  CHECK(out == "a😁" + std::string(utf8::kReplacement));
  stream.flush(out);
  CHECK(out.size() == 8);
}

TEST_CASE("the byte alphabet spells space, line feed, delete and soft hyphen as GPT-2 does, and each byte once") {
  std::string bytes;
  CHECK(kByteAlphabet.decode("ĠĊġŃÿ!", bytes));
  CHECK(bytes == " \n\x7F\xAD\xFF!");
  CHECK_FALSE(kByteAlphabet.decode("｜", bytes));
  CHECK_FALSE(kByteAlphabet.decode(" ", bytes));
  int times[256] = {};
  for (char32_t c = 0; c < 0x400; ++c)
    if (const int b = kByteAlphabet.byte(c); b >= 0) ++times[b];
  for (const int n : times) CHECK(n == 1);
}
