// Model: a loaded DeepSeek-VL.
//
// It is immutable, and shared by any number of sessions and threads. Copying it copies a handle.
#ifndef DSVL_CHAT_MODEL_HPP
#define DSVL_CHAT_MODEL_HPP

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "../io/folder.hpp"
#include "model_info.hpp"

DSVL_BEGIN_NAMESPACE

struct DeepseekVl;   // model/deepseek_vl.hpp
struct ModelConfig;  // model/config.hpp
struct ModelPlace;   // model/place.hpp
class Tokenizer;     // text/tokenizer.hpp

namespace detail {
struct ModelState;
}

/// A model that was loaded from files. The files may be:
///
///   * a folder with config.json; model.safetensors, or its index and shards; preprocessor_config.json, or
///     processor_config.json where transformers 5 puts its contents; and, if they are there, tokenizer.json,
///     tokenizer_config.json (or special_tokens_map.json) and generation_config.json. Both published layouts load as
///     they are.
///   * a GGUF file, which has everything, whatever it is called; or several (NAME-00001-of-00003.gguf), any of which
///     may be named.
///   * a GGUF file with the text and one with the towers (see LoadOptions::file, LoadOptions::mmproj and
///     convert/convert.hpp).
class Model {
 public:
  /// Loads from a folder or a GGUF file on disk.
  ///
  /// Codes  not_found, io, bad_file, unsupported, bad_shape, out_of_memory, limit, cancelled
  static Result<Model> load(const std::filesystem::path& path, const LoadOptions& options = {});
  /// Loads from a directory, the caller's memory or a reader of the caller's (see Folder). The memory must stay as it
  /// is as long as the model or a session of it; a reader must stay until the call returns.
  static Result<Model> load(const Folder& folder, const LoadOptions& options = {});
  /// Loads from a GGUF file in the caller's memory, which must stay as it is as long as the model or a session of it.
  /// Weights are used where they lie if this library made the file: at a multiple of 64 bytes as fast as ever, at any
  /// other address more slowly.
  static Result<Model> load(std::span<const std::byte> gguf, const LoadOptions& options = {});

  /// Sizes worth knowing.
  [[nodiscard]] const ModelInfo& info() const noexcept;
  /// Null when the files have none: then only calls that take token ids work. It lives as long as the model or a
  /// session of it.
  [[nodiscard]] const Tokenizer* tokenizer() const noexcept;
  /// The token that stands for pictures, when one is known.
  [[nodiscard]] std::optional<std::int32_t> image_token() const noexcept;
  /// The ids that end an answer, sorted: the tokenizer's, those of generation_config.json, and those of config.json's
  /// text part if the tokenizer's is among them.
  [[nodiscard]] std::span<const std::int32_t> end_tokens() const noexcept;
  /// Every size of the network (model/config.hpp), for programs that look closer.
  [[nodiscard]] const ModelConfig& config() const noexcept;
  /// The network itself, for programs that use a part of it alone (model/deepseek_vl.hpp, engine/image_encoder.hpp). It
  /// lives as long as the model or a session of it.
  [[nodiscard]] const DeepseekVl& network() const noexcept;
  /// The shared state, for dsvl's own headers.
  [[nodiscard]] const std::shared_ptr<const detail::ModelState>& state() const noexcept { return state_; }

 private:
  /// All three load() end here, once it is known where the files are.
  static Result<Model> load_from(const ModelPlace& place, const LoadOptions& options);
  explicit Model(std::shared_ptr<const detail::ModelState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const detail::ModelState> state_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_MODEL_HPP
