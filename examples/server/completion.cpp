#include "completion.hpp"

#include <chrono>
#include <cstdio>
#include <random>

#include <dsvl/text/tokenizer.hpp>

namespace server {

namespace {

std::string fresh_id() {
  std::random_device random;
  char text[40];
  std::snprintf(text, sizeof text, "chatcmpl-%08x%08x", random(), random());
  return text;
}

std::int64_t seconds_of_today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

/// An answer that its time cut short is like one that its length cut short.
const char* finish_reason(const Letter& last) {
  return last.finish == dsvl::Finish::eos || last.finish == dsvl::Finish::stop ? "stop" : "length";
}

Json token_json(const dsvl::Tokenizer& tokenizer, std::int32_t id, double log_probability) {
  Json bytes = Json::array();
  const std::string_view text = tokenizer.token_bytes(id);
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", std::string(text)}, {"logprob", log_probability}, {"bytes", std::move(bytes)}};
}

Json view_json(const dsvl::SeenPicture::View& view) {
  const dsvl::Rect& r = view.content;
  return {{"side", view.side}, {"content", {r.x, r.y, r.width, r.height}}, {"background", view.background}};
}

/// What became of the pictures, which this API has no words for.
Json seen_json(const std::vector<dsvl::SeenPicture>& seen) {
  Json out = Json::array();
  for (const dsvl::SeenPicture& s : seen) {
    Json one = {{"width", s.width}, {"height", s.height}, {"tokens", s.tokens}, {"recognised", s.recognised}};
    if (s.low.side > 0) one["low"] = view_json(s.low);
    if (s.high.side > 0) one["high"] = view_json(s.high);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Json error_json(const Refusal& refusal) {
  const char* const type = refusal.status == 429 ? "rate_limit_error" : refusal.status == 401 ? "authentication_error"
                         : refusal.status >= 500 ? "server_error" : "invalid_request_error";
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"error", {{"message", refusal.message}, {"type", type}, {"param", or_null(refusal.param)},
                     {"code", or_null(refusal.code)}}}};
}

Refused refusal_of_choice(const Letter& last, bool said_anything) {
  if (last.finish == dsvl::Finish::error) return refusal_of(last.status, "messages");
  if (last.finish != dsvl::Finish::cancelled || (last.late && said_anything)) return {};
  if (last.late)
    return Refusal{503, "the time for a request had passed before the first word (--seconds)", "", "timeout"};
  return Refusal{503, "the server is shutting down", "", "shutting_down"};
}

Completion::Completion(const Job& job, const dsvl::Model& model, std::string model_name)
    : asked_(job.asked()), model_(model), name_(std::move(model_name)), id_(fresh_id()), created_(seconds_of_today()),
      choices_(static_cast<std::size_t>(asked_.choices)), open_(choices_.size()) {}

void Completion::add(const Letter& letter) {
  Choice& choice = choices_[static_cast<std::size_t>(letter.choice)];
  choice.text += letter.text;
  for (Json& token : tokens_json(letter.tokens)) choice.tokens.push_back(std::move(token));
  if (!letter.seen.empty()) seen_ = letter.seen;
  if (!letter.over) return;
  --open_;
  choice.last = letter;
  if (!refused_) refused_ = refusal_of_choice(letter, !choice.text.empty());
}

Json Completion::head(const char* object) const {
  return {{"id", id_}, {"object", object}, {"created", created_}, {"model", name_},
          {"system_fingerprint", "dsvl-" DSVL_VERSION_STRING}};
}

Json Completion::tokens_json(const std::vector<ChosenToken>& tokens) const {
  const dsvl::Tokenizer& tokenizer = *model_.tokenizer();
  Json out = Json::array();
  for (const ChosenToken& token : tokens) {
    Json one = token_json(tokenizer, token.id, token.log_probability);
    one["top_logprobs"] = Json::array();
    for (const auto& [id, log_probability] : token.top)
      one["top_logprobs"].push_back(token_json(tokenizer, id, log_probability));
    out.push_back(std::move(one));
  }
  return out;
}

Json Completion::choice_json(int index, const char* what, Json said, const Json& tokens) const {
  Json logprobs;
  if (asked_.logprobs) logprobs = {{"content", tokens}, {"refusal", nullptr}};
  return {{"index", index}, {what, std::move(said)}, {"logprobs", std::move(logprobs)}, {"finish_reason", nullptr}};
}

Json Completion::usage() const {
  dsvl::Index answer = 0, cached = 0;
  for (const Choice& choice : choices_) answer += choice.last.usage.answer_tokens;
  cached = choices_[0].last.usage.reused_tokens;
  const dsvl::Index prompt = std::ssize(asked_.ids);
  return {{"prompt_tokens", prompt}, {"completion_tokens", answer}, {"total_tokens", prompt + answer},
          {"prompt_tokens_details", {{"cached_tokens", cached}}}};
}

Json Completion::whole() const {
  Json out = head("chat.completion");
  out["choices"] = Json::array();
  for (int i = 0; i < asked_.choices; ++i) {
    const Choice& choice = choices_[static_cast<std::size_t>(i)];
    Json said = {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
    Json one = choice_json(i, "message", std::move(said), choice.tokens);
    one["finish_reason"] = finish_reason(choice.last);
    out["choices"].push_back(std::move(one));
  }
  out["usage"] = usage();
  if (!seen_.empty()) out["dsvl"] = {{"seen", seen_json(seen_)}};
  return out;
}

Json Completion::opening(int choice) const {
  Json out = head("chat.completion.chunk");
  out["choices"] = Json::array({choice_json(choice, "delta", {{"role", "assistant"}, {"content", ""}}, Json::array())});
  return out;
}

Json Completion::chunk(const Letter& letter) const {
  Json out = head("chat.completion.chunk");
  Json said = Json::object();
  if (!letter.text.empty() || !letter.over) said["content"] = letter.text;
  Json one = choice_json(letter.choice, "delta", std::move(said), tokens_json(letter.tokens));
  if (letter.over) one["finish_reason"] = finish_reason(letter);
  out["choices"] = Json::array({std::move(one)});
  if (!letter.seen.empty()) out["dsvl"] = {{"seen", seen_json(letter.seen)}};
  return out;
}

Json Completion::usage_chunk() const {
  Json out = head("chat.completion.chunk");
  out["choices"] = Json::array();
  out["usage"] = usage();
  return out;
}

}  // namespace server
