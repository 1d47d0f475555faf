// What lies beside the sky: the speech bubble, and the histogram of frame times.
#ifndef DSVL_GAME_OVERLAY_HPP
#define DSVL_GAME_OVERLAY_HPP

#include "character.hpp"
#include "measurements.hpp"

namespace game {

/// The question, and what the character says, with a tail to its head.
void draw_bubble(Canvas& on, const Character& character);
/// Frame times, one bar for half a millisecond, on a logarithmic scale, and their quantiles.
void draw_histogram(Canvas& on, const Measurements& m);

}  // namespace game

#endif  // DSVL_GAME_OVERLAY_HPP
