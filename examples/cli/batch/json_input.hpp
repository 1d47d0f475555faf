// JSON lines as inputs: dsvl's own form, and OpenAI's batch form (openai.cpp).
#ifndef DSVL_CLI_BATCH_JSON_INPUT_HPP
#define DSVL_CLI_BATCH_JSON_INPUT_HPP

#include <filesystem>
#include <string>
#include <string_view>

#include <dsvl/io/json.hpp>

#include "data_uri.hpp"
#include "input.hpp"

namespace cli::batch {

/// A record while it becomes an input. What is wrong with it is remembered, the first fault only.
class InputBuilder {
 public:
  InputBuilder(Input& to, std::filesystem::path folder) : to_(to), folder_(std::move(folder)) {}

  [[nodiscard]] Input& input() { return to_; }
  void wrong(const std::string& what) {
    if (to_.problem.empty()) to_.problem = what;
  }
  /// Adds a picture by its name: a path, file://PATH, or a data URI that was lifted from `json`.
  void add_picture(std::string_view name, const LiftedJson& json);
  void add_picture(std::string_view path) { add_picture(path, {}); }
  void set_max_tokens(dsvl::json::Value value);

 private:
  Input& to_;
  std::filesystem::path folder_;
};

/// The text of a member as it stands in an object's text; empty when there is none.
std::string_view raw_member(std::string_view object, std::string_view name);

/// Fills in what {"id": …, "image": …, "question": …} says.
void read_json_input(std::string_view record, const std::string& place, InputBuilder& to);
/// Fills in what {"custom_id": …, "body": {"messages": […]}} says.
void read_openai_input(std::string_view record, const std::string& place, InputBuilder& to);
/// Whether a record is of OpenAI's form.
bool is_openai(std::string_view record);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_JSON_INPUT_HPP
