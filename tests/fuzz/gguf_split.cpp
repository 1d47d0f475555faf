// A GGUF model in several files. An input is a name, a NUL, and the files' bytes one behind another: a file begins where
// "GGUF" stands. They are called m-00001-of-0000N.gguf and so on; the name says which is opened, and may be any.
#include <dsvl/io/checkpoint.hpp>

#include "target.hpp"

namespace fuzz_gguf_split {
using namespace dsvl;

void run(fuzz::Input in) {
  const std::string_view name = in.until_nul();
  std::string_view left = in.rest();
  std::vector<std::string_view> contents;
  while (!left.empty() && contents.size() < 8) {
    const std::size_t next = std::min<std::size_t>(left.find(gguf::kMagic, 1), left.size());
    contents.push_back(left.substr(0, next));
    left.remove_prefix(next);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < contents.size(); ++i)
    names.push_back(gguf::ShardName{"m", 1, static_cast<Index>(contents.size())}.file(static_cast<Index>(i) + 1));
  std::vector<NamedBytes> files;
  for (std::size_t i = 0; i < contents.size(); ++i) files.push_back({names[i], fuzz::bytes_of(contents[i])});
  fuzz::Memory memory;
  const auto checkpoint = Checkpoint::open_file(Folder::memory(files), name, LoadMode::read, &memory, {}, nullptr,
                                                Checkpoint::Accept::gguf);
  if (!checkpoint) return fuzz::check_error(checkpoint.error());
  FUZZ_CHECK(checkpoint->parts().size() == contents.size());
  std::size_t tensors = 0;
  for (const Checkpoint::Part& part : checkpoint->parts()) {
    FUZZ_CHECK(part.gguf() != nullptr);
    tensors += part.tensors().size();
  }
  FUZZ_CHECK(checkpoint->tensors().size() == tensors);
  for (const TensorInfo& tensor : checkpoint->tensors()) FUZZ_CHECK(checkpoint->find(tensor.name) == &tensor);
}

}  // namespace fuzz_gguf_split

DSVL_FUZZ_TARGET(gguf_split)
