#include "pictures.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <dsvl/io/image.hpp>

#include "console.hpp"
#include "file_names.hpp"
#include "looked.hpp"
#include "system.hpp"

namespace cli {

namespace fs = std::filesystem;

namespace {

#ifdef _WIN32
constexpr bool kBackslashEscapes = false;  // it separates directories
#else
constexpr bool kBackslashEscapes = true;
#endif

std::optional<NamedPicture> pour_picture(const std::string& argument, int& exit) {
  const auto most = static_cast<std::size_t>(dsvl::ImageLimits().max_file_bytes);
  NamedPicture picture{is_standard_input(argument) ? "standard input" : argument, {}, {}};
  exit = kError;
  if (is_standard_input(argument) && is_terminal(stdin)) {
    print_error("-i " + argument + ": standard input is the keyboard, a picture is needed",
                "for example: dsvl ask -i - \"What is this?\" < photo.jpg");
    exit = kUsage;
    return std::nullopt;
  }
  switch (pour(argument, most, picture.bytes)) {
    case Poured::whole: break;
    case Poured::interrupted: exit = kInterrupted; return std::nullopt;
    case Poured::too_much:
      print_error(picture.name + ": gives more than the " + bytes_text(static_cast<double>(most)) +
                  " that a picture may have");
      return std::nullopt;
    case Poured::failed:
      print_error(picture.name + ": cannot be read: " + std::generic_category().message(errno));
      return std::nullopt;
  }
  if (!picture.bytes.empty()) return picture;
  print_error(picture.name + ": is empty, a picture is needed");
  return std::nullopt;
}

std::string home() {
  const char* const found = std::getenv(kBackslashEscapes ? "HOME" : "USERPROFILE");
  return found ? found : "";
}

/// "0 left and 2 right" of a view's margins; empty when there are none.
std::string padding_text(const dsvl::SeenPicture::View& view) {
  const dsvl::Rect& at = view.content;
  const auto sides = [](const char* first, dsvl::Index a, const char* second, dsvl::Index b) {
    std::string out;
    if (a + b > 0) out = std::to_string(a) + " " + first + " and " + std::to_string(b) + " " + second;
    return out;
  };
  const std::string beside = sides("left", at.x, "right", view.side - at.x - at.width);
  const std::string over = sides("above", at.y, "below", view.side - at.y - at.height);
  return beside + (beside.empty() || over.empty() ? "" : ", ") + over;
}

std::string size_text(dsvl::Index width, dsvl::Index height) {
  return std::to_string(width) + " x " + std::to_string(height);
}

/// X,Y,W,H; what is wrong with it, if anything.
std::string read_region(std::string_view text, dsvl::Rect& to) {
  dsvl::Index* const numbers[] = {&to.x, &to.y, &to.width, &to.height};
  const char *at = text.data(), *const end = at + text.size();
  bool good = true;
  for (std::size_t i = 0; good && i < std::size(numbers); ++i) {
    const auto read = std::from_chars(at, end, *numbers[i]);
    good = read.ec == std::errc() && (i == 3 ? read.ptr == end : read.ptr != end && *read.ptr == ',');
    at = read.ptr + 1;
  }
  if (good && to.x >= 0 && to.y >= 0 && to.width > 0 && to.height > 0) return {};
  return "needs four whole numbers, X,Y,WIDTH,HEIGHT in pixels of the picture";
}

}  // namespace

std::string seen_text(const dsvl::SeenPicture& seen) {
  if (seen.width == 0) return "could not be read";
  std::string out = size_text(seen.width, seen.height) + " pixels";
  if (seen.region.width != seen.width || seen.region.height != seen.height)
    out = size_text(seen.region.width, seen.region.height) + " of " + out;
  if (seen.low.side == 0) return out;  // a region that is no part of it
  if (seen.orientation != 1)
    out += seen.turned ? ", turned upright (EXIF orientation " + std::to_string(seen.orientation) + ")"
                       : ", not turned as its EXIF orientation " + std::to_string(seen.orientation) +
                             " says (--exif does)";
  const dsvl::SeenPicture::View& view = seen.high.side > 0 ? seen.high : seen.low;
  const std::string padding = padding_text(view), square = size_text(view.side, view.side);
  out += ", scaled to " + size_text(view.content.width, view.content.height);
  if (!padding.empty()) out += ", padded " + padding + " to " + square;
  if (seen.high.side > 0)
    out += seen.low_from_high ? ", and that to " + size_text(seen.low.side, seen.low.side)
                              : ", and to " + size_text(seen.low.content.width, seen.low.content.height) + " in " +
                                    size_text(seen.low.side, seen.low.side);
  out += ", " + std::to_string(seen.tokens) + " tokens";
  if (seen.recognised) out += ", known from before";
  return out;
}

std::vector<dsvl::Picture> pictures_of(std::span<const NamedPicture> pictures) {
  std::vector<dsvl::Picture> out;
  for (const NamedPicture& p : pictures) out.push_back(p.picture());
  return out;
}

bool is_pipe(const fs::path& path) {
  std::error_code ignored;
  const fs::file_type type = fs::status(path, ignored).type();
  return type == fs::file_type::fifo || type == fs::file_type::character || type == fs::file_type::socket;
}

bool has_name_of_picture(const fs::path& path) {
  static constexpr std::string_view kNames[] = {".png",  ".jpg",  ".jpeg", ".jpe", ".jfif", ".webp", ".heic",
                                                ".heif", ".avif", ".gif",  ".bmp", ".tif",  ".tiff"};
  const std::string extension = lower_extension(path);
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

std::string why_unreadable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error == std::errc::permission_denied) return "permission denied";
  if (status.type() == fs::file_type::not_found) return "no such file";
  if (status.type() == fs::file_type::none) return error.message();
  if (status.type() == fs::file_type::directory) return "is a directory";
  errno = 0;
  if (std::ifstream(path, std::ios::binary)) return {};
  return errno == EACCES ? "permission denied" : "cannot be opened";
}

