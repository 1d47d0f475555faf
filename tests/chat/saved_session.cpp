// The sections of a saved session: what a later version may add, and what cannot be left out, repeated or reordered.
#include <dsvl/chat/internal/saved_bytes.hpp>

#include "demo.hpp"
#include "memory.hpp"
#include "place.hpp"

using namespace dsvl;

namespace {

constexpr std::size_t kHead = 8 + 4, kHash = sizeof(ContentHash);

struct Section {
  std::uint32_t tag = 0, required = 1;
  std::string contents;
};

template <class T>
T read(std::string_view bytes, std::size_t at) {
  T out{};
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}
template <class T>
void put(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The sections of a file of version 2.
std::vector<Section> sections_of(std::string_view file) {
  std::vector<Section> out;
  for (std::size_t at = kHead; at + kHash < file.size();) {
    const auto size = static_cast<std::size_t>(read<std::uint64_t>(file, at + 8));
    out.push_back({read<std::uint32_t>(file, at), read<std::uint32_t>(file, at + 4), std::string(file.substr(at + 16, size))});
    at += 16 + size;
  }
  return out;
}

/// A file with these sections and the right hash.
std::string file_of(std::string_view head, const std::vector<Section>& sections) {
  std::string out(head.substr(0, kHead));
  for (const Section& s : sections) {
    put(out, s.tag), put(out, s.required), put(out, std::uint64_t{s.contents.size()});
    out += s.contents;
  }
  StreamHash hash;
  hash.add(std::as_bytes(std::span<const char>(out)));
  put(out, hash.value());
  return out;
}

/// A session with a turn and a picture, as a file.
const std::string& saved() {
  static const std::string bytes = [] {
    Session session = test::open_session();
    Answer answer = session.ask(test::tiny_vl() / "demo" / "000.png", "How many bars are there?", {.max_tokens = 4});
    while (answer.next()) {}
    const auto path = test::temporary("sections");
    REQUIRE(session.save(path).ok());
    std::string read = test::read_file(path);
    std::filesystem::remove(path);
    return read;
  }();
  return bytes;
}

Status load_bytes(std::string_view bytes) {
  const auto session = Session::load(test::tiny_model(), std::as_bytes(std::span<const char>(bytes)));
  if (!session) return session.error();
  CHECK(session->turns() == 1);
  return {};
}

}  // namespace

TEST_CASE("a saved session is five sections, each of which has to be known") {
  const std::vector<Section> sections = sections_of(saved());
  REQUIRE(sections.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK((sections[i].tag == i + 1 && sections[i].required == 1));
  CHECK(file_of(saved(), sections) == saved());
  CHECK(load_bytes(saved()).ok());
}

TEST_CASE("a section that a later version adds is skipped, unless it has to be known") {
  for (const std::size_t at : {std::size_t{0}, std::size_t{2}, std::size_t{5}}) {
    CAPTURE(at);
    std::vector<Section> sections = sections_of(saved());
    sections.insert(sections.begin() + static_cast<Index>(at), {77, 0, "sizes of pictures, say"});
    CHECK(load_bytes(file_of(saved(), sections)).ok());
    sections[at].required = 1;
    const Status refused = load_bytes(file_of(saved(), sections));
    CHECK(refused.code() == Code::unsupported);
    CHECK(std::string_view(refused.text()).find("section 77") != std::string_view::npos);
  }
}

TEST_CASE("sections that are missing, twice there, too long, or in front of the identity are damage") {
  const std::vector<Section> whole = sections_of(saved());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::vector<Section> sections = whole;
    sections.erase(sections.begin() + static_cast<Index>(i));
    CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
    sections = whole;
    sections.push_back(whole[i]);
    CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
    sections = whole;
    sections[i].contents += '\0';
    CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
    sections = whole;
    sections[i].contents.pop_back();
    CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
  }
  std::vector<Section> sections = whole;
  std::swap(sections[0], sections[1]);
  CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
  std::swap(sections[0], sections[1]);
  std::swap(sections[2], sections[4]);  // behind the identity their order says nothing
  CHECK(load_bytes(file_of(saved(), sections)).ok());
}

TEST_CASE("the hash of a file does not depend on the pieces it was written in") {
  const std::string bytes = "0123456789abcdefghijklmnopqrstuvwxyz";
  const auto hash_of = [&](std::size_t piece) {
    StreamHash hash;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      hash.add(std::as_bytes(std::span<const char>(bytes).subspan(at, std::min<std::size_t>(piece, bytes.size() - at))));
    return hash.value();
  };
  for (std::size_t piece = 1; piece < 20; ++piece) CHECK(hash_of(piece) == hash_of(bytes.size()));
}

TEST_CASE("a made-up file takes memory by the session's limits, and not by its own size") {
  const std::vector<Section> whole = sections_of(saved());
  SessionOptions options;
  test::CountingAllocator memory;
  options.host.allocator = &memory;
  options.limits.context = 128;
  const auto refused = [&](const std::vector<Section>& sections) {
    const std::string file = file_of(saved(), sections);
    const auto session = Session::load(test::tiny_model(), std::as_bytes(std::span<const char>(file)), options);
    REQUIRE_FALSE(session);
    return session.error().code();
  };
  const auto numbers = [](std::initializer_list<std::uint64_t> values) {
    std::string out;
    for (const std::uint64_t v : values) put(out, v);
    return out;
  };
  const std::string part = std::string(1, '\0') + numbers({0, 0});  // a text of no bytes
  std::vector<Section> sections = whole;
  sections[3].contents = numbers({1 << 20}) + std::string(8 << 20, '\0');  // turns without parts
  CHECK(refused(sections) == Code::bad_file);
  sections[3].contents = numbers({1 << 16});
  for (int i = 0; i < 1 << 16; ++i) sections[3].contents += numbers({1}) + part;
  CHECK(refused(sections) == Code::limit);
  sections[3].contents = numbers({1, 1 << 16});
  for (int i = 0; i < 1 << 16; ++i) sections[3].contents += part;
  CHECK(refused(sections) == Code::limit);
  sections[3].contents = numbers({1, 1}) + std::string(1, '\0') + numbers({1 << 20}) + std::string(1 << 20, 'x') + numbers({0});
  CHECK(refused(sections) == Code::limit);
  sections[3].contents = numbers({1, 1}) + std::string(1, '\2') + numbers({0, 1 << 20}) + std::string(4 << 20, '\1');
  CHECK(refused(sections) == Code::limit);
  CHECK(memory.peak < std::size_t{1} << 20);
}

TEST_CASE("a part that has ids and is no part of ids, and a turn without parts, are damage") {
  std::vector<Section> sections = sections_of(saved());
  std::string turn;
  put(turn, std::uint64_t{1}), put(turn, std::uint64_t{1});
  turn += '\0';  // text
  put(turn, std::uint64_t{2}), turn += "Hi", put(turn, std::uint64_t{1}), put(turn, std::int32_t{5});
  sections[3].contents = turn;
  CHECK(load_bytes(file_of(saved(), sections)).code() == Code::bad_file);
}
