// The head of a GGUF file: an error, or metadata and tensors that lie inside it, whatever they are asked; and the
// tokenizer that it may carry.
#include <dsvl/text/tokenizer_gguf.hpp>

#include <cmath>

#include "target.hpp"

namespace fuzz_gguf {
using namespace dsvl;

/// Every question that a value answers, none of which may leave the file.
void question(gguf::Value value, std::span<const std::byte> file) {
  const auto inside = [&](std::string_view text) {
    const auto* const at = reinterpret_cast<const std::byte*>(text.data());
    return at >= file.data() && at + text.size() <= file.data() + file.size();
  };
  FUZZ_CHECK(!gguf::name(value.kind()).empty());
  if (const auto text = value.string()) FUZZ_CHECK(inside(*text));
  if (const auto number = value.number()) FUZZ_CHECK(std::isfinite(*number));
  if (const auto integer = value.integer()) FUZZ_CHECK(value.number() && !value.boolean());
  FUZZ_CHECK(value.is_array() || (value.size() == 0 && value.begin() == value.end()));
  std::size_t count = 0;
  for (const gguf::Value element : value) {
    FUZZ_CHECK(element.kind() == value.element_kind() && !element.is_array());
    if (count++ < 64) question(element, file);
  }
  FUZZ_CHECK(count == value.size() && value[count].missing());
  if (count > 0) FUZZ_CHECK(value[count - 1].kind() == value.element_kind());
}

void run(fuzz::Input in) {
  const std::span<const std::byte> file = fuzz::bytes_of(in.rest());
  fuzz::Memory memory;
  const auto parsed = Gguf::parse(file, "input", &memory);
  if (!parsed) return fuzz::check_error(parsed.error());
  FUZZ_CHECK(parsed->version() == 2 || parsed->version() == 3);
  for (const gguf::Value value : parsed->values()) {
    FUZZ_CHECK(parsed->value(value.key()).kind() == value.kind());
    question(value, file);
  }
  std::string_view before;
  for (const TensorInfo& tensor : parsed->tensors()) {
    FUZZ_CHECK(tensor.data >= file.data() && tensor.data + tensor.bytes <= file.data() + file.size());
    FUZZ_CHECK(parsed->find(tensor.name) == &tensor && (&tensor == parsed->tensors().data() || before < tensor.name));
    before = tensor.name;
    static_cast<void>(as_matrix(tensor).has_value());
  }
  const auto tokenizer = read_tokenizer_gguf(*parsed, "input", &memory);
  if (!tokenizer) return fuzz::check_error(tokenizer.error());
  Buffer<std::int32_t> ids(&memory);
  FUZZ_CHECK(tokenizer->encode("Hello 1 \xE4\xBD\xA0", ControlTokens::as_text, ids).ok());
  FUZZ_CHECK(tokenizer->decode(ids.span()) == "Hello 1 \xE4\xBD\xA0");
}

}  // namespace fuzz_gguf

DSVL_FUZZ_TARGET(gguf)
