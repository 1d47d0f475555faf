#include "measurements.hpp"

#include <cstdio>

namespace game {

std::vector<Bar> bars_of(const Measurements& m) {
  const double most = m.budget + kGraceMs;
  char clock[64];
  std::snprintf(clock, sizeof clock, "frames with more than %.1f ms in step by the clock", most);
  std::vector<Bar> bars = {{"99 % of frames with an answer within", m.answering.quantile(0.99), kFrameMs, "ms"}};
  if (m.step_cpu.longest() > 0)  // else the system does not tell
    bars.push_back({"CPU time of the thread in step, at most", m.step_cpu.longest(), most, "ms"});
  bars.push_back({clock, 100 * m.step_wall.share_beyond(most), 2, "%"});
  return bars;
}

}  // namespace game
