// ModelPlace: where the files of a model are, before any of them is opened.
#ifndef DSVL_MODEL_PLACE_HPP
#define DSVL_MODEL_PLACE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "../io/gguf_shards.hpp"
#include "../io/folder.hpp"

DSVL_BEGIN_NAMESPACE

/// What the name of the file with the vision towers has before that of the text half.
inline constexpr std::string_view kMmprojPrefix = "mmproj-";

/// A folder of safetensors, or a GGUF file of it. `vision` is the file with the towers of one that has the text half
/// only, in a folder that need not be the same; empty: "mmproj-" + file, beside it.
struct ModelPlace {
  Folder folder;
  std::string file = {};  ///< empty: the folder has config.json and safetensors
  std::optional<Folder> vision_folder = {};
  std::string vision = {};

  [[nodiscard]] const Folder& towers_folder() const noexcept { return vision_folder ? *vision_folder : folder; }
  [[nodiscard]] std::string towers_name() const {
    if (!vision.empty()) return vision;
    const auto shard = gguf::shard_name(file);  // the towers are one file, however many the text has
    return std::string(kMmprojPrefix) + (shard ? std::string(shard->stem) + ".gguf" : file);
  }
};

/// How the files of a model are opened.
struct OpenOptions {
  LoadMode mode = LoadMode::map;
  Allocator* from = nullptr;
  Progress progress = {};
  const CancelToken* cancel = nullptr;
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_PLACE_HPP
