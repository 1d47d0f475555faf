// Job: one request on its way through the engine, and the letters that come back.
//
// The connection's thread makes it and reads its mail; the engine's thread works on it and writes. Either may be done
// with it first.
#ifndef DSVL_SERVER_JOB_HPP
#define DSVL_SERVER_JOB_HPP

#include "../cli/library.hpp"

#include <chrono>
#include <cstdint>
#include <dsvl/constraint/constraint.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wake.hpp"

namespace server {

using Clock = std::chrono::steady_clock;

/// What is asked, in the library's words. It does not change once the job is with the engine.
struct Asked {
  std::vector<std::int32_t> ids;                 ///< the prompt, each picture as its run of image tokens
  std::vector<std::vector<std::byte>> pictures;  ///< files, in the order of their places
  dsvl::GenerateOptions options;                 ///< of the first choice; the others count the seed up
  std::optional<dsvl::Constraint> constraint;    ///< that all choices are held to
  int choices = 1;
  bool logprobs = false;
  int top_logprobs = 0;                          ///< tokens to list beside each chosen one
  std::string client;                            ///< by whom clients are told apart
  Clock::time_point deadline;
};

/// A token that was chosen, and the likeliest ones at its place.
struct ChosenToken {
  std::int32_t id = 0;
  double log_probability = 0;
  std::vector<std::pair<std::int32_t, double>> top;
};

/// Something new of one choice.
struct Letter {
  int choice = 0;
  std::string text;
  std::vector<ChosenToken> tokens;        ///< those behind the text, if the request wants them
  std::vector<dsvl::SeenPicture> seen;    ///< with the first letter of the first choice
  bool over = false;                      ///< the last letter of its choice; what follows is only valid then
  bool late = false;                      ///< it ended because the time for the request had passed
  dsvl::Finish finish = dsvl::Finish::none;
  dsvl::Status status;
  dsvl::Usage usage;
};

class Job {
 public:
  explicit Job(Asked asked) : asked_(std::move(asked)) {}

  [[nodiscard]] const Asked& asked() const noexcept { return asked_; }
  /// What stops all its choices. Any thread may set it.
  [[nodiscard]] dsvl::CancelToken& cancel() noexcept { return cancel_; }
  /// Rung when there is mail.
  [[nodiscard]] const Wake& bell() const noexcept { return bell_; }

  void post(Letter letter) {
    const std::scoped_lock lock(mutex_);
    mail_.push_back(std::move(letter));
    bell_.ring();
  }
  /// All letters that have come.
  std::vector<Letter> take() {
    const std::scoped_lock lock(mutex_);
    bell_.clear();
    return std::exchange(mail_, {});
  }

  /// The first choice has its prompt computed, so the others may begin and find it in the cache. The engine's own.
  bool prompt_known = false;

 private:
  const Asked asked_;
  dsvl::CancelToken cancel_;
  Wake bell_;
  std::mutex mutex_;
  std::vector<Letter> mail_;
};

}  // namespace server

#endif  // DSVL_SERVER_JOB_HPP
