// Writes dsvl as one file: one of its headers, and in it all headers of dsvl that it includes.
//   single_header SOURCE_DIR HEADER OUTPUT [DIR...]
// HEADER is named as one includes it (dsvl/dsvl.hpp, dsvl/kernels/unit.hpp). Without DIRs the file includes xsimd,
// nlohmann/json and stb_image as dsvl's headers do. With DIRs, the folders in which the three are looked for, it
// contains them as well, inside dsvl's namespace, so that a program may have other versions of its own beside it.
//
// Equal sources give equal bytes. It is written in C++ so that the build needs no other language.
//
// A header stands where it is first included. If that is between #if and #endif, a compiler may skip it there, so it
// stands once more where it is needed under weaker conditions; its include guard sees to it that it counts once.
// Headers without a guard (host_macros_push.hpp) are meant to be read every time, and stand in every place.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "licences.hpp"

namespace fs = std::filesystem;

namespace {

// --- text ------------------------------------------------------------------------------------------------------------

/// Ends the program with one sentence, before anything is written.
[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "single_header: %s\n", why.c_str());
  std::exit(1);
}

/// The whole file, with line ends as Unix has them.
std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) give_up("cannot read " + file.string());
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::erase(text, '\r');
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Where the comment or literal that begins at `at` ends; `at` itself where none begins.
std::size_t skip_opaque(const std::string& text, std::size_t at) {
  const auto behind = [&](std::string_view close, std::size_t from) {
    const std::size_t found = text.find(close, from);
    return found == std::string::npos ? text.size() : found + close.size();
  };
  if (text.compare(at, 2, "//") == 0) return (std::min)(text.find('\n', at), text.size());
  if (text.compare(at, 2, "/*") == 0) return behind("*/", at + 2);
  if (text[at] == '"' && at > 0 && text[at - 1] == 'R') {
    const std::size_t open = text.find('(', at);
    return behind(")" + text.substr(at + 1, open - at - 1) + "\"", open);
  }
  const bool separator = text[at] == '\'' && at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]));
  if (text[at] != '"' && (text[at] != '\'' || separator)) return at;
  std::size_t end = at + 1;
  for (; end < text.size() && text[end] != text[at] && text[end] != '\n'; ++end)
    if (text[end] == '\\') ++end;
  return (std::min)(end + 1, text.size());
}

/// The text with blanks for comments and literals; line breaks stay, so that places are the same in both.
std::string code_only(const std::string& text) {
  std::string code = text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = skip_opaque(text, at);
    for (std::size_t i = at; i < end; ++i)
      if (code[i] != '\n') code[i] = ' ';
    at = (std::max)(end, at + 1);
  }
  return code;
}

std::string trimmed(const std::string& text) {
  static const std::regex blanks(R"([\s\\]+)");
  const std::string single = std::regex_replace(text, blanks, " ");
  const std::size_t first = single.find_first_not_of(' ');
  return first == std::string::npos ? "" : single.substr(first, single.find_last_not_of(' ') + 1 - first);
}

// --- the libraries that dsvl includes --------------------------------------------------------------------------------

/// Tells their headers from the standard library's.
bool is_foreign(const std::string& header) {
  static const std::regex known(R"((xsimd|nlohmann)/.*|(stb/)?stb_image\.h)");
  return std::regex_match(header, known);
}

/// Macros of xsimd and nlohmann/json, which get the prefix DSVL_. That includes the switches that only a host defines:
/// what it chose for its own copy does not change ours. stb_image's macros keep their names, because dsvl's header puts
/// back what they were.
bool is_foreign_macro(const std::string& word) {
  static const std::regex known("(INCLUDE_NLOHMANN|NLOHMANN|JSON|XSIMD)_.*|(GET|SET)_(HIGH|LOW)_WORD|"
                                "(HIGH|LOW)_WORD_IDX|WRAP_[A-Z0-9_]+|ONCE0");
  return std::regex_match(word, known);
}

