// How fast a model is here: a measurement of three seconds at most, whatever the model's size.
#ifndef DSVL_CLI_SPEED_HPP
#define DSVL_CLI_SPEED_HPP

#include <string>

#include "library.hpp"

namespace cli {

/// Seconds of one stage, and how much of it was run to find out.
struct StageSpeed {
  double seconds = 0;  ///< of all of it
  double share = 0;    ///< of its operations that were run: 1 when it is measured and not estimated
};

/// Of a question with a picture of 640 x 480 pixels and 64 tokens of text.
struct Speed {
  StageSpeed encode;   ///< preprocessing included
  StageSpeed prefill, token;
  [[nodiscard]] double first_word() const { return encode.seconds + prefill.seconds; }
  [[nodiscard]] bool measured() const { return encode.share == 1 && prefill.share == 1 && token.share == 1; }
};

/// What was measured, in words: "measured: all of it, in 0.4 s".
std::string measured_text(const Speed& speed);

/// Codes: those of the limits; out_of_memory, cancelled.
dsvl::Result<Speed> measure_speed(const dsvl::Model& model, const dsvl::Limits& limits, dsvl::Executor& executor,
                                  const dsvl::CancelToken& cancel);

}  // namespace cli

#endif  // DSVL_CLI_SPEED_HPP
