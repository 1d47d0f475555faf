#include "merge.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <dsvl/io/file_writer.hpp>
#include <dsvl/io/json.hpp>

#include "../evaluation/files.hpp"
#include "command.hpp"
#include "journal.hpp"

namespace cli::batch {

namespace fs = std::filesystem;

namespace {

struct Merge {
  std::string output;
  InputChoice inputs;
  std::vector<std::string> files;
};

/// A file of rows.
struct Part {
  RecordText rows;
  RecordKind kind;
  std::string header;
  std::vector<std::string> columns;
};

/// A row in the order of the result.
struct Place {
  std::string id;
  std::uint64_t hash;
  std::uint32_t part, row;
};

/// What is found on the way.
struct Findings {
  std::vector<Place> rows;
  std::size_t errors = 0, repeated = 0;
  std::vector<std::string> missing;  ///< sentences
  std::vector<std::string> doubles;  ///< ids with rows that differ
};

CommandLine describe(Merge& merge) {
  CommandLine line("dsvl batch merge", "[OPTION]... ROWS...",
                   "Puts the rows of all shards together, in the order of their ids, so that two runs can be compared\n"
                   "byte by byte. Counts rows and errors, and finds what is missing or there twice. Exit code 1 then.");
  line.path('o', "output", "FILE", "Where the rows go (default: standard output)", merge.output);
  line.path(0, "inputs", "SOURCE", "The inputs: each of them must have a row, and no other", merge.inputs.source);
  add_input_options(line, merge.inputs);
  return line;
}

dsvl::Result<Part> open_part(const std::string& file) {
  const std::string base = file.ends_with(".part") ? file.substr(0, file.size() - 5) : file;
  RecordKind kind;
  if (base.ends_with(".csv")) kind.separator = ',';
  if (base.ends_with(".tsv")) kind.separator = '\t';
  DSVL_TRY(rows, RecordText::of_file(file, kind));
  Part part{std::move(rows), kind, {}, {}};
  if (kind.separator == '\0' || part.rows.size() == 0) return part;
  DSVL_TRY(header, part.rows.read(0));
  DSVL_TRY(columns, read_cells(header, kind.separator, file));
  part.header = header + "\n";
  part.columns = std::move(columns);
  return part;
}

dsvl::Status list_rows(const Part& part, std::uint32_t number, Findings& found) {
  const std::size_t whole = part.rows.size() - (part.rows.torn() ? 1 : 0);
  for (std::size_t i = part.header.empty() ? 0 : 1; i < whole; ++i) {
    DSVL_TRY(row, part.rows.read(i));
    auto id = id_of_row(row, part.kind, part.columns);
    if (!id)
      return dsvl::fail(dsvl::Code::bad_file, "%s:%zu: %s", part.rows.name().c_str(), part.rows.line(i),
                        id.error().text());
    found.errors += row_failed(row, part.kind, part.columns);
    found.rows.push_back({std::move(*id), key_of(row).a, number, static_cast<std::uint32_t>(i)});
  }
  return {};
}

/// Sorts, and takes rows out that are there twice. Those that differ both stay, and are named.
void sort_rows(Findings& found) {
  std::sort(found.rows.begin(), found.rows.end(),
            [](const Place& a, const Place& b) { return std::tie(a.id, a.hash) < std::tie(b.id, b.hash); });
  const auto same = [](const Place& a, const Place& b) { return a.id == b.id && a.hash == b.hash; };
  const auto end = std::unique(found.rows.begin(), found.rows.end(), same);
  found.repeated = static_cast<std::size_t>(found.rows.end() - end);
  found.rows.erase(end, found.rows.end());
  for (std::size_t i = 1; i < found.rows.size(); ++i)
    if (found.rows[i].id == found.rows[i - 1].id && (found.doubles.empty() || found.doubles.back() != found.rows[i].id))
      found.doubles.push_back(found.rows[i].id);
}

/// Looks at the counts that stand beside the rows of shards.
void look_for_shards(const Merge& merge, Findings& found) {
  std::map<std::pair<std::string, dsvl::Index>, std::set<dsvl::Index>> shards;  // of one name in so many parts
  for (const std::string& file : merge.files) {
    if (file.ends_with(".part")) {
      found.missing.push_back(file + ": the shard is not done");
      continue;
    }
    const fs::path path = to_path(file);
    const std::string stats_file = to_text(path.parent_path() / path.stem()) + ".stats.json";
    const auto text = evaluation::read_text(stats_file);
    if (!text) continue;  // rows without counts are taken as they are
    const auto stats = dsvl::json::Document::parse(*text, stats_file);
    if (!stats) continue;
    const auto number = [&](const char* name) { return stats->root().find(name).integer().value_or(0); };
    const std::string options(stats->root().find("options").string().value_or(""));
    shards[{options, number("shards")}].insert(number("shard"));
  }
  for (const auto& [of, there] : shards)
    for (dsvl::Index shard = 1; shard <= of.second; ++shard)
      if (!there.contains(shard))
        found.missing.push_back("shard " + std::to_string(shard) + " of " + std::to_string(of.second));
}

/// Compares the ids with those of the inputs.
dsvl::Status look_for_inputs(const InputChoice& choice, Findings& found) {
  if (choice.source.empty()) return {};
  DSVL_TRY(inputs, Inputs::open(choice));
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) ids.push_back(inputs.read(i).id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  auto row = found.rows.begin();
  for (const std::string& id : ids) {
    for (; row != found.rows.end() && row->id < id; ++row)
      if (!std::binary_search(ids.begin(), ids.end(), row->id)) found.missing.push_back(row->id + ": is no input's id");
    if (row == found.rows.end() || row->id != id) found.missing.push_back(id + ": has no row");
  }
  for (; row != found.rows.end(); ++row)
    if (row->id > (ids.empty() ? "" : ids.back())) found.missing.push_back(row->id + ": is no input's id");
  return {};
}

dsvl::Status write_rows(const std::vector<Part>& parts, const Findings& found, const std::string& output) {
  std::optional<dsvl::FileWriter> file;
  if (!output.empty()) file.emplace(to_path(output));
  const auto write = [&](const std::string& text) {
    if (file) file->write(std::as_bytes(std::span(text)));
    else std::fwrite(text.data(), 1, text.size(), stdout);
  };
  if (!parts.empty()) write(parts[0].header);
  for (const Place& place : found.rows) {
    DSVL_TRY(row, parts[place.part].rows.read(place.row));
    write(row + "\n");
  }
  return file ? file->commit() : dsvl::Status();
}

void print_list(const std::vector<std::string>& list, const char* what) {
  constexpr std::size_t kMost = 20;
  for (std::size_t i = 0; i < std::min(list.size(), kMost); ++i) print_error(what + list[i]);
  if (list.size() > kMost) print_error("… and " + std::to_string(list.size() - kMost) + " more");
}

dsvl::Result<std::vector<Part>> open_parts(const Merge& merge, Findings& found) {
  std::vector<Part> parts;
  for (const std::string& file : merge.files) {
    DSVL_TRY(part, open_part(file));
    if (!parts.empty() && (part.header != parts[0].header || !(part.kind == parts[0].kind)))
      return dsvl::fail(dsvl::Code::bad_argument, "%s: has other columns than %s", file.c_str(),
                        merge.files[0].c_str());
    parts.push_back(std::move(part));
    DSVL_CHECK_STATUS(list_rows(parts.back(), static_cast<std::uint32_t>(parts.size() - 1), found));
  }
  return parts;
}

}  // namespace

int run_merge(Arguments arguments) {
  Merge merge;
  const CommandLine line = describe(merge);
  if (const auto exit = line.parse(arguments, merge.files)) return *exit;
  // Notes have names that a pattern for rows easily matches.
  std::erase_if(merge.files, [](const std::string& file) { return file.ends_with(".run.jsonl"); });
  if (merge.files.empty())
    return line.usage_error("no files of rows were given", "for example: dsvl batch merge rows-*.jsonl");
  Findings found;
  const auto parts = open_parts(merge, found);
  if (!parts) return give_up(parts.error());
  sort_rows(found);
  look_for_shards(merge, found);
  if (const dsvl::Status status = look_for_inputs(merge.inputs, found); !status.ok()) return give_up(status);
  if (const dsvl::Status status = write_rows(*parts, found, merge.output); !status.ok()) return give_up(status);
  const int exit = finish_output();
  std::fprintf(stderr, "%zu rows, %zu errors among them", found.rows.size(), found.errors);
  if (found.repeated) std::fprintf(stderr, "; %zu were there twice, and alike", found.repeated);
  std::fprintf(stderr, "\n");
  print_list(found.missing, "missing: ");
  print_list(found.doubles, "two different rows: ");
  return found.missing.empty() && found.doubles.empty() ? exit : static_cast<int>(kError);
}

}  // namespace cli::batch