/// Code of xsimd or nlohmann/json with its namespace inside dsvl's, where dsvl's code finds it before any other of that
/// name: `namespace xsimd` becomes `namespace dsvl::inline DSVL_ABI::xsimd`, `::xsimd::` becomes `::dsvl::xsimd::`.
/// What it adds to namespace std, and what it includes, stays at file scope, where it was.
std::string moved_inside(const std::string& text) {
  const std::string code = code_only(text);
  std::string out, before;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(code[end])) ++end;
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::string word = text.substr(at, end - at);
    const std::size_t next = (std::min)(code.find_first_not_of(" \t", end), code.size() - 1);
    if (word == "xsimd" || word == "nlohmann") {
      if (before == "namespace") out += "dsvl::inline DSVL_ABI::";
      else if (code.compare(next, 2, "::") == 0) out += "dsvl::";
    } else if (is_foreign_macro(word)) {
      out += "DSVL_";
    } else if (word == "_json" || word == "_json_pointer") {
      out += "_dsvl";  // "{}"_json is defined in the global namespace, where a host's copy has its own
    }
    out += word;
    before = before == "using" && word == "namespace" ? "using namespace" : word;
    at = end;
  }
  return out;
}

/// Stand around the libraries: nobody who compiles dsvl can mend what a compiler warns about in them.
constexpr std::string_view kQuiet = R"(
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wfloat-conversion"
#pragma GCC diagnostic ignored "-Wdouble-promotion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#elif defined(_MSC_VER)
#pragma warning(push, 0)
#endif
)";
constexpr std::string_view kLoud = R"(
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#elif defined(_MSC_VER)
#pragma warning(pop)
#endif
)";

// --- one file out of many --------------------------------------------------------------------------------------------

enum class Guard { none, macro, pragma };

struct File {
  std::string text, code;  ///< as it is written out, and without comments and literals
  Guard guard = Guard::none;
  bool foreign = false;
};

class SingleHeader {
 public:
  SingleHeader(fs::path include, std::vector<fs::path> libraries)
      : include_(std::move(include)), libraries_(std::move(libraries)) {
    if (libraries_.empty()) return;
    if (find("xsimd/xsimd.hpp").empty()) give_up("<xsimd/xsimd.hpp> is in none of the folders");
    if (find("nlohmann/json.hpp").empty()) give_up("<nlohmann/json.hpp> is in none of the folders");
    if (find("stb_image.h").empty() && find("stb/stb_image.h").empty())
      give_up("<stb_image.h> is in none of the folders");
  }

  /// Appends the header, with those that it includes in the places of its includes.
  void add(const std::string& name) { add((include_ / name).lexically_normal(), name, false); }

  [[nodiscard]] const std::string& text() const { return out_; }
  [[nodiscard]] std::size_t headers() const { return written_.size(); }

 private:
  using Conditions = std::set<std::string>;

  /// Those of the #if directives around this place. Where they hold, so does every subset: a header that was written
  /// under a subset has been read by the compiler.
  [[nodiscard]] Conditions conditions() const {
    Conditions all(stack_.begin(), stack_.end());
    all.erase("");
    return all;
  }

  [[nodiscard]] Guard guard_of(const std::string& code, const fs::path& path) {
    static const std::regex macro(R"(^\s*#\s*ifndef\s+(\w+)\s*\n\s*#\s*define\s+(\w+))");
    static const std::regex pragma(R"((^|\n)\s*#\s*pragma\s+once)");
    std::smatch match;
    if (std::regex_search(code, match, macro, std::regex_constants::match_continuous) && match[1] == match[2]) {
      guards_[match[1]] = path;
      return Guard::macro;
    }
    return std::regex_search(code, pragma) ? Guard::pragma : Guard::none;
  }

  void add(const fs::path& path, const std::string& name, bool foreign) {
    // A header that is being written has its guard defined already: including it in a circle does nothing.
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) return;
    File file{read(path), {}, Guard::none, foreign};
    const bool moved = foreign && !name.ends_with("stb_image.h");
    if (moved) file.text = moved_inside(file.text);
    file.code = code_only(file.text);
    file.guard = guard_of(file.code, path);
    const Conditions here = conditions();
    std::vector<Conditions>& seen = written_[path];
    const auto holds = [&](const Conditions& c) { return std::includes(here.begin(), here.end(), c.begin(), c.end()); };
    if (file.guard != Guard::none && std::any_of(seen.begin(), seen.end(), holds)) return;
    seen.push_back(here);

