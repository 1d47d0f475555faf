// convert(): a published checkpoint to GGUF: one file that has everything, or the two that llama.cpp's users expect.
//
//   dsvl::convert(dsvl::Folder::directory("deepseek-vl-1.3b-chat"), "deepseek-vl-1.3b-chat.gguf");
//
// One file is ours alone: weights lie as the kernels read them and are used in place. Of two, llama.cpp runs the text
// half; there rows are as ggml has them, so loading interleaves quantised ones into memory of its own.
#ifndef DSVL_CONVERT_CONVERT_HPP
#define DSVL_CONVERT_CONVERT_HPP

#include "../base/host_macros_push.hpp"

#include <filesystem>
#include <string>

#include "../io/folder.hpp"
#include "../model/report.hpp"
#include "weight_types.hpp"

DSVL_BEGIN_NAMESPACE

struct ConvertOptions {
  WeightTypes types = {};
  bool split = false;     ///< two files: the text half, and "mmproj-" + its name beside it
  std::string name = {};  ///< of the model, for those who list files
  /// Return when the disk has the files, not when the kernel has them: they outlive a power failure then. Takes as long
  /// as the disk does for all their bytes.
  bool sync = false;
  Host host = {};         ///< a null executor: this function's own threads; the log hears of what killed writers left
  Progress progress = {};  ///< Stage::convert
  const CancelToken* cancel = nullptr;
  LoadReport* report = nullptr;  ///< filled with every missing, misshapen and unused tensor
};

/// Where the vision half of a split model goes, and is looked for.
std::filesystem::path mmproj_beside(const std::filesystem::path& text);

/// Reads a checkpoint of safetensors (mapped, never whole in memory) and writes GGUF. What is there under the name is
/// replaced when everything was written (of two files, both), and stays when not; of several conversions to one name at
/// a time the last to finish wins. See io/new_file.hpp for permissions and links, and for what a killed one leaves.
///
/// Cost   the time of the disk and of quantising: with two threads about 12 s for 1.3B in q8_0 or q4_0, 1 min in q6_k,
///        2 min in q4_k; a few dozen MB of memory
/// Fails  as Model::load for the checkpoint; bad_file for weights that are not finite; io; cancelled
Status convert(const Folder& from, const std::filesystem::path& to, const ConvertOptions& options = {});

DSVL_END_NAMESPACE

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "converter.hpp"
#endif

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONVERT_CONVERT_HPP
