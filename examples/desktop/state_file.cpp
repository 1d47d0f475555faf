#include "state_file.hpp"

#include <dsvl/io/new_file.hpp>

namespace desktop {

namespace {

void list_areas(const Screen& screen, std::string& to) {
  to += "\"areas\":[";
  for (const Area& area : screen.areas()) {
    dsvl::json::Writer place;
    place.begin_array();
    for (const float n : {area.place.x, area.place.y, area.place.width, area.place.height})
      place.value(static_cast<int>(n));
    place.end_array();
    to += to.back() == '[' ? "" : ",";
    to += "{\"name\":\"" + area.name + "\",\"place\":" + place.text() + ",\"shows\":" + area.shows + "}";
  }
  to += "]";
}

void list_times(const cli::Histogram& times, dsvl::json::Writer& to) {
  to.begin_object().key("frames").value(times.count()).key("p50_ms").value(times.quantile(0.5));
  to.key("p99_ms").value(times.quantile(0.99)).key("longest_ms").value(times.longest()).end_object();
}

}  // namespace

void StateFile::write(const FrameState& frame, const Screen& screen, const cli::Histogram& all,
                      const cli::Histogram& answering) {
  if (path_.empty()) return;
  std::string shown = std::string("\"settled\":") + (frame.settled ? "true" : "false") + ",\"phase\":\"" + frame.phase +
                      "\",\"theme\":\"" + (frame.light ? "light" : "dark") + "\",";
  list_areas(screen, shown);
  if (shown == shown_) return;
  shown_ = shown;
  dsvl::json::Writer times;
  times.begin_object().key("all");
  list_times(all, times);
  times.key("answering");
  list_times(answering, times);
  times.end_object();
  const std::string text =
      "{\"frame\":" + std::to_string(frame.frame) + "," + shown + ",\"times\":" + times.text() + "}\n";
  dsvl::NewFile out(path_);
  out.write_at(0, std::as_bytes(std::span(text)));
  (void)out.commit();  // a test that finds no state says so
}

}  // namespace desktop
