#include "json_input.hpp"

#include "../evaluation/records.hpp"
#include "../file_names.hpp"
#include "../system.hpp"
#include "keys.hpp"

namespace cli::batch {

namespace json = dsvl::json;

namespace {

void read_pictures(json::Value record, const LiftedJson& lifted, InputBuilder& to) {
  const json::Value image = record.find("image"), images = record.find("images");
  if (!image.missing() && !image.is_null()) {
    if (!image.is_string()) return to.wrong("\"image\" is no string");
    to.add_picture(*image.string(), lifted);
  }
  if (images.missing() || images.is_null()) return;
  if (!images.is_array()) return to.wrong("\"images\" is no list of strings");
  for (const json::Value each : images) {
    if (!each.is_string()) return to.wrong("\"images\" is no list of strings");
    to.add_picture(*each.string(), lifted);
  }
}

void read_constraints(json::Value record, std::string_view text, InputBuilder& to) {
  const json::Value schema = record.find("schema"), choices = record.find("choices");
  if (schema.is_string()) to.input().options.schema = *schema.string();
  else if (!schema.missing() && !schema.is_null()) to.input().options.schema = raw_member(text, "schema");
  if (choices.missing() || choices.is_null()) return;
  if (!choices.is_array()) return to.wrong("\"choices\" is no list of strings");
  for (const json::Value each : choices) {
    if (!each.is_string()) return to.wrong("\"choices\" is no list of strings");
    to.input().options.choices.emplace_back(*each.string());
  }
}

}  // namespace

void InputBuilder::add_picture(std::string_view name, const LiftedJson& json) {
  if (const auto uri = find_lifted(json, name))
    return void(to_.pictures.push_back({"data:" + hex(key_of(*uri)), {}, std::string(base64_of(*uri))}));
  if (name.starts_with("data:")) return wrong("a data URI is not written as data:TYPE;base64,DATA");
  if (name.empty()) return wrong("the name of a picture is empty");
  if (name.starts_with("http://") || name.starts_with("https://"))
    return wrong(std::string(name) + ": is a web address, files and data URIs are read");
  to_.pictures.push_back({std::string(name), folder_ / to_path(path_of_uri(name)), {}});
}

void InputBuilder::set_max_tokens(json::Value value) {
  if (value.missing() || value.is_null()) return;
  if (!value.integer() || *value.integer() < 1) return wrong("\"max_tokens\" is no whole number from 1");
  to_.options.max_tokens = *value.integer();
}

std::string_view raw_member(std::string_view object, std::string_view name) {
  const auto members = evaluation::values_of(object, "record");
  if (members)
    for (const evaluation::RawValue& member : *members)
      if (member.key == name) return member.text;
  return {};
}

bool is_openai(std::string_view record) {
  return !raw_member(record, "custom_id").empty() && !raw_member(record, "body").empty();
}

void read_json_input(std::string_view record, const std::string& place, InputBuilder& to) {
  const LiftedJson lifted = lift_data_uris(record);
  const auto document = json::Document::parse(lifted.text, place);
  if (!document) return to.wrong(document.error().text());
  const json::Value root = document->root();
  if (!root.is_object()) return to.wrong(place + ": the record is no JSON object");
  const json::Value id = root.find("id"), question = root.find("question"), system = root.find("system");
  if (id.string()) to.input().id = *id.string();
  else if (id.integer()) to.input().id = std::to_string(*id.integer());
  else if (!id.missing()) to.wrong("\"id\" is neither a string nor a whole number");
  if (question.string()) to.input().question = *question.string();
  else if (!question.missing()) to.wrong("\"question\" is no string");
  if (system.string()) to.input().options.system = *system.string();
  else if (!system.missing() && !system.is_null()) to.wrong("\"system\" is no string");
  to.set_max_tokens(root.find("max_tokens"));
  read_pictures(root, lifted, to);
  read_constraints(root, lifted.text, to);
}

}  // namespace cli::batch