    const bool enters = moved && !foreign_depth_;
    foreign_depth_ += moved;
    open_.push_back(path);
    if (enters) out_ += kQuiet;
    if (!repeated(file)) out_ += "\n// ===== " + name + " =====\n";
    write(file, path, name);
    if (enters) out_ += kLoud;
    open_.pop_back();
    foreign_depth_ -= moved;
  }

  /// Headers of ours that are read every time. Their comments would stand there every time, too, and are left out.
  [[nodiscard]] static bool repeated(const File& file) { return file.guard == Guard::none && !file.foreign; }

  void write(const File& file, const fs::path& path, const std::string& name) {
    std::string once = "DSVL_SINGLE_" + name;
    for (char& c : once) c = is_word(c) ? c : '_';
    if (file.guard == Guard::pragma) out_ += "#ifndef " + once + "\n#define " + once + "\n";
    const std::size_t depth = stack_.size();
    bool first = file.guard == Guard::macro;
    for (std::size_t at = 0; at < file.text.size();) {
      std::size_t end = file.text.find('\n', at);
      while (end > at && file.text[end - 1] == '\\' && end + 1 < file.text.size()) end = file.text.find('\n', end + 1);
      const std::string line = file.text.substr(at, end + 1 - at), code = trimmed(file.code.substr(at, end - at));
      at = end + 1;
      if (code.empty() && repeated(file)) continue;
      if (code.empty() || code[0] != '#') out_ += line;
      else directive(file, path, line, code, std::exchange(first, false));
    }
    if (stack_.size() != depth) give_up(name + " opens and closes conditions unequally often");
    if (file.guard == Guard::pragma) out_ += "#endif\n";
  }

  void directive(const File& file, const fs::path& path, const std::string& line, const std::string& code, bool guard) {
    static const std::regex form(R"(# ?(\w+) ?(.*))");
    std::smatch match;
    if (!std::regex_match(code, match, form)) {
      out_ += line;
      return;
    }
    const std::string word = match[1], rest = match[2];
    if (word == "include") return include(file, path, line);
    if (word == "pragma" && rest == "once") return;
    if (word == "if") stack_.push_back(rest);
    else if (word == "ifdef") stack_.push_back("defined(" + rest + ")");
    else if (word == "ifndef") stack_.push_back(guard ? "" : "!defined(" + rest + ")");
    else if (word == "elif") stack_.back() = "!(" + stack_.back() + ") && (" + rest + ")";
    else if (word == "else") stack_.back() = "!(" + stack_.back() + ")";
    else if (word == "endif") stack_.pop_back();
    else if (const auto undone = guards_.find(rest); word == "undef" && undone != guards_.end())
      written_[undone->second].clear();  // xsimd reads a header twice, with another macro defined
    out_ += libraries_.empty() ? line : with_answers(line);
  }

  /// `__has_include(<stb_image.h>)` asks for what is here, whatever lies on the host's path.
  [[nodiscard]] std::string with_answers(const std::string& line) const {
    static const std::regex question(R"(__has_include\(<([^>]+)>\))");
    std::smatch match;
    if (!std::regex_search(line, match, question) || !is_foreign(match[1])) return line;
    return match.prefix().str() + (find(match[1]).empty() ? '0' : '1') + match.suffix().str();
  }

  [[nodiscard]] fs::path find(const std::string& header) const {
    for (const fs::path& folder : libraries_)
      if (fs::exists(folder / header)) return folder / header;
    return {};
  }

  void include(const File& file, const fs::path& path, const std::string& line) {
    static const std::regex form(R"re(#\s*include\s*([<"])([^>"]+)[>"])re");
    std::smatch match;
    if (!std::regex_search(line, match, form)) {  // a macro: DSVL_USER_CONFIG
      out_ += line;
      return;
    }
    const std::string name = match[2];
    if (match[1] == "<") {
      const fs::path found = is_foreign(name) ? find(name) : fs::path();
      if (!found.empty()) add(found.lexically_normal(), name, true);
      else out_ += line;
      return;
    }
    const fs::path target = (path.parent_path() / name).lexically_normal();
    if (fs::exists(target)) return add(target, name_of(target), file.foreign);
    if (!file.foreign) give_up(path.string() + " includes \"" + name + "\", which is not there");
    out_ += line;  // a library's own option, such as xsimd's for xtl
  }

  /// As one includes it, which is the same wherever the library was found.
  [[nodiscard]] std::string name_of(const fs::path& path) const {
    std::vector<fs::path> roots = libraries_;
    roots.push_back(include_);
    for (const fs::path& root : roots) {
      const std::string name = path.lexically_relative(root.lexically_normal()).generic_string();
      if (!name.empty() && !name.starts_with("..")) return name;
    }
    return path.filename().string();
  }

  fs::path include_;
  std::vector<fs::path> libraries_;
  std::string out_;
  std::map<fs::path, std::vector<Conditions>> written_;
  std::map<std::string, fs::path> guards_;
  std::vector<fs::path> open_;
  std::vector<std::string> stack_;
  int foreign_depth_ = 0;
};

