// ModelPlace: where the files of a model are, before any of them is opened.
//
// It separates finding files (from a path, memory or a host's reader) from reading them: everything behind it sees only
// folders and names.
#ifndef DSVL_MODEL_PLACE_HPP
#define DSVL_MODEL_PLACE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "../io/gguf_shards.hpp"
#include "../io/folder.hpp"

DSVL_BEGIN_NAMESPACE

/// The name of the file with the vision towers is this and the name of the file with the text half, as llama.cpp's
/// users name it.
inline constexpr std::string_view kMmprojPrefix = "mmproj-";

/// A folder with safetensors, or one GGUF file of a folder. A file that has only the text half goes with a second one,
/// which has the towers and may be in another folder.
struct ModelPlace {
  Folder folder;            ///< with the model, or with its GGUF file
  std::string file = {};    ///< the GGUF file; empty when the folder has config.json and safetensors
  std::optional<Folder> vision_folder = {};  ///< folder of the towers' file, if it is another
  std::string vision = {};  ///< the towers' file; empty for "mmproj-" + file

  /// The folder that the towers' file is looked for in.
  [[nodiscard]] const Folder& towers_folder() const noexcept { return vision_folder ? *vision_folder : folder; }
  /// The name that the towers' file is looked for under.
  [[nodiscard]] std::string towers_name() const {
    if (!vision.empty()) return vision;
    const auto shard = gguf::shard_name(file);  // the towers are one file, even when the text is split into shards
    return std::string(kMmprojPrefix) + (shard ? std::string(shard->stem) + ".gguf" : file);
  }
};

/// The way in which the files of a model are opened.
struct OpenOptions {
  LoadMode mode = LoadMode::map;        ///< map the weights, or read them into memory
  Allocator* from = nullptr;            ///< for what is read; null means operator new
  Progress progress = {};               ///< called while weights are read
  const CancelToken* cancel = nullptr;  ///< checked while weights are read; null: cannot be cancelled
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_PLACE_HPP
