#include "constraint.hpp"

#include <dsvl/constraint/constraint.hpp>
#include <fstream>
#include <iterator>
#include <vector>

#include "console.hpp"
#include "pictures.hpp"
#include "system.hpp"

namespace cli {

namespace {

/// Takes a text that means something: an empty one is refused.
std::function<std::string(std::string_view)> not_empty(std::string& to, const char* needed) {
  return [&to, needed](std::string_view given) -> std::string {
    if (given.empty()) return std::string("is empty, needed: ") + needed;
    return to = given, std::string();
  };
}

}  // namespace

void add_constraint_options(CommandLine& to, Wish& wish) {
  to.path(0, "schema", "FILE", "Answer with JSON that this JSON schema (draft 2020-12) accepts", wish.schema);
  to.other(0, "regex", "PATTERN", "Answer with a text that this regular expression matches as a whole",
           not_empty(wish.regex, "a pattern"));
  to.other(0, "choices", "A,B,C", "Answer with one of these texts", not_empty(wish.choices, "texts with commas between"));
  to.flag(0, "any-json", "Answer with JSON, whichever", wish.any_json);
  to.flag(0, "pretty", "Such JSON over several lines, indented", wish.pretty);
  to.flag(0, "ascii", "Such JSON in ASCII: other characters are escaped", wish.ascii);
}

std::vector<std::string_view> split_choices(std::string_view list) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

namespace {

dsvl::Result<dsvl::Constraint> make(const Wish& wish, const std::string& schema) {
  const dsvl::JsonOptions form{wish.pretty, wish.ascii};
  if (wish.any_json) return dsvl::Constraint::any_json(form);
  if (!wish.regex.empty()) return dsvl::Constraint::regex(wish.regex);
  if (!wish.choices.empty()) return dsvl::Constraint::choices(split_choices(wish.choices));
  return dsvl::Schema::compile(schema, form);
}

/// The option that was wrong, as it was given.
std::string name_of(const Wish& wish) {
  if (!wish.schema.empty()) return "--schema " + wish.schema;
  return !wish.regex.empty() ? "--regex " + wish.regex : "--choices " + wish.choices;
}

}  // namespace

std::optional<int> Held::compile(const CommandLine& line, const Wish& wish) {
  const int wishes = !wish.schema.empty() + !wish.regex.empty() + !wish.choices.empty() + wish.any_json;
  if (wishes > 1) return line.usage_error("only one of --schema, --regex, --choices and --any-json can be given");
  if ((wish.pretty || wish.ascii) && wish.schema.empty() && !wish.any_json)
    return line.usage_error("--pretty and --ascii go with --schema or --any-json");
  if (wishes == 0) return std::nullopt;
  schema_ = wish.schema_text;
  if (!wish.schema.empty() && schema_.empty()) {
    if (const std::string why = why_unreadable(to_path(wish.schema)); !why.empty()) {
      print_error(name_of(wish) + ": " + why);
      return kError;
    }
    std::ifstream in(to_path(wish.schema), std::ios::binary);
    schema_.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto made = make(wish, schema_);
  if (!made) {
    print_error(name_of(wish) + ": " + made.error().text());
    return wish.schema.empty() ? kUsage : kError;
  }
  constraint_ = std::make_shared<const dsvl::Constraint>(std::move(*made));
  return std::nullopt;
}

void Held::choose(dsvl::LoadOptions& load, dsvl::GenerateOptions& generate) const noexcept {
  if (!constraint_) return;
  load.constraints = &dsvl::kConstraints;
  generate.constraint = constraint_.get();
}

}  // namespace cli
