// dsvl's side of peers.sh: what llama.cpp's llama-bench and llama-batched-bench measure, measured as they do it.
//
//   bench_peers MODEL THREADS WORK... [--json]
//
// WORK is any of these, and a figure in tokens/s by its own name:
//   pp512   a prompt of 512 tokens in an empty context, with logits of its last
//   tg64    64 tokens decoded one after another behind a single one
//   pl8     8 sessions behind prompts of 64 tokens each decode 32 tokens in passes that all share; counts all sessions
// As in those programs, seconds are the whole work's, from the first token to the last (bench_sessions takes the median
// of passes), and neither choosing tokens nor text is in them. pp and tg are done once before to warm up. Checks itself:
// that first time gives the same bits, and so does the last of the sessions alone.
#include <dsvl/base/thread_pool.hpp>

#include "together.hpp"

using namespace dsvl;

namespace {

constexpr Index kPrompt = 64, kPasses = 32;  // of pl

/// Sessions of one piece of work; all of its steps stop the program with an error if they fail.
class Work {
 public:
  Work(const Model& model, Executor& executor, Index sessions, Index tokens, Index first = 0)
      : limits_(take(bench::limits_for(model, {}, tokens))),
        together_(model.network().decoder, limits_, executor, sessions, first) {
    need(together_.open());
  }
  /// Seconds of prompts of `tokens` tokens in empty contexts, one session after another.
  double prefill(Index tokens) {
    const double began = bench::now();
    need(together_.prefill(tokens, nullptr));
    return bench::now() - began;
  }
  /// Seconds of `passes` passes.
  double decode(Index passes) {
    const double began = bench::now();
    for (Index i = 0; i < passes; ++i) need(together_.decode(nullptr));
    return bench::now() - began;
  }
  [[nodiscard]] std::vector<float> logits(Index session) const {
    const auto l = together_.logits(session);
    return {l.begin(), l.end()};
  }

 private:
  static void need(const Status& status) {
    if (!status.ok()) std::exit(report(status));
  }
  static Limits take(Result<Limits> limits) {
    if (!limits) std::exit(report(limits.error()));
    return *limits;
  }
  Limits limits_;
  bench::Together together_;
};

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Seconds of one piece of work, and what it adds up to.
struct Measured {
  double seconds = 0, tokens = 0, operations = 0, bytes = 0;
  bool right = false;
};

Measured measure_prompt(const Model& model, Executor& executor, Index tokens) {
  Work work(model, executor, 1, tokens);
  work.prefill(tokens);
  const auto before = work.logits(0);
  Measured m;
  m.seconds = work.prefill(tokens);
  m.tokens = static_cast<double>(tokens);
  const bench::PassCost cost(model, (tokens + 1) / 2);
  m.operations = m.tokens * (cost.operations - cost.head) + cost.head;
  m.right = equal(before, work.logits(0));
  return m;
}

Measured measure_decode(const Model& model, Executor& executor, Index tokens) {
  Work work(model, executor, 1, 1 + tokens);
  work.prefill(1);
  work.decode(tokens);
  const auto before = work.logits(0);
  work.prefill(1);
  Measured m;
  m.seconds = work.decode(tokens);
  m.tokens = static_cast<double>(tokens);
  const bench::PassCost cost(model, tokens / 2);
  m.operations = m.tokens * cost.operations;
  m.bytes = m.tokens * (cost.weights + cost.keys);
  m.right = equal(before, work.logits(0));
  return m;
}

Measured measure_sessions(const Model& model, Executor& executor, Index sessions) {
  Work work(model, executor, sessions, kPrompt + kPasses);
  work.prefill(kPrompt);
  Measured m;
  m.seconds = work.decode(kPasses);
  m.tokens = static_cast<double>(sessions * kPasses);
  const bench::PassCost cost(model, kPrompt + kPasses / 2);
  m.operations = m.tokens * cost.operations;
  m.bytes = static_cast<double>(kPasses) * cost.weights + m.tokens * cost.keys;
  Work alone(model, executor, 1, kPrompt + kPasses, sessions - 1);
  alone.prefill(kPrompt);
  alone.decode(kPasses);
  m.right = equal(alone.logits(0), work.logits(sessions - 1));
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::filesystem::path path = arguments.word(0, "examples/models/tiny-vl");
  ThreadPool pool(arguments.number(1, 0));
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const auto model = Model::load(path, load);
  if (!model) return report(model.error());
  bench::Report table(path.string(), bench::Ceilings::measure(pool), pool, arguments.json);
  bool right = true;
  for (std::size_t i = 2; i < std::max<std::size_t>(3, arguments.words.size()); ++i) {
    const std::string name = arguments.word(i, "pl8"), kind = name.substr(0, 2);
    const Index number = std::atoi(name.c_str() + std::min<std::size_t>(2, name.size()));
    if (number < 1 || (kind != "pp" && kind != "tg" && kind != "pl"))
      return report(fail(Code::bad_argument, "\"%s\" is none of ppN, tgN and plN, with N from 1", name.c_str()));
    const Measured m = kind == "pp"   ? measure_prompt(*model, pool, number)
                       : kind == "tg" ? measure_decode(*model, pool, number)
                                      : measure_sessions(*model, pool, number);
    table.add({name, m.seconds, m.operations, m.bytes, bench::PassCost(*model, 1).products});
    table.figure(name.c_str(), m.tokens / m.seconds, "tokens/s");
    right = right && m.right;
  }
  return table.finish("the first time gives equal bits, and so does a session alone", right);
}
