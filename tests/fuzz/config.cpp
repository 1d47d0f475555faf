// config.json: any text gives an error, or sizes that go with one another.
#include <dsvl/model/config_json.hpp>

#include "target.hpp"

namespace fuzz_config {
using namespace dsvl;

void check_decoder(const DecoderDims& d) {
  FUZZ_CHECK(d.hidden > 0 && d.intermediate > 0 && d.layers > 0 && d.vocab > 0);
  FUZZ_CHECK(d.heads.heads > 0 && d.heads.kv_heads > 0 && d.heads.heads % d.heads.kv_heads == 0);
  FUZZ_CHECK(d.heads.head_dim > 0 && d.heads.head_dim % 2 == 0);
  FUZZ_CHECK(d.eps > 0 && std::isfinite(d.eps) && d.rope_theta > 0 && std::isfinite(d.rope_theta));
}

void run(fuzz::Input in) {
  fuzz::Memory memory;
  const auto document = json::Document::parse(in.rest(), "config.json", &memory);
  if (!document) return fuzz::check_error(document.error());
  const auto config = read_config(document->root(), "config.json");
  if (!config) return fuzz::check_error(config.error());
  check_decoder(config->decoder);
  FUZZ_CHECK(config->image_tokens() > 0);
  FUZZ_CHECK(config->siglip.layers > 0 && config->siglip.hidden % config->siglip.heads == 0);
  FUZZ_CHECK(config->aligner.hidden == config->decoder.hidden);
  FUZZ_CHECK(config->max_positions > 0);
  if (config->image_token) FUZZ_CHECK(*config->image_token >= 0 && *config->image_token < config->decoder.vocab);
  if (!config->high) return;
  FUZZ_CHECK(config->high->down.grid() == config->siglip.input.grid());
  FUZZ_CHECK(config->high->sam.tap >= 0 && config->high->sam.tap < config->high->sam.layers);
  FUZZ_CHECK(config->high->sam.hidden % config->high->sam.heads == 0);
}

}  // namespace fuzz_config

DSVL_FUZZ_TARGET(config)
