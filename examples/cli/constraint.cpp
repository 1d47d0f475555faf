#include "constraint.hpp"

#include <dsvl/constraint/answer_filter.hpp>
#include <fstream>
#include <iterator>
#include <vector>

#include "console.hpp"
#include "pictures.hpp"
#include "system.hpp"

namespace cli {

struct Held::Parts {
  std::optional<dsvl::Constraint> constraint;
  std::optional<dsvl::TokenTables> tables;
  std::unique_ptr<dsvl::AnswerFilter> filter;
};

Held::Held() : parts_(std::make_unique<Parts>()) {}
Held::Held(Held&&) noexcept = default;
Held::~Held() = default;

void add_constraint_options(CommandLine& to, Wish& wish) {
  to.path(0, "schema", "FILE", "Answer with JSON that this JSON schema (draft 2020-12) accepts", wish.schema);
  to.text(0, "regex", "PATTERN", "Answer with a text that this regular expression matches as a whole", wish.regex);
  to.text(0, "choices", "A,B,C", "Answer with one of these texts", wish.choices);
  to.flag(0, "any-json", "Answer with JSON, whichever", wish.any_json);
  to.flag(0, "pretty", "Such JSON over several lines, indented", wish.pretty);
  to.flag(0, "ascii", "Such JSON in ASCII: other characters are escaped", wish.ascii);
}

namespace {

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

dsvl::Result<dsvl::Constraint> make(const Wish& wish) {
  const dsvl::JsonOptions form{wish.pretty, wish.ascii};
  if (wish.any_json) return dsvl::Constraint::any_json(form);
  if (!wish.regex.empty()) return dsvl::Constraint::regex(wish.regex);
  if (!wish.choices.empty()) return dsvl::Constraint::choices(split(wish.choices));
  std::ifstream in(to_path(wish.schema), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return dsvl::Schema::compile(text, form);
}

}  // namespace

std::optional<int> Held::compile(const CommandLine& line, const Wish& wish) {
  const int wishes = !wish.schema.empty() + !wish.regex.empty() + !wish.choices.empty() + wish.any_json;
  if (wishes > 1) return line.usage_error("only one of --schema, --regex, --choices and --any-json can be given");
  if ((wish.pretty || wish.ascii) && wish.schema.empty() && !wish.any_json)
    return line.usage_error("--pretty and --ascii go with --schema or --any-json");
  if (wishes == 0) return std::nullopt;
  if (!wish.schema.empty())
    if (const std::string why = why_unreadable(to_path(wish.schema)); !why.empty()) {
      print_error(wish.schema + ": " + why);
      return kError;
    }
  auto made = make(wish);
  if (!made) return give_up(made.error());
  parts_->constraint.emplace(std::move(*made));
  return std::nullopt;
}

std::optional<int> Held::open(const dsvl::Model& model, dsvl::GenerateOptions& options) {
  if (!parts_->constraint) return std::nullopt;
  if (!model.tokenizer()) {
    print_error("the model has no tokenizer.json, so its answers can not be held to anything");
    return kError;
  }
  auto tables = dsvl::TokenTables::build(*model.tokenizer());
  if (!tables) return give_up(tables.error());
  parts_->tables.emplace(std::move(*tables));
  auto filter = dsvl::AnswerFilter::open(*parts_->tables, *model.tokenizer());
  if (!filter) return give_up(filter.error());
  parts_->filter = std::move(*filter);
  parts_->filter->use(*parts_->constraint);
  options.constraint = parts_->filter.get();
  return std::nullopt;
}

}  // namespace cli
