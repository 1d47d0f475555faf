#include "shard_run.hpp"

#include <algorithm>

#include <dsvl/io/json_writer.hpp>

namespace cli::batch {

namespace {

/// Counts of a shard for the file beside its rows.
struct Counts {
  std::size_t rows = 0, failed = 0;
  dsvl::Index prompt_tokens = 0, reused_tokens = 0, answer_tokens = 0;
};

/// The line in front of the notes.
std::string about_text(const ShardRun& run, std::size_t shard) {
  dsvl::json::Writer w;
  w.begin_object().key("dsvl_batch").value(DSVL_VERSION_STRING).key("model").value(run.run.model);
  w.key("options").value(run.run.options).key("shard").value(shard + 1).key("shards").value(run.shards);
  return w.end_object().text();
}

std::string stats_text(const ShardRun& run, std::size_t shard, const Todo& todo, const Counts& counts,
                       std::size_t kept, std::size_t kept_failed, double seconds) {
  dsvl::json::Writer w;
  w.begin_object().key("shard").value(shard + 1).key("shards").value(run.shards);
  w.key("inputs").value(todo.inputs).key("doubled_inputs").value(todo.doubled);
  w.key("rows").value(kept + counts.rows).key("failed").value(kept_failed + counts.failed);
  w.key("model").value(run.run.model).key("options").value(run.run.options).key("version").value(DSVL_VERSION_STRING);
  w.key("last_run").begin_object().key("rows").value(counts.rows).key("failed").value(counts.failed);
  w.key("prompt_tokens").value(counts.prompt_tokens).key("reused_tokens").value(counts.reused_tokens);
  w.key("answer_tokens").value(counts.answer_tokens).key("seconds").value(seconds).key("host").value(host_name());
  return w.end_object().end_object().text() + "\n";
}

/// Hands rows to the journal, or to standard output where there is none.
Sink make_sink(const ShardRun& run, const RowWriter& writer, Journal* journal, Counts& counts) {
  return [&run, &writer, journal, &counts](const Input& input, const Outcome& outcome, const RunNote& note) {
    const std::string row = writer.row(input, outcome);
    const bool failed = !outcome.status.ok();
    if (journal) {
      DSVL_CHECK_STATUS(journal->append(row, input, input_key(input, run.run), failed, note));
    } else if (std::fwrite(row.data(), 1, row.size(), stdout) != row.size() || std::fflush(stdout) != 0) {
      return dsvl::fail(dsvl::Code::io, "the output could not be written");
    }
    ++counts.rows, counts.failed += failed;
    counts.prompt_tokens += outcome.prompt_tokens, counts.answer_tokens += outcome.answer_tokens;
    counts.reused_tokens += note.usage.reused_tokens;
    run.progress.count(failed);
    return dsvl::Status();
  };
}

/// Rows that are kept and answer no input of this run would be doubles of those that do.
void say_strangers(const Journal& journal, const Todo& todo, Progress& progress) {
  const auto stay =
      std::count_if(journal.kept().begin(), journal.kept().end(), [](const KeptRow& row) { return !row.dropped; });
  const std::size_t others = static_cast<std::size_t>(stay) - todo.done;
  if (others > 0)
    progress.remark(std::to_string(others) + " rows that were there answer no input of this run (another question, "
                    "model or options); they stay");
}

dsvl::Status run_to_output(const ShardRun& run, std::size_t shard, const RowWriter& writer) {
  const Todo todo = make_todo(run.inputs, run.scan, shard, run.run, run.again, nullptr);
  run.progress.skip(todo.doubled);
  const std::string header = writer.header();
  std::fwrite(header.data(), 1, header.size(), stdout);
  Counts counts;
  return run.runner.run(todo.items, make_sink(run, writer, nullptr, counts));
}

}  // namespace

dsvl::Status run_shard(const ShardRun& run, std::size_t shard) {
  const RowWriter writer(run.inputs, run.run);
  if (run.output.empty()) return run_to_output(run, shard, writer);
  const auto began = Clock::now();
  DSVL_TRY(journal, Journal::open(JournalFiles::of(run.output, shard + 1, run.shards), run.inputs.kind(),
                                  writer.header(), about_text(run, shard)));
  const Todo todo = make_todo(run.inputs, run.scan, shard, run.run, run.again, &journal);
  run.progress.skip(todo.doubled + todo.done);
  say_strangers(journal, todo, run.progress);
  if (journal.finished() && todo.items.empty()) return {};
  DSVL_CHECK_STATUS(journal.begin());
  const std::size_t kept = journal.kept().size();
  const auto failed =
      std::count_if(journal.kept().begin(), journal.kept().end(), [](const KeptRow& row) { return row.failed; });
  Counts counts;
  const dsvl::Status status = run.runner.run(todo.items, make_sink(run, writer, &journal, counts));
  if (!status.ok()) return (void)journal.sync(true), status;
  return journal.finish(
      stats_text(run, shard, todo, counts, kept, static_cast<std::size_t>(failed), seconds_since(began)));
}

}  // namespace cli::batch
