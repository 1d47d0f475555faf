// CodeSet: a set of Unicode code points as sorted ranges.
//
// Classes of regular expressions are such sets, and character_automaton.hpp divides all characters by them.
#ifndef DSVL_CONSTRAINT_CODE_SET_HPP
#define DSVL_CONSTRAINT_CODE_SET_HPP

#include <algorithm>
#include <vector>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

inline constexpr char32_t kLastCode = 0x10FFFF;                          ///< the largest code point
inline constexpr char32_t kFirstSurrogate = 0xD800, kBehindSurrogates = 0xE000;  ///< these are no characters

/// Code points first..last, both included.
struct CodeRange {
  char32_t first = 0;  ///< lowest
  char32_t last = 0;   ///< highest
};

/// Ranges that are sorted and do not touch, once normalise() has run.
class CodeSet {
 public:
  /// Adds a range; ranges may overlap until normalise().
  void add(char32_t first, char32_t last) { ranges_.push_back({first, last}); }
  /// Adds all ranges of another set.
  void add(const CodeSet& other) { ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end()); }
  /// Sorts and joins the ranges.
  void normalise() {
    std::sort(ranges_.begin(), ranges_.end(), [](CodeRange a, CodeRange b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const CodeRange r : ranges_) {
      if (kept > 0 && r.first <= ranges_[kept - 1].last + 1) {
        ranges_[kept - 1].last = (std::max)(ranges_[kept - 1].last, r.last);
      } else {
        ranges_[kept++] = r;
      }
    }
    ranges_.resize(kept);
  }
  /// All code points that are not in this set, which must be normal; the result is.
  [[nodiscard]] CodeSet complement() const {
    CodeSet out;
    char32_t next = 0;
    for (const CodeRange r : ranges_) {
      if (r.first > next) out.add(next, r.first - 1);
      next = r.last + 1;
    }
    if (next <= kLastCode) out.add(next, kLastCode);
    return out;
  }
  /// True when the code point is in this set, which must be normal.
  [[nodiscard]] bool has(char32_t code) const {
    const auto above = std::upper_bound(ranges_.begin(), ranges_.end(), code,
                                        [](char32_t c, CodeRange r) { return c < r.first; });
    return above != ranges_.begin() && code <= (above - 1)->last;
  }
  /// The ranges.
  [[nodiscard]] const std::vector<CodeRange>& ranges() const { return ranges_; }

 private:
  std::vector<CodeRange> ranges_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_CODE_SET_HPP