std::optional<NamedPicture> find_picture(const std::string& argument, int& exit) {
  const fs::path path = to_path(argument);
  if (argument == "-" || is_pipe(path)) return pour_picture(argument, exit);
  exit = kError;
  const std::string why = why_unreadable(path);
  if (why.empty()) return NamedPicture{argument, path, {}};
  if (why == "no such file" && argument.find("://") != std::string::npos)
    print_error(argument + ": is a web address, files and pipes are read",
                "for example: curl -s ADDRESS | dsvl ask -i - \"What is this?\"");
  else print_error(argument + ": " + why + (why == "is a directory" ? ", a picture is needed" : ""));
  return std::nullopt;
}

std::optional<int> check_input(const CommandLine& line, const std::vector<std::string>& arguments,
                               std::string_view taken) {
  const auto wanted = std::count_if(arguments.begin(), arguments.end(), is_standard_input);
  if (wanted > 0 && !taken.empty())
    return line.usage_error("standard input has " + std::string(taken) + ", so it can not be a picture too",
                            "give the picture as a file, or through another pipe");
  if (wanted > 1) return line.usage_error("standard input can be one picture, not " + std::to_string(wanted));
  return std::nullopt;
}

std::optional<int> find_pictures(const std::vector<std::string>& arguments, std::vector<NamedPicture>& to) {
  for (const std::string& argument : arguments) {
    int exit = kOk;
    auto picture = find_picture(argument, exit);
    if (!picture) return exit;
    to.push_back(std::move(*picture));
  }
  return std::nullopt;
}

void add_region_option(CommandLine& to, const std::vector<std::string>& images, std::vector<NamedRegion>& regions) {
  to.other(0, "region", "X,Y,W,H",
           "This part of the picture in front of it as one more picture, in pixels of the file: to read what is small",
           [&](std::string_view given) -> std::string {
             if (images.empty()) return "needs a picture in front of it: -i FILE --region X,Y,W,H";
             dsvl::Rect part;
             const std::string wrong = read_region(given, part);
             if (wrong.empty()) regions.push_back({images.size() - 1, part});
             return wrong;
           });
}

void add_regions(const std::vector<NamedRegion>& regions, std::vector<NamedPicture>& pictures) {
  std::vector<NamedPicture> all;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    all.push_back(pictures[i]);
    for (const NamedRegion& r : regions) {
      if (r.picture != i) continue;
      NamedPicture& part = all.emplace_back(pictures[i]);
      part.region = r.part;
      part.name += " (" + size_text(r.part.width, r.part.height) + " at " + std::to_string(r.part.x) + ", " +
                   std::to_string(r.part.y) + ")";
    }
  }
  pictures = std::move(all);
}

