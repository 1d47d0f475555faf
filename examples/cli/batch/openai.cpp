// OpenAI's batch form as inputs. What it can ask for and dsvl cannot do is refused by name; what only steers their
// service (store, user, metadata, …) is passed over.
#include "../library.hpp"

#include "json_input.hpp"

namespace cli::batch {

namespace json = dsvl::json;

namespace {

/// Adds one part of a message: a text, or a picture, whose place in the text is marked.
void add_part(json::Value part, const LiftedJson& lifted, std::string& question, InputBuilder& to) {
  const std::string_view type = part.find("type").string().value_or("");
  if (type == "text" || type == "input_text") {
    const auto text = part.find("text").string();
    if (!text) return to.wrong("a part of a message has no string \"text\"");
    question += *text;
  } else if (type == "image_url" || type == "input_image") {
    const json::Value image = part.find("image_url");
    const auto url = image.is_object() ? image.find("url").string() : image.string();
    if (!url) return to.wrong("a part of a message has no \"image_url\"");
    to.add_picture(*url, lifted);
    // Pictures in front of all text are where the template has them by itself.
    if (!question.empty()) to.input().options.placeholders = true;
    question += "<image_placeholder>";
  } else {
    to.wrong("a part of a message is of type \"" + std::string(type) + "\"; text and image_url are taken");
  }
}

void read_question(json::Value content, const LiftedJson& lifted, InputBuilder& to) {
  constexpr std::string_view kPlace = "<image_placeholder>";
  std::string question;
  if (content.string()) question = *content.string();
  for (const json::Value part : content) add_part(part, lifted, question, to);
  if (!to.input().options.placeholders)
    for (std::size_t i = 0; i < to.input().pictures.size() && question.starts_with(kPlace); ++i)
      question.erase(0, kPlace.size());
  to.input().question = question;
}

void read_messages(json::Value messages, const LiftedJson& lifted, InputBuilder& to) {
  if (!messages.is_array() || messages.size() == 0) return to.wrong("\"messages\" is no list of messages");
  bool asked = false;
  for (const json::Value message : messages) {
    const std::string_view role = message.find("role").string().value_or("");
    const json::Value content = message.find("content");
    if ((role == "system" || role == "developer") && !asked && content.is_string()) {
      to.input().options.system = *content.string();
    } else if (role == "user" && !asked) {
      asked = true;
      read_question(content, lifted, to);
    } else {
      return to.wrong("one question is taken, behind a system text; there is another message of \"" +
                      std::string(role) + "\"");
    }
  }
}

void read_sampling(json::Value body, InputBuilder& to) {
  InputOptions& o = to.input().options;
  o.temperature = body.find("temperature").number();
  o.top_p = body.find("top_p").number();
  if (const auto seed = body.find("seed").integer(); seed && *seed >= 0) o.seed = static_cast<std::uint64_t>(*seed);
  if (const json::Value stop = body.find("stop"); stop.is_string()) o.stop.emplace_back(*stop.string());
  else
    for (const json::Value each : stop) o.stop.emplace_back(each.string().value_or(""));
  const json::Value most = body.find("max_completion_tokens");
  to.set_max_tokens(most.missing() || most.is_null() ? body.find("max_tokens") : most);
}

void refuse_others(json::Value body, InputBuilder& to) {
  if (body.find("n").integer().value_or(1) != 1) to.wrong("\"n\" asks for several answers; there is one");
  if (body.find("logprobs").boolean().value_or(false)) to.wrong("\"logprobs\" are not given");
  if (body.find("tools").size() > 0) to.wrong("\"tools\" are not known");
  for (const char* const penalty : {"frequency_penalty", "presence_penalty"})
    if (body.find(penalty).number().value_or(0) != 0) to.wrong("\"" + std::string(penalty) + "\" is not known");
}

void read_response_format(json::Value format, std::string_view body, InputBuilder& to) {
  const std::string_view type = format.find("type").string().value_or("text");
  if (type == "json_object") to.input().options.schema = "true";
  else if (type == "json_schema")
    to.input().options.schema = raw_member(raw_member(raw_member(body, "response_format"), "json_schema"), "schema");
  else if (type != "text") to.wrong("\"response_format\" is of type \"" + std::string(type) + "\"");
  if (type == "json_schema" && to.input().options.schema.empty()) to.wrong("\"response_format\" has no schema");
}

}  // namespace

void read_openai_input(std::string_view record, const std::string& place, InputBuilder& to) {
  const LiftedJson lifted = lift_data_uris(record);
  const auto document = json::Document::parse(lifted.text, place);
  if (!document) return to.wrong(document.error().text());
  const json::Value root = document->root(), body = root.find("body");
  if (const auto id = root.find("custom_id").string()) to.input().id = *id;
  else to.wrong(place + ": the record has no string \"custom_id\"");
  if (!body.is_object()) return to.wrong(place + ": the record has no \"body\"");
  if (root.find("url").string().value_or("/v1/chat/completions") != "/v1/chat/completions")
    to.wrong("\"url\" is not /v1/chat/completions");
  read_messages(body.find("messages"), lifted, to);
  read_sampling(body, to);
  read_response_format(body.find("response_format"), raw_member(lifted.text, "body"), to);
  refuse_others(body, to);
}

}  // namespace cli::batch
