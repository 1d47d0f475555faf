// Chat template: it writes a conversation as a Prompt, in the way of the original DeepSeek-VL or of its HF port.
//
// Both give "{system}\n\nUser: {question}\n\nAssistant:" with past answers closed by eos. They differ in the white
// space that they strip and in how they join texts. Base models have no template: their segments are used as they are.
// Sources: deepseek_vl/utils/conversation.py ("deepseek") with VLChatProcessor's
// apply_sft_template_for_multi_turn_prompts; the chat template of the HF checkpoints, in transformers'
// convert_deepseek_vl_weights_to_hf.py.
#ifndef DSVL_TEXT_CHAT_TEMPLATE_HPP
#define DSVL_TEXT_CHAT_TEMPLATE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "prompt.hpp"
#include "system_text.hpp"
#include "unicode.hpp"

DSVL_BEGIN_NAMESPACE

/// The speaker of a turn.
enum class Role : unsigned char { user, assistant };

/// The speaker's name in the prompt.
constexpr std::string_view name(Role role) noexcept { return role == Role::user ? "User" : "Assistant"; }

/// One turn: texts, places of pictures and (in an answer) generated ids, in order. It holds views, so what it was made
/// from must stay until the prompt has been encoded.
class Message {
 public:
  /// A question made of several segments.
  static constexpr Message user(std::span<const Segment> content) noexcept { return {Role::user, {}, content}; }
  /// A question that is one text, taken literally.
  static constexpr Message user(std::string_view text) noexcept { return {Role::user, Segment::plain(text), {}}; }
  /// A past answer as text, which the template writes and the tokenizer encodes again.
  static constexpr Message assistant(std::string_view text) noexcept {
    return {Role::assistant, Segment::plain(text), {}};
  }
  /// A past answer as its ids were (without eos). Encoding its text again may give other ids, and lose the prefix that
  /// is cached.
  static constexpr Message assistant(std::span<const std::int32_t> ids) noexcept {
    return {Role::assistant, Segment::tokens(ids), {}};
  }

  /// The speaker.
  [[nodiscard]] constexpr Role role() const noexcept { return role_; }
  /// The segments; valid while this object lives.
  [[nodiscard]] constexpr std::span<const Segment> content() const noexcept {
    return several_.empty() ? std::span<const Segment>(&only_, 1) : several_;
  }

 private:
  constexpr Message(Role role, Segment only, std::span<const Segment> several) noexcept
      : role_(role), only_(only), several_(several) {}

  Role role_;
  Segment only_;                      // the content when `several_` is empty
  std::span<const Segment> several_;
};

/// Splits a text into which the caller put "<image_placeholder>" on purpose: each becomes the place of a picture.
/// Appends to `content`; false when there is no memory.
[[nodiscard]] inline bool split_placeholders(std::string_view text, Buffer<Segment>& content) noexcept {
  for (std::size_t at; (at = text.find(kImageText)) != text.npos; text.remove_prefix(at + kImageText.size())) {
    if (at > 0 && !content.push_back(Segment::plain(text.substr(0, at)))) return false;
    if (!content.push_back(Segment::image())) return false;
  }
  return text.empty() || content.push_back(Segment::plain(text));
}

/// The form in which a conversation is written.
struct ChatTemplate {
  /// The reference whose white space is reproduced.
  enum class Style : unsigned char { original, hf };

  Style style = Style::original;  ///< by the layout of the model
  std::string_view system = kDefaultSystem;  ///< may be empty; the HF template itself knows only the default
  bool strip = true;              ///< false keeps white space, as the original's command line does with its prompt
  bool ask_for_answer = true;     ///< end with "Assistant:"
};

namespace chat_template {

/// `text` without the white space at its beginning, as Python's str.strip() sees it.
DSVL_COLD inline std::string_view strip_left(std::string_view text) noexcept {
  while (!text.empty()) {
    const utf8::Character c = utf8::read(text, 0);
    if (!c.valid || !unicode::is_strippable(c.code)) break;
    text.remove_prefix(c.bytes);
  }
  return text;
}

/// `text` without the white space at its end. It steps back by whole characters.
DSVL_COLD inline std::string_view strip_right(std::string_view text) noexcept {
  while (!text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    const utf8::Character c = utf8::read(text, at);
    if (!c.valid || at + c.bytes != text.size() || !unicode::is_strippable(c.code)) break;
    text = text.substr(0, at);
  }
  return text;
}

/// True for a segment of text.
constexpr bool is_text(const Segment& s) noexcept { return s.kind == Segment::Kind::text; }
/// True for a segment of ids.
constexpr bool is_ids(const Segment& s) noexcept { return s.kind == Segment::Kind::tokens; }

/// Appends segments to a prompt and remembers when memory ran out, so that only the end has to be checked.
class Out {
 public:
  /// Appends to `prompt`, which must outlive the object.
  explicit Out(Prompt& prompt) noexcept : prompt_(prompt) {}
  /// Appends a segment.
  void add(const Segment& s) noexcept { good_ = good_ && prompt_.push_back(s); }
  /// Appends a text, whose memory must outlive the prompt.
  void add(std::string_view text) noexcept { add(Segment::plain(text)); }
  /// Appends "User:" or "Assistant:", with a space unless what follows begins with its own. Generated ids do so: their
  /// first token has the space in it, or the model chose to leave it out.
  void add_role(Role role, bool space) noexcept {
    add(role == Role::user ? (space ? "User: " : "User:") : (space ? "Assistant: " : "Assistant:"));
  }
  /// Appends the system text, unless it is empty.
  void add_system(std::string_view system) noexcept {
    if (!system.empty()) add(system), add("\n\n");
  }
  /// Appends what closes a turn: an empty line behind a question, eos behind an answer.
  void end_turn(Role role) noexcept {
    if (role == Role::user) add("\n\n");
    else add(Segment::end_of_turn());
  }
  /// out_of_memory if any of the calls above had no memory.
  [[nodiscard]] Status status() const noexcept {
    return good_ ? Status() : fail(Code::out_of_memory, "no memory for a prompt of %zu parts", prompt_.size());
  }

