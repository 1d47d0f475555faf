// dsvl doctor: whether a model is whole and fits this machine, how fast it is here, and what to do where it is not so.
#include "library.hpp"

#include <dsvl/base/thread_pool.hpp>
#include <dsvl/chat/internal/model_state.hpp>
#include <dsvl/io/file_kind.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>
#include <dsvl/kernels/dispatch.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "commands.hpp"
#include "origins.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "speed.hpp"
#include "system.hpp"

namespace cli {

namespace fs = std::filesystem;

namespace {

struct Check {
  enum class State : unsigned char { good, note, wrong };
  const char* name;
  State state;
  std::string found, advice;
};

struct Diagnosis {
  std::string path;
  std::vector<Check> checks;
  std::vector<std::string> warnings;  // of the library
  dsvl::LoadReport report;
  std::optional<dsvl::Plan> plan;
  std::uint64_t available = 0;
  std::optional<Speed> speed;

  void good(const char* name, std::string found) { checks.push_back({name, Check::State::good, std::move(found), {}}); }
  void note(const char* name, std::string found, std::string advice) {
    checks.push_back({name, Check::State::note, std::move(found), std::move(advice)});
  }
  void wrong(const char* name, std::string found, std::string advice) {
    checks.push_back({name, Check::State::wrong, std::move(found), std::move(advice)});
  }
  [[nodiscard]] bool well() const {
    return std::none_of(checks.begin(), checks.end(), [](const Check& c) { return c.state == Check::State::wrong; });
  }
};

constexpr const char* kFetch =
    "fetch the model's repository again, all of its files (README, \"The first hour with a published checkpoint\")";

void keep_warning(void* diagnosis, dsvl::Level level, std::string_view text) {
  if (level >= dsvl::Level::warning) static_cast<Diagnosis*>(diagnosis)->warnings.emplace_back(text);
}

std::string size_text(std::uint64_t bytes) { return cli::bytes_text(static_cast<double>(bytes)); }

/// The shards that an index names and that are not there.
std::vector<std::string> missing_shards(const fs::path& folder) {
  std::ifstream in(folder / "model.safetensors.index.json", std::ios::binary);
  if (!in) return {};
  std::ostringstream text;
  text << in.rdbuf();
  const auto index = dsvl::json::Document::parse(text.str(), "index");
  if (!index) return {};
  std::vector<std::string> missing;
  std::error_code ignored;
  for (const dsvl::json::Value file : index->root().find("weight_map")) {
    const std::string name(file.string().value_or(""));
    if (name.empty() || std::find(missing.begin(), missing.end(), name) != missing.end()) continue;
    if (!fs::is_regular_file(folder / to_path(name), ignored)) missing.push_back(name);
  }
  return missing;
}

/// What a file is instead of what its name says: a pointer of Git LFS, a web page. Null when it may be what it should.
const dsvl::FileKind* other_kind(const fs::path& file) {
  char head[300] = {};
  std::ifstream in(file, std::ios::binary);
  in.read(head, sizeof head);
  const std::span<const char> read(head, static_cast<std::size_t>(in.gcount()));
  const dsvl::FileKind* const kind = dsvl::kind_of(std::as_bytes(read));
  return std::string_view(head, read.size()).starts_with("GGUF") ? nullptr : kind;
}

/// What lies in the folder, as far as it is a model's; false when that says enough.
bool look_at_files(const fs::path& path, Diagnosis& d) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    const std::string found = to_text(path.filename()) + ", " + size_text(fs::file_size(path, ignored));
    const dsvl::FileKind* const kind = other_kind(path);
    if (kind) d.wrong("files", found + ": is " + std::string(kind->name), std::string(kind->advice));
    else d.good("files", found);
    return kind == nullptr;
  }
  static constexpr const char* kSmall[] = {"config.json", "generation_config.json", "preprocessor_config.json",
                                           "processor_config.json", "tokenizer.json", "tokenizer_config.json"};
  std::string found;
  const auto look_inside = [&](const fs::path& file) {
    if (const dsvl::FileKind* const kind = other_kind(file))
      d.wrong("files", to_text(file.filename()) + ": is " + std::string(kind->name), std::string(kind->advice));
  };
  for (const char* const name : kSmall)
    if (fs::exists(path / name, ignored)) {
      (found += found.empty() ? "" : ", ") += name;
      look_inside(path / name);
    }
  std::uint64_t bytes = 0;
  std::size_t weights = 0;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".safetensors" && extension != ".gguf") continue;
    ++weights;
    bytes += entry.file_size(ignored);
    look_inside(entry.path());
  }
  if (weights == 0 && !fs::exists(path / "config.json", ignored)) {
    d.wrong("files", "there is no config.json, no *.safetensors and no *.gguf",
            "name the folder that has them, or the .gguf file");
    return false;
  }
  found += (found.empty() ? "" : "; ") + std::to_string(weights) + (weights == 1 ? " file" : " files") +
           " of weights, " + size_text(bytes);
  std::string missing;
  for (const std::string& name : missing_shards(path)) (missing += missing.empty() ? "" : ", ") += name;
  if (!missing.empty())
    d.wrong("files", found + "; not there: " + missing, "fetch the missing files: the download ended early");
  else if (d.well()) d.good("files", found);
  return d.well();
}

