// The formats of JSON Schema that describe a regular language, as patterns that the whole text has to match.
//
// Sources: RFC 3339 (date, time, date-time; days are right for months and leap years, a leap second only at 23:59:60Z),
// RFC 4122 (uuid), RFC 2673 3.2 (ipv4), RFC 4291 2.2 (ipv6), RFC 3339 appendix A (duration), RFC 6901 (json-pointer),
// and the draft of relative-json-pointer.
#ifndef DSVL_CONSTRAINT_FORMATS_HPP
#define DSVL_CONSTRAINT_FORMATS_HPP

#include <string>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// The pattern of a format; empty when it is not enforced.
inline std::string format_pattern(std::string_view name) {
  const std::string leap = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)";
  const std::string date = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
                           "02-(0[1-9]|1[0-9]|2[0-8]))|" + leap + "-02-29)";
  const std::string clock =
      "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
  const std::string time = "(" + clock + "|23:59:60(\\.[0-9]+)?[Zz])";
  const std::string byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  const std::string ipv4 = "(" + byte + "\\.){3}" + byte;
  if (name == "date") return date;
  if (name == "time") return time;
  if (name == "date-time") return date + "[Tt]" + time;
  if (name == "uuid") return "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
  if (name == "ipv4") return ipv4;
  if (name == "ipv6") {
    const std::string h = "[0-9a-fA-F]{1,4}", end = "(" + h + ":" + h + "|" + ipv4 + ")";
    const auto some = [&](const char* most) { return "((" + h + ":){0," + most + "}" + h + ")?"; };
    return "(" + h + ":){6}" + end + "|::(" + h + ":){5}" + end + "|(" + h + ")?::(" + h + ":){4}" + end + "|" +
           some("1") + "::(" + h + ":){3}" + end + "|" + some("2") + "::(" + h + ":){2}" + end + "|" + some("3") +
           "::" + h + ":" + end + "|" + some("4") + "::" + end + "|" + some("5") + "::" + h + "|" + some("6") + "::";
  }
  if (name == "duration") {
    const std::string clock_part = "T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)";
    return "P(([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)(" + clock_part + ")?|" + clock_part + "|[0-9]+W)";
  }
  const std::string pointer = "(/([^/~]|~[01])*)*";
  if (name == "json-pointer") return pointer;
  if (name == "relative-json-pointer") return "(0|[1-9][0-9]*)(#|" + pointer + ")";
  return {};
}

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_FORMATS_HPP
