// Any text as JSON: what json::Document takes, nlohmann's own tree takes with the same values, and what that takes and
// json::Document does not is refused for one of its own rules.
#include <dsvl/io/json.hpp>

#include <nlohmann/json.hpp>

#include "target.hpp"

namespace fuzz_json {
using namespace dsvl;

bool same(json::Value ours, const nlohmann::json& theirs) {
  switch (ours.kind()) {
    case json::Kind::missing: return false;
    case json::Kind::null: return theirs.is_null();
    case json::Kind::boolean: return theirs.is_boolean() && theirs.get<bool>() == ours.boolean();
    case json::Kind::string: return theirs.is_string() && theirs.get_ref<const std::string&>() == ours.string();
    case json::Kind::number: return theirs.is_number() && theirs.get<double>() == ours.number();
    case json::Kind::array: {
      std::size_t i = 0;
      for (const json::Value value : ours)
        if (i >= theirs.size() || !same(value, theirs[i++])) return false;
      return theirs.is_array() && i == theirs.size() && ours.size() == i && ours[i].missing();
    }
    case json::Kind::object: {
      std::size_t i = 0;
      for (const json::Value value : ours) {
        const auto at = theirs.find(std::string(value.key()));
        if (at == theirs.end() || !same(value, *at) || ours.find(value.key()).kind() != value.kind()) return false;
        ++i;
      }
      return theirs.is_object() && i == theirs.size() && ours.size() == i;
    }
  }
  return false;
}

void run(fuzz::Input in) {
  const std::string_view text = in.rest();
  fuzz::Memory memory;
  const auto ours = json::Document::parse(text, "input", &memory);
  const nlohmann::json theirs = nlohmann::json::parse(text, nullptr, false);
  if (ours) {
    FUZZ_CHECK(!theirs.is_discarded());
    FUZZ_CHECK(same(ours->root(), theirs));
    return;
  }
  fuzz::check_error(ours.error());
  const std::string_view why = ours.error().text();
  const auto says = [&](std::string_view part) { return why.find(part) != std::string_view::npos; };
  FUZZ_CHECK(theirs.is_discarded() || ours.error().code() == Code::limit || says("twice") || says("NUL"));
}

}  // namespace fuzz_json

DSVL_FUZZ_TARGET(json)
