#include "questions.hpp"

#include <algorithm>

#include "lines.hpp"

namespace robot {

namespace {

/// Reads the members of one question. The first thing that is wrong stays.
class Reader {
 public:
  Reader(const Json& object, std::size_t number) : object_(object), where_("question " + std::to_string(number)) {}

  void text(const char* name, std::string& to) {
    const Json* const value = find(name);
    if (!value) return;
    if (!value->is_string() || value->get_ref<const std::string&>().empty()) return wrong(name, "a text");
    to = value->get<std::string>();
  }
  void number(const char* name, double& to, double least, double most) {
    const Json* const value = find(name);
    if (!value) return;
    const double given = value->is_number() ? value->get<double>() : least - 1;
    if (!(given >= least && given <= most))
      return wrong(name, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    to = given;
  }
  void whole(const char* name, int& to, int least, int most) {
    const Json* const value = find(name);
    if (!value) return;
    if (!value->is_number_integer() || value->get<double>() < least || value->get<double>() > most)
      return wrong(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    to = value->get<int>();
  }
  void schema(std::optional<dsvl::Constraint>& to) {
    const Json* const value = find("schema");
    if (!value) return;
    auto compiled = dsvl::Schema::compile(value->dump());
    if (!compiled) return say(where_ + ", schema: " + compiled.error().text());
    to = std::move(*compiled);
  }
  /// What is there and was not asked for.
  void nothing_else() {
    for (const auto& member : object_.items())
      if (std::find(known_.begin(), known_.end(), member.key()) == known_.end())
        say(where_ + " has \"" + member.key() + "\", which is not known here");
  }
  void say(const std::string& what) {
    if (wrong_.ok()) wrong_ = dsvl::fail(dsvl::Code::bad_file, "%s", what.c_str());
  }
  [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const dsvl::Status& status() const { return wrong_; }

 private:
  const Json* find(const char* name) {
    known_.emplace_back(name);
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }
  void wrong(const char* name, const std::string& needed) {
    say(where_ + ": \"" + name + "\" is " + object_[name].dump(-1, ' ', true) + ", needed: " + needed);
  }

  const Json& object_;
  std::string where_;
  std::vector<std::string> known_;
  dsvl::Status wrong_;
};

dsvl::Result<Question> read_question(const Json& object, std::size_t number) {
  Reader reader(object, number);
  Question out;
  int deadline = 0;
  out.is_gate = reader.has("gate");
  if (reader.has("ask") == out.is_gate) reader.say(reader.where() + " needs either \"ask\" or \"gate\"");
  reader.text(out.is_gate ? "gate" : "ask", out.text);
  out.name = out.text;
  reader.text("name", out.name);
  reader.whole("deadline_ms", deadline, 1, 3'600'000);
  out.deadline = std::chrono::milliseconds(deadline);
  if (out.is_gate) {
    reader.number("on", out.thresholds.on, 0, 1);
    reader.number("off", out.thresholds.off, 0, 1);
    reader.whole("hold", out.thresholds.hold, 1, 1'000'000);
    reader.number("least_mass", out.least_mass, 0, 1);
    reader.number("temperature", out.calibration.temperature, 0.01, 100);
    if (out.thresholds.off > out.thresholds.on) reader.say(reader.where() + ": \"off\" is above \"on\"");
  } else {
    reader.whole("max_tokens", out.max_tokens, 1, 1'000'000);
    reader.schema(out.schema);
  }
  reader.nothing_else();
  if (!reader.status().ok()) return reader.status();
  return out;
}

}  // namespace

dsvl::Result<std::vector<Question>> read_questions(std::string_view json) {
  const Json list = Json::parse(json, nullptr, false);
  if (!list.is_array() || list.empty()) return dsvl::fail(dsvl::Code::bad_file, "is no JSON array of questions");
  std::vector<Question> out;
  for (const Json& object : list) {
    if (!object.is_object())
      return dsvl::fail(dsvl::Code::bad_file, "question %zu is no JSON object", out.size() + 1);
    auto question = read_question(object, out.size() + 1);
    if (!question) return question.error();
    out.push_back(std::move(*question));
  }
  return out;
}

}  // namespace robot
