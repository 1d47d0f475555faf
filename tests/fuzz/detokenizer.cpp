// From ids to what is shown: any ids through a StreamingDetokenizer, with any stop texts. Pieces are whole characters, and together
// the text; without stop texts that is Tokenizer::decode, and with them its beginning up to the first that is complete.
#include <dsvl/chat/internal/detokenizer.hpp>
#include <dsvl/text/tokenizer_json.hpp>

#include "target.hpp"

namespace fuzz_detokenizer {
using namespace dsvl;

const Tokenizer& tokenizer() {
  static const Tokenizer shipped = [] {
    auto read = read_tokenizer_json(fuzz::file("examples/models/tiny-vl/tokenizer.json"), "tokenizer.json");
    FUZZ_CHECK(read);
    return std::move(*read);
  }();
  return shipped;
}

std::string shown(std::span<const std::int32_t> ids, std::span<const std::string> stops, bool& stopped) {
  fuzz::Memory memory;
  std::string pieces;
  {
    StreamingDetokenizer transcript(&tokenizer(), 1 << 16, &memory);
    FUZZ_CHECK(transcript.ready());
    FUZZ_CHECK(transcript.begin(stops).ok());
    for (const std::int32_t id : ids) {
      if (transcript.stopped()) break;
      transcript.push(id);
      FUZZ_CHECK(utf8::validate(transcript.take()).ok());
      pieces = transcript.text();
    }
    transcript.flush();
    stopped = transcript.stopped();
    FUZZ_CHECK(transcript.text().starts_with(pieces));
    pieces = transcript.text();
    FUZZ_CHECK(!transcript.full());
  }
  return pieces;
}

/// Where the first stop text that is complete begins; of several that end at the same byte, the longest.
std::size_t first_stop(std::string_view text, std::span<const std::string> stops) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops)
      if (text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    if (longest > 0) return end - longest;
  }
  return std::string_view::npos;
}

void run(fuzz::Input in) {
  std::vector<std::string> stops(in.number(3));
  for (std::string& stop : stops)
    if (stop = std::string(in.text(6)); stop.empty() || !utf8::validate(stop).ok()) stop = "a";
  std::vector<std::int32_t> ids;
  while (!in.empty() && ids.size() < 512) {
    const auto id = in.value<std::int16_t>();
    ids.push_back(id % 7 == 0 ? id : id & 0x1FF);
  }
  const Tokenizer& t = tokenizer();
  std::string whole = t.decode(ids);
  whole.erase(0, std::min(whole.find_first_not_of(" \t\r\n"), whole.size()));
  bool stopped = false;
  FUZZ_CHECK(shown(ids, {}, stopped) == whole && !stopped);
  const std::string cut = shown(ids, stops, stopped);
  const std::size_t at = first_stop(whole, stops);
  FUZZ_CHECK(stopped == (at != std::string::npos));
  FUZZ_CHECK(cut == whole.substr(0, at));
}

}  // namespace fuzz_detokenizer

DSVL_FUZZ_TARGET(detokenizer)
