#include "chat_request.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "json.hpp"
#include "messages.hpp"

namespace server {

namespace {

/// Constrained answers have text that can not be otherwise: as many tokens of it are checked in one pass.
constexpr dsvl::Index kDraft = 7;

/// A number in a range. Null is as good as absent, as everywhere in this API.
Refused read_number(const Json& body, const char* name, double least, double most, bool whole, auto& to) {
  const auto at = body.find(name);
  if (at == body.end() || at->is_null()) return {};
  const bool right = at->is_number() && (!whole || at->is_number_integer());
  const double value = right ? at->get<double>() : 0;
  if (right && value >= least && value <= most) return to = static_cast<std::decay_t<decltype(to)>>(value), Refused();
  char range[80];
  std::snprintf(range, sizeof range, "must be a %snumber from %.15g to %.15g", whole ? "whole " : "", least, most);
  return bad_field(name, range);
}

Refused read_flag(const Json& body, const char* name, bool& to) {
  const auto at = body.find(name);
  if (at == body.end() || at->is_null()) return {};
  if (!at->is_boolean()) return bad_field(name, "must be true or false");
  to = at->get<bool>();
  return {};
}

/// Fields whose values besides these would ask for something that is not done.
Refused check_neutral(const Json& body) {
  static const std::pair<const char*, Json> kNeutral[] = {
      {"frequency_penalty", 0}, {"presence_penalty", 0}, {"tools", Json::array()}, {"functions", Json::array()},
      {"tool_choice", "none"}, {"function_call", "none"}, {"modalities", Json::array({"text"})}, {"store", false},
  };
  for (const auto& [name, value] : kNeutral) {
    const auto at = body.find(name);
    if (at != body.end() && !at->is_null() && *at != value)
      return bad_field(name, "is not supported, except as " + to_text(value), "unsupported_parameter");
  }
  return {};
}

Refused check_names(const Json& body) {
  static constexpr std::string_view kKnown[] = {
      "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
      "top_k", "repetition_penalty", "seed", "stop", "n", "logprobs", "top_logprobs", "logit_bias", "response_format",
      // neutral values only (see above)
      "frequency_penalty", "presence_penalty", "tools", "functions", "tool_choice", "function_call", "modalities",
      "store",
      // said about the caller
      "user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls"};
  for (const auto& [name, value] : body.items())
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return bad_field(name.substr(0, 100), "is not supported", "unsupported_parameter");
  return {};
}

Refused read_stop(const Json& body, std::vector<std::string>& to) {
  const auto at = body.find("stop");
  if (at == body.end() || at->is_null()) return {};
  if (at->is_string()) return to.push_back(at->get<std::string>()), Refused();
  bool right = at->is_array();
  for (const Json& text : *at)
    if (right = right && text.is_string(); right) to.push_back(text.get<std::string>());
  if (!right) return bad_field("stop", "must be a text or a list of texts");
  return {};
}

Refused read_bias(const Json& body, std::vector<dsvl::TokenBias>& to) {
  const auto at = body.find("logit_bias");
  if (at == body.end() || at->is_null()) return {};
  if (!at->is_object()) return bad_field("logit_bias", "must be an object of numbers by token id");
  for (const auto& [id, bias] : at->items()) {
    const bool digits = !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || !bias.is_number() || std::abs(bias.get<double>()) > 100)
      return bad_field("logit_bias", "must have token ids as names, and numbers from -100 to 100");
    to.push_back({static_cast<std::int32_t>(std::stol(id)), bias.get<float>()});
  }
  return {};
}

Refused read_sampling(const Json& body, Asked& asked) {
  dsvl::SamplerOptions& s = asked.options.sampling;
  if (auto no = read_number(body, "temperature", 0, 2, false, s.temperature)) return no;
  if (auto no = read_number(body, "top_p", 0, 1, false, s.top_p)) return no;
  if (auto no = read_number(body, "top_k", 0, 1e9, true, s.top_k)) return no;
  if (auto no = read_number(body, "repetition_penalty", 0.01, 100, false, s.repetition_penalty)) return no;
  if (auto no = read_bias(body, s.bias)) return no;
  if (s.top_p == 0) s.temperature = 0, s.top_p = 1;  // the likeliest token alone
  double seed = std::random_device{}();
  if (auto no = read_number(body, "seed", -9007199254740992.0, 9007199254740992.0, true, seed)) return no;
  s.seed = static_cast<std::uint64_t>(static_cast<std::int64_t>(seed));
  return {};
}

Refused read_amounts(const Json& body, const Options& options, Asked& asked) {
  asked.options.max_tokens = options.max_tokens;
  const double most = std::min(options.sessions, share_of_client(options));
  if (auto no = read_number(body, "max_tokens", 1, 1e6, true, asked.options.max_tokens)) return no;
  if (auto no = read_number(body, "max_completion_tokens", 1, 1e6, true, asked.options.max_tokens)) return no;
  if (auto no = read_number(body, "n", 1, most, true, asked.choices)) return no;
  if (auto no = read_flag(body, "logprobs", asked.logprobs)) return no;
  if (auto no = read_number(body, "top_logprobs", 0, 20, true, asked.top_logprobs)) return no;
  if (asked.top_logprobs > 0 && !asked.logprobs) return bad_field("top_logprobs", "needs logprobs: true");
  return read_stop(body, asked.options.stop);
}

Refused read_schema(const Json& format, Asked& asked) {
  const auto named = format.find("json_schema");
  const auto schema = named == format.end() || !named->is_object() ? format.end() : named->find("schema");
  if (named == format.end() || !named->is_object() || schema == named->end())
    return bad_field("response_format", "json_schema needs a json_schema with a schema in it");
  const dsvl::ConstraintLimits limits = {.schema_bytes = 256 * 1024, .work = 10'000'000};
  auto compiled = dsvl::Schema::compile(to_text(*schema), {}, limits);
  if (!compiled) return refusal_of(compiled.error(), "response_format.json_schema.schema");
  asked.constraint = std::move(*compiled);
  return {};
}

Refused read_format(const Json& body, Asked& asked) {
  const auto format = body.find("response_format");
  if (format == body.end() || format->is_null()) return {};
  const std::string type = format->is_object() && format->contains("type") && (*format)["type"].is_string()
                               ? (*format)["type"].get<std::string>() : "";
  if (type == "json_schema") {
    if (auto no = read_schema(*format, asked)) return no;
  } else if (type == "json_object") {
    auto any = dsvl::Constraint::any_json();
    if (!any) return refusal_of(any.error(), "response_format");
    asked.constraint = std::move(*any);
  } else if (type != "text") {
    return bad_field("response_format", "its type must be text, json_object or json_schema");
  }
  if (asked.constraint) asked.options.draft = kDraft;
  return {};
}

Refused read_stream(const Json& body, ChatRequest& request) {
  if (auto no = read_flag(body, "stream", request.stream)) return no;
  const auto at = body.find("stream_options");
  if (at == body.end() || at->is_null()) return {};
  if (!at->is_object() || !request.stream) return bad_field("stream_options", "must be an object, beside stream: true");
  return read_flag(*at, "include_usage", request.include_usage);
}

}  // namespace

Refused read_chat_request(std::string_view text, const dsvl::Model& model, const Options& options, dsvl::Index context,
                          ChatRequest& request) {
  std::string wrong;
  const Json body = parse_json(text, wrong);
  if (!wrong.empty()) return Refusal{400, "the body: " + wrong, "", "invalid_json"};
  if (!body.is_object()) return Refusal{400, "the body must be an object", "", "invalid_json"};
  if (auto no = check_names(body)) return no;
  if (auto no = check_neutral(body)) return no;
  const auto named = body.find("model");
  if (named != body.end() && !named->is_null() && (!named->is_string() || named->get<std::string>() != options.name))
    return Refusal{404, "model: there is one here, " + options.name, "model", "model_not_found"};
  if (auto no = read_stream(body, request)) return no;
  if (auto no = read_sampling(body, request.asked)) return no;
  if (auto no = read_amounts(body, options, request.asked)) return no;
  if (auto no = read_format(body, request.asked)) return no;
  return read_messages(body, model, options, context, request.asked);
}

}  // namespace server
