// Shards: which parts of the work a run does, when several share it.
#ifndef DSVL_CLI_SHARDS_HPP
#define DSVL_CLI_SHARDS_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Parts that are taken, of `count` parts in all.
struct Shards {
  static constexpr std::size_t kMost = 1'000'000;

  std::vector<std::size_t> taken = {1};  ///< numbers from 1 to `count`, rising
  std::size_t count = 1;

  /// Whether part number `index`, from 0, is taken.
  [[nodiscard]] bool has(std::size_t index) const {
    return std::binary_search(taken.begin(), taken.end(), index + 1);
  }
};

/// Understands "2/5", and "1,4-6/8" for several parts. Says what is wrong; empty when all is well.
inline std::string read_shards(std::string_view text, Shards& to) {
  constexpr const char* kForm = "is no part like 2/5, and no parts like 1,4-6/8";
  const auto read = [](std::string_view digits, std::size_t& value) {
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, value);
    return !digits.empty() && error == std::errc() && stopped == end;
  };
  Shards shards{{}, 0};
  const std::size_t slash = text.rfind('/');
  if (slash == text.npos || !read(text.substr(slash + 1), shards.count)) return kForm;
  if (shards.count > Shards::kMost) return "has more than a million parts";
  std::string_view list = text.substr(0, slash);
  for (bool more = true; more;) {
    const std::string_view part = list.substr(0, list.find(','));
    more = part.size() < list.size();
    list.remove_prefix(part.size() + more);
    const std::size_t dash = part.find('-');
    std::size_t first = 0, last = 0;
    if (!read(part.substr(0, dash), first)) return kForm;
    last = first;
    if (dash != part.npos && !read(part.substr(dash + 1), last)) return kForm;
    if (first < 1 || last > shards.count || first > last) return "must be from 1/N to N/N";
    for (std::size_t i = first; i <= last; ++i) shards.taken.push_back(i);
  }
  std::sort(shards.taken.begin(), shards.taken.end());
  shards.taken.erase(std::unique(shards.taken.begin(), shards.taken.end()), shards.taken.end());
  to = std::move(shards);
  return {};
}

}  // namespace cli

#endif  // DSVL_CLI_SHARDS_HPP
