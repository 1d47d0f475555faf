// A safetensors file: an error, or tensors that cover its data exactly.
#include <dsvl/io/safetensors.hpp>

#include "target.hpp"

namespace fuzz_safetensors {
using namespace dsvl;

void run(fuzz::Input in) {
  const std::span<const std::byte> file = fuzz::bytes_of(in.rest());
  fuzz::Memory memory;
  const auto parsed = Safetensors::parse(file, "input", &memory);
  if (!parsed) return fuzz::check_error(parsed.error());
  std::size_t bytes = 0;
  std::string_view before;
  for (const TensorInfo& tensor : parsed->tensors()) {
    FUZZ_CHECK(tensor.data >= file.data() && tensor.data + tensor.bytes <= file.data() + file.size());
    FUZZ_CHECK(before.empty() || before < tensor.name);
    FUZZ_CHECK(parsed->find(tensor.name) == &tensor);
    before = tensor.name;
    bytes += tensor.bytes;
    if (const auto matrix = as_matrix(tensor)) {
      FUZZ_CHECK(matrix->rows >= 0 && matrix->cols >= 0);
      FUZZ_CHECK(tensor.bytes == 0 || !checked_multiply(static_cast<std::uint64_t>(matrix->rows),
                                                        static_cast<std::uint64_t>(matrix->cols)) ||
                 matrix->rows <= static_cast<Index>(tensor.bytes));
    }
  }
  FUZZ_CHECK(bytes < file.size());
  for (const json::Value value : parsed->metadata()) FUZZ_CHECK(value.is_string());
}

}  // namespace fuzz_safetensors

DSVL_FUZZ_TARGET(safetensors)
