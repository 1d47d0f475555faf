// dsvl eval BENCHMARK FILES…: the benchmarks of the paper's table.
#ifndef DSVL_CLI_EVALUATION_COMMAND_HPP
#define DSVL_CLI_EVALUATION_COMMAND_HPP

#include <string>
#include <string_view>

#include "../commands.hpp"

namespace cli::evaluation {

/// True when the arguments name a benchmark. A name with a dot or a slash is a file.
bool names_benchmark(Arguments arguments);
int run_benchmark(Arguments arguments);
/// The benchmark that a typing error could have turned into `word`; empty when none is near.
std::string nearest_benchmark(std::string_view word);
/// A line for each benchmark, for --help.
std::string list_benchmarks();

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_COMMAND_HPP
