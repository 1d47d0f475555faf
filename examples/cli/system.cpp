#include "system.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <optional>
#include <system_error>

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <fcntl.h>
#include <io.h>
#include <windows.h>

#include <shellapi.h>  // which wants windows.h before it
#ifdef _MSC_VER
#pragma comment(lib, "shell32")
#endif
#else
#include <fcntl.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#endif

namespace cli {

namespace {

// A signal handler can reach nothing but globals.
dsvl::CancelToken g_interrupt;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait for a lock");

#ifdef _WIN32
BOOL WINAPI on_interrupt(DWORD event) {
  if (event != CTRL_C_EVENT || g_interrupt.cancelled()) return FALSE;  // FALSE: what would happen without us
  g_interrupt.cancel();
  return TRUE;
}
#else
extern "C" void dsvl_cli_on_interrupt(int signal) {
  if (g_interrupt.cancelled()) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  g_interrupt.cancel();
}
#endif

constexpr int kStandardInput = 0;

/// One read: how many bytes came, 0 at the end, -1 when a signal came first, -2 when it failed.
long read_some(int from, void* into, unsigned size) {
#ifdef _WIN32
  const int n = _read(from, into, size);
#else
  const auto n = static_cast<long>(::read(from, into, size));
#endif
  return n >= 0 ? n : errno == EINTR ? -1 : -2;
}

/// Opens a pipe, which waits for its writer; -1 with errno when that fails.
int open_pipe(const std::string& argument) {
#ifdef _WIN32
  return _wopen(to_path(argument).c_str(), _O_RDONLY | _O_BINARY);
#else
  return ::open(argument.c_str(), O_RDONLY | O_CLOEXEC);
#endif
}
void close_pipe(int pipe) {
  if (pipe == kStandardInput) return;
#ifdef _WIN32
  _close(pipe);
#else
  ::close(pipe);
#endif
}

Poured pour_from(int pipe, TakeBytes take) {
  std::vector<std::byte> block(std::size_t{1} << 16);
  for (;;) {
    const long n = read_some(pipe, block.data(), static_cast<unsigned>(block.size()));
    if (g_interrupt.cancelled()) return Poured::interrupted;
    if (n == -1) continue;
    if (n < 0) return Poured::failed;
    if (n == 0) return Poured::whole;
    if (!take(std::span(block).first(static_cast<std::size_t>(n)))) return Poured::too_much;
  }
}

}  // namespace

std::vector<std::string> start_up(int argc, char** argv) {
#ifdef _WIN32
  SetConsoleOutputCP(CP_UTF8);
  SetConsoleCP(CP_UTF8);
  for (const DWORD which : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
    DWORD mode = 0;
    const HANDLE console = GetStdHandle(which);
    if (GetConsoleMode(console, &mode)) SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
  }
  int count = 0;
  std::vector<std::string> arguments;
  if (wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count)) {
    for (int i = 1; i < count; ++i) arguments.push_back(to_text(wide[i]));
    LocalFree(wide);
    return arguments;
  }
#else
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows beyond ulimit -f is an error with words, and no end
#endif
  return {argv + (argc > 0 ? 1 : 0), argv + argc};
}

std::filesystem::path to_path(const std::string& argument) {
  return dsvl::utf8_to_path(argument);
}

std::string to_text(const std::filesystem::path& path) {
  return dsvl::path_to_utf8(path);
}

std::filesystem::path program_directory() {
  std::error_code ignored;
#if defined(_WIN32)
  wchar_t file[4096];
  const DWORD length = GetModuleFileNameW(nullptr, file, 4096);
  return length > 0 && length < 4096 ? std::filesystem::path(file).parent_path() : std::filesystem::path();
#elif defined(__APPLE__)
  char file[4096];
  std::uint32_t size = sizeof file;
  if (_NSGetExecutablePath(file, &size) != 0) return {};
  return std::filesystem::canonical(file, ignored).parent_path();
#else
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
#endif
}

bool is_terminal(std::FILE* stream) {
#ifdef _WIN32
  return _isatty(_fileno(stream)) != 0;
#else
  return isatty(fileno(stream)) != 0;
#endif
}

dsvl::CancelToken& catch_interrupts() {
#ifdef _WIN32
  SetConsoleCtrlHandler(on_interrupt, TRUE);
#else
  struct sigaction action = {};
  sigaction(SIGINT, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return g_interrupt;  // run in the background by a shell: leave it so
  action = {};
  action.sa_handler = dsvl_cli_on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: a read must end
  sigaction(SIGINT, &action, nullptr);
#endif
  return g_interrupt;
}

void catch_notices() {
#ifndef _WIN32
  struct sigaction action = {};
  action.sa_handler = dsvl_cli_on_interrupt;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
#endif
}

std::string host_name() {
  char name[256] = {};
#ifdef _WIN32
  DWORD size = sizeof name;
  return GetComputerNameA(name, &size) ? name : "";
#else
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
#endif
}

bool is_standard_input(const std::string& argument) {
  return argument == "-" || argument == "/dev/stdin" || argument == "/dev/fd/0" || argument == "/proc/self/fd/0";
}

Poured pour(const std::string& argument, TakeBytes take) {
  int pipe = kStandardInput;
  if (argument != "-") pipe = open_pipe(argument);
#ifdef _WIN32
  else _setmode(kStandardInput, _O_BINARY);
#endif
  if (pipe < 0) return g_interrupt.cancelled() ? Poured::interrupted : Poured::failed;
  const Poured poured = pour_from(pipe, take);
  close_pipe(pipe);
  return poured;
}

Poured pour(const std::string& argument, std::size_t most, std::vector<std::byte>& into) {
  return pour(argument, [&](std::span<const std::byte> bytes) {
    if (bytes.size() > most - into.size()) return false;
    into.insert(into.end(), bytes.begin(), bytes.end());
    return true;
  });
}

#if defined(__linux__)
namespace {

/// A number in a file of the system's; nothing where there is none ("max").
std::optional<std::uint64_t> number_in(const char* file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

}  // namespace
#endif

std::uint64_t available_memory() {
#if defined(_WIN32)
  MEMORYSTATUSEX status = {};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? status.ullAvailPhys : 0;
#elif defined(__linux__)
  std::uint64_t bytes = 0;
  std::ifstream in("/proc/meminfo");
  for (std::string word; in >> word;)
    if (word == "MemAvailable:" && in >> bytes) break;
  bytes *= 1024;
  // A container may have less than its machine.
  static constexpr struct { const char* limit; const char* used; } kGroups[] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& group : kGroups) {
    const auto limit = number_in(group.limit), used = number_in(group.used);
    if (limit && used) bytes = std::min<std::uint64_t>(bytes, *limit > *used ? *limit - *used : 0);
  }
  return bytes;
#elif defined(_SC_PHYS_PAGES)
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) : 0;
#else
  return 0;
#endif
}

LineReader::Got LineReader::next(std::string& line) {
  for (;;) {
    const std::size_t at = waiting_.find('\n');
    if (at != std::string::npos || (ended_ && !waiting_.empty())) {
      line = waiting_.substr(0, at);
      waiting_.erase(0, at == std::string::npos ? at : at + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return Got::line;
    }
    if (ended_) return Got::end;
    char block[4096];
    const long n = read_some(kStandardInput, block, sizeof block);
    if (n == -1 || (n == 0 && g_interrupt.cancelled())) return Got::interrupt;
    if (n <= 0) {
      ended_ = true;
      continue;
    }
    waiting_.append(block, static_cast<std::size_t>(n));
  }
}

}  // namespace cli
