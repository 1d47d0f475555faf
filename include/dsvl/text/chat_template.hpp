// Chat template: a conversation becomes a Prompt, as the original DeepSeek-VL and as its HF port write it.
//
// Both give "{system}\n\nUser: {question}\n\nAssistant:" with past answers closed by eos; they differ in what they
// strip and join. For base models there is completion(), which adds nothing.
// Sources: deepseek_vl/utils/conversation.py ("deepseek") with VLChatProcessor's
// apply_sft_template_for_multi_turn_prompts; the chat template of the HF checkpoints, in transformers'
// convert_deepseek_vl_weights_to_hf.py.
#ifndef DSVL_TEXT_CHAT_TEMPLATE_HPP
#define DSVL_TEXT_CHAT_TEMPLATE_HPP

#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prompt.hpp"
#include "unicode.hpp"

DSVL_BEGIN_NAMESPACE

inline constexpr std::string_view kDefaultSystem =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language.";

/// A stop string the original's template lists beside eos; optional, for models that go on to speak for the user.
inline constexpr std::string_view kUserStop = "User:";

enum class Role : unsigned char { user, assistant };

constexpr std::string_view name(Role role) noexcept { return role == Role::user ? "User" : "Assistant"; }

/// One turn: texts, pictures' places and (in an answer) generated ids, in order.
struct Message {
  Role role = Role::user;
  std::vector<Segment> content;

  static Message user(std::vector<Segment> content) { return {Role::user, std::move(content)}; }
  static Message user(std::string_view text) { return {Role::user, {Segment::plain(text)}}; }
  static Message assistant(std::string_view text) { return {Role::assistant, {Segment::plain(text)}}; }
  /// A past answer as its ids were (without eos), rather than as the template would write its text.
  static Message assistant(std::vector<std::int32_t> ids) {
    return {Role::assistant, {Segment::tokens(std::move(ids))}};
  }
};

/// Text in which the caller has put "<image_placeholder>" on purpose: each becomes the place of a picture.
inline std::vector<Segment> split_placeholders(std::string_view text) {
  std::vector<Segment> content;
  for (std::size_t at; (at = text.find(kImageText)) != text.npos; text.remove_prefix(at + kImageText.size())) {
    if (at > 0) content.push_back(Segment::plain(text.substr(0, at)));
    content.push_back(Segment::image());
  }
  if (!text.empty()) content.push_back(Segment::plain(text));
  return content;
}

struct ChatTemplate {
  enum class Style : unsigned char { original, hf };

  Style style = Style::original;
  std::string_view system = kDefaultSystem;  ///< may be empty; the HF template itself knows only the default
  bool strip = true;           ///< off: as the original's command line, which passes its prompt through untouched
  bool ask_for_answer = true;  ///< end with "Assistant:"
};

namespace chat_template {

inline void strip_left(std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const utf8::Character c = utf8::read(text, at);
    if (!c.valid || !unicode::is_strippable(c.code)) break;
    at += c.bytes;
  }
  text.erase(0, at);
}

inline void strip_right(std::string& text) {
  while (!text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    const utf8::Character c = utf8::read(text, at);
    if (!c.valid || at + c.bytes != text.size() || !unicode::is_strippable(c.code)) break;
    text.erase(at);
  }
}

inline bool is_text(const Segment& s) noexcept { return s.kind == Segment::Kind::text; }

/// The original's content is one string: neighbouring texts are one, and its two ends are stripped.
inline std::vector<Segment> original_content(const Message& message, bool strip) {
  std::vector<Segment> content = message.content;
  const auto trim = [&](auto at, auto strip_end) {
    while (!content.empty() && is_text(*at())) {
      strip_end(at()->text);
      if (!at()->text.empty()) break;
      content.erase(at());
    }
  };
  if (strip) {
    trim([&] { return content.begin(); }, strip_left);
    trim([&] { return std::prev(content.end()); }, strip_right);
  }
  std::erase_if(content, [](const Segment& s) { return is_text(s) && s.text.empty(); });
  return content;
}

