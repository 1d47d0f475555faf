// --schema, --regex, --choices and --any-json: what answers are held to.
#ifndef DSVL_CLI_CONSTRAINT_HPP
#define DSVL_CLI_CONSTRAINT_HPP

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"
#include "library.hpp"

namespace cli {

/// What the command line asks for; at most one of the first four.
struct Wish {
  std::string schema;       ///< a file
  std::string schema_text;  ///< what it has, where that is known already
  std::string regex, choices;
  bool any_json = false, pretty = false, ascii = false;
};

void add_constraint_options(CommandLine& to, Wish& wish);

/// "A,B,C" as three texts, which belong to the list.
std::vector<std::string_view> split_choices(std::string_view list);

/// What answers are held to.
class Held {
 public:
  /// Compiles what was asked for, before a model is loaded. Prints what is wrong with it; the exit code then.
  std::optional<int> compile(const CommandLine& line, const Wish& wish);
  /// Has the model be loaded for it, and answers be held to it; this must outlive them.
  void choose(dsvl::LoadOptions& load, dsvl::GenerateOptions& generate) const noexcept;
  /// What was compiled; null where nothing was asked for.
  [[nodiscard]] const std::shared_ptr<const dsvl::Constraint>& constraint() const noexcept { return constraint_; }
  /// The text of the schema, if it is one.
  [[nodiscard]] const std::string& schema() const noexcept { return schema_; }

 private:
  std::string schema_;
  std::shared_ptr<const dsvl::Constraint> constraint_;
};

}  // namespace cli

#endif  // DSVL_CLI_CONSTRAINT_HPP
