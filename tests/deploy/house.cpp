// Checks the house rules that a compiler does not: which folder may include which, names of include guards, where
// macros are defined and hosts' macros set aside, and what a header may not call.
//   deploy_house INCLUDE_DIR           exit code 1 and one line per fault when there is one
//   deploy_house --self-test WORK_DIR  writes faulty headers and checks that each fault is seen
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

// A header includes its own folder and lower floors; two folders of one floor never include each other. Headers outside
// the folders (the umbrella, adapters) are the roof. c.h is of the folder c/: it declares in C what is defined there.
const std::map<std::string, int> kFloors = {{"base", 0}, {"kernels", 1}, {"io", 1},       {"run", 2},   {"text", 2},
                                            {"nn", 3},   {"constraint", 3}, {"vision", 4},  {"language", 4}, {"model", 5}, {"engine", 6},
                                            {"convert", 6}, {"chat", 7}, {"c", 8}};
constexpr int kRoof = 9;
const fs::path kCHeader = "c.h";

struct Rule {
  const char* pattern;
  const char* fault;
};
// Searched in code without comments and strings.
const Rule kForbidden[] = {
    {R"(#\s*include\s*<iostream>)", "includes <iostream> (its static initialisers end up in every program)"},
    {R"(\bstd\s*::\s*(cout|cerr|clog)\b)", "writes to a standard stream"},
    {R"(\b(printf|vprintf|puts|putchar|perror)\s*\()", "writes to a standard stream"},
    {R"(\b(secure_)?getenv\s*\()", "reads the environment"},
    {R"(\b(abort|exit|_Exit|_exit|quick_exit|terminate)\s*\()", "can end the host's process"},
    {R"(\bthrow\b)", "throws"},
    {R"(\bdynamic_cast\b|\btypeid\b)", "needs RTTI"},
    {R"(^using\s+namespace\b)", "opens a namespace in whoever includes it"},
};
// Third parties' switches, which have no other form.
const std::regex kForeignMacro("STBIDEF|(STB_IMAGE|STBI)_.*");
// Set hosts' macros aside and put them back. Included many times, so they have no guard.
const fs::path kMacrosPush = "base/host_macros_push.hpp", kMacrosPop = "base/host_macros_pop.hpp";

std::vector<std::string> g_faults;
void fault(const std::string& where, const std::string& what) { g_faults.push_back(where + ": " + what); }

/// The text with comments and the insides of literals blanked out; line breaks stay. Raw strings have no delimiter.
std::string code_only(const std::string& text) {
  std::string out = text;
  const auto blank = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to && i < out.size(); ++i)
      if (out[i] != '\n') out[i] = ' ';
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (text.compare(i, 2, "//") == 0) {
      end = std::min(text.find('\n', i), text.size());
      blank(i, end);
    } else if (text.compare(i, 2, "/*") == 0) {
      const std::size_t close = text.find("*/", i + 2);
      end = close == std::string::npos ? text.size() : close + 2;
      blank(i, end);
    } else if (text.compare(i, 3, "R\"(") == 0) {
      const std::size_t close = text.find(")\"", i + 3);
      end = close == std::string::npos ? text.size() : close + 2;
      blank(i, end);
    } else if (text[i] == '"' ||
               (text[i] == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1]))))) {
      for (; end < text.size() && text[end] != text[i] && text[end] != '\n'; ++end)
        if (text[end] == '\\') ++end;
      blank(i + 1, end);
      ++end;
    }
    i = end;
  }
  return out;
}

std::string folder_of(const fs::path& header) {
  if (header == kCHeader) return "c";
  return std::distance(header.begin(), header.end()) > 1 ? header.begin()->string() : std::string();
}

int floor_of(const fs::path& header) {
  const auto found = kFloors.find(folder_of(header));
  return found == kFloors.end() ? kRoof : found->second;
}

std::string guard_of(const fs::path& header) {
  std::string guard = "DSVL_" + header.generic_string();
  for (char& c : guard) c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(c)) : '_';
  return guard;
}

void check_include(const std::string& where, const fs::path& header, const std::string& target, const fs::path& root) {
  const fs::path seen = (header.parent_path() / target).lexically_normal();
  if (!fs::exists(root / seen)) return fault(where, "includes \"" + target + "\", which is not there from here");
  const bool same_folder = folder_of(header) == folder_of(seen);
  if (!same_folder && floor_of(seen) >= floor_of(header))
    fault(where, "includes \"" + target + "\", which is not on a lower floor");
}

void check_macro(const std::string& where, const fs::path& header, const std::string& name, const std::string& code) {
  const bool gone_again = std::regex_search(code, std::regex("#\\s*undef\\s+" + name + "\\b"));
  if (name == guard_of(header) || header == fs::path("base/config.hpp") || gone_again) return;
  if (std::regex_match(name, kForeignMacro)) return;
  if (header == kCHeader && name.rfind("DSVL_C_", 0) == 0) return;  // C does not see config.hpp
  fault(where, "defines the macro " + name + "; macros live in base/config.hpp");
}

