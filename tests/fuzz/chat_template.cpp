// A conversation of any texts becomes a prompt, and the prompt ids: no text brings in a control token or a picture's
// place, and there are as many of both as the conversation calls for.
#include <dsvl/text/chat_template.hpp>
#include <dsvl/text/tokenizer_json.hpp>

#include "target.hpp"

namespace fuzz_chat_template {
using namespace dsvl;

const Tokenizer& tokenizer() {
  static const Tokenizer shipped = [] {
    auto read = read_tokenizer_json(fuzz::file("examples/models/tiny-vl/tokenizer.json"), "tokenizer.json",
                                    fuzz::file("examples/models/tiny-vl/tokenizer_config.json"));
    FUZZ_CHECK(read);
    return std::move(*read);
  }();
  return shipped;
}

constexpr std::size_t kMostTurns = 6, kMostParts = 5;

/// What a turn has of what is counted.
struct Conversation {
  std::vector<std::vector<Segment>> contents;
  std::vector<std::string> texts;
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<Message> messages;
  std::size_t images = 0, special_ids = 0;
  bool valid = true;
};

Conversation make(fuzz::Input& in) {
  Conversation c;
  c.contents.resize(in.number(kMostTurns));
  c.texts.reserve(kMostTurns * kMostParts);
  c.ids.reserve(kMostTurns * kMostParts);
  for (std::size_t t = 0; t < c.contents.size(); ++t) {
    std::vector<Segment>& content = c.contents[t];
    const bool user = in.byte() % 8 != 0 ? t % 2 == 0 : t % 2 == 1;
    for (std::size_t n = 1 + in.number(kMostParts - 1); n > 0; --n) {
      const std::uint8_t kind = in.byte() % 4;
      if (user && kind == 0) {
        content.push_back(Segment::image());
        ++c.images;
      } else if (!user && kind == 1) {
        std::vector<std::int32_t>& ids = c.ids.emplace_back(1 + in.number(3));
        for (std::int32_t& id : ids) {
          id = static_cast<std::int32_t>(in.number(600));
          c.special_ids += tokenizer().is_special(id);
          if (id == tokenizer().find(kImageText)) id = 0;
        }
        content.assign(1, Segment::tokens(ids));
      } else {
        const std::string& text = c.texts.emplace_back(in.text(80));
        c.valid = c.valid && utf8::validate(text).ok();
        content.push_back(Segment::plain(text));
      }
    }
    if (user) c.messages.push_back(Message::user(content));
    else if (content[0].kind == Segment::Kind::tokens) c.messages.push_back(Message::assistant(content[0].ids));
    else c.messages.push_back(Message::assistant(content[0].text));
  }
  return c;
}

void run(fuzz::Input in) {
  ChatTemplate how;
  const std::uint8_t flags = in.byte();
  how.style = flags & 1 ? ChatTemplate::Style::hf : ChatTemplate::Style::original;
  how.strip = !(flags & 2);
  how.ask_for_answer = !(flags & 4);
  const std::string system(in.text(60));
  how.system = system;
  const Conversation c = make(in);
  fuzz::Memory memory;
  Prompt prompt(&memory);
  const Status rendered = render_chat(c.messages, how, prompt);
  if (!rendered.ok()) {
    FUZZ_CHECK(rendered.code() == Code::bad_argument && how.style == ChatTemplate::Style::original);
    return fuzz::check_error(rendered);
  }
  std::size_t images = 0, ends = 0, given = 0;
  const Tokenizer& t = tokenizer();
  for (const Segment& s : prompt) {
    images += s.kind == Segment::Kind::image;
    ends += s.kind == Segment::Kind::end_of_turn;
    for (const std::int32_t id : s.ids) given += t.is_special(id);
    FUZZ_CHECK(s.control == ControlTokens::as_text);
  }
  FUZZ_CHECK(images == c.images && ends <= c.messages.size());
  FUZZ_CHECK(!to_string(prompt).empty() || prompt.empty());

  constexpr Index kRun = 3;
  const std::int32_t image = t.find(kImageText).value_or(-1);
  Buffer<std::int32_t> ids(&memory);
  Buffer<ImageSpan> spans(&memory);
  const Status encoded = encode_prompt(t, prompt.span(), image, kRun, ids, spans, &memory);
  if (!encoded.ok()) {
    FUZZ_CHECK(encoded.code() == Code::bad_text && (!c.valid || !utf8::validate(system).ok()));
    return fuzz::check_error(encoded);
  }
  std::size_t special = 0;
  for (const std::int32_t id : ids) {
    FUZZ_CHECK(id >= 0 && (id < t.vocab_size() || !c.ids.empty()));
    special += t.is_special(id) && id != image;
  }
  FUZZ_CHECK(special == ends + given + (t.bos() ? 1u : 0u));
  FUZZ_CHECK(spans.size() == images);
  for (const ImageSpan& span : spans)
    for (Index i = 0; i < span.count; ++i) FUZZ_CHECK(ids[static_cast<std::size_t>(span.first + i)] == image);
}

}  // namespace fuzz_chat_template

DSVL_FUZZ_TARGET(chat_template)
