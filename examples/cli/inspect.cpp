// dsvl inspect: what a model is made of, and what it takes to run it.
#include "library.hpp"

#include <dsvl/chat/internal/model_state.hpp>
#include <dsvl/io/json_writer.hpp>

#include "commands.hpp"
#include "origins.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

using dsvl::Index;
using dsvl::TensorInfo;

/// A part of the network, or all of it, or what the network does not use.
struct Part {
  const char* name;
  std::vector<const TensorInfo*> tensors;

  [[nodiscard]] double parameters(std::string_view dtype = {}) const {
    double sum = 0;
    for (const TensorInfo* const t : tensors)
      if (dtype.empty() || t->dtype == dtype) {
        double elements = 1;
        for (const Index n : t->dims()) elements *= static_cast<double>(n);
        sum += elements;
      }
    return sum;
  }
  [[nodiscard]] double bytes() const {
    double sum = 0;
    for (const TensorInfo* const t : tensors) sum += static_cast<double>(t->bytes);
    return sum;
  }
  [[nodiscard]] std::vector<std::string_view> dtypes() const {
    std::vector<std::string_view> out;
    for (const TensorInfo* const t : tensors)
      if (std::find(out.begin(), out.end(), t->dtype) == out.end()) out.push_back(t->dtype);
    return out;
  }
};

struct Findings {
  std::string path;
  dsvl::ModelInfo info;
  std::vector<Part> parts;
  Part unused{"unused", {}};
  std::size_t files = 0, session_bytes = 0, picture_bytes = 0;
  std::string no_session;  ///< why session_bytes is not known
};

/// Those tensors that binding this component asks for: all the others come back as unused.
template <class Component>
Part find_part(const char* name, const char* place, Component component, const dsvl::Model& model) {
  const auto& network = *model.state()->network;
  dsvl::Arena nothing;
  dsvl::LoadReport report;
  dsvl::Binder binder(network.checkpoint, dsvl::layout_of(network.checkpoint, model.config()), nothing, report);
  binder.child(place, component);
  static_cast<void>(binder.finish());
  Part part{name, {}};
  for (const TensorInfo& tensor : network.checkpoint.tensors())
    if (!std::binary_search(report.unused.begin(), report.unused.end(), tensor.name)) part.tensors.push_back(&tensor);
  return part;
}

Findings examine(const dsvl::Model& model, const dsvl::LoadReport& report, const Settings& settings) {
  Findings f;
  const auto& network = *model.state()->network;
  const dsvl::DeepseekVl& net = network.net;
  f.info = model.info();
  f.files = network.checkpoint.parts().size();
  f.parts.push_back(find_part("siglip", "siglip", net.siglip, model));
  if (net.high) f.parts.push_back(find_part("sam", "sam", *net.high, model));
  f.parts.push_back(find_part("aligner", "aligner", net.aligner, model));
  f.parts.push_back(find_part("language", "language", net.decoder, model));
  for (const std::string& name : report.unused) f.unused.tensors.push_back(network.checkpoint.find(name));
  auto session = dsvl::Session::open(model, settings.session);
  if (session) f.session_bytes = session->bytes();
  else f.no_session = session.error().text();
  f.picture_bytes = static_cast<std::size_t>(f.info.image_tokens * f.info.hidden) * sizeof(float);
  return f;
}

Part total_of(const Findings& f) {
  Part total{"total", {}};
  for (const Part& part : f.parts) total.tensors.insert(total.tensors.end(), part.tensors.begin(), part.tensors.end());
  return total;
}

std::string shape_text(const TensorInfo& tensor) {
  std::string out = "(";
  for (const Index n : tensor.dims()) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
  return out + ")";
}

/// "BF16", or with shares when there are several.
std::string dtypes_text(const Part& part) {
  const auto dtypes = part.dtypes();
  std::string out;
  for (const std::string_view dtype : dtypes) {
    char share[32] = "";
    if (dtypes.size() > 1)
      std::snprintf(share, sizeof share, " %.3g %%", 100 * part.parameters(dtype) / part.parameters());
    out += (out.empty() ? "" : ", ") + std::string(dtype) + share;
  }
  return out;
}

void print_parts(const Findings& f) {
  std::printf("\n%-10s  %10s  %10s  %7s  %s\n", "part", "parameters", "bytes", "tensors", "stored as");
  const auto row = [](const Part& part) {
    std::printf("%-10s  %10s  %10s  %7zu  %s\n", part.name, count_text(part.parameters()).c_str(),
                bytes_text(part.bytes()).c_str(), part.tensors.size(), dtypes_text(part).c_str());
  };
  for (const Part& part : f.parts) row(part);
  row(total_of(f));
  if (!f.unused.tensors.empty()) row(f.unused);
}

