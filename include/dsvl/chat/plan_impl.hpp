// Definitions of chat/plan.hpp.
#ifndef DSVL_CHAT_PLAN_IMPL_HPP
#define DSVL_CHAT_PLAN_IMPL_HPP

#include "../model/inventory.hpp"
#include "limits_impl.hpp"
#include "plan.hpp"
#include "session_impl.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Gives a network that has no weights their shapes, and counts what binding would unpack.
class Shapes : public PathVisitor<Shapes> {
 public:
  Arena unpacked;
  std::size_t tensors = 0;  ///< in the layout that keeps the most apart
  void matrix(std::string_view, Matrix& field, const Extent& rows, const Extent& cols) {
    field = Matrix(Format::bf16, nullptr, rows.sum(), cols.product());
    tensors += static_cast<std::size_t>(rows.parts);
  }
  void vector(std::string_view, const float*&, const Extent& n) {
    unpacked.array<float>("norms and biases", n.sum());
    tensors += static_cast<std::size_t>(n.parts);
  }
  void table(std::string_view, const float*&, Index rows, Index cols,
             void (*)(const Matrix&, Index, float*) noexcept) {
    unpacked.array<float>("relative positions", rows * cols);
    ++tensors;
  }
};

/// Says how many workers there would be.
class CountedExecutor final : public Executor {
 public:
  explicit CountedExecutor(int workers) noexcept : workers_(workers) {}
  [[nodiscard]] int workers() const noexcept override { return workers_; }
  void run(int, FunctionRef<void(int)>) noexcept override {}

 private:
  int workers_;
};

/// Collects what an Arena hands out, by name.
struct PlannedPart {
  Plan& plan;
  Plan::Part part;
  static void note(void* user, std::string_view buffer, std::size_t bytes) {
    const PlannedPart& self = *static_cast<PlannedPart*>(user);
    for (Plan::Buffer& b : self.plan.buffers)
      if (b.part == self.part && b.name == buffer) return void(b.bytes += bytes);
    self.plan.buffers.push_back({self.part, std::string(buffer), bytes});
  }
  [[nodiscard]] Arena arena() noexcept { return Arena(Arena::Listener{&PlannedPart::note, this}); }
};

}  // namespace detail

DSVL_INLINE Result<Plan> plan(const Folder& folder, const SessionOptions& options, int threads, LoadMode mode) {
  auto state = std::make_shared<detail::ModelState>();
  DSVL_CHECK_STATUS(detail::load_settings(folder, options.host.allocator, state->config));
  const ModelConfig& config = state->config;
  DSVL_TRY(limits, complete_limits(options.limits, config));
  if (threads <= 0) threads = available_threads();
  detail::CountedExecutor executor(options.host.executor ? options.host.executor->workers() : threads);
  state->host.executor = &executor;
  state->network.emplace(LoadedNetwork{Checkpoint(nullptr), Buffer<std::byte>(), DeepseekVl(config)});
  detail::Shapes shapes;
  state->network->net.visit(shapes);

  Plan out;
  using Part = Plan::Part;
  const auto tokenizer = folder.size("tokenizer.json");
  const std::size_t words = tokenizer ? static_cast<std::size_t>(*tokenizer) : 0;
  const auto file_bytes = Checkpoint::bytes_of(folder);
  out.file_bytes = file_bytes ? static_cast<std::size_t>(*file_bytes) : 0;
  out.buffers.push_back({Part::model, "norms and biases", shapes.unpacked.peak()});
  out.buffers.push_back({Part::model, "tokenizer", words ? words + (std::size_t{80} << 10) : 0});
  out.buffers.push_back({Part::model, "list of tensors", 2 * sizeof(TensorInfo) * shapes.tensors});
  if (mode == LoadMode::read) out.buffers.push_back({Part::model, "weights", out.file_bytes});
  for (const Plan::Buffer& b : out.buffers) out.model += b.bytes;
  // The parsed tokenizer.json beside its text, and what is made of it.
  out.load_peak = out.model + 3 * words + words / 3;

  SessionOptions planned = options;
  planned.limits = limits;
  planned.host.executor = &executor;
  detail::SessionState session(state, planned);
  const auto add = [&](Part part, std::size_t& bytes, auto&& lay_out) {
    detail::PlannedPart listed{out, part};
    Arena arena = listed.arena();
    lay_out(arena);
    bytes = arena.peak();
  };
  add(Part::decoder, out.decoder, [&](Arena& arena) { session.measure(arena); });
  if (limits.pictures > 0) add(Part::vision, out.vision, [&](Arena& arena) { session.measure_gallery(arena); });
  out.cache = session.cache_bytes();
  out.buffers.push_back({Part::cache, "keys and values", out.cache});
  return out;
}

DSVL_INLINE Result<Plan> plan(const std::filesystem::path& directory, const SessionOptions& options, int threads,
                              LoadMode mode) {
  return plan(Folder::directory(directory), options, threads, mode);
}

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PLAN_IMPL_HPP
