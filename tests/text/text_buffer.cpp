// Text that grows where memory may end.
#include <doctest/doctest.h>

#include <dsvl/base/status.hpp>
#include <dsvl/text/text_buffer.hpp>
#include <string>

#include "../io/failing_allocator.hpp"

using namespace dsvl;

TEST_CASE("a text grows by strings and characters, and loses bytes in front") {
  test::FailingAllocator memory;
  {
    TextBuffer text(&memory);
    CHECK((text.empty() && text.view().empty()));
    std::string want;
    for (int i = 0; i < 500; ++i) {
      text.append("ab");
      (text += std::to_string(i)) += "é";
      text.push_back('\n');
      want += "ab" + std::to_string(i) + "é\n";
    }
    CHECK(text.view() == want);
    CHECK((text.size() == want.size() && !text.empty() && !text.full()));
    text.remove_prefix(7);
    CHECK(text.view() == want.substr(7));
    text.remove_prefix(0);
    text.push_back('!');
    CHECK(text.view() == want.substr(7) + "!");
    text.remove_prefix(text.size());
    CHECK(text.empty());
    text += "again";
    CHECK(text.view() == "again");
    text.clear();
    CHECK((text.empty() && memory.live > 0));
  }
  CHECK(memory.live == 0);
}

TEST_CASE("zero bytes are bytes") {
  using namespace std::string_view_literals;
  TextBuffer text;
  text.append("a\0b"sv);
  text.push_back('\0');
  CHECK(text.view() == "a\0b\0"sv);
}

TEST_CASE("what does not fit a fixed room is dropped, and the text says so until it is cleared") {
  char room[8];
  TextBuffer text{std::span<char>(room)};
  text.append("hello");
  CHECK(text.view().data() == room);
  text.append("");
  CHECK_FALSE(text.full());
  text.append("four");
  CHECK((text.full() && text.view() == "hello"));
  text.push_back('t');
  CHECK((text.full() && text.view() == "hellot"));
  text.append("wo");
  CHECK((text.full() && text.view() == "hellotwo"));
  text.push_back('!');
  CHECK((text.full() && text.view() == "hellotwo"));
  text.remove_prefix(5);
  CHECK((text.full() && text.view() == "two"));
  text.clear();
  CHECK((text.empty() && !text.full()));
  text.append("12345678");
  CHECK((!text.full() && text.size() == 8));
  text.push_back('9');
  CHECK((text.full() && text.view() == "12345678"));
}

TEST_CASE("when memory is refused a text stays as it was and says so from then on") {
  test::FailingAllocator memory(1);
  TextBuffer text(&memory);
  text += "some";
  const std::string large(1000, 'x');
  text += large;
  CHECK((text.full() && text.view() == "some"));
  text += large;
  CHECK((text.full() && text.view() == "some" + large));
}

TEST_CASE("what was reserved can be filled without asking for memory") {
  test::FailingAllocator memory;
  TextBuffer text(&memory);
  REQUIRE(text.reserve(100));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) text += "xy";
    text.clear();
  }
  CHECK((memory.requests == 1 && !text.full()));
  char room[4];
  TextBuffer fixed{std::span<char>(room)};
  CHECK((fixed.reserve(4) && !fixed.reserve(5)));
  CHECK_FALSE(fixed.full());
}
