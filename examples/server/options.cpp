#include "options.hpp"

#include <algorithm>
#include <fstream>

#include "../cli/command_line.hpp"
#include "../cli/console.hpp"

namespace server {

namespace {

/// The keys of a file, one a line. Empty lines and the blanks around a key are no part of any.
std::string read_keys(const std::string& file, std::vector<std::string>& keys) {
  std::ifstream in(dsvl::utf8_to_path(file));
  if (!in) return "cannot be read";
  for (std::string line; std::getline(in, line);) {
    const std::size_t begin = line.find_first_not_of(" \t\r"), end = line.find_last_not_of(" \t\r");
    if (begin != std::string::npos) keys.push_back(line.substr(begin, end - begin + 1));
  }
  return keys.empty() ? "has no key: write one a line" : "";
}

void add_place(cli::CommandLine& line, Options& o) {
  line.section("Model");
  line.path('m', "model", "PATH", "A folder or a GGUF file (default: examples/models/tiny-vl)", o.model);
  line.text(0, "name", "NAME", "What /v1/models calls it (default: the file's name)", o.name);
  line.whole(0, "threads", "Threads of the model (default: as many as there are)", o.threads, 0, 1024);
  line.whole(0, "context", "Tokens of a prompt with its answer (default: the model's own)", o.context, 0, 1 << 20);
  line.section("Who may call");
  line.text(0, "host", "ADDRESS", "Where to listen (default: 127.0.0.1, this machine only)", o.host);
  line.whole('p', "port", "Port; 0: a free one, which is printed (default: 8080)", o.port, 0, 65535);
  line.other(0, "api-key-file", "FILE", "Keys that open the API, one a line (default: it is open)",
             [&o](std::string_view file) { return read_keys(std::string(file), o.keys); });
  line.path(0, "pictures-from", "FOLDER", "Lets requests name pictures below a folder (default: data URIs only)",
            o.picture_directory);
  line.text(0, "cors", "ORIGIN", "Lets pages of that origin call (default: none)", o.cors);
}

void add_limits(cli::CommandLine& line, Options& o) {
  line.section("Limits");
  line.whole(0, "sessions", "Answers that are decoded together (default: 4)", o.sessions, 1, 1024);
  line.whole(0, "queue", "Answers that may wait beside them; one more is 429 (default: 16)", o.queue, 0, 100'000);
  line.whole(0, "share", "Answers of one client, running and waiting (default: half; all if clients look alike)",
             o.share, 0, 100'000);
  line.whole(0, "connections", "Connections at a time (default: 128)", o.connections, 1, 10'000);
  line.whole(0, "seconds", "Time for a request, from its arrival on (default: 300)", o.seconds, 1, 86'400);
  line.whole(0, "read-seconds", "Time for a request to arrive (default: 30)", o.read_seconds, 1, 3600);
  line.whole(0, "drain-seconds", "Time for answers to end after SIGTERM (default: 60)", o.drain_seconds, 0, 86'400);
  line.whole(0, "body-mib", "Size of a request in MiB (default: 32)", o.body_mib, 1, 1024);
  line.whole(0, "bodies-mib", "Size of all requests at a time (default: 256)", o.bodies_mib, 1, 65'536);
  line.whole(0, "pictures", "Pictures of a request (default: 8)", o.pictures, 0, 1000);
  line.whole(0, "max-pixels", "Width times height of a picture (default: 32000000)", o.max_pixels, 1, 1'000'000'000);
  line.whole(0, "max-tokens", "Tokens of an answer whose request names no number (default: 512)", o.max_tokens, 1,
             1 << 20);
  line.flag('v', "verbose", "A line on stderr for each request", o.verbose);
}

}  // namespace

bool is_loopback(const std::string& host) {
  const bool is_number = host.find_first_not_of("0123456789.") == host.npos;  // 127.evil.example is a name
  return host == "localhost" || host == "::1" || (is_number && host.starts_with("127."));
}

int share_of_client(const Options& options) {
  const int all = options.sessions + options.queue;
  if (options.share > 0) return options.share;
  const bool alike = options.keys.size() <= 1 && is_loopback(options.host);
  return alike ? all : std::max(1, all / 2);
}

std::optional<int> read_options(std::span<const std::string> arguments, Options& options) {
  cli::CommandLine line(
      "dsvl-server", "[options]",
      "Serves a model to several clients at once: OpenAI's chat completions, and a page to try it at.");
  add_place(line, options);
  add_limits(line, options);
  line.epilog("SIGTERM or Ctrl-C lets answers end; a second one cancels them.");
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return exit;
  if (!rest.empty()) return line.usage_error("unexpected argument " + rest[0], "name the model with -m");
  if (options.bodies_mib < options.body_mib)
    return line.usage_error("--bodies-mib is less than --body-mib", "make it as large at least");
  if (options.name.empty()) {
    const std::filesystem::path path = dsvl::utf8_to_path(options.model);
    options.name = dsvl::path_to_utf8(path.has_filename() ? path.stem() : path.parent_path().filename());
  }
  return std::nullopt;
}

}  // namespace server
