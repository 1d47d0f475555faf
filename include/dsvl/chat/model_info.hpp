// LoadOptions and ModelInfo: what goes into Model::load and what is worth knowing afterwards.
#ifndef DSVL_CHAT_MODEL_INFO_HPP
#define DSVL_CHAT_MODEL_INFO_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "../io/folder.hpp"
#include "../model/report.hpp"

DSVL_BEGIN_NAMESPACE

/// Read while loading only: what `progress`, `cancel` and `report` point to must stay until Model::load returns. What
/// `host` points to must outlive the model and its sessions.
struct LoadOptions {
  Host host = {};                  ///< null members: operator new, the model's own threads, silence
  int threads = 0;  ///< of the model's own pool; 0: what the process may use. Not read with host.executor
  LoadMode mode = LoadMode::map;
  /// The GGUF file of the folder to take. Empty: config.json and safetensors if they are there, else model.gguf. Not
  /// read where a path names the file.
  std::string file = {};
  /// The file with the vision towers, of a GGUF file that has the text half only: its path, in UTF-8, for a model that
  /// is loaded by path; its name within the folder otherwise. Empty: "mmproj-" + the file's name, beside it.
  std::string mmproj = {};
  /// The token that stands for pictures, for models whose files have no place for it and no tokenizer.
  std::optional<std::int32_t> image_token = {};
  Progress progress = {};          ///< Stage::load, in bytes
  const CancelToken* cancel = nullptr;
  LoadReport* report = nullptr;    ///< filled with every missing, misshapen and unused tensor
};

/// Sizes worth knowing.
struct ModelInfo {
  std::string_view layout;         ///< "original", "hf" or "gguf"
  bool hybrid = false;             ///< has the high-resolution tower
  Index image_tokens = 0;          ///< tokens a picture takes
  Index hidden = 0, layers = 0, vocab = 0;
  Index max_context = 0;           ///< positions the configuration allows
  Index default_context = 0;       ///< what a session gets unless it asks: at most the 4096 of training
  std::size_t file_bytes = 0;      ///< of the weights' files
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_MODEL_INFO_HPP
