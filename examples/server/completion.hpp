// Completion: an answer in the JSON of OpenAI's API, whole or as the chunks of a stream.
#ifndef DSVL_SERVER_COMPLETION_HPP
#define DSVL_SERVER_COMPLETION_HPP

#include <string>
#include <vector>

#include "job.hpp"
#include "json.hpp"
#include "refusal.hpp"

namespace server {

/// The body of an error.
Json error_json(const Refusal& refusal);
/// Why a choice gave no answer; nothing when it gave one. One whose time had passed before its first word gave none.
Refused refusal_of_choice(const Letter& last, bool said_anything);

/// Collects the letters of a job.
class Completion {
 public:
  Completion(const Job& job, const dsvl::Model& model, std::string model_name);

  /// Takes a letter in.
  void add(const Letter& letter);
  /// All choices have ended.
  [[nodiscard]] bool over() const noexcept { return open_ == 0; }
  /// The first error of a choice.
  [[nodiscard]] const Refused& refused() const noexcept { return refused_; }
  /// The reply, when all is over and well.
  [[nodiscard]] Json whole() const;

  /// The chunks of a stream, each a JSON object: who speaks, what a letter says, and what it took.
  [[nodiscard]] Json opening(int choice) const;
  [[nodiscard]] Json chunk(const Letter& letter) const;
  [[nodiscard]] Json usage_chunk() const;

 private:
  struct Choice {
    std::string text;
    Json tokens = Json::array();
    Letter last = {};
  };
  [[nodiscard]] Json head(const char* object) const;
  [[nodiscard]] Json usage() const;
  [[nodiscard]] Json tokens_json(const std::vector<ChosenToken>& tokens) const;
  [[nodiscard]] Json choice_json(int index, const char* what, Json said, const Json& tokens) const;

  const Asked& asked_;
  const dsvl::Model model_;
  const std::string name_, id_;
  const std::int64_t created_;
  std::vector<Choice> choices_;
  std::vector<dsvl::SeenPicture> seen_;
  std::size_t open_;
  Refused refused_;
};

}  // namespace server

#endif  // DSVL_SERVER_COMPLETION_HPP
