// A GGUF model in several files: names, and what is missing or does not belong together.
#include <doctest/doctest.h>
#include <dsvl/io/checkpoint.hpp>
#include <dsvl/convert/gguf_writer.hpp>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "messages.hpp"

using namespace dsvl;

namespace {

/// One file with one tensor of one number, and what it says of itself.
std::string shard(std::string_view tensor, float value, Index number, Index count) {
  GgufHead head;
  head.set("general.architecture", number == 0 ? "test" : "");
  if (count > 0)
    head.set(gguf::kShardKey, static_cast<std::uint32_t>(number)).set(gguf::kShardsKey, static_cast<std::uint32_t>(count));
  const Index shape[] = {1};
  REQUIRE(head.add(tensor, shape, "F32", 4));
  std::string file = head.text();
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
  return file;
}

std::map<std::string, std::string> three() {
  return {{"m-00001-of-00003.gguf", shard("c", 3, 0, 3)},
          {"m-00002-of-00003.gguf", shard("a", 1, 1, 3)},
          {"m-00003-of-00003.gguf", shard("b", 2, 2, 3)}};
}
Folder folder(const std::map<std::string, std::string>& files) {
  std::vector<NamedBytes> named;
  for (const auto& [name, text] : files) named.push_back({name, std::as_bytes(std::span(text))});
  return Folder::memory(named);
}
std::string error(const std::map<std::string, std::string>& files, std::string_view name) {
  const auto checkpoint = Checkpoint::open_file(folder(files), name);
  REQUIRE_FALSE(checkpoint);
  return std::string(dsvl::name(checkpoint.error().code())) + ": " + checkpoint.error().text();
}
using test::has;

}  // namespace

TEST_CASE("a shard's name is taken apart, and any other name is not one") {
  const auto shard = gguf::shard_name("deep-seek-00002-of-00013.gguf");
  REQUIRE(shard);
  CHECK((shard->stem == "deep-seek" && shard->number == 2 && shard->count == 13));
  CHECK(shard->file(13) == "deep-seek-00013-of-00013.gguf");
  for (const char* name : {"model.gguf", "-00001-of-00002.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-0001-of-0002.gguf",
                           "m-00001-of-00002.bin", "m-0000a-of-00002.gguf", "m_00001-of-00002.gguf", ""})
    CHECK_FALSE(gguf::shard_name(name));
  CHECK(gguf::shard_names("m-00002-of-00002.gguf") == std::vector<std::string>{"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"});
  CHECK(gguf::shard_names("model.gguf") == std::vector<std::string>{"model.gguf"});
}

TEST_CASE("whichever file of a model is named, all are opened, and the first has the metadata") {
  for (const char* name : {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"}) {
    const auto files = three();
    const auto checkpoint = Checkpoint::open_file(folder(files), name);
    REQUIRE(checkpoint);
    CHECK(checkpoint->parts().size() == 3);
    CHECK(checkpoint->parts()[0].gguf()->value("general.architecture").string() == "test");
    REQUIRE(checkpoint->tensors().size() == 3);
    const char* const names[] = {"a", "b", "c"};
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(checkpoint->tensors()[i].name == names[i]);
      float value = 0;
      std::memcpy(&value, checkpoint->tensors()[i].data, sizeof value);
      CHECK(value == static_cast<float>(i + 1));
    }
  }
}

TEST_CASE("a missing file of a model is named, and so is what needs it") {
  auto files = three();
  files.erase("m-00002-of-00003.gguf");
  const std::string message = error(files, "m-00003-of-00003.gguf");
  CHECK(has(message, "not_found: m-00002-of-00003.gguf (in memory): no such file"));
  CHECK(has(message, "m-00003-of-00003.gguf is one of the 3 files of a model"));
  CHECK(has(error({{"m-00001-of-00999.gguf", shard("a", 1, 0, 999)}}, "m-00001-of-00999.gguf"), "limit: "));
}

TEST_CASE("files that do not belong together, or were renamed, are refused with what they say of themselves") {
  auto files = three();
  files["m-00002-of-00003.gguf"] = shard("a", 1, 2, 3);
  CHECK(has(error(files, "m-00001-of-00003.gguf"), "bad_file: m-00002-of-00003.gguf (in memory): is part 3 of 3 of a model by its own account, by its name 2 of 3"));
  files = three();
  files["m-00002-of-00003.gguf"] = shard("a", 1, 1, 2);
  CHECK(has(error(files, "m-00001-of-00003.gguf"), "part 2 of 2"));
  files = three();
  files["m-00003-of-00003.gguf"] = shard("a", 1, 2, 3);
  CHECK(has(error(files, "m-00001-of-00003.gguf"), "has tensor 'a', as another file of the model does"));
  CHECK(has(error({{"renamed.gguf", shard("a", 1, 0, 3)}}, "renamed.gguf"), "renamed.gguf (in memory): is part 1 of 3 of a model by its own account, by its name 1 of 1"));
  CHECK(Checkpoint::open_file(folder({{"alone.gguf", shard("a", 1, 0, 1)}}), "alone.gguf"));
}
