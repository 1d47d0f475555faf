#include "messages.hpp"

#include <algorithm>
#include <deque>

#include <dsvl/model/config.hpp>
#include <dsvl/text/chat_template.hpp>

#include "picture_url.hpp"

namespace server {

namespace {

/// A text or the place of a picture.
struct Part {
  bool picture = false;
  std::string text = {};
};
struct Turn {
  dsvl::Role role;
  std::vector<Part> parts;
};

/// Reads messages one by one, and remembers where it is for errors.
class MessageReader {
 public:
  MessageReader(const Options& options, Asked& asked) : options_(options), asked_(asked) {}

  Refused read(const Json& message, std::size_t number) {
    place_ = "messages[" + std::to_string(number) + "]";
    if (!message.is_object()) return bad_field(place_, "must be an object");
    const auto named = message.find("role");
    const std::string role = named != message.end() && named->is_string() ? named->get<std::string>() : "";
    if (role == "system" || role == "developer") return read_system(message);
    if (role != "user" && role != "assistant")
      return bad_field(place_ + ".role", "must be system, developer, user or assistant");
    const dsvl::Role who = role == "user" ? dsvl::Role::user : dsvl::Role::assistant;
    if (turns.empty() || turns.back().role != who) turns.push_back({who, {}});
    return read_content(message, turns.back());
  }

  std::optional<std::string> system;
  std::vector<Turn> turns;

 private:
  Refused read_system(const Json& message) {
    if (!turns.empty()) return bad_field(place_, "system messages come before all others");
    Turn turn{dsvl::Role::user, {}};
    if (auto no = read_content(message, turn)) return no;
    for (const Part& part : turn.parts) {
      if (part.picture) return bad_field(place_ + ".content", "a system message takes no pictures");
      system = system ? *system + "\n\n" + part.text : part.text;
    }
    return {};
  }

  Refused read_content(const Json& message, Turn& turn) {
    const auto content = message.find("content");
    if (content != message.end() && content->is_string()) return add_text(content->get_ref<const std::string&>(), turn);
    if (content == message.end() || !content->is_array() || content->empty())
      return bad_field(place_ + ".content", "must be a text or a list of parts");
    for (std::size_t i = 0; i < content->size(); ++i)
      if (auto no = read_part((*content)[i], place_ + ".content[" + std::to_string(i) + "]", turn)) return no;
    return {};
  }

  Refused read_part(const Json& part, const std::string& place, Turn& turn) {
    const auto field = [&](const char* name) { return part.is_object() && part.contains(name) ? part[name] : Json(); };
    const Json type = field("type");
    if (type == "text" && field("text").is_string()) return add_text(field("text").get<std::string>(), turn);
    if (type != "image_url") return bad_field(place, "must have type text with a text, or image_url with an image_url");
    if (turn.role != dsvl::Role::user) return bad_field(place, "pictures are the user's");
    if (std::ssize(asked_.pictures) >= options_.pictures)
      return bad_field(place, "one picture too many: a request may have " + std::to_string(options_.pictures));
    const auto holder = part.find("image_url");
    if (holder == part.end()) return bad_field(place, "has no image_url");
    const Json* url = &*holder;
    if (holder->is_object() && holder->contains("url")) url = &(*holder)["url"];
    const auto* const text = url->get_ptr<const std::string*>();
    if (!text) return bad_field(place + ".image_url", "must have a url");
    std::vector<std::byte> file;
    if (auto no = read_picture_url(*text, options_, place + ".image_url.url", file)) return no;
    asked_.pictures.push_back(std::move(file));
    turn.parts.push_back({true});
    return {};
  }

  /// Neighbouring texts are one, on lines of their own.
  static Refused add_text(const std::string& text, Turn& turn) {
    if (!turn.parts.empty() && !turn.parts.back().picture) turn.parts.back().text += "\n" + text;
    else turn.parts.push_back({false, text});
    return {};
  }

  const Options& options_;
  Asked& asked_;
  std::string place_;
};

/// See read_messages().
void put_pictures_first(Turn& turn) {
  const auto is_picture = [](const Part& part) { return part.picture; };
  const auto first = std::find_if(turn.parts.begin(), turn.parts.end(), is_picture);
  if (std::all_of(first, turn.parts.end(), is_picture)) std::rotate(turn.parts.begin(), first, turn.parts.end());
}

Refused encode(const MessageReader& conversation, const dsvl::Model& model, dsvl::Index context, Asked& asked) {
  std::deque<std::vector<dsvl::Segment>> contents;  // messages point into it
  std::vector<dsvl::Message> messages;
  for (const Turn& turn : conversation.turns) {
    auto& content = contents.emplace_back();
    for (const Part& part : turn.parts)
      content.push_back(part.picture ? dsvl::Segment::image() : dsvl::Segment::plain(part.text));
    const bool user = turn.role == dsvl::Role::user;
    messages.push_back(user ? dsvl::Message::user(content) : dsvl::Message::assistant(content[0].text));
  }
  dsvl::ChatTemplate how;
  how.style = model.config().layout == dsvl::Layout::original ? dsvl::ChatTemplate::Style::original
                                                              : dsvl::ChatTemplate::Style::hf;
  if (conversation.system) how.system = *conversation.system;
  dsvl::Prompt prompt;
  if (const auto status = dsvl::render_chat(messages, how, prompt); !status.ok()) return refusal_of(status, "messages");
  dsvl::Buffer<std::int32_t> ids;
  dsvl::Buffer<dsvl::ImageSpan> places;
  const auto status = dsvl::encode_prompt(*model.tokenizer(), prompt.span(), model.image_token().value_or(-1),
                                          model.info().image_tokens, ids, places);
  if (!status.ok()) return refusal_of(status, "messages");
  asked.ids.assign(ids.begin(), ids.end());
  if (std::ssize(asked.ids) >= context)
    return bad_field("messages",
                     "they take " + std::to_string(ids.size()) + " tokens, and a prompt with its answer has " +
                         std::to_string(context),
                     "context_length_exceeded");
  return {};
}

}  // namespace

Refused read_messages(const Json& body, const dsvl::Model& model, const Options& options, dsvl::Index context,
                      Asked& asked) {
  const auto messages = body.find("messages");
  if (messages == body.end() || !messages->is_array() || messages->empty())
    return bad_field("messages", "must be a list of messages", "missing_required_parameter");
  MessageReader reader(options, asked);
  for (std::size_t i = 0; i < messages->size(); ++i)
    if (auto no = reader.read((*messages)[i], i)) return no;
  if (reader.turns.empty() || reader.turns.front().role != dsvl::Role::user ||
      reader.turns.back().role != dsvl::Role::user)
    return bad_field("messages", "the first turn and the last must be the user's");
  for (Turn& turn : reader.turns) put_pictures_first(turn);
  return encode(reader, model, context, asked);
}

}  // namespace server
