// Which decimal texts are numbers within bounds, multiples of something, integers: an automaton over their digits.
//
// A bound is compared digit by digit while the number is written: more digits in front of the point are a larger
// number, equal ones are ordered by the first digit that differs. A multiple is known by its remainder. Numbers with
// bounds are written without exponent; numbers without any may have one.
#ifndef DSVL_CONSTRAINT_NUMBER_AUTOMATON_HPP
#define DSVL_CONSTRAINT_NUMBER_AUTOMATON_HPP

#include "../base/host_macros_push.hpp"

#include "character_automaton.hpp"
#include "decimal.hpp"
#include "regex.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Something that must hold for a number.
struct NumberRule {
  /// The relation between the number and `value`. The first six are sets of bits: less 1, equal 2, greater 4.
  enum Kind : std::uint8_t { less = 1, equal = 2, at_most = 3, greater = 4, not_equal = 5, at_least = 6,
                             multiple = 8, no_multiple = 9 };
  Kind kind = equal;  ///< the relation
  Decimal value;      ///< what the number is compared with; for multiples above 0
};

/// Compares the magnitude of a number, given digit by digit, with that of a decimal. The state is one word.
class MagnitudeComparison {
 public:
  /// Ways in which the digits so far compare.
  enum Relation : std::uint32_t { same = 0, smaller = 1, larger = 2 };

  /// Compares with |value|.
  explicit MagnitudeComparison(const Decimal& value) : value_(&value) {}
  /// State in front of the first digit.
  static constexpr std::uint32_t kBegin = 0;
  /// Behind one more digit in front of the point. The state is (digits so far) * 4 + relation.
  [[nodiscard]] std::uint32_t whole_digit(std::uint32_t state, char digit) const {
    const std::uint32_t at = state / 4;
    if (at >= value_->whole.size()) return static_cast<std::uint32_t>(value_->whole.size() + 1) * 4 + larger;
    return (at + 1) * 4 + relation(state % 4, digit, value_->whole[at]);
  }
  /// Behind the point: what the digits in front of it settle.
  [[nodiscard]] std::uint32_t point(std::uint32_t state) const {
    const std::uint32_t at = state / 4;
    return at < value_->whole.size() ? smaller : at > value_->whole.size() ? larger : state % 4;
  }
  /// Behind one more digit after the point. The state is (digits that were the same) * 4 + relation.
  [[nodiscard]] std::uint32_t fraction_digit(std::uint32_t state, char digit) const {
    if (state % 4 != same) return state % 4;
    const std::uint32_t at = state / 4;
    const bool inside = at < value_->fraction.size();
    const std::uint32_t now = relation(same, digit, inside ? value_->fraction[at] : '0');
    return now != same ? now : (inside ? at + 1 : at) * 4;
  }
  /// How the whole number compares, from the state behind its last digit after the point (or of point()).
  [[nodiscard]] std::uint32_t result(std::uint32_t state) const {
    if (state % 4 != same) return state % 4;
    return state / 4 < value_->fraction.size() ? smaller : same;
  }

 private:
  static std::uint32_t relation(std::uint32_t before, char digit, char other) {
    return before != same ? before : digit < other ? smaller : digit > other ? larger : same;
  }
  const Decimal* value_;
};

/// Makes the automaton of all decimal texts for which some rules hold.
class NumberCompiler {
 public:
  /// With `integer`, only whole numbers, written without a point as JSON writers do.
  NumberCompiler(std::vector<NumberRule> rules, bool integer, Budget& budget)
      : rules_(std::move(rules)), integer_(integer), budget_(budget) {
    for (const NumberRule& rule : rules_) divisors_.push_back(divisor_of(rule));
  }

  /// The automaton.
  CharacterAutomaton compile() {
    CharacterAutomaton out;
    out.starts = {0, '-', '.', '/', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', kFirstSurrogate,
                  kBehindSurrogates};
    out.class_of = {1, 2, 3, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1, 0, 1};
    out.classes = 14;
    static constexpr char kCharacters[] = "-.0123456789";
    NumberedStates todo;
    todo.number(std::vector<std::uint32_t>(2 + rules_.size(), 0));
    for (std::size_t s = 0; s < todo.size(); ++s) {
      if (!budget_.spend(14 * (rules_.size() + 4)) || !budget_.may_have(todo.size())) return {};
      const std::vector<std::uint32_t>& key = todo[s];
      out.accepting.push_back(holds(key));
      out.next.insert(out.next.end(), {kDead, kDead});
      for (std::size_t i = 0; i < 12; ++i) {
        std::vector<std::uint32_t> to = key;
        out.next.push_back(step(to, kCharacters[i]) ? todo.number(std::move(to)) : kDead);
      }
    }
    minimise(out, budget_);
    return out;
  }

 private:
  // Places of a key: the phase, the sign, then a word for each rule. A multiple's is its remainder, or kFailed.
  enum Phase : std::uint32_t { begin, sign, zero, whole, point, fraction };
  static constexpr std::uint32_t kFailed = 0xFFFFFFFE;
  struct Divisor { std::uint64_t value = 1; std::uint32_t places = 0; };  // the multiple is value / 10^places

