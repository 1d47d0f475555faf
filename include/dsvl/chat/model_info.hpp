// LoadOptions and ModelInfo: what goes into Model::load, and what is worth knowing afterwards.
#ifndef DSVL_CHAT_MODEL_INFO_HPP
#define DSVL_CHAT_MODEL_INFO_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "../io/folder.hpp"
#include "../model/report.hpp"

DSVL_BEGIN_NAMESPACE

struct ConstraintSupport;  // text/token_filter.hpp

/// The way in which a model is loaded. Targets of `progress`, `cancel` and `report` must stay until Model::load
/// returns; those of `host` must outlive the model and its sessions.
struct LoadOptions {
  Host host = {};  ///< null members mean operator new, the model's own threads, silence
  /// Threads of the model's own pool; 0 means as many as the process may use. Not read with host.executor.
  int threads = 0;
  LoadMode mode = LoadMode::map;  ///< map the weights' files, or read them into memory
  /// The GGUF file of the folder to take. Empty: config.json and safetensors if they are there, else model.gguf. Not
  /// read where a path names the file.
  std::string file = {};
  /// The file with the vision towers, where a GGUF file has only the text half. It is a path, in UTF-8, for a model
  /// that is loaded by path, and a name within the folder otherwise. Empty: "mmproj-" + the file's name, beside it.
  std::string mmproj = {};
  /// The token that stands for pictures, for models whose files do not say and that have no tokenizer. It wins over the
  /// files.
  std::optional<std::int32_t> image_token = {};
  /// Makes GenerateOptions::constraint usable: &kConstraints of constraint/constraint.hpp. Null: answers are free. It
  /// must outlive the model and its sessions.
  const ConstraintSupport* constraints = nullptr;
  /// Gets Stage::load, in bytes of the files, one after the other; then, where weights are interleaved, in theirs.
  Progress progress = {};
  /// Looked at while files are read and weights are interleaved, every MiB at least; null: cannot be cancelled.
  const CancelToken* cancel = nullptr;
  LoadReport* report = nullptr;         ///< filled with every missing, misshapen and unused tensor
};

/// Sizes worth knowing, for reports and for choosing Limits.
struct ModelInfo {
  std::string_view layout;     ///< "original", "hf" or "gguf"
  bool hybrid = false;         ///< it has the high-resolution tower
  Index image_tokens = 0;      ///< tokens that a picture takes
  Index hidden = 0,            ///< width of the decoder
      layers = 0,              ///< blocks of the decoder
      vocab = 0;               ///< tokens of the vocabulary
  Index max_context = 0;       ///< positions that the configuration allows
  Index default_context = 0;   ///< context of a session that asks for none: at most the 4096 of training
  std::size_t file_bytes = 0;  ///< of the weights' files
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_MODEL_INFO_HPP