std::string kind_text(const dsvl::Model& model) {
  const dsvl::ModelInfo& info = model.info();
  double parameters = 0;
  std::vector<std::string_view> dtypes;
  for (const dsvl::TensorInfo& t : model.state()->network->checkpoint.tensors()) {
    double elements = 1;
    for (const dsvl::Index n : t.dims()) elements *= static_cast<double>(n);
    parameters += elements;
    if (std::find(dtypes.begin(), dtypes.end(), t.dtype) == dtypes.end()) dtypes.push_back(t.dtype);
  }
  std::string out = "DeepSeek-VL of " + count_text(parameters) + " parameters in";
  for (const std::string_view dtype : dtypes) (out += dtype == dtypes[0] ? " " : ", ") += dtype;
  out += ", layout " + std::string(info.layout);
  return out + (info.hybrid ? ", hybrid: sees at two resolutions" : "");
}

void list(const std::vector<std::string>& names, const char* what, std::string& to) {
  static constexpr std::size_t kMost = 10;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), kMost); ++i) {
    to += i == 0 ? what : ", ";
    to += names[i];
  }
  if (names.size() > kMost) to += " and " + std::to_string(names.size() - kMost) + " more";
}

std::string advice_for(const dsvl::Status& status) {
  switch (status.code()) {
    case dsvl::Code::unsupported:
      return "dsvl runs DeepSeek-VL, version 1, as published or as `dsvl convert` writes it";
    case dsvl::Code::io: return "see to it that the file can be read";
    case dsvl::Code::out_of_memory:
      return "close other programs, or convert the model to fewer bits: dsvl convert --type q4_k";
    default: return kFetch;
  }
}

/// Loads it, and says what it is; the model when it can be used.
std::optional<dsvl::Model> look_at_model(const fs::path& path, const Settings& settings, Diagnosis& d) {
  dsvl::LoadOptions options = settings.load;
  options.report = &d.report;
  options.host.log = {keep_warning, &d};
  auto model = dsvl::Model::load(path, options);
  if (!model) {
    std::string what = model.error().text();
    if (d.report.missing.size() + d.report.misshapen.size() > 1) {
      list(d.report.missing, "; missing: ", what);
      list(d.report.misshapen, "; misfit: ", what);
    }
    if (model.error().code() != dsvl::Code::cancelled) d.wrong("model", what, advice_for(model.error()));
    return std::nullopt;
  }
  d.good("model", kind_text(*model));
  const std::size_t tensors = model->state()->network->checkpoint.tensors().size();
  d.good("tensors", std::to_string(tensors - d.report.unused.size()) + ", all that the model needs" +
                        (d.report.unused.empty() ? "" : "; " + std::to_string(d.report.unused.size()) + " others"));
  if (!model->tokenizer())
    d.wrong("tokenizer", "there is none, so the model can not be asked in words",
            "put tokenizer.json (and tokenizer_config.json) of its repository beside config.json");
  else d.good("tokenizer", std::to_string(model->tokenizer()->vocab_size()) + " tokens");
  for (const std::string& warning : d.warnings)
    if (model->tokenizer() || warning.find("tokenizer.json") == std::string::npos) d.note("warning", warning, "");
  return std::move(*model);
}

