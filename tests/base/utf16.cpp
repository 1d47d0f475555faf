// UTF-16 as Windows has it, lone surrogates included.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "dsvl/base/utf16.hpp"

using namespace dsvl;
using namespace std::string_view_literals;

TEST_CASE("every Unicode scalar value survives the way to UTF-16 and back") {
  std::size_t right = 0, units = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    utf8::append(text, c);
    const std::u16string wide = utf16::from_utf8<char16_t>(text);
    right += utf16::to_utf8(std::u16string_view(wide)) == text;
    units += wide.size();
  }
  CHECK(right == 0x110000 - 0x800);
  CHECK(units == 0x10000 - 0x800 + 2 * 0x100000);
  CHECK(utf16::from_utf8<char16_t>("a\u00E9\u4E2D\U0001F601"sv) == u"a\u00E9\u4E2D\U0001F601");
}

TEST_CASE("a surrogate without its other half becomes U+FFFD, wherever it stands, and nothing throws") {
  const char16_t high = 0xD83D, low = 0xDE01;
  const auto text = [](std::u16string units) { return utf16::to_utf8(std::u16string_view(units)); };
  CHECK(text({u'p', high, u'.', u'p'}) == "p\uFFFD.p");
  CHECK(text({high}) == "\uFFFD");
  CHECK(text({low}) == "\uFFFD");
  CHECK(text({high, high, low}) == "\uFFFD\U0001F601");
  CHECK(text({low, high}) == "\uFFFD\uFFFD");
  CHECK(text({high, low, low}) == "\U0001F601\uFFFD");
  CHECK(text({}) == "");
  std::size_t valid = 0;
  for (char32_t a = 0; a < 0x10000; a += 7) {
    const std::string some = text({static_cast<char16_t>(a), high, static_cast<char16_t>(0xFFFF - a), low});
    valid += utf8::first_invalid(some) == some.size();
  }
  CHECK(valid == (0x10000 + 6) / 7);
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD on the way to UTF-16") {
  CHECK(utf16::from_utf8<char16_t>("a\xFF\xC3(\xE2\x82"sv) == u"a\uFFFD\uFFFD(\uFFFD");
  CHECK(utf16::from_utf8<char16_t>("\xED\xA0\x80"sv) == u"\uFFFD\uFFFD\uFFFD");
}
