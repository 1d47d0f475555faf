// Gate: yes or no about a picture, as a probability, for programs that decide something many times.
//
//   pictures + question -> one pass over the prompt -> logits of the first token -> shares of the words for yes and no
//
// Nothing is generated. The question does not become a turn, and a picture that the session knows costs only the pass
// over the question's own words.
#ifndef DSVL_CHAT_GATE_HPP
#define DSVL_CHAT_GATE_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../text/sampler.hpp"
#include "../text/tokenizer.hpp"
#include "calibration.hpp"

DSVL_BEGIN_NAMESPACE

/// The words by which the model says yes and no. Each counts as it is and with a space in front.
struct GateWords {
  std::vector<std::string> yes = {"Yes", "yes"};  ///< or what else an answer may begin with: "open"
  std::vector<std::string> no = {"No", "no"};     ///< "closed"
};

/// What the model makes of a question that is answered by yes or no.
struct YesNo {
  double probability = 0;  ///< of yes, where it is either; see Calibration::temperature
  /// The model's own probability that its answer begins with one of the words. Where it is low, the model would say
  /// something else, and `probability` means little.
  double mass = 0;
  std::optional<bool> answer = {};  ///< the likelier; nothing when it is below Calibration::abstain_below
};

/// The tokens that stand for yes and for no in one model. Immutable but for calibrate(): sessions and threads may
/// share one.
class Gate {
 public:
  /// Finds the tokens. A spelling counts where it is one token; a side that has none counts by the first token of its
  /// first word, with a space in front and without.
  ///
  /// Codes  unsupported (no tokenizer), bad_argument (a side without words, or both begin with the same token),
  ///        bad_text, out_of_memory
  static Result<Gate> open(const Model& model, const GateWords& words = {}) {
    const Tokenizer* const tokenizer = model.tokenizer();
    if (!tokenizer) return fail(Code::unsupported, "the model has no tokenizer.json, so it knows no yes and no");
    DSVL_TRY(yes, beginnings(*tokenizer, words.yes));
    DSVL_TRY(no, beginnings(*tokenizer, words.no));
    for (const std::int32_t id : yes)
      if (std::find(no.begin(), no.end(), id) != no.end())
        return fail(Code::bad_argument, "a word for yes and one for no begin with the same token, \"%.40s\"",
                    std::string(tokenizer->token_bytes(id)).c_str());
    return Gate(std::move(yes), std::move(no));
  }

  /// Takes over a calibration that was fitted to {log P(yes), log P(no)}; see likelihoods().
  void calibrate(const Calibration& calibration) noexcept { calibration_ = calibration; }

  /// The probability of yes, to the next question of the session's conversation, which does not become a turn. The
  /// answer before ends, as with every question.
  ///
  /// Codes  those of Session::ask; cancelled also when GenerateOptions::deadline has come
  /// Cost   encoding pictures that are not known, and a pass over what the cache lacks of the prompt
  Result<YesNo> yes_no(Session& session, std::span<const Picture> pictures, std::string_view question,
                       const GenerateOptions& options = {}) const {
    return yes_no(session.ask(pictures, question, options));
  }
  /// The same about one picture.
  Result<YesNo> yes_no(Session& session, const Picture& picture, std::string_view question,
                       const GenerateOptions& options = {}) const {
    return yes_no(session, std::span<const Picture>(&picture, 1), question, options);
  }

  /// The same of an answer that has no token yet: a gate in slices, for game loops and for programs that share a
  /// processor.
  ///
  ///   auto answer = session.start({&frame, 1}, question);
  ///   while (!answer.prepare(2ms) && answer.finish() == Finish::none) draw();
  ///   auto said = gate.yes_no(answer);
  ///
  /// Codes  those of the answer; cancelled (its first token can not be chosen yet, its deadline has passed, or it has
  ///        tokens)
  Result<YesNo> yes_no(const Answer& answer) const {
    DSVL_TRY(both, likelihoods(answer));
    const Classification made = decide(both, calibration_);
    YesNo out{made.probabilities[0], std::exp(both[0]) + std::exp(both[1]), std::nullopt};
    if (made.choice) out.answer = *made.choice == 0;
    return out;
  }

  /// Logarithms of the model's own probabilities that its answer begins with a word for yes, and with one for no: the
  /// LabelledChoice::log_likelihoods of a gate.
  ///
  /// Codes  those of yes_no()
  Result<std::vector<double>> likelihoods(Session& session, std::span<const Picture> pictures,
                                          std::string_view question, const GenerateOptions& options = {}) const {
    return likelihoods(session.ask(pictures, question, options));
  }
  /// The same of an answer that has no token yet.
  ///
  /// Codes  those of yes_no()
  Result<std::vector<double>> likelihoods(const Answer& answer) const {
    DSVL_CHECK_STATUS(answer.status());
    const std::span<const float> logits = answer.logits();
    if (!answer.ids().empty())
      return fail(Code::cancelled, "the answer has %zu tokens: a gate judges what the first will be",
                  answer.ids().size());
    if (logits.empty())
      return fail(Code::cancelled, "%s before the question was read",
                  answer.finish() == Finish::none ? "a gate was asked" : "the deadline passed");
    DSVL_TRY(sum, log_sum_exp(logits));
    std::vector<double> out;
    for (const std::vector<std::int32_t>* side : {&yes_, &no_}) {
      double share = 0;
      for (const std::int32_t id : *side) share += std::exp(sum.log_probability(logits[static_cast<std::size_t>(id)]));
      out.push_back(std::log(share));
    }
    return out;
  }

 private:
  Gate(std::vector<std::int32_t> yes, std::vector<std::int32_t> no) noexcept
      : yes_(std::move(yes)), no_(std::move(no)) {}

  /// The tokens that one side's words begin with, each once.
  static Result<std::vector<std::int32_t>> beginnings(const Tokenizer& tokenizer, std::span<const std::string> words) {
    if (words.empty()) return fail(Code::bad_argument, "a gate needs words for yes and words for no");
    std::vector<std::int32_t> whole, first;
    for (const std::string& word : words)
      for (const std::string& spelled : {" " + word, word}) {
        Buffer<std::int32_t> ids;
        DSVL_CHECK_STATUS(tokenizer.encode(spelled, ControlTokens::as_text, ids));
        if (ids.empty() || word.empty()) return fail(Code::bad_argument, "a word for yes or no is empty");
        if (ids.size() > 1 && &word != &words[0]) continue;
        std::vector<std::int32_t>& list = ids.size() == 1 ? whole : first;
        if (std::find(list.begin(), list.end(), ids[0]) == list.end()) list.push_back(ids[0]);
      }
    return whole.empty() ? first : whole;
  }

  std::vector<std::int32_t> yes_, no_;
  Calibration calibration_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_GATE_HPP
