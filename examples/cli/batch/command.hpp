// dsvl batch: many inputs, one load of the model.
#ifndef DSVL_CLI_BATCH_COMMAND_HPP
#define DSVL_CLI_BATCH_COMMAND_HPP

#include "../command_line.hpp"
#include "inputs.hpp"

namespace cli::batch {

/// --form, --question, --pictures.
void add_input_options(CommandLine& line, InputChoice& choice);

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_COMMAND_HPP
