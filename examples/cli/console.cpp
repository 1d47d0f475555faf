#include "console.hpp"

#include <cstdlib>
#include <cstring>

#include "system.hpp"

namespace cli {

namespace {

constexpr std::chrono::milliseconds kPatience{250};  // what is quicker needs no progress line
constexpr std::chrono::milliseconds kRedraw{60};

bool knows_escapes(std::FILE* stream) {
  const char* const term = std::getenv("TERM");
  return is_terminal(stream) && !(term && std::strcmp(term, "dumb") == 0);
}

void print_labelled(const char* colour, const char* label, std::string_view text) {
  std::fflush(stdout);  // so that the two streams keep their order
  std::fprintf(stderr, "dsvl: %s %.*s\n", paint(stderr, colour, label).c_str(), static_cast<int>(text.size()),
               text.data());
}

std::string scaled(double value, const char* const* units, double step) {
  int unit = 0;
  for (; value >= step && units[unit + 1]; ++unit) value /= step;
  char text[40];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.3g%s", value, units[unit]);
  return text;
}

}  // namespace

double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

bool has_colours(std::FILE* stream) {
  const char* const no = std::getenv("NO_COLOR");
  return !(no && *no) && knows_escapes(stream);
}

std::string paint(std::FILE* stream, const char* colour, std::string_view text) {
  if (!has_colours(stream)) return std::string(text);
  return "\x1b[" + std::string(colour) + "m" + std::string(text) + "\x1b[0m";
}

void print_error(std::string_view text, std::string_view hint) {
  print_labelled("1;31", "error:", text);
  if (!hint.empty()) std::fprintf(stderr, "      %.*s\n", static_cast<int>(hint.size()), hint.data());
}

void print_warning(std::string_view text) { print_labelled("1;33", "warning:", text); }

int give_up(const dsvl::Status& status, std::string_view hint) {
  if (status.ok()) return kOk;
  if (status.code() == dsvl::Code::cancelled) return kInterrupted;
  print_error(status.text(), hint);
  return kError;
}

void print_text(std::string_view text) {
  if (!is_terminal(stdout)) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  } else {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
      std::fputs(control ? "\xEF\xBF\xBD" : std::string(1, c).c_str(), stdout);
    }
  }
  std::fflush(stdout);
}

int finish_output(int code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
  print_error("the output could not be written");
  return code == kOk ? static_cast<int>(kError) : code;
}

std::string bytes_text(double bytes) {
  static const char* const kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB", nullptr};
  return scaled(bytes, kUnits, 1024);
}

std::string count_text(double count) {
  static const char* const kUnits[] = {"", " k", " M", " G", nullptr};
  return scaled(count, kUnits, 1000);
}

std::string seconds_text(double seconds) {
  char text[40];
  if (seconds < 1) std::snprintf(text, sizeof text, seconds < 0.01 ? "%.1f ms" : "%.0f ms", seconds * 1e3);
  else std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

ProgressLine::ProgressLine(bool allowed)
    : enabled_(allowed && knows_escapes(stderr)), next_(Clock::now() + kPatience) {}

void ProgressLine::on_progress(void* self, dsvl::Stage stage, double done, double total) {
  const char* what = nullptr;
  switch (stage) {
    case dsvl::Stage::load: what = "loading the model"; break;
    case dsvl::Stage::decode_image: what = "opening the picture"; break;
    case dsvl::Stage::preprocess: what = "resizing the picture"; break;
    case dsvl::Stage::encode: what = "looking at the picture"; break;
    case dsvl::Stage::prefill: what = "reading the question"; break;
    case dsvl::Stage::convert: what = "writing the model"; break;
    case dsvl::Stage::decode: return;  // the answer itself shows that
  }
  static_cast<ProgressLine*>(self)->show(what, done, total);
}

void ProgressLine::show(std::string_view what, double done, double total) {
  const Clock::time_point now = Clock::now();
  if (!enabled_ || now < next_) return;
  next_ = now + kRedraw;
  constexpr int kWidth = 24;
  const double part = total > 0 ? std::min<double>(1, done / total) : 0;
  const int full = static_cast<int>(part * kWidth);
  const std::string bar =
      std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kWidth - full), '.');
  std::fprintf(stderr, "\r\x1b[K%-22.*s [%s] %3.0f %%", static_cast<int>(what.size()), what.data(), bar.c_str(),
               part * 100);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
  next_ = Clock::now() + kPatience;
}

}  // namespace cli
