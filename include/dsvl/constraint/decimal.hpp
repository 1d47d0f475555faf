// Decimal: a number as JSON writes it, kept exactly.
//
// Bounds and multiples of a schema never go through floating point: 0.1 is a tenth here.
#ifndef DSVL_CONSTRAINT_DECIMAL_HPP
#define DSVL_CONSTRAINT_DECIMAL_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// A decimal number, sign * whole.fraction, in the one form without needless zeros.
struct Decimal {
  bool negative = false;  ///< false for zero
  std::string whole;      ///< digits in front of the point; at least one, and no leading zero beside it
  std::string fraction;   ///< digits behind the point; no zero at the end

  /// True for a number without fraction.
  [[nodiscard]] bool is_integer() const { return fraction.empty(); }
  /// As JSON writes it, without exponent.
  [[nodiscard]] std::string text() const {
    return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
  }
  /// Equal as numbers.
  bool operator==(const Decimal&) const = default;

  /// Reads a number that is valid JSON; nothing when it would have more than `most` digits.
  static std::optional<Decimal> read(std::string_view text, std::size_t most = 400) {
    Decimal out;
    std::size_t i = 0;
    if (i < text.size() && text[i] == '-') out.negative = true, ++i;
    std::string digits;
    std::int64_t point = 0;  // digits in front of the point
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, ++point) digits.push_back(text[i]);
    if (i < text.size() && text[i] == '.')
      for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) digits.push_back(text[i]);
    if (digits.size() > most) return std::nullopt;
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
      std::int64_t exponent = 0;
      const bool down = ++i < text.size() && text[i] == '-';
      if (text[i] == '-' || text[i] == '+') ++i;
      for (; i < text.size(); ++i)
        if (exponent < 1'000'000) exponent = exponent * 10 + (text[i] - '0');
      point += down ? -exponent : exponent;
    }
    if (digits.find_first_not_of('0') == std::string::npos) return Decimal{false, "0", ""};
    const auto limit = static_cast<std::int64_t>(most);
    if (point > limit || point < -limit) return std::nullopt;
    if (point <= 0) digits.insert(0, static_cast<std::size_t>(1 - point), '0'), point = 1;
    if (static_cast<std::size_t>(point) > digits.size())
      digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
    out.whole = digits.substr(0, static_cast<std::size_t>(point));
    out.fraction = digits.substr(static_cast<std::size_t>(point));
    out.whole.erase(0, (std::min)(out.whole.find_first_not_of('0'), out.whole.size() - 1));
    out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
    return out;
  }
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_DECIMAL_HPP