/// Whether it fits; nothing is known without a plan.
bool look_at_memory(const fs::path& path, const Settings& settings, Diagnosis& d) {
  auto plan = dsvl::plan(path, settings.session, settings.load);
  if (!plan) {
    d.wrong("memory", plan.error().text(), "choose other limits: --context, --kv");
    return false;
  }
  d.plan = *plan;
  d.available = available_memory();
  const bool mapped = settings.load.mode != dsvl::LoadMode::read;
  const std::uint64_t own = plan->peak(), all = own + (mapped ? plan->file_bytes : 0);
  const std::string needs = "takes " + size_text(own) + (mapped ? ", and " + size_text(plan->file_bytes) +
                                                                      " of weights stay in the file's pages" : "");
  if (d.available == 0) return d.good("memory", needs), true;
  const std::string there = "; available are " + size_text(d.available);
  if (own > d.available) {
    d.wrong("memory", needs + there, "choose a smaller --context, --kv q8, or fewer bits: dsvl convert --type q4_k");
    return false;
  }
  if (all > d.available) {
    d.wrong("memory", needs + there + ": weights will be read from the disk again and again",
            "convert the model to fewer bits (dsvl convert --type q4_k), or free memory");
    return false;
  }
  d.good("memory", needs + there);
  return true;
}

void look_at_processor(const dsvl::Executor& executor, Diagnosis& d) {
  const std::string kernels = dsvl::active_kernels<float>().name, threads = std::to_string(executor.workers());
  const std::string found = "kernels " + kernels + ", " + threads + (threads == "1" ? " thread" : " threads");
  const bool slow = kernels.starts_with("sse") || kernels == "scalar";
  if (slow) d.note("processor", found, "slow: build with -DDSVL_NATIVE=ON, or with DSVL_DISPATCH (README)");
  else d.good("processor", found);
}

/// False when it was interrupted.
bool look_at_speed(const dsvl::Model& model, const Settings& settings, dsvl::Executor& executor,
                   const dsvl::CancelToken& cancel, Diagnosis& d) {
  const auto speed = measure_speed(model, settings.session.limits, executor, cancel);
  if (!speed && speed.error().code() == dsvl::Code::cancelled) return false;
  if (!speed) return d.wrong("speed", speed.error().text(), advice_for(speed.error())), true;
  if (speed->encode.share == 0 || speed->prefill.share == 0 || speed->token.share == 0)
    return d.note("speed", "too slow to be measured in three seconds", "dsvl bench measures all of it"), true;
  d.speed = *speed;
  d.good("speed", "first word about a picture after " + seconds_text(speed->first_word()) + ", then " +
                      seconds_text(speed->token.seconds) + " a token (most words are one); " + measured_text(*speed));
  return true;
}

/// False when it was interrupted.
bool examine(const fs::path& path, const Settings& settings, const dsvl::CancelToken& cancel, ProgressLine& progress,
             Diagnosis& d) {
  if (!look_at_files(path, d)) return true;
  const auto model = look_at_model(path, settings, d);
  progress.clear();
  if (cancel.cancelled()) return false;
  if (!model) return true;
  const bool fits = look_at_memory(path, settings, d);
  dsvl::ThreadPool pool(settings.load.threads);
  look_at_processor(pool, d);
  return !fits || look_at_speed(*model, settings, pool, cancel, d);
}

