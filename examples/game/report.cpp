#include "report.hpp"

#include "../cli/library.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <dsvl/io/json_writer.hpp>
#include <tuple>
#include <utility>
#include <vector>

namespace game {

namespace {

constexpr double kPlotMs = 20;  // what plots show; longer frames stand in their last bar

/// printf into a string.
template <class... Args>
std::string print(const char* format, Args... args) {
  char text[256];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

struct Row {
  const char* name;
  const char* key;
  const Histogram* times;
};
std::vector<Row> rows_of(const Measurements& m) {
  return {{"frames without an answer", "frames_without_an_answer", &m.quiet},
          {"frames with an answer", "frames_with_an_answer", &m.answering},
          {"in step, by the clock", "step_wall", &m.step_wall},
          {"in step, CPU of the thread", "step_cpu", &m.step_cpu}};
}

/// Frames from `from` ms on in a bar of `width` ms, the last of the plot with all that took longer.
std::int64_t bar_count(const Histogram& times, double from, double width) {
  return times.between(from, from + width) + (from + width >= kPlotMs ? times.count() - times.between(0, kPlotMs) : 0);
}
/// The length of a bar, 0 to 1, on a logarithmic scale on which one frame can be seen and `most` fill it.
double bar_length(std::int64_t frames, std::int64_t most) {
  return frames ? (1 + std::log10(static_cast<double>(frames))) / (1 + std::log10(static_cast<double>(most))) : 0;
}

std::string plot_text(const Measurements& m) {
  constexpr double kLineMs = 1;
  constexpr int kColumns = 36;
  const std::int64_t most = std::max<std::int64_t>({1, m.quiet.count(), m.answering.count()});
  std::string out =
      print("%8s  %-*s  %s\n", "ms", kColumns, "without an answer", "with an answer (bars are logarithmic)");
  const double longest = std::max({m.quiet.longest(), m.answering.longest(), kFrameMs});
  for (double from = 0; from < kPlotMs && from <= longest; from += kLineMs) {
    std::string line = print("%3.0f to %2.0f", from, from + kLineMs);
    for (const Histogram* times : {&m.quiet, &m.answering}) {
      const std::int64_t frames = bar_count(*times, from, kLineMs);
      std::string bar(static_cast<std::size_t>(bar_length(frames, most) * (kColumns - 8)), '#');
      if (frames) bar += ' ' + std::to_string(frames);
      line += print("  %-*s", kColumns, bar.c_str());
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + (from <= kFrameMs && kFrameMs < from + kLineMs ? "   <- 16.7 ms\n" : "\n");
  }
  return out;
}

std::string svg_bars(const Histogram& times, std::int64_t most, const char* colour, double left, double width,
                     double bottom, double height, double shift) {
  constexpr double kBar = 0.25;  // ms
  std::string out;
  const double bar = width * kBar / kPlotMs;
  for (double from = 0; from < kPlotMs; from += kBar) {
    const double tall = height * bar_length(bar_count(times, from, kBar), most);
    if (tall > 0)
      out += print("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                   left + width * from / kPlotMs + shift * bar, bottom - tall, bar / 2, tall, colour);
  }
  return out;
}

}  // namespace

std::string report_text(const Measurements& m) {
  std::string out = m.what + "\n\n" +
                    print("%-28s %7s %8s %8s %8s %8s\n", "ms", "count", "p50", "p99", "p99.9", "longest");
  for (const Row& row : rows_of(m))
    out += print("%-28s %7lld %8.2f %8.2f %8.2f %8.2f\n", row.name, static_cast<long long>(row.times->count()),
                 row.times->quantile(0.5), row.times->quantile(0.99), row.times->quantile(0.999), row.times->longest());
  out += '\n' + plot_text(m) + '\n';
  for (const Bar& bar : bars_of(m))
    out += print("%-52s %6.2f %s, limit %.1f: %s\n", bar.name.c_str(), bar.value, bar.unit, bar.limit,
                 bar.is_reached() ? "reached" : "NOT REACHED");
  return out + print("answers: %d, of which %d say what is there (%.0f %%)\n", m.answered, m.right,
                     m.answered ? 100.0 * m.right / m.answered : 0.0);
}

std::string report_json(const Measurements& m) {
  dsvl::json::Writer w;
  w.begin_object().key("what").value(m.what);
  for (const Row& row : rows_of(m)) {
    w.key(row.key).begin_object().key("count").value(row.times->count());
    for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}})
      w.key(name).value(row.times->quantile(q));
    w.key("longest").value(row.times->longest()).end_object();
  }
  w.key("bars").begin_array();
  for (const Bar& bar : bars_of(m)) {
    w.begin_object().key("name").value(bar.name).key("value").value(bar.value).key("limit").value(bar.limit);
    w.key("unit").value(bar.unit).key("reached").value(bar.is_reached()).end_object();
  }
  w.end_array().key("answered").value(m.answered).key("right").value(m.right).end_object();
  return w.text() + '\n';
}

std::string report_svg(const Measurements& m) {
  constexpr double kLeft = 40, kTop = 64, kPlotWidth = 700, kPlotHeight = 200, kBottom = kTop + kPlotHeight;
  constexpr const char* kQuiet = "#3f9d6a", *kAnswering = "#4474d8", *kLimit = "#d64545";
  const std::int64_t most = std::max<std::int64_t>({1, m.quiet.count(), m.answering.count()});
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 780 330\" width=\"780\" height=\"330\" role=\"img\" "
      "aria-label=\"Frame times with and without an answer\">\n<style>text{font:13px system-ui,sans-serif;fill:#7b838d}"
      ".title{font-size:17px;font-weight:600}</style>\n<text class=\"title\" x=\"40\" y=\"24\">Frame times</text>\n";
  out += print("<text x=\"40\" y=\"46\">%s; bars are logarithmic</text>\n", m.what.c_str());
  out += svg_bars(m.quiet, most, kQuiet, kLeft, kPlotWidth, kBottom, kPlotHeight, 0);
  out += svg_bars(m.answering, most, kAnswering, kLeft, kPlotWidth, kBottom, kPlotHeight, 0.5);
  out += print("<path d=\"M%.0f %.0fh%.0f\" stroke=\"#8a8f98\"/>\n", kLeft, kBottom, kPlotWidth);
  const double limit = kLeft + kPlotWidth * kFrameMs / kPlotMs;
  out += print("<path d=\"M%.1f %.0fv%.0f\" stroke=\"%s\"/>\n", limit, kTop, kPlotHeight, kLimit);
  for (int ms = 0; ms <= static_cast<int>(kPlotMs); ms += 5)
    out += print("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%d%s</text>\n", kLeft + kPlotWidth * ms / kPlotMs,
                 kBottom + 18, ms, ms == static_cast<int>(kPlotMs) ? " ms" : "");
  double y = kBottom + 40;
  for (const auto& [name, times, colour] :
       {std::tuple{"without an answer", &m.quiet, kQuiet}, {"with an answer", &m.answering, kAnswering}}) {
    out += print("<rect x=\"40\" y=\"%.0f\" width=\"10\" height=\"10\" fill=\"%s\"/>", y - 10, colour);
    out += print("<text x=\"56\" y=\"%.0f\">%s: %lld frames, p50 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f ms</text>\n",
                 y, name, static_cast<long long>(times->count()), times->quantile(0.5), times->quantile(0.99),
                 times->quantile(0.999), times->longest());
    y += 18;
  }
  return out + "</svg>\n";
}

}  // namespace game
