#include "constraints.hpp"

#include <vector>

namespace cli::batch {

dsvl::Result<std::shared_ptr<const dsvl::Constraint>> Constraints::find(const InputOptions& options) {
  if (!options.schema.empty() && !options.choices.empty())
    return dsvl::fail(dsvl::Code::bad_argument, "a schema and choices: an answer is held to one of them");
  if (options.schema.empty() && options.choices.empty()) return general_;
  std::string name = options.schema;
  for (const std::string& choice : options.choices) (name += '\0') += choice;
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  const std::vector<std::string_view> choices(options.choices.begin(), options.choices.end());
  DSVL_TRY(made, choices.empty() ? dsvl::Constraint::schema(options.schema, form_)
                                 : dsvl::Constraint::choices(choices));
  if (known_.size() >= kMost) known_.clear();  // those in use live on
  return known_[name] = std::make_shared<const dsvl::Constraint>(std::move(made));
}

}  // namespace cli::batch
