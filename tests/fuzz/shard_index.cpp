// model.safetensors.index.json beside two files that are in order: an error, or the tensors that it lists and no others.
#include <dsvl/io/checkpoint.hpp>

#include "target.hpp"

namespace fuzz_shard_index {
using namespace dsvl;

/// Of two tensors of four bytes.
std::string part(const std::string& first, const std::string& second) {
  const auto entry = [](const std::string& name, int from) {
    return '"' + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" + std::to_string(from) + "," +
           std::to_string(from + 4) + "]}";
  };
  const std::string header = "{" + entry(first, 0) + "," + entry(second, 4) + "}";
  return std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + std::string(8, 'x');
}

void run(fuzz::Input in) {
  static const std::string first = part("a", "b"), second = part("c", "d");
  const std::string_view index = in.rest();
  const NamedBytes files[] = {{Checkpoint::kIndex, fuzz::bytes_of(index)},
                              {"1.safetensors", fuzz::bytes_of(first)},
                              {"s/2.safetensors", fuzz::bytes_of(second)}};
  fuzz::Memory memory;
  const Folder folder = Folder::memory(files);
  const auto bytes = Checkpoint::bytes_of(folder, &memory);
  const auto checkpoint = Checkpoint::open(folder, LoadMode::read, &memory);
  if (!checkpoint) return fuzz::check_error(checkpoint.error());
  FUZZ_CHECK(bytes && *bytes <= first.size() + second.size());
  FUZZ_CHECK(!checkpoint->parts().empty() && checkpoint->parts().size() <= 2);
  std::size_t listed = 0;
  for (const TensorInfo& tensor : checkpoint->tensors()) {
    FUZZ_CHECK(checkpoint->find(tensor.name) == &tensor);
    FUZZ_CHECK(tensor.bytes == 4 && *tensor.data == std::byte{'x'});
    ++listed;
  }
  FUZZ_CHECK(listed > 0 && listed <= 4);
}

}  // namespace fuzz_shard_index

DSVL_FUZZ_TARGET(shard_index)