// --- the head of the file --------------------------------------------------------------------------------------------

std::string commented(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = (std::min)(text.find('\n', at), text.size());
    const std::string line(text.substr(at, end - at));
    out += line.empty() ? "//\n" : "// " + line + "\n";
    at = end + 1;
  }
  return out;
}

/// The first group of `pattern` in the text, or what `otherwise` says.
std::string found(const std::string& text, const char* pattern, const char* otherwise) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : otherwise;
}

/// Says what the file is, whose code it contains and under which licences.
std::string head(const std::string& header, const std::string& licence, const std::string& body, bool whole) {
  const auto number = [&](const std::string& macro) { return found(body, (macro + " +([0-9]+)").c_str(), "?"); };
  const auto version = [&](const std::string& prefix) {
    return number(prefix + "MAJOR") + "." + number(prefix + "MINOR") + "." + number(prefix + "PATCH");
  };
  const auto contains = [&](const std::string& name) { return body.find(name + " =====\n") != std::string::npos; };
  std::string out = "// dsvl " + version("define DSVL_VERSION_") + " as one file: <" + header +
                    "> and its includes.\n"
                    "// Made by examples/single_header: change the headers that it is made of, not this file.\n//\n";
  if (!whole) {
    out += "// Where it holds definitions, it includes <xsimd/xsimd.hpp>, <nlohmann/json.hpp> and <stb_image.h>.\n";
  } else {
    out += "// It contains these libraries inside namespace dsvl, where they do not meet any copy of your own:\n";
    if (contains("xsimd/xsimd.hpp"))
      out += "//   xsimd " + version("DSVL_XSIMD_VERSION_") + " (BSD 3-Clause; parts Boost 1.0, and Sun's)\n";
    if (contains("nlohmann/json.hpp"))
      out += "//   nlohmann/json " + version("DSVL_NLOHMANN_JSON_VERSION_") + " (MIT)\n";
    if (contains("stb_image.h"))
      out += "//   stb_image " + found(body, "stb_image - v([0-9.]+)", "?") +
             " (MIT or public domain; both texts are at its end)\n";
  }
  out += "//\n" + commented(licence);
  if (whole) out += "//\n" + commented(kLicences);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "usage: %s SOURCE_DIR HEADER OUTPUT [DIR...]\n", argv[0]), 2;
  const fs::path source = argv[1], output = argv[3];
  const std::string header = argv[2];
  SingleHeader single(source / "include", {argv + 4, argv + argc});
  single.add(header);
  const std::string& body = single.text();
  const bool whole = argc > 4;
  std::string out = head(header, read(source / "LICENSE"), body, whole);
  out += body;
  if (output.has_parent_path()) fs::create_directories(output.parent_path());
  if (!std::ofstream(output, std::ios::binary).write(out.data(), static_cast<std::streamsize>(out.size())))
    give_up("cannot write " + output.string());
  std::printf("%s: %zu headers, %td lines\n", output.string().c_str(), single.headers(),
              std::count(out.begin(), out.end(), '\n'));
  return 0;
}