void check_lines(const fs::path& header, const fs::path& root, const std::string& raw) {
  static const std::regex relative(R"re(^\s*#\s*include\s*"([^"]+)")re");
  static const std::regex angled(R"(^\s*#\s*include\s*<(dsvl/[^>]+)>)");
  static const std::regex define(R"(^\s*#\s*define\s+(\w+))");
  const std::string code = code_only(raw);
  std::size_t number = 0, begin = 0;
  while (begin < raw.size()) {
    const std::size_t end = std::min(raw.find('\n', begin), raw.size());
    const std::string line = raw.substr(begin, end - begin), bare = code.substr(begin, end - begin);
    const std::string where = header.generic_string() + ":" + std::to_string(++number);
    std::smatch match;
    // Include names are literals, so they are read from the raw line, where the bare one still starts with '#'.
    const bool directive =
        bare.find_first_not_of(" \t") != std::string::npos && bare[bare.find_first_not_of(" \t")] == '#';
    if (directive && std::regex_search(line, match, relative)) check_include(where, header, match[1], root);
    if (directive && std::regex_search(line, match, angled))
      fault(where, "includes <" + match[1].str() + ">; use a relative path");
    if (std::regex_search(bare, match, define)) check_macro(where, header, match[1], code);
    for (const Rule& rule : kForbidden) {
      static std::map<const char*, std::regex> compiled;
      const auto known = compiled.try_emplace(rule.pattern, rule.pattern).first;
      if (std::regex_search(bare, known->second)) fault(where, rule.fault);
    }
    if (line.find('\t') != std::string::npos) fault(where, "has a tab");
    const auto width = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (width > 120) fault(where, "is wider than 120 columns");
    begin = end + 1;
  }
  // c.h stays one file, for those who write bindings from it.
  const std::size_t most = header == "c.h" ? 700 : 500;
  if (number > most) fault(header.generic_string(), "is longer than " + std::to_string(most) + " lines");
}

void check_guard(const fs::path& header, const std::string& raw) {
  const std::string code = code_only(raw), guard = guard_of(header);
  std::smatch match;
  static const std::regex first(R"(^\s*#\s*ifndef\s+(\w+)\s*\n\s*#\s*define\s+(\w+))");
  if (!std::regex_search(code, match, first, std::regex_constants::match_continuous) || match[1] != guard ||
      match[2] != guard)
    fault(header.generic_string(), "does not begin with the include guard " + guard);
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The names that kMacrosPush sets aside.
std::vector<std::string> host_macros(const fs::path& root) {
  static const std::regex pushed(R"re(push_macro\("(\w+)"\))re");
  const std::string text = read(root / kMacrosPush);
  std::vector<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), pushed), end; match != end; ++match)
    names.push_back((*match)[1]);
  return names;
}

/// A header that uses a name that hosts define as a macro does so between kMacrosPush and kMacrosPop.
void check_host_macros(const fs::path& header, const std::string& raw, const std::vector<std::string>& names) {
  static const std::regex push(R"re(#include "[./\w]*host_macros_push\.hpp")re");
  static const std::regex pop(R"re(#include "[./\w]*host_macros_pop\.hpp")re");
  const std::string code = code_only(raw);
  std::smatch opened, closed;
  const bool pushes = std::regex_search(raw, opened, push), pops = std::regex_search(raw, closed, pop);
  if (pushes != pops || (pushes && opened.position() > closed.position()))
    return fault(header.generic_string(), "needs a host_macros_pop.hpp behind its host_macros_push.hpp");
  for (const std::string& name : names) {
    const std::regex word("\\b" + name + "\\b");
    bool outside = false;
    for (std::sregex_iterator use(code.begin(), code.end(), word), end; use != end; ++use)
      outside = outside || !pushes || use->position() < opened.position() || use->position() > closed.position();
    if (outside)
      fault(header.generic_string(), "uses " + name + ", a macro of many hosts, outside host_macros_push.hpp and _pop");
  }
}

/// Number of headers seen; faults collect in g_faults.
int check_tree(const fs::path& include_dir) {
  const fs::path root = include_dir / "dsvl";
  int headers = 0;
  g_faults.clear();
  const std::vector<std::string> macros = host_macros(root);
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const fs::path header = entry.path().lexically_relative(root);
    if (header == "README.md") continue;  // the tour
    if (header.extension() != ".hpp" && header != kCHeader) {
      fault(header.generic_string(), "is not a .hpp");
      continue;
    }
    if (!folder_of(header).empty() && !kFloors.count(folder_of(header)))
      fault(header.generic_string(), "lies in a folder that has no floor");
    const std::string raw = read(entry.path());
    check_lines(header, root, raw);
    if (header != kMacrosPush && header != kMacrosPop) {
      check_guard(header, raw);
      check_host_macros(header, raw, macros);
    }
    ++headers;
  }
  return headers;
}

