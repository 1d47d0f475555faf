// Model: a loaded DeepSeek-VL. Immutable, shared by any number of sessions and threads; copying it copies a handle.
#ifndef DSVL_CHAT_MODEL_HPP
#define DSVL_CHAT_MODEL_HPP

#include <memory>
#include <optional>

#include "../base/status.hpp"
#include "../io/source.hpp"
#include "../model/report.hpp"
#include "../text/tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

struct ModelConfig;

namespace detail {
struct ModelState;
}

struct LoadOptions {
  Host host;                       ///< null members: operator new, the model's own threads, silence
  int threads = 0;                 ///< of the model's own pool; 0: what the process may use. Not read with host.executor
  LoadMode mode = LoadMode::map;
  /// The token that stands for pictures, for models whose files have no place for it and no tokenizer.
  std::optional<std::int32_t> image_token;
  Progress progress;               ///< Stage::load, in bytes
  const CancelToken* cancel = nullptr;
  LoadReport* report = nullptr;    ///< filled with every missing, misshapen and unused tensor
};

/// Sizes worth knowing.
struct ModelInfo {
  std::string_view layout;         ///< "original" or "hf"
  bool hybrid = false;             ///< has the high-resolution tower
  Index image_tokens = 0;          ///< tokens a picture takes
  Index hidden = 0, layers = 0, vocab = 0;
  Index max_context = 0;           ///< positions the configuration allows
  Index default_context = 0;       ///< what a session gets unless it asks: at most the 4096 of training
  std::size_t file_bytes = 0;      ///< of the weights' files
};

/// Files used: config.json, model.safetensors or its index and shards; if there, tokenizer.json, tokenizer_config.json,
/// preprocessor_config.json and processor_config.json. Both published layouts load as they are.
class Model {
 public:
  /// From a directory. Codes: not_found, io, bad_file, unsupported, bad_shape, out_of_memory, limit, cancelled.
  static Result<Model> load(const std::filesystem::path& directory, const LoadOptions& options = {});
  /// From a directory, the caller's memory or a reader of the caller's (see Folder).
  static Result<Model> load(const Folder& folder, const LoadOptions& options = {});

  [[nodiscard]] const ModelInfo& info() const noexcept;
  /// Null when the files had none: then only calls that take token ids work.
  [[nodiscard]] const Tokenizer* tokenizer() const noexcept;
  /// The token that stands for pictures, when one is known.
  [[nodiscard]] std::optional<std::int32_t> image_token() const noexcept;
  /// Every size, for those who look closer (model/config.hpp).
  [[nodiscard]] const ModelConfig& config() const noexcept;
  /// What everything below the chat floor needs: the network itself (model/deepseek_vl.hpp via chat/model_state.hpp).
  [[nodiscard]] const std::shared_ptr<const detail::ModelState>& state() const noexcept { return state_; }

 private:
  explicit Model(std::shared_ptr<const detail::ModelState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const detail::ModelState> state_;
};

DSVL_END_NAMESPACE

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "model_impl.hpp"
#endif

#endif  // DSVL_CHAT_MODEL_HPP
