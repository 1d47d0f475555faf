// What an answer looked at: the mean of its attention maps over one picture.
#ifndef DSVL_CLI_LOOKED_HPP
#define DSVL_CLI_LOOKED_HPP

#include <algorithm>
#include <optional>
#include <vector>

#include "library.hpp"

namespace cli {

struct Looked {
  std::vector<float> cells;  ///< the share of attention of each image token
  double share = 0;          ///< of all of them together

  /// At the question's picture number `picture`; none where no maps were kept, or nothing was said.
  static std::optional<Looked> at(const dsvl::Answer& answer, std::size_t picture) {
    const dsvl::AnswerAttention maps = answer.attention();
    // Pictures of earlier turns stand in front of the question's.
    const dsvl::Index number = maps.pictures() - std::ssize(answer.pictures()) + static_cast<dsvl::Index>(picture);
    Looked out{std::vector<float>(static_cast<std::size_t>(maps.cells()))};
    if (maps.tokens() == 0 || !maps.mean(0, maps.tokens(), number, out.cells).ok()) return std::nullopt;
    for (const float cell : out.cells) out.share += static_cast<double>(cell);
    return out;
  }
  /// The token that got the most, of those that show some of the picture.
  [[nodiscard]] dsvl::Index strongest_token(const dsvl::TokenMap& map) const {
    dsvl::Index best = -1;
    for (dsvl::Index t = 0; t < std::ssize(cells); ++t)
      if (!map.box_of(t).empty() && (best < 0 || cells[static_cast<std::size_t>(t)] > cells[static_cast<std::size_t>(best)]))
        best = t;
    return best;
  }
  /// What it shows.
  [[nodiscard]] dsvl::Box strongest(const dsvl::TokenMap& map) const { return map.box_of(strongest_token(map)); }
};

}  // namespace cli

#endif  // DSVL_CLI_LOOKED_HPP
