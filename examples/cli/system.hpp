// What differs between operating systems: arguments in UTF-8, terminals, where this program lies, Ctrl-C.
#ifndef DSVL_CLI_SYSTEM_HPP
#define DSVL_CLI_SYSTEM_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "library.hpp"

namespace cli {

/// The program's arguments, UTF-8 where the system has an encoding, and the consoles set to match.
std::vector<std::string> start_up(int argc, char** argv);

/// A file's path from an argument: the bytes as they are, or UTF-8 on Windows.
std::filesystem::path to_path(const std::string& argument);
/// For messages; the other way round.
std::string to_text(const std::filesystem::path& path);
/// The directory of this program; empty when the system does not tell.
std::filesystem::path program_directory();

bool is_terminal(std::FILE* stream);

/// The name of this machine; empty when the system does not tell.
std::string host_name();

/// Ctrl-C sets this token from here on. A second one before the first was dealt with ends the program at once.
dsvl::CancelToken& catch_interrupts();

/// The signals by which schedulers of jobs announce the end set the same token: SIGTERM and SIGUSR1.
void catch_notices();

/// Bytes that this process may still take without others having to go; 0 when the system does not tell.
std::uint64_t available_memory();

/// Whether an argument is standard input: "-", or what systems call it.
bool is_standard_input(const std::string& argument);

enum class Poured { whole, too_much, interrupted, failed };
/// Takes the next bytes; false when there may be no more.
using TakeBytes = dsvl::FunctionRef<bool(std::span<const std::byte>)>;
/// Hands on all that a pipe gives, or standard input, piece by piece. Waits for its writer until Ctrl-C.
Poured pour(const std::string& argument, TakeBytes take);
/// All that a pipe gives, or standard input: at most `most` bytes of it. Waits for its writer until Ctrl-C.
Poured pour(const std::string& argument, std::size_t most, std::vector<std::byte>& into);

/// Standard input, line by line; unlike std::getline it says when Ctrl-C came in between.
class LineReader {
 public:
  enum class Got { line, end, interrupt };
  /// The next line without its end, or what is left when the input ends without one.
  Got next(std::string& line);

 private:
  std::string waiting_;
  bool ended_ = false;
};

}  // namespace cli

#endif  // DSVL_CLI_SYSTEM_HPP