void print_text_report(const Diagnosis& d) {
  std::printf("%s\n\n", paint(stdout, "1", d.path).c_str());
  for (const Check& c : d.checks) {
    const bool good = c.state == Check::State::good, wrong = c.state == Check::State::wrong;
    const char* const colour = good ? "32" : wrong ? "1;31" : "33";
    const char* const label = good ? "ok   " : wrong ? "WRONG" : "note ";
    std::printf("%s %-9s  %s\n", paint(stdout, colour, label).c_str(), c.name, c.found.c_str());
    if (!c.advice.empty()) std::printf("%*s%s\n", 17, "", ("to do: " + c.advice).c_str());
  }
  print_settings(d.report, d.path);
  std::printf("\n%s\n", d.well() ? "All is well." : "Not all is well: see above for what to do.");
}

void write_stage(dsvl::json::Writer& w, const char* name, const StageSpeed& stage) {
  w.key(name).begin_object().key("seconds").value(stage.seconds).key("share_measured").value(stage.share).end_object();
}

void print_json(const Diagnosis& d) {
  dsvl::json::Writer w;
  w.begin_object().key("model").value(d.path).key("ok").value(d.well()).key("checks").begin_array();
  for (const Check& c : d.checks) {
    w.begin_object().key("name").value(c.name).key("ok").value(c.state != Check::State::wrong);
    w.key("found").value(c.found).key("advice").value(c.advice).end_object();
  }
  w.end_array().key("settings");
  write_settings(w, d.report);
  w.key("memory");
  if (d.plan) {
    w.begin_object().key("peak").value(d.plan->peak()).key("session").value(d.plan->session());
    w.key("file_bytes").value(d.plan->file_bytes).key("available").value(d.available).end_object();
  } else {
    w.null();
  }
  w.key("speed");
  if (d.speed) {
    w.begin_object().key("first_word").value(d.speed->first_word()).key("token").value(d.speed->token.seconds);
    write_stage(w, "encode_stage", d.speed->encode);
    write_stage(w, "prefill_stage", d.speed->prefill);
    write_stage(w, "token_stage", d.speed->token);
    w.end_object();
  } else {
    w.null();
  }
  std::printf("%s\n", w.end_object().text().c_str());
}

}  // namespace

int run_doctor(Arguments arguments) {
  Settings settings;
  bool json = false;
  CommandLine line(
      "dsvl doctor", "[OPTION]... [MODEL]",
      "Says whether a model is complete, what it is, whether it fits this machine's memory, which settings are used\n"
      "and where each came from, how long the first word takes and every further one (a measurement of three seconds\n"
      "at most), and what to do where something is wrong. MODEL is a directory or a .gguf file; without it, the one\n"
      "that ships with dsvl. Exit code 0 when all is well, 1 when not.");
  line.section("Output");
  line.flag(0, "json", "One JSON object: ok, checks, settings, memory, speed", json);
  line.section("Model");
  add_model_options(line, settings);
  if (const auto exit = parse_for_model(line, arguments, settings)) return *exit;
  const auto path = find_model(settings.model);
  if (!path) return kError;
  dsvl::CancelToken& interrupt = catch_interrupts();
  ProgressLine progress(!settings.quiet);
  settings.load.cancel = &interrupt;
  settings.load.progress = progress.hook();
  Diagnosis diagnosis;
  diagnosis.path = to_text(*path);
  if (!examine(*path, settings, interrupt, progress, diagnosis)) return kInterrupted;
  if (json) print_json(diagnosis);
  else print_text_report(diagnosis);
  return finish_output(diagnosis.well() ? kOk : kError);
}

}  // namespace cli
