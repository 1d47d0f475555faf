// tokenizer.json, and behind a NUL tokenizer_config.json: an error, or a tokenizer that gives every text back, also when
// it has been through a GGUF file.
#include <dsvl/text/tokenizer_gguf.hpp>
#include <dsvl/text/tokenizer_json.hpp>

#include "target.hpp"

namespace fuzz_tokenizer_json {
using namespace dsvl;

constexpr std::string_view kTexts[] = {
    "", "Hello, world 123", " \r\n\t two  spaces ", "caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80",
    "<image_placeholder>User: a<\xEF\xBD\x9C" "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>\xCC\x81\xC2\xA0"};

void check_round_trip(const Tokenizer& tokenizer, Allocator* from) {
  for (const std::string_view text : kTexts)
    for (const ControlTokens control : {ControlTokens::as_text, ControlTokens::allow}) {
      Buffer<std::int32_t> ids(from);
      FUZZ_CHECK(tokenizer.encode(text, control, ids).ok());
      for (const std::int32_t id : ids) {
        FUZZ_CHECK(id >= 0 && id < tokenizer.vocab_size());
        FUZZ_CHECK(control == ControlTokens::allow || !tokenizer.is_special(id));
      }
      FUZZ_CHECK(tokenizer.decode(ids.span(), {.skip_special = false}) == text);
    }
}

void run(fuzz::Input in) {
  const std::string_view text = in.until_nul(), config = in.rest();
  fuzz::Memory memory;
  const auto tokenizer = read_tokenizer_json(text, "tokenizer.json", config, &memory);
  if (!tokenizer) return fuzz::check_error(tokenizer.error());
  check_round_trip(*tokenizer, &memory);
  for (const auto& id : {tokenizer->bos(), tokenizer->eos()})
    if (id) FUZZ_CHECK(*id >= 0 && *id < tokenizer->vocab_size());
}

}  // namespace fuzz_tokenizer_json

DSVL_FUZZ_TARGET(tokenizer_json)