void print_text_report(const Findings& f, const dsvl::ModelConfig& config) {
  const auto fact = [](const char* what, const std::string& value) { std::printf("%-10s  %s\n", what, value.c_str()); };
  const auto n = [](Index value) { return std::to_string(value); };
  std::printf("%s\n\n", paint(stdout, "1", f.path).c_str());
  fact("layout", std::string(f.info.layout) + (f.info.hybrid ? ", hybrid: sees at two resolutions" : ""));
  fact("weights", bytes_text(static_cast<double>(f.info.file_bytes)) + " in " + std::to_string(f.files) +
                      (f.files == 1 ? " file" : " files"));
  const auto& vit = config.siglip;
  fact("siglip", n(vit.input.image) + " x " + n(vit.input.image) + " pixels, " + n(vit.layers) + " layers, width " +
                     n(vit.hidden));
  if (config.high) {
    const auto& sam = config.high->sam;
    fact("sam", n(sam.input.image) + " x " + n(sam.input.image) + " pixels, " + n(sam.layers) + " layers, width " +
                    n(sam.hidden));
  }
  const auto& heads = config.decoder.heads;
  fact("language", n(f.info.layers) + " layers, width " + n(f.info.hidden) + ", " + n(heads.heads) + " heads" +
                       (heads.kv_heads != heads.heads ? " (" + n(heads.kv_heads) + " of keys and values)" : "") +
                       ", vocabulary " + n(f.info.vocab));
  fact("a picture", n(f.info.image_tokens) + " tokens");
  fact("context", n(f.info.default_context) + " tokens, at most " + n(f.info.max_context));
  print_parts(f);
  std::printf("\n");
  fact("session", f.no_session.empty()
                      ? bytes_text(static_cast<double>(f.session_bytes)) + " at the default limits, and " +
                            bytes_text(static_cast<double>(f.picture_bytes)) + " a picture"
                      : f.no_session);
}

void print_tensors(const Findings& f) {
  std::printf("\n");
  const auto list = [](const Part& part) {
    for (const TensorInfo* const t : part.tensors)
      std::printf("%-8s  %-5.*s  %-22s  %.*s\n", part.name, static_cast<int>(t->dtype.size()), t->dtype.data(),
                  shape_text(*t).c_str(), static_cast<int>(t->name.size()), t->name.data());
  };
  for (const Part& part : f.parts) list(part);
  list(f.unused);
}

void write_part(dsvl::json::Writer& w, const Part& part, bool tensors) {
  w.begin_object().key("name").value(part.name).key("parameters").value(static_cast<std::int64_t>(part.parameters()));
  w.key("bytes").value(static_cast<std::int64_t>(part.bytes())).key("tensors").value(part.tensors.size());
  w.key("dtypes").begin_object();
  for (const std::string_view dtype : part.dtypes())
    w.key(dtype).value(static_cast<std::int64_t>(part.parameters(dtype)));
  w.end_object();
  if (tensors) {
    w.key("list").begin_array();
    for (const TensorInfo* const t : part.tensors) {
      w.begin_object().key("name").value(t->name).key("dtype").value(t->dtype).key("shape").begin_array();
      for (const Index n : t->dims()) w.value(n);
      w.end_array().key("bytes").value(t->bytes).end_object();
    }
    w.end_array();
  }
  w.end_object();
}

void print_json(const Findings& f, const dsvl::LoadReport& report, bool tensors) {
  dsvl::json::Writer w;
  w.begin_object().key("layout").value(f.info.layout).key("hybrid").value(f.info.hybrid);
  w.key("files").value(f.files).key("file_bytes").value(f.info.file_bytes).key("parts").begin_array();
  for (const Part& part : f.parts) write_part(w, part, tensors);
  w.end_array();
  write_part(w.key("total"), total_of(f), false);
  write_part(w.key("unused"), f.unused, tensors);
  w.key("hidden").value(f.info.hidden).key("layers").value(f.info.layers).key("vocab").value(f.info.vocab);
  w.key("image_tokens").value(f.info.image_tokens).key("default_context").value(f.info.default_context);
  w.key("max_context").value(f.info.max_context).key("session_bytes");
  if (f.no_session.empty()) w.value(f.session_bytes);
  else w.null();
  w.key("picture_bytes").value(f.picture_bytes).key("settings");
  write_settings(w, report);
  w.end_object();
  std::printf("%s\n", w.text().c_str());
}

}  // namespace

int run_inspect(Arguments arguments) {
  Settings settings;
  bool json = false, tensors = false;
  CommandLine line(
      "dsvl inspect", "[OPTION]... [MODEL]",
      "Shows a model's layout and sizes, parameters and bytes by part, the memory that a session takes, and the\n"
      "preprocessing that is used, with where each setting came from. MODEL is\n"
      "a directory or a .gguf file; without it, the one that ships with dsvl.");
  line.section("Output");
  line.flag(0, "tensors", "Also list every tensor, with the part that uses it", tensors);
  line.flag(0, "json", "One JSON object", json);
  line.section("Model");
  add_model_options(line, settings);
  if (const auto exit = parse_for_model(line, arguments, settings)) return *exit;

  ProgressLine progress(!settings.quiet);
  settings.load.cancel = &catch_interrupts();
  dsvl::LoadReport report;
  int exit = kOk;
  const auto model = load_model(settings, report, progress, exit);
  if (!model) return exit;
  Findings findings = examine(*model, report, settings);
  findings.path = to_text(*find_model(settings.model));
  if (json) print_json(findings, report, tensors);
  else print_text_report(findings, model->config()), print_settings(report, findings.path);
  if (tensors && !json) print_tensors(findings);
  return finish_output();
}

}  // namespace cli
