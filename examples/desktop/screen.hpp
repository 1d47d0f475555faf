// Screen: which areas a frame shows, where, and what is in each. Two frames look the same in an area if, and only if,
// it shows the same in both: the tests hold pictures of the window to that.
#ifndef DSVL_DESKTOP_SCREEN_HPP
#define DSVL_DESKTOP_SCREEN_HPP

#include <dsvl/io/json_writer.hpp>

#include <string>
#include <utility>
#include <vector>

namespace desktop {

/// In pixels of the window.
struct Place {
  float x = 0, y = 0, width = 0, height = 0;
};

struct Area {
  std::string name;
  Place place;
  std::string shows;  ///< a JSON object
};

class Screen {
 public:
  void clear() { areas_.clear(); }
  void add(std::string name, const Place& place, const dsvl::json::Writer& shows) {
    areas_.push_back({std::move(name), place, shows.text()});
  }
  [[nodiscard]] const std::vector<Area>& areas() const { return areas_; }

 private:
  std::vector<Area> areas_;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_SCREEN_HPP
