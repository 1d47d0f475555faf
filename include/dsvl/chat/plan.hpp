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

/// The memory of one model with one session, in bytes.
struct Plan {
  /// The purpose of the bytes. Buffers of one part that are never needed at the same time share memory, so the part is
  /// smaller than their sum.
  enum class Part : unsigned char {
    model,    ///< held by the model: tokenizer, norms and biases
    decoder,  ///< of a session: activations of the decoder, logits, sampling, the conversation's text
    cache,    ///< of a session: keys and values
    vision,   ///< of a session, shared by its forks: the towers' activations, embeddings of pictures
  };
  /// One line of the plan: all buffers of a part that have the same name.
  struct Buffer {
    Part part;              ///< the part that it belongs to
    std::string name;       ///< such as "residual stream"
    std::size_t bytes = 0;  ///< the sum over these buffers
  };

  std::vector<Buffer> buffers;  ///< the list, part by part
  std::size_t model = 0,        ///< bytes of Part::model
      decoder = 0,              ///< bytes of Part::decoder
      cache = 0,                ///< bytes of Part::cache
      vision = 0;               ///< bytes of Part::vision
  std::size_t load_peak = 0;    ///< while the model is loaded: its small files are parsed then
  std::size_t file_bytes = 0;   ///< of the weights' files: mapped, or with LoadMode::read a part of `model`

  /// Bytes that Session::open takes.
  [[nodiscard]] std::size_t session() const noexcept { return decoder + cache + vision; }
  /// The most bytes at any moment, for one model with one session.
  [[nodiscard]] std::size_t peak() const noexcept {
    return load_peak > model + session() ? load_peak : model + session();
  }
};

/// The part's name, for reports.
constexpr std::string_view name(Plan::Part part) noexcept {
  switch (part) {
    case Plan::Part::model: return "model";
    case Plan::Part::decoder: return "decoder";
    case Plan::Part::cache: return "cache";
    case Plan::Part::vision: return "vision";
  }
  return "unknown";
}

/// Makes a plan from a model's settings and the sizes of its files (of a GGUF file its head; from a Reader all of it);
/// nothing else is read. The workers of `options.host.executor`, else of `load.host.executor`, else `load.threads` say
/// how much scratch there is. It is exact for a session. A tokenizer's share is estimated from the size of its file,
/// and is off by at most 10 % of that.
///
/// Codes  those of Model::load for the settings, those of Session::open for the limits
Result<Plan> plan(const Folder& folder, const SessionOptions& options = {}, const LoadOptions& load = {});
/// Makes a plan for a folder or a GGUF file on disk.
Result<Plan> plan(const std::filesystem::path& path, const SessionOptions& options = {}, const LoadOptions& load = {});

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PLAN_HPP
