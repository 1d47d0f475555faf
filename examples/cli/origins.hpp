// The settings that a model will be used with, and where each came from, as a table and as JSON.
#ifndef DSVL_CLI_ORIGINS_HPP
#define DSVL_CLI_ORIGINS_HPP

#include "library.hpp"

#include <dsvl/io/json_writer.hpp>
#include <string>

namespace cli {

/// A table with a headline; nothing when the report has no settings. Files of the model `path` are named without it.
void print_settings(const dsvl::LoadReport& report, const std::string& path);
/// The same as a JSON array.
void write_settings(dsvl::json::Writer& w, const dsvl::LoadReport& report);

}  // namespace cli

#endif  // DSVL_CLI_ORIGINS_HPP
