// The commands: each takes its arguments and returns the program's exit code.
#ifndef DSVL_CLI_COMMANDS_HPP
#define DSVL_CLI_COMMANDS_HPP

#include <span>
#include <string>

namespace cli {

using Arguments = std::span<const std::string>;

int run_ask(Arguments arguments);
int run_preview(Arguments arguments);
int run_replay(Arguments arguments);
int run_chat(Arguments arguments);
int run_eval(Arguments arguments);
int run_batch(Arguments arguments);
int run_doctor(Arguments arguments);
int run_inspect(Arguments arguments);
int run_bench(Arguments arguments);
int run_convert(Arguments arguments);
int run_synth(Arguments arguments);

}  // namespace cli

#endif  // DSVL_CLI_COMMANDS_HPP
