// The small files of a model together: how pictures are prepared, what ends an answer. An input is config.json,
// preprocessor_config.json, processor_config.json and generation_config.json, with a NUL behind each; an empty one is not
// there.
#include <dsvl/model/settings.hpp>

#include "target.hpp"

namespace fuzz_settings {
using namespace dsvl;

void run(fuzz::Input in) {
  std::vector<NamedBytes> files;
  for (const char* name :
       {"config.json", "preprocessor_config.json", "processor_config.json", "generation_config.json"})
    if (const std::string_view text = in.until_nul(); !text.empty()) files.push_back({name, fuzz::bytes_of(text)});
  fuzz::Memory memory;
  std::vector<Setting> list;
  const auto settings = read_settings(Folder::memory(files), &memory, {}, &list);
  if (!settings) return fuzz::check_error(settings.error());
  FUZZ_CHECK(!list.empty());
  const Status usable = check(settings->config.preprocess);
  FUZZ_CHECK(usable.ok());
  FUZZ_CHECK(settings->config.preprocess.low.side == settings->config.siglip.input.image);
  FUZZ_CHECK((settings->config.preprocess.high.side != 0) == settings->config.high.has_value());
  for (const auto* ids : {&settings->end.text, &settings->end.generation})
    for (const std::int32_t id : *ids) FUZZ_CHECK(id >= 0 && id < settings->config.decoder.vocab);
}

}  // namespace fuzz_settings

DSVL_FUZZ_TARGET(settings)
