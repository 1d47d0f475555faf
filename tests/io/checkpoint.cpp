#include <doctest/doctest.h>
#include <dsvl/io/checkpoint.hpp>

#include <string>
#include <vector>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "support.hpp"

using dsvl::Checkpoint;
using dsvl::Code;
using dsvl::Folder;
using dsvl::LoadMode;

namespace {

using test::safetensors_file;

/// Two shards and an index; tests change what they want before they call folder().
struct Sharded {
  std::string index = R"({"metadata":{"total_size":6},)"
                      R"("weight_map":{"z":"one.safetensors","a":"two.safetensors","m":"one.safetensors"}})";
  std::string one = safetensors_file(R"({"m":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                            R"("z":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})", "mmzz");
  std::string two = safetensors_file(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                            R"("unlisted":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}})", "aauu");
  std::string single;
  bool has_two = true;

  Folder folder() const {
    std::vector<dsvl::NamedBytes> table;
    const auto add = [&table](const char* name, const std::string& text) {
      table.push_back({name, std::as_bytes(std::span(text))});
    };
    if (!single.empty()) add("model.safetensors", single);
    if (!index.empty()) add("model.safetensors.index.json", index);
    add("one.safetensors", one);
    if (has_two) add("two.safetensors", two);
    return Folder::memory(table);
  }
  std::string error() const {
    const auto checkpoint = Checkpoint::open(folder());
    return checkpoint ? std::string()
                      : std::string(name(checkpoint.error().code())) + ": " + checkpoint.error().text();
  }
};

using test::has;

}  // namespace

TEST_CASE("the tensors of several files are one list in the order of names") {
  const Sharded sharded;
  auto opened = Checkpoint::open(sharded.folder());
  REQUIRE(opened);
  const Checkpoint checkpoint = std::move(*opened);
  REQUIRE(checkpoint.tensors().size() == 3);
  CHECK(checkpoint.tensors()[0].name == "a");
  CHECK(checkpoint.tensors()[1].name == "m");
  CHECK(checkpoint.tensors()[2].name == "z");
  CHECK(checkpoint.parts().size() == 2);
  REQUIRE(checkpoint.find("z"));
  CHECK(*checkpoint.find("z")->data == std::byte{'z'});
  CHECK_FALSE(checkpoint.find("unlisted"));
}

TEST_CASE("a single file is preferred to an index") {
  Sharded sharded;
  sharded.single = safetensors_file(R"({"only":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", "oo");
  const auto checkpoint = Checkpoint::open(sharded.folder());
  REQUIRE(checkpoint);
  CHECK(checkpoint->tensors().size() == 1);
  CHECK(checkpoint->find("only"));
  const auto named = Checkpoint::open_file(sharded.folder(), "two.safetensors");
  REQUIRE(named);
  CHECK(named->find("unlisted"));
}

TEST_CASE("a folder without weights says what it looked for") {
  const auto checkpoint = Checkpoint::open(Folder::memory({}));
  CHECK(checkpoint.error().code() == Code::not_found);
  CHECK(has(checkpoint.error().text(), "model.safetensors (in memory): no such file, nor model.safetensors.index"));
}

TEST_CASE("an index that does not fit its files is refused, and both are named") {
  Sharded sharded;
  sharded.has_two = false;
  CHECK(has(sharded.error(), "not_found: two.safetensors (in memory): no such file"));
  sharded = {};
  sharded.index = R"({"weight_map":{"a":"one.safetensors"}})";
  CHECK(has(sharded.error(), "not_found: one.safetensors (in memory): does not have tensor 'a', which the index"));
  sharded.index = R"({"weight_map":{"a":"../one.safetensors"}})";
  CHECK(has(sharded.error(), "bad_file: model.safetensors.index.json (in memory): file name '../one.safetensors'"));
  sharded.index = R"({"weight_map":{"a":1}})";
  CHECK(has(sharded.error(), "tensor 'a' has no file name"));
  sharded.index = R"({"weight_map":{}})";
  CHECK(has(sharded.error(), "its \"weight_map\" is empty"));
  sharded.index = R"({"weights":{}})";
  CHECK(has(sharded.error(), "has no object \"weight_map\""));
  sharded.index = "[";
  CHECK(has(sharded.error(), "model.safetensors.index.json (in memory): byte"));
  sharded.index = R"({"weight_map":{"a":"one.safetensors","a":"two.safetensors"}})";
  CHECK(has(sharded.error(), "the key 'a' is there twice"));
  sharded = {};
  sharded.two.resize(sharded.two.size() - 1);
  CHECK(has(sharded.error(), "bad_file: two.safetensors (in memory): tensor 'unlisted' ends at byte 4 of 3"));
  sharded = {};
  sharded.index = "{\"weight_map\":{";
  for (int i = 0; i < 300; ++i) sharded.index += "\"t" + std::to_string(i) + "\":\"f" + std::to_string(i) + "\",";
  sharded.index.back() = '}';
  sharded.index += '}';
  CHECK(has(sharded.error(), "limit: model.safetensors.index.json (in memory): names more than 256 files"));
}

