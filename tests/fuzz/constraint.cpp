// Any text as a JSON schema, as a pattern or as choices, and bytes that an answer to it could begin with: compiling ends
// within its limits, and what was compiled leads nobody into a dead end.
#include <dsvl/constraint/constraint.hpp>
#include <dsvl/constraint/matcher.hpp>

#include "target.hpp"

namespace fuzz_constraint {
using namespace dsvl;

/// Less than the defaults, so that an input takes milliseconds.
constexpr ConstraintLimits kLimits{.schema_bytes = 8192, .states = 4000, .work = 300'000};
constexpr constraint::MatchLimits kMatch{.depth = 40, .threads = 2048, .frames = 2048, .keys = 64};

Result<Constraint> compile(fuzz::Input& in, Allocator* from) {
  const std::uint8_t kind = in.byte();
  const JsonOptions form{(kind & 4) != 0, (kind & 8) != 0};
  const std::string_view text = in.until_nul();
  switch (kind & 3) {
    case 0: return Constraint::regex(text, kLimits, from);
    case 1: {
      std::vector<std::string_view> list;
      for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        list.push_back(text.substr(at, end - at));
        at = end + 1;
      }
      return Constraint::choices(list, kLimits, from);
    }
    default: return Schema::compile(text, form, kLimits, from);
  }
}

/// True when the text is a whole, or some byte can follow. Where memory did not suffice nothing is promised.
bool goes_on(constraint::Matcher& matcher) {
  if (matcher.whole()) return true;
  for (int b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    if (matcher.allows({&byte, 1}) || matcher.full()) return true;
  }
  return false;
}

void run(fuzz::Input in) {
  fuzz::Memory memory(std::size_t{16} << 20);
  const auto compiled = compile(in, &memory);
  if (!compiled) return fuzz::check_error(compiled.error());
  FUZZ_CHECK(compiled->bytes() < std::size_t{16} << 20);
  constraint::Matcher matcher(&memory);
  if (!matcher.open(kMatch)) return;
  matcher.begin(compiled->grammar());
  FUZZ_CHECK(goes_on(matcher));
  // Bytes of the input where they fit, otherwise the first that fits behind them.
  std::string said;
  for (int steps = 0; steps < 200 && !in.empty() && !matcher.full(); ++steps) {
    char byte = static_cast<char>(in.byte());
    for (int i = 0; i < 256 && !matcher.allows({&byte, 1}); ++i) ++byte;
    if (!matcher.accept({&byte, 1})) break;
    said += byte;
    FUZZ_CHECK(matcher.full() || goes_on(matcher));
    char forced[16];
    const std::size_t known = matcher.forced(forced);
    if (!matcher.full()) FUZZ_CHECK(known == 0 || matcher.allows({forced, 1}) || compiled->grammar().scarce_keys);
  }
  if (matcher.full()) return;
  const auto again = compiled->matches(said, kMatch);
  FUZZ_CHECK(!again || *again == matcher.whole());
}

}  // namespace fuzz_constraint

DSVL_FUZZ_TARGET(constraint)
