#include "origins.hpp"

#include <algorithm>
#include <cstdio>

#include "console.hpp"

namespace cli {

namespace {

std::string without(std::string text, const std::string& folder) {
  for (std::size_t at; (at = text.find(folder)) != std::string::npos;) text.erase(at, folder.size());
  return text;
}

}  // namespace

void print_settings(const dsvl::LoadReport& report, const std::string& path) {
  if (report.settings.empty()) return;
  std::size_t name = 0, value = 0;
  for (const dsvl::Setting& s : report.settings) {
    name = std::max<std::size_t>(name, s.name.size());
    value = std::max<std::size_t>(value, s.value.size());
  }
  std::printf("\n%s\n", paint(stdout, "1", "Settings that are used, and where each came from").c_str());
  for (const dsvl::Setting& s : report.settings)
    std::printf("%-*s  %-*s  %s\n", static_cast<int>(name), s.name.c_str(), static_cast<int>(value), s.value.c_str(),
                without(s.origin, path.ends_with('/') ? path : path + "/").c_str());
}

void write_settings(dsvl::json::Writer& w, const dsvl::LoadReport& report) {
  w.begin_array();
  for (const dsvl::Setting& s : report.settings)
    w.begin_object().key("name").value(s.name).key("value").value(s.value).key("origin").value(s.origin).end_object();
  w.end_array();
}

}  // namespace cli