struct Case {
  const char* header;
  const char* body;
  const char* expected;  // part of the one fault, or null for none
};
const Case kCases[] = {
    {"nn/good.hpp",
     "#include <cstdio>\n#include \"../base/leaf.hpp\"\n#include \"../run/leaf.hpp\"\n// throw abort( std::cout\n"
     "inline const char* s() { return \"printf(\"; }\ninline char q() { return '\"'; }\n"
     "inline int n(char* b) { using namespace std; return std::snprintf(b, 1'000, \"x\"); }\n",
     nullptr},
    {"nn/up.hpp", "#include \"../chat/leaf.hpp\"\n", "not on a lower floor"},
    {"vision/sideways.hpp", "#include \"../language/leaf.hpp\"\n", "not on a lower floor"},
    {"io/roof.hpp", "#include \"../dsvl.hpp\"\n", "not on a lower floor"},
    {"io/nowhere.hpp", "#include \"no_such.hpp\"\n", "not there"},
    {"io/angled.hpp", "#include <dsvl/base/leaf.hpp>\n", "relative path"},
    {"io/macro.hpp", "#define DSVL_EXTRA 1\n", "defines the macro"},
    {"io/local_macro.hpp", "#define ROW(x) x\nint a = ROW(1);\n#undef ROW\n", nullptr},
    {"io/wide.hpp",
     "//345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
     "234567890123456789012345\n",
     "wider than"},
    {"io/stb.hpp", "#define STBI_ONLY_PNG\n#define STB_IMAGE_STATIC\n", nullptr},
    {"io/stream.hpp", "#include <iostream>\n", "<iostream>"},
    {"io/print.hpp", "inline void f() { std::printf(\"x\"); }\n", "standard stream"},
    {"io/environment.hpp", "inline char* f() { return std::getenv(\"x\"); }\n", "environment"},
    {"io/dies.hpp", "inline void f() { std::abort(); }\n", "end the host's process"},
    {"io/throws.hpp", "inline void f() { throw 1; }\n", "throws"},
    {"io/opens.hpp", "using namespace std;\n", "opens a namespace"},
    {"io/host_macro.hpp", "struct Status;\n", "uses Status, a macro of many hosts"},
    {"io/between.hpp",
     "#include \"../base/host_macros_push.hpp\"\nstruct Status;\n#include \"../base/host_macros_pop.hpp\"\n", nullptr},
    {"io/too_late.hpp",
     "#include \"../base/host_macros_push.hpp\"\n#include \"../base/host_macros_pop.hpp\"\nstruct Status;\n",
     "outside host_macros_push.hpp"},
    {"io/never_put_back.hpp", "#include \"../base/host_macros_push.hpp\"\n", "needs a host_macros_pop.hpp"},
    {"attic/lost.hpp", "", "no floor"},
    {"c.h", "#define DSVL_C_API\n#include \"c/leaf.hpp\"\n", nullptr},
    {"c.h", "#define DSVL_EXTRA 1\n", "defines the macro"},
    {"c.h", "#include \"dsvl.hpp\"\n", "not on a lower floor"},
    {"chat/down.hpp", "#include \"../c.h\"\n", "not"},
    {"io/other.h", "", "is not a .hpp"},
};

int self_test(const fs::path& work) {
  int wrong = 0;
  for (const Case& c : kCases) {
    fs::remove_all(work);
    const auto write = [&](const fs::path& header, const std::string& body) {
      const fs::path path = work / "dsvl" / header;
      fs::create_directories(path.parent_path());
      const std::string guard = guard_of(header);
      std::ofstream(path) << "// A header.\n#ifndef " << guard << "\n#define " << guard << "\n" << body << "#endif\n";
    };
    for (const auto& [folder, floor] : kFloors) write(folder + "/leaf.hpp", "");
    write("dsvl.hpp", "");
    write(kMacrosPush, "#pragma push_macro(\"Status\")\n#undef Status\n");
    write(kMacrosPop, "#pragma pop_macro(\"Status\")\n");
    write(c.header, c.body);
    check_tree(work);
    const bool right =
        c.expected ? g_faults.size() == 1 && g_faults[0].find(c.expected) != std::string::npos : g_faults.empty();
    if (right) continue;
    ++wrong;
    std::fprintf(stderr, "%s: expected %s, found %zu faults\n", c.header, c.expected ? c.expected : "none",
                 g_faults.size());
    for (const auto& f : g_faults) std::fprintf(stderr, "    %s\n", f.c_str());
  }
  fs::remove_all(work);
  std::printf("%zu faulty and good headers, %d judged wrongly\n", std::size(kCases), wrong);
  return wrong ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--self-test") return self_test(argv[2]);
  if (argc != 2) return std::fprintf(stderr, "usage: %s INCLUDE_DIR\n", argv[0]), 2;
  const int headers = check_tree(argv[1]);
  std::sort(g_faults.begin(), g_faults.end());
  for (const auto& f : g_faults) std::fprintf(stderr, "include/dsvl/%s\n", f.c_str());
  std::printf("%d headers, %zu faults\n", headers, g_faults.size());
  return headers == 0 || !g_faults.empty() ? 1 : 0;
}