 private:
  Prompt& prompt_;
  bool good_ = true;
};

/// Strips the two ends of [begin, end), whose neighbouring texts are one string to the reference. Segments that become
/// empty are left out of the range.
DSVL_COLD inline void strip_ends(Segment*& begin, Segment*& end) noexcept {
  while (begin != end && is_text(*begin) && (begin->text = strip_left(begin->text)).empty()) ++begin;
  while (begin != end && is_text(end[-1]) && (end[-1].text = strip_right(end[-1].text)).empty()) --end;
}

/// Strips the content of a turn, from segment `first` of the prompt on, as one string. False when nothing is left of
/// it.
DSVL_COLD inline bool original_content(Prompt& prompt, std::size_t first, bool strip) noexcept {
  Segment *begin = prompt.begin() + first, *end = prompt.end();
  if (strip) strip_ends(begin, end);
  end = std::remove_if(begin, end, [](const Segment& s) { return is_text(s) && s.text.empty(); });
  end = std::move(begin, end, prompt.begin() + first);
  (void)prompt.resize(static_cast<std::size_t>(end - prompt.begin()));  // smaller: cannot fail
  return prompt.size() > first;
}

/// Writes the conversation as the original does. A turn without content keeps its label and has no separator.
DSVL_COLD inline Status original(std::span<const Message> messages, const ChatTemplate& how, Prompt& prompt) noexcept {
  Out out(prompt);
  out.add_system(how.system);
  for (std::size_t i = 0; i < messages.size() + (how.ask_for_answer ? 1 : 0); ++i) {
    // The separator follows the parity of the turn, so the reference is only defined for turns that alternate.
    const Role turn = i % 2 == 0 ? Role::user : Role::assistant;
    const Role role = i < messages.size() ? messages[i].role() : Role::assistant;
    if (role != turn)
      return fail(Code::bad_argument, "turn %zu of the conversation is %s's: turns must alternate, from User on", i,
                  name(role).data());
    const std::size_t label = prompt.size();
    out.add_role(role, false);
    if (i == messages.size()) break;
    for (const Segment& s : messages[i].content()) out.add(s);
    DSVL_CHECK_STATUS(out.status());
    if (!original_content(prompt, label + 1, how.strip)) continue;
    if (!is_ids(prompt[label + 1])) prompt[label].text = role == Role::user ? "User: " : "Assistant: ";
    out.end_turn(turn);
  }
  DSVL_CHECK_STATUS(out.status());
  if (how.strip) {  // the reference strips the finished prompt once more
    Segment *begin = prompt.begin(), *end = prompt.end();
    strip_ends(begin, end);
    end = std::move(begin, end, prompt.begin());
    (void)prompt.resize(static_cast<std::size_t>(end - prompt.begin()));
  }
  return {};
}

/// Writes the conversation as the HF template does. Content is a list there: its first and last part are stripped when
/// they are text, and a space goes between two texts.
DSVL_COLD inline Status hf(std::span<const Message> messages, const ChatTemplate& how, Prompt& prompt) noexcept {
  Out out(prompt);
  out.add_system(how.system);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::span<const Segment> content = messages[i].content();
    const Role role = messages[i].role();
    const bool ends = i + 1 == messages.size() && !how.ask_for_answer;
    const bool open_answer = ends && role == Role::assistant && is_text(content[0]) && content[0].text.empty();
    out.add_role(role, !open_answer && !is_ids(content[0]));
    for (std::size_t part = 0; part < content.size(); ++part) {
      Segment s = content[part];
      if (part > 0 && is_text(s) && is_text(content[part - 1])) out.add(" ");
      if (how.strip && part == 0) s.text = strip_left(s.text);
      if (how.strip && part + 1 == content.size()) s.text = strip_right(s.text);
      out.add(s);
    }
    if (!ends) out.end_turn(role);
  }
  if (how.ask_for_answer) out.add_role(Role::assistant, false);
  return out.status();
}

}  // namespace chat_template

/// Replaces `prompt` by that of a conversation. All texts keep the ControlTokens they came with; what the template adds
/// needs none.
///
/// Codes  bad_argument (original style: turns that do not alternate), out_of_memory
DSVL_COLD
inline Status render_chat(std::span<const Message> messages, const ChatTemplate& how, Prompt& prompt) noexcept {
  prompt.clear();
  if (how.style == ChatTemplate::Style::hf) return chat_template::hf(messages, how, prompt);
  return chat_template::original(messages, how, prompt);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_CHAT_TEMPLATE_HPP
