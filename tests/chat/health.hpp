// A conversation that has begun, to see whether it is still what it was after something went wrong.
#ifndef DSVL_TESTS_CHAT_HEALTH_HPP
#define DSVL_TESTS_CHAT_HEALTH_HPP

#include <cstring>

#include "demo.hpp"

namespace test {

/// The first demo question's picture, question and PyTorch's answer.
struct FirstQuestion {
  std::filesystem::path picture;
  std::string question;
  std::vector<std::int32_t> prompt_ids, answer_ids;

  static const FirstQuestion& get() {
    static const FirstQuestion first = [] {
      const auto q = json_file(tiny_vl() / "demo" / "questions.json").root()[0];
      return FirstQuestion{demo_picture(q), text(q.find("question")), ids(q.find("prompt_ids")), ids(q.find("reference_ids"))};
    }();
    return first;
  }
};
inline const FirstQuestion& first() { return FirstQuestion::get(); }

/// Runs an answer to its end.
inline std::vector<std::int32_t> drain(dsvl::Answer& answer) {
  while (answer.next()) {}
  return ids(answer.ids());
}
inline std::vector<std::int32_t> drain(dsvl::Answer&& answer) { return drain(answer); }

/// The session, emptied, answers the first demo question as PyTorch does.
inline bool answers_first_question(dsvl::Session& session) {
  const FirstQuestion& q = FirstQuestion::get();
  session.clear();
  dsvl::Answer answer = session.ask(q.picture, q.question);
  return answer.status().ok() && ids(answer.prompt_ids()) == q.prompt_ids && drain(answer) == q.answer_ids;
}

/// A session in the middle of a conversation about a picture, and what its next answer begins with.
class Patient {
 public:
  explicit Patient(dsvl::SessionOptions options = {}, const dsvl::Model& model = tiny_model())
      : session(open_session(options, model)) {
    REQUIRE(answers_first_question(session));
    before_ = follow_up();
    REQUIRE(!before_.empty());
  }

  /// The conversation goes on exactly as it would have. (An answer that nobody lets begin leaves no trace.)
  [[nodiscard]] bool well() {
    const std::vector<float> now = follow_up();
    return now.size() == before_.size() && std::memcmp(now.data(), before_.data(), now.size() * sizeof(float)) == 0;
  }

  dsvl::Session session;

 private:
  std::vector<float> follow_up() {
    const dsvl::Answer answer = session.ask("Which bar is the tallest?");
    return {answer.logits().begin(), answer.logits().end()};
  }

  std::vector<float> before_;
};

}  // namespace test

#endif  // DSVL_TESTS_CHAT_HEALTH_HPP