TEST_CASE("progress runs once over the bytes of all files") {
  const Sharded sharded;
  struct Seen {
    std::vector<double> done;
    double total = 0;
  } seen;
  const dsvl::Progress progress{[](void* user, dsvl::Stage, double done, double total) {
                                  static_cast<Seen*>(user)->done.push_back(done);
                                  static_cast<Seen*>(user)->total = total;
                                },
                                &seen};
  REQUIRE(Checkpoint::open(sharded.folder(), LoadMode::map, nullptr, progress));
  const double one = static_cast<double>(sharded.one.size()), two = static_cast<double>(sharded.two.size());
  CHECK(seen.done == std::vector<double>{one, one + two});
  CHECK(seen.total == one + two);
}

TEST_CASE("opening stops when it is cancelled") {
  dsvl::CancelToken cancel;
  cancel.cancel();
  const auto checkpoint = Checkpoint::open(Folder::directory(test::tiny_vl()), LoadMode::read, nullptr, {}, &cancel);
  CHECK(checkpoint.error().code() == Code::cancelled);
}

TEST_CASE("every load mode finds the same tensors of the model that ships with the project") {
  const auto mapped = Checkpoint::open(Folder::directory(test::tiny_vl()));
  REQUIRE(mapped);
  CHECK(mapped->tensors().size() > 100);
  dsvl::Index parameters = 0;
  for (const dsvl::TensorInfo& tensor : mapped->tensors()) {
    const auto matrix = as_matrix(tensor);
    REQUIRE(matrix);
    CHECK(static_cast<std::size_t>(matrix->bytes()) == tensor.bytes);
    parameters += matrix->rows * matrix->cols;
  }
  CHECK(parameters > 4'800'000);
  CHECK(parameters < 5'000'000);
  for (const LoadMode mode : {LoadMode::read, LoadMode::prefault}) {
    const auto other = Checkpoint::open(Folder::directory(test::tiny_vl()), mode);
    REQUIRE(other);
    REQUIRE(other->tensors().size() == mapped->tensors().size());
    for (std::size_t i = 0; i < other->tensors().size(); ++i) {
      const dsvl::TensorInfo &a = mapped->tensors()[i], &b = other->tensors()[i];
      REQUIRE(a.name == b.name);
      REQUIRE(a.bytes == b.bytes);
      REQUIRE(std::memcmp(a.data, b.data, a.bytes) == 0);
    }
  }
}

TEST_CASE("files of the test data are read, whatever dtypes are in them") {
  for (const char* name : {"tiny-lowres", "tiny-hybrid"}) {
    CHECK(Checkpoint::open(Folder::directory(test::data(name))));
    const auto golden = Checkpoint::open_file(Folder::directory(test::data(name)), "golden.safetensors");
    REQUIRE(golden);
    const dsvl::TensorInfo* const ids = golden->find("input_ids");
    REQUIRE(ids);
    CHECK(ids->shape[0] == 48);
    CHECK(as_matrix(*ids).error().code() == Code::unsupported);
  }
}

TEST_CASE("an allocator that says no at any place gives out_of_memory") {
  const Sharded sharded;
  const int sharded_requests = test::refuse_each([&](dsvl::Allocator& allocator) {
    return Checkpoint::open(sharded.folder(), LoadMode::map, &allocator).error();
  });
  CHECK(sharded_requests >= 8);
  const Folder folder = Folder::directory(test::data("tiny-lowres"));
  const int read_requests = test::refuse_each([&](dsvl::Allocator& allocator) {
    return Checkpoint::open(folder, LoadMode::read, &allocator).error();
  });
  CHECK(read_requests >= 8);
}

TEST_CASE("a shard may lie below the model's folder, and nowhere else") {
  const std::string weights = safetensors_file(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", "aa");
  const auto open = [&](const std::string& name) {
    const std::string index = "{\"weight_map\":{\"a\":\"" + name + "\"}}";
    const dsvl::NamedBytes table[] = {{"model.safetensors.index.json", std::as_bytes(std::span(index))},
                                      {name, std::as_bytes(std::span(weights))}};
    return Checkpoint::open(Folder::memory(table)).error().code();
  };
  CHECK(open("shards/1.safetensors") == Code::ok);
  for (const char* name : {"../1.safetensors", "/1.safetensors", "a/../1.safetensors", "./1.safetensors", "a//1.safetensors", "c:1.safetensors"})
    CHECK(open(name) == Code::bad_file);
}
