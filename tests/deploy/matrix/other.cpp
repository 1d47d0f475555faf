// The program's other file.
#ifdef MATRIX_HOSTILE
#include "hostile.hpp"
#endif
#include <dsvl/dsvl.hpp>
#include <dsvl/text/tokenizer.hpp>

std::size_t tokens_of(const dsvl::Model& model, std::string_view text);

std::size_t tokens_of(const dsvl::Model& model, std::string_view text) {
  dsvl::Buffer<std::int32_t> ids;
  const auto status = model.tokenizer()->encode(text, dsvl::ControlTokens::as_text, ids);
  return status.ok() ? ids.size() : 0;
}
