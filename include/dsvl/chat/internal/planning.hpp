// Definitions of chat/plan.hpp.
//
// The plan of a session is exact because the session's own parts make it: they are constructed without memory and
// declare their buffers in an Arena that only measures. The plan of a model reads the heads of files and estimates the
// tokenizer.
#ifndef DSVL_CHAT_INTERNAL_PLANNING_HPP
#define DSVL_CHAT_INTERNAL_PLANNING_HPP

#include "../../base/host_macros_push.hpp"

#include "../../engine/complete_limits.hpp"
#include "../../model/bind.hpp"
#include "../plan.hpp"
#include "loading.hpp"
#include "session_parts.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// A visitor that gives a network without weights their shapes, and counts what binding them would unpack.
class Shapes : public PathVisitor<Shapes> {
 public:
  Arena unpacked;           ///< measures norms, biases and relative positions in float
  std::size_t tensors = 0;  ///< in the layout that keeps the most apart
  /// Counts a weight. bf16 stands for all formats that are used where they lie.
  void matrix(std::string_view, Matrix& field, const Extent& rows, const Extent& cols) {
    field = Matrix(Format::bf16, nullptr, rows.sum(), cols.product());
    tensors += static_cast<std::size_t>(rows.parts);
  }
  /// Counts a norm or a bias.
  void vector(std::string_view, const float*&, const Extent& n) {
    unpacked.array<float>("norms and biases", n.sum());
    tensors += static_cast<std::size_t>(n.parts);
  }
  /// Counts a table of relative positions.
  void table(std::string_view, const float*&, Index rows, Index cols,
             void (*)(const Matrix&, Index, float*) noexcept) {
    unpacked.array<float>("relative positions", rows * cols);
    ++tensors;
  }
};

/// Collects what an Arena hands out into one part of the plan, a line for each name.
struct PlannedPart {
  Plan& plan;       ///< gets the lines
  Plan::Part part;  ///< the part that they belong to
  /// Adds a buffer to the line of its name; `user` is the PlannedPart.
  static void note(void* user, std::string_view buffer, std::size_t bytes) {
    const PlannedPart& self = *static_cast<PlannedPart*>(user);
    for (Plan::Buffer& b : self.plan.buffers)
      if (b.part == self.part && b.name == buffer) return void(b.bytes += bytes);
    self.plan.buffers.push_back({self.part, std::string(buffer), bytes});
  }
  /// An Arena that measures and reports here. This object must outlive it.
  [[nodiscard]] Arena arena() noexcept { return Arena(Arena::Listener{&PlannedPart::note, this}); }
};

/// An estimate of the memory of a tokenizer.
struct PlannedTokenizer {
  std::size_t kept = 0,  ///< bytes that the model holds
      reading = 0;       ///< bytes that are needed beside them while it is read
};

/// Adds the memory of a model from safetensors: the network's shapes give that of norms and biases, and no file but the
/// settings is read.
DSVL_COLD inline PlannedTokenizer plan_safetensors(const Folder& folder, DeepseekVl& net, Plan& out) {
  Shapes shapes;
  net.visit(shapes);
  const auto file_bytes = Checkpoint::bytes_of(folder);
  out.file_bytes = file_bytes ? static_cast<std::size_t>(*file_bytes) : 0;
  out.buffers.push_back({Plan::Part::model, "norms and biases", shapes.unpacked.peak()});
  out.buffers.push_back({Plan::Part::model, "list of tensors", 2 * sizeof(TensorInfo) * shapes.tensors});
  const auto tokenizer = folder.size("tokenizer.json");
  if (!tokenizer) return {};
  // While the file is read, the parsed JSON lies beside its text, and what is made of it beside both.
  const auto words = static_cast<std::size_t>(*tokenizer);
  return {words + (std::size_t{80} << 10), 3 * words + words / 3};
}

/// Adds the memory of a model from GGUF files. Their heads say in which formats weights are, so binding is tried in an
/// Arena that only measures.
///
/// Codes  those of Binder::finish
DSVL_COLD
inline Status plan_gguf(const Checkpoint& weights, const ModelConfig& config, DeepseekVl& net, Plan& out,
                        PlannedTokenizer& tokenizer) {
  PlannedPart listed{out, Plan::Part::model};
  Arena measured = listed.arena();
  LoadReport report;
  Binder binder(weights, Layout::gguf, measured, report);
  net = network_of(weights, config);
  net.visit(binder);
  DSVL_CHECK_STATUS(binder.finish());
  for (const Checkpoint::Part& part : weights.parts()) {
    out.file_bytes += part.bytes.size();
    const gguf::Value tokens = part.gguf()->value(tokenizer_gguf::kTokensKey);
    if (tokens.missing()) continue;
    for (const gguf::Value& token : tokens) tokenizer.kept += token.string().value_or("").size();
    tokenizer.kept += 12288 + 20 * tokens.size() + 32 * part.gguf()->value(tokenizer_gguf::kMergesKey).size();
    tokenizer.reading = tokenizer.kept / 2;
  }
  constexpr std::size_t kKeys = 8192;  // bytes of a file's metadata, and of what lists have to spare
  out.buffers.push_back({Plan::Part::model, "list of tensors",
                         2 * sizeof(TensorInfo) * weights.tensors().size() + kKeys * weights.parts().size()});
  return {};
}