  Divisor divisor_of(const NumberRule& rule) {
    Divisor d;
    if (rule.kind != NumberRule::multiple && rule.kind != NumberRule::no_multiple) return d;
    const std::string digits = rule.value.whole + rule.value.fraction;
    d.value = 0;
    d.places = static_cast<std::uint32_t>(rule.value.fraction.size());
    for (const char c : digits) {
      d.value = d.value * 10 + static_cast<std::uint64_t>(c - '0');
      if (d.value > 1'000'000 || d.places > 15) {
        budget_.refuse(fail(Code::limit, "multipleOf %s has too many digits", rule.value.text().c_str()));
        d.value = 1;
        break;
      }
    }
    return d;
  }
  /// Goes on by one character; false when it cannot stand there.
  bool step(std::vector<std::uint32_t>& key, char c) const {
    const bool digit = c >= '0' && c <= '9';
    std::uint32_t& phase = key[0];
    if (c == '-') return phase == begin ? (phase = sign, key[1] = 1, true) : false;
    if (c == '.') {
      if (integer_ || (phase != zero && phase != whole)) return false;
      phase = point;
      for (std::size_t i = 0; i < rules_.size(); ++i)
        if (compares(i)) key[2 + i] = MagnitudeComparison(rules_[i].value).point(key[2 + i]);
        else key[2 + i] *= 16;  // room for the number of places
      return true;
    }
    if (!digit || phase == zero) return false;
    const bool behind = phase == point || phase == fraction;
    phase = behind ? fraction : phase == whole ? whole : c == '0' ? zero : whole;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      std::uint32_t& state = key[2 + i];
      const MagnitudeComparison comparison(rules_[i].value);
      if (compares(i)) state = behind ? comparison.fraction_digit(state, c) : comparison.whole_digit(state, c);
      else if (behind) state = place(divisors_[i], state, c);
      else
        state = static_cast<std::uint32_t>((std::uint64_t{state} * 10 + static_cast<std::uint64_t>(c - '0')) %
                                           divisors_[i].value);
    }
    return true;
  }
  [[nodiscard]] bool compares(std::size_t i) const { return rules_[i].kind < NumberRule::multiple; }
  /// A remainder behind one more digit after the point; the state is remainder * 16 + places.
  static std::uint32_t place(const Divisor& d, std::uint32_t state, char c) {
    if (state == kFailed) return state;
    const std::uint32_t places = state % 16;
    if (places >= d.places) return c == '0' ? state : kFailed;
    const std::uint64_t remainder = (std::uint64_t{state / 16} * 10 + static_cast<std::uint64_t>(c - '0')) % d.value;
    return static_cast<std::uint32_t>(remainder * 16 + places + 1);
  }
  /// True when a number may end here and all rules hold for it.
  [[nodiscard]] bool holds(const std::vector<std::uint32_t>& key) const {
    const std::uint32_t phase = key[0];
    if (phase == begin || phase == sign || phase == point) return false;
    const bool behind = phase == fraction;
    for (std::size_t i = 0; i < rules_.size(); ++i)
      if (compares(i) ? !compared(rules_[i], key[1] != 0, key[2 + i], behind)
                      : divides(divisors_[i], key[2 + i], behind) != (rules_[i].kind == NumberRule::multiple))
        return false;
    return true;
  }
  static bool divides(const Divisor& d, std::uint32_t state, bool behind) {
    if (state == kFailed) return false;
    std::uint64_t remainder = behind ? state / 16 : state;
    for (std::uint32_t i = behind ? state % 16 : 0; i < d.places; ++i) remainder = remainder * 10 % d.value;
    return remainder == 0;
  }
  static bool compared(const NumberRule& rule, bool negative, std::uint32_t state, bool behind) {
    const MagnitudeComparison comparison(rule.value);
    const std::uint32_t magnitude = comparison.result(behind ? state : comparison.point(state));
    const bool is_zero = rule.value.whole == "0" && rule.value.fraction.empty();
    std::uint32_t bit = 2;  // -0 equals 0
    if (negative != rule.value.negative && !(is_zero && magnitude == MagnitudeComparison::same)) bit = negative ? 1 : 4;
    else if (magnitude != MagnitudeComparison::same)
      bit = (magnitude == MagnitudeComparison::smaller) != negative ? 1 : 4;
    return (static_cast<std::uint32_t>(rule.kind) & bit) != 0;
  }

  std::vector<NumberRule> rules_;
  bool integer_;
  Budget& budget_;
  std::vector<Divisor> divisors_;
};

/// Numbers without rules. An exponent has at most three digits and is below 300, so that readers of doubles take it.
inline CharacterAutomaton any_number(Budget& budget) {
  return compile_regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?([0-9]{1,2}|[12][0-9]{2}))?", false, budget);
}

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_NUMBER_AUTOMATON_HPP