/// HF's content is a list: its first and last part are stripped when they are text, and a space goes between two texts.
inline std::vector<Segment> hf_content(const Message& message, bool strip) {
  std::vector<Segment> content = message.content;
  for (std::size_t i = content.size(); i-- > 0;) {
    if (!is_text(content[i])) continue;
    if (strip && i == 0) strip_left(content[i].text);
    if (strip && i + 1 == content.size()) strip_right(content[i].text);
    if (i > 0 && is_text(content[i - 1])) content[i].text.insert(0, 1, ' ');
  }
  return content;
}

inline void append(Prompt& to, std::vector<Segment> segments) {
  to.segments.insert(to.segments.end(), std::make_move_iterator(segments.begin()),
                     std::make_move_iterator(segments.end()));
}

/// "User:" or "Assistant:", and a space unless what follows brings its own (generated ids do, or deliberately do not).
inline void append_role(Prompt& to, Role role, bool space) {
  to.segments.push_back(Segment::plain(std::string(name(role)) + (space ? ": " : ":")));
}

inline bool starts_with_ids(const std::vector<Segment>& content) noexcept {
  return !content.empty() && content[0].kind == Segment::Kind::tokens;
}

inline Result<Prompt> original(std::span<const Message> messages, const ChatTemplate& how) {
  Prompt prompt;
  if (!how.system.empty()) prompt.segments.push_back(Segment::plain(std::string(how.system) + "\n\n"));
  for (std::size_t i = 0; i < messages.size() + (how.ask_for_answer ? 1 : 0); ++i) {
    // The separator follows the parity of the turn, so the reference is only defined for turns that alternate.
    const Role turn = i % 2 == 0 ? Role::user : Role::assistant;
    const Role role = i < messages.size() ? messages[i].role : Role::assistant;
    if (role != turn)
      return fail(Code::bad_argument, "turn %zu of the conversation is %s's: turns must alternate, from User on", i,
                  name(role).data());
    std::vector<Segment> content;
    if (i < messages.size()) content = original_content(messages[i], how.strip);
    append_role(prompt, role, !content.empty() && !starts_with_ids(content));
    if (content.empty()) continue;  // and no separator either
    append(prompt, std::move(content));
    prompt.segments.push_back(turn == Role::user ? Segment::plain("\n\n") : Segment::end_of_turn());
  }
  auto& segments = prompt.segments;
  if (how.strip && !segments.empty()) {  // the prompt as a whole
    if (is_text(segments.front())) strip_left(segments.front().text);
    if (is_text(segments.back())) strip_right(segments.back().text);
  }
  return prompt;
}

inline Prompt hf(std::span<const Message> messages, const ChatTemplate& how) {
  Prompt prompt;
  if (!how.system.empty()) prompt.segments.push_back(Segment::plain(std::string(how.system) + "\n\n"));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& m = messages[i];
    const bool ends = i + 1 == messages.size() && !how.ask_for_answer;
    const bool open_answer = ends && m.role == Role::assistant && !m.content.empty() && is_text(m.content[0]) &&
                             m.content[0].text.empty();
    append_role(prompt, m.role, !open_answer && !starts_with_ids(m.content));
    append(prompt, hf_content(m, how.strip));
    if (!ends) prompt.segments.push_back(m.role == Role::user ? Segment::plain("\n\n") : Segment::end_of_turn());
  }
  if (how.ask_for_answer) append_role(prompt, Role::assistant, false);
  return prompt;
}

}  // namespace chat_template

/// The prompt of a conversation. All texts keep the ControlTokens they came with; what the template adds needs none.
/// Codes: bad_argument (original style: turns that do not alternate).
inline Result<Prompt> render_chat(std::span<const Message> messages, const ChatTemplate& how = {}) {
  if (how.style == ChatTemplate::Style::hf) return chat_template::hf(messages, how);
  return chat_template::original(messages, how);
}

/// For base models: the segments as they are, e.g. {Segment::image(), Segment::plain(" A photo of")}.
inline Prompt completion(std::vector<Segment> segments) { return Prompt{std::move(segments)}; }

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_CHAT_TEMPLATE_HPP