/// Adds a part of the plan that `lay_out(Arena&)` declares, and returns its bytes.
template <class LayOut>
std::size_t plan_part(Plan::Part part, Plan& out, LayOut&& lay_out) {
  PlannedPart listed{out, part};
  Arena arena = listed.arena();
  lay_out(arena);
  return arena.peak();
}
/// Adds the memory of the towers and of embeddings.
DSVL_COLD inline void plan_images(const SessionShape& shape, Plan& out) {
  if (shape.limits.pictures == 0) return;
  ImageCache images(shape.net, shape.config.preprocess, shape.limits, shape.workers, nullptr);
  out.vision = plan_part(Plan::Part::vision, out, [&](Arena& arena) { images.lay_out(arena); });
}
/// Adds the memory of `count` pages.
DSVL_COLD inline void plan_cache(const PagePool& pages, Index count, Plan& out) {
  out.cache = pages.bytes_of(count);
  out.buffers.push_back({Plan::Part::cache, "keys and values", out.cache});
}
/// Adds the memory of a session: that of the very parts that it is made of, measured and not taken.
DSVL_COLD inline void plan_session(const SessionShape& shape, Plan& out) {
  const auto pages = std::make_shared<PagePool>(shape.page_bytes(), nullptr);
  SessionParts parts(shape, {}, pages, nullptr, nullptr, {}, {});
  out.decoder = plan_part(Plan::Part::decoder, out, [&](Arena& arena) { parts.lay_out(arena, shape); });
  plan_images(shape, out);
  plan_cache(*pages, shape.pages(), out);
}

/// Makes the whole plan: settings, then the model's memory, then what `plan_sessions(shape, plan)` adds for sessions
/// with these options.
///
/// Codes  those of plan()
template <class PlanSessions>
Result<Plan> plan_from(const ModelPlace& place, const SessionOptions& options, const LoadOptions& load,
                       PlanSessions&& plan_sessions) {
  LoadOptions opened = load;
  // Only heads are read, so nothing is copied and there is no progress to report.
  opened.mode = LoadMode::map;
  opened.progress = {};
  DSVL_TRY(source, open_source(place, opened));
  DSVL_TRY(settings, read_settings(source.settings, options.host.allocator));
  const ModelConfig& config = settings.config;
  DeepseekVl net(config);

  Plan out;
  using Part = Plan::Part;
  PlannedTokenizer tokenizer;
  if (source.weights) {
    DSVL_CHECK_STATUS(plan_gguf(*source.weights, config, net, out, tokenizer));
  } else {
    tokenizer = plan_safetensors(place.folder, net, out);
  }
  DSVL_TRY(limits, complete_limits(options.limits, config, net.decoder));
  out.buffers.push_back({Part::model, "tokenizer", tokenizer.kept});
  if (load.constraints)
    out.buffers.push_back({Part::model, "tables of constraints", load.constraints->tables_bytes(config.decoder.vocab)});
  if (load.mode == LoadMode::read) out.buffers.push_back({Part::model, "weights", out.file_bytes});
  for (const Plan::Buffer& b : out.buffers) out.model += b.bytes;
  out.load_peak = out.model + tokenizer.reading;

  // Scratch is per worker, so the plan needs the number of workers that the session will have.
  const Executor* const executor = options.host.executor ? options.host.executor : load.host.executor;
  const int threads = load.threads > 0 ? load.threads : available_threads();
  const int workers = executor ? executor->workers() : threads;
  plan_sessions(SessionShape{net, config, limits, workers, load.constraints, options.attention_maps}, out);
  return out;
}
/// The plan of a model with one session.
DSVL_COLD
inline Result<Plan> plan_one(const ModelPlace& place, const SessionOptions& options, const LoadOptions& load) {
  return plan_from(place, options, load, plan_session);
}

}  // namespace detail

DSVL_INLINE Result<Plan> plan(const Folder& folder, const SessionOptions& options, const LoadOptions& load) {
  return detail::plan_one(detail::place_in(folder, load), options, load);
}
DSVL_INLINE Result<Plan> plan(const std::filesystem::path& path, const SessionOptions& options,
                              const LoadOptions& load) {
  DSVL_TRY(place, detail::place_of(path, load));
  return detail::plan_one(place, options, load);
}

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_PLANNING_HPP
