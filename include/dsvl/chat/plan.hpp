// plan(): what a model and a session will take, before anything of it is loaded or allocated.
//
//   auto plan = dsvl::plan("deepseek-vl-1.3b-chat", {.limits = {.context = 1024, .kv = dsvl::KvFormat::bf16}});
//   if (plan && plan->peak() < budget) …
//
// The promise is about bytes from the host's allocator plus anonymous resident ones. Weights stay in the mapped file:
// those are counted apart, belong to the system's page cache, and can be dropped and read again by it.
#ifndef DSVL_CHAT_PLAN_HPP
#define DSVL_CHAT_PLAN_HPP

#include <string>
#include <vector>

#include "model_info.hpp"
#include "options.hpp"

DSVL_BEGIN_NAMESPACE

struct Plan {
  /// What the bytes are for. Buffers of one part that are never needed at the same time lie over each other, so the
  /// part is smaller than their sum.
  enum class Part : unsigned char {
    model,    ///< held by the model: tokenizer, norms and biases
    decoder,  ///< of a session: activations of the decoder, logits, sampling, the conversation's text
    cache,    ///< of a session: keys and values
    vision,   ///< of a session, shared by its forks: the towers' activations, embeddings of pictures
  };
  struct Buffer {
    Part part;
    std::string name;
    std::size_t bytes = 0;
  };

  std::vector<Buffer> buffers;
  std::size_t model = 0, decoder = 0, cache = 0, vision = 0;  ///< bytes by part, while a session is open
  std::size_t load_peak = 0;   ///< while the model is loaded: its small files are parsed then
  std::size_t file_bytes = 0;  ///< of the weights; mapped, or read with LoadMode::read and then part of `model`

  /// What Session::open takes.
  [[nodiscard]] std::size_t session() const noexcept { return decoder + cache + vision; }
  /// The most at any moment, for one model with one session.
  [[nodiscard]] std::size_t peak() const noexcept {
    return load_peak > model + session() ? load_peak : model + session();
  }
};

constexpr std::string_view name(Plan::Part part) noexcept {
  switch (part) {
    case Plan::Part::model: return "model";
    case Plan::Part::decoder: return "decoder";
    case Plan::Part::cache: return "cache";
    case Plan::Part::vision: return "vision";
  }
  return "unknown";
}

/// Reads the model's settings and sizes of files (of a GGUF file its head; from a Reader all of it), nothing else.
/// `options.host.executor` and `load.threads` say for how many workers there is scratch. Exact for a session; a
/// tokenizer's share is estimated from the size of its file (within 10 % of it). Codes: those of Model::load for the
/// settings, those of Session::open for the limits.
Result<Plan> plan(const Folder& folder, const SessionOptions& options = {}, const LoadOptions& load = {});
Result<Plan> plan(const std::filesystem::path& path, const SessionOptions& options = {}, const LoadOptions& load = {});

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PLAN_HPP
