// TokenMap: which tokens of a picture show which part of it, and the other way round.
//
//   pixels of the picture  ->  pixels of the square that a tower sees  ->  cells of the grid of tokens
//
// A token is made of one cell, but attention within the towers lets it know of all others. So a map says where a token
// looks from, not all that it knows.
#ifndef DSVL_VISION_TOKEN_MAP_HPP
#define DSVL_VISION_TOKEN_MAP_HPP

#include <optional>

#include "../base/pixels.hpp"

DSVL_BEGIN_NAMESPACE

/// A rectangle of a picture in fractions of pixels; (0, 0) is the top left corner of the top left pixel.
struct Box {
  double x = 0;       ///< of the left edge
  double y = 0;       ///< of the top edge
  double width = 0;   ///< in pixels
  double height = 0;  ///< in pixels; a box without width or height is empty

  /// The box that a rectangle of whole pixels covers.
  static constexpr Box of(const Rect& r) noexcept {
    return {static_cast<double>(r.x), static_cast<double>(r.y), static_cast<double>(r.width),
            static_cast<double>(r.height)};
  }
  /// True when it contains no point.
  [[nodiscard]] constexpr bool empty() const noexcept { return !(width > 0 && height > 0); }
};

/// The places of one picture's tokens. Tokens are numbered row by row, as they stand in the prompt. A value; copies are
/// independent.
class TokenMap {
 public:
  /// A map of nothing: it has no tokens, and no point is in one.
  constexpr TokenMap() noexcept = default;
  /// Pixels `source` of the picture were scaled into `content` of a square of `side` pixels, which `grid` divides.
  constexpr TokenMap(const Rect& source, const Rect& content, Index side, Grid grid) noexcept
      : source_(Box::of(source)), content_(Box::of(content)), side_(static_cast<double>(side)), grid_(grid) {}

  /// Rows and columns of tokens.
  [[nodiscard]] constexpr Grid grid() const noexcept { return grid_; }
  /// The number of the token in that column and row.
  [[nodiscard]] constexpr Index token(Index column, Index row) const noexcept { return row * grid_.width + column; }

  /// The token whose cell shows the point (x, y) of the picture; none when the point is outside of what was shown.
  [[nodiscard]] std::optional<Index> token_at(double x, double y) const noexcept {
    const Rect at = tokens_in({x, y, 0, 0});
    if (at.width == 0) return std::nullopt;
    return token(at.x, at.y);
  }
  /// The tokens whose cells show some of a part of the picture, as columns and rows of the grid: token(x + i, y + j)
  /// for i below width and j below height. The part is cut to what was shown; nothing is left of one beside it, and the
  /// result has no width then. A part without size is the point at its corner.
  [[nodiscard]] Rect tokens_in(const Box& part) const noexcept {
    Rect out;
    const bool in_x = cells(part.x, part.width, source_.x, source_.width, content_.x, content_.width, grid_.width,
                            out.x, out.width);
    const bool in_y = cells(part.y, part.height, source_.y, source_.height, content_.y, content_.height, grid_.height,
                            out.y, out.height);
    return in_x && in_y ? out : Rect();
  }
  /// The part of the picture that a token's cell shows. It is empty for a cell of padding, and cut where a cell is
  /// padding in part.
  [[nodiscard]] Box box_of(Index token) const noexcept {
    if (token < 0 || token >= grid_.tokens()) return {};
    Box out;
    piece(token % grid_.width, grid_.width, source_.x, source_.width, content_.x, content_.width, out.x, out.width);
    piece(token / grid_.width, grid_.height, source_.y, source_.height, content_.y, content_.height, out.y, out.height);
    return out.empty() ? Box() : out;
  }

 private:
  /// One axis of tokens_in(): the cells of [at, at + size]. False when there are none.
  [[nodiscard]] bool cells(double at, double size, double source, double source_size, double content,
                           double content_size, Index count, Index& first, Index& cells) const noexcept {
    const double end = source + source_size, from = at > source ? at : source, to = at + size < end ? at + size : end;
    // A point must lie in it, of a part something must be left. The end of what was shown belongs to no pixel. Numbers
    // that are none fail these comparisons.
    if (count == 0 || !(size > 0 ? at < end && at + size > source : at == from && from < end)) return false;
    const double scale = content_size / source_size, cell = static_cast<double>(count) / side_;
    const auto number = [&](double x) { return (content + (x - source) * scale) * cell; };
    // None of these is negative, so that a cast rounds down. A part that ends where a cell begins is not in it.
    const auto cut = [&](Index i) { return i < count ? i : count - 1; };
    first = cut(static_cast<Index>(number(from)));
    const double behind = size > 0 ? number(to) : number(from);
    Index last = static_cast<Index>(behind);
    if (size > 0 && static_cast<double>(last) == behind) --last;
    cells = last > first ? cut(last) - first + 1 : 1;
    return true;
  }
  /// One axis of box_of(): the pixels of cell `index`.
  void piece(Index index, Index count, double source, double source_size, double content, double content_size,
             double& at, double& size) const noexcept {
    const double scale = source_size / content_size, cell = side_ / static_cast<double>(count);
    const auto place = [&](double x) {
      const double inside = (x - content) * scale;
      return source + (inside < 0 ? 0 : inside > source_size ? source_size : inside);
    };
    at = place(static_cast<double>(index) * cell);
    size = place(static_cast<double>(index + 1) * cell) - at;
  }

  Box source_, content_;  // in pixels of the picture; in pixels of the square
  double side_ = 0;       // of the square
  Grid grid_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_TOKEN_MAP_HPP