std::vector<std::string> split_files(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t");
  if (first == std::string::npos) return {};
  const std::string whole = line.substr(first, last - first + 1);
  std::error_code ignored;
  if (fs::exists(to_path(whole), ignored)) return {whole};
  std::vector<std::string> files;
  std::string file;
  bool begun = false;
  char quote = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const char c = whole[i], next = i + 1 < whole.size() ? whole[i + 1] : '\0';
    const bool escapes = kBackslashEscapes && c == '\\' && quote != '\'' && next != '\0' &&
                         (quote == 0 || next == quote || next == '\\' || next == '$' || next == '`');
    if (escapes) {
      file += next, begun = true, ++i;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (begun) files.push_back(std::move(file));
      file.clear(), begun = false;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c, begun = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (!begun && c == '~' && (next == '\0' || next == '/' || next == ' ' || next == '\\') && !home().empty()) {
      file = home(), begun = true;
    } else {
      file += c, begun = true;
    }
  }
  if (begun) files.push_back(std::move(file));
  return files;
}

std::optional<std::size_t> failed_picture(const dsvl::Answer& answer) {
  const auto seen = answer.pictures();
  if (answer.status().ok() || seen.empty() || seen.back().done) return std::nullopt;
  return seen.size() - 1;
}

std::string name_picture(const NamedPicture& picture, std::string text) {
  static constexpr std::string_view kUnnamed = "picture: ";  // what the library calls bytes
  if (!picture.file.empty() && text.starts_with(picture.name)) return text;
  if (text.starts_with(kUnnamed)) text.erase(0, kUnnamed.size());
  return picture.name + ": " + text;
}

std::string describe_error(const dsvl::Answer& answer, std::span<const NamedPicture> pictures) {
  const auto failed = failed_picture(answer);
  const std::string text = answer.status().text();
  return failed && *failed < pictures.size() ? name_picture(pictures[*failed], text) : text;
}

int give_up(const dsvl::Answer& answer, std::span<const NamedPicture> pictures, const Talk& talk) {
  const dsvl::Status status = answer.status();
  if (status.ok()) return kOk;
  if (status.code() == dsvl::Code::cancelled) return kInterrupted;
  print_error(describe_error(answer, pictures), hint_for(answer, talk));
  return kError;
}

void print_seen(const dsvl::Answer& answer, std::span<const NamedPicture> pictures) {
  const auto seen = answer.pictures();
  for (std::size_t i = 0; i < seen.size() && i < pictures.size(); ++i)
    std::fprintf(stderr, "%s\n",
                 paint(stderr, "2", pictures[i].name + ": " + seen_text(seen[i]) +
                                        (seen[i].done || seen[i].width == 0 ? "" : ", not finished")).c_str());
}

void write_seen(dsvl::json::Writer& w, const dsvl::Answer& answer, std::span<const NamedPicture> pictures) {
  const auto write_view = [&w](const dsvl::SeenPicture::View& view) {
    w.begin_object().key("side").value(view.side).key("x").value(view.content.x).key("y").value(view.content.y);
    w.key("width").value(view.content.width).key("height").value(view.content.height).end_object();
  };
  const auto write_box = [&w](const dsvl::Box& box) {
    w.begin_object().key("x").value(box.x).key("y").value(box.y).key("width").value(box.width);
    w.key("height").value(box.height).end_object();
  };
  const auto seen = answer.pictures();
  w.begin_array();
  for (std::size_t i = 0; i < seen.size() && i < pictures.size(); ++i) {
    const dsvl::SeenPicture& s = seen[i];
    w.begin_object().key("file").value(pictures[i].name).key("width").value(s.width).key("height").value(s.height);
    w.key("orientation").value(s.orientation).key("turned").value(s.turned).key("tokens").value(s.tokens);
    w.key("known").value(s.recognised);
    w.key("region");
    write_box(dsvl::Box::of(s.region));
    w.key("low");
    write_view(s.low);
    if (s.high.side > 0) w.key("high"), write_view(s.high);
    if (const auto looked = Looked::at(answer, i)) {
      w.key("attention").begin_object().key("share").value(looked->share).key("strongest");
      write_box(looked->strongest(s.map()));
      w.end_object();
    }
    w.end_object();
  }
  w.end_array();
}

}  // namespace cli
