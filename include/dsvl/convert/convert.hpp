// convert(): a published checkpoint to GGUF: one file that has everything, or the two that llama.cpp's users expect.
//
//   dsvl::convert(dsvl::Folder::directory("deepseek-vl-1.3b-chat"), "deepseek-vl-1.3b-chat.gguf");
//
// The single file is dsvl's own form: weights lie as the kernels read them, and are used in place. Of the two files,
// llama.cpp runs the text half; there rows are as ggml has them, so dsvl interleaves quantised ones into memory of its
// own when it loads them.
#ifndef DSVL_CONVERT_CONVERT_HPP
#define DSVL_CONVERT_CONVERT_HPP

#include "../base/host_macros_push.hpp"

#include <filesystem>
#include <string>

#include "../io/folder.hpp"
#include "../model/report.hpp"
#include "weight_types.hpp"

DSVL_BEGIN_NAMESPACE

/// The way in which a model is written. All pointers must stay until convert() returns.
struct ConvertOptions {
  WeightTypes types = {};  ///< formats of the weights, by purpose
  bool split = false;      ///< two files: the text half, and "mmproj-" + its name beside it
  std::string name = {};   ///< of the model, for programs that list files; may be empty
  /// Returns when the disk has the files, not when the kernel has them: then they also survive a power failure. It
  /// takes as long as the disk does for all their bytes.
  bool sync = false;
  /// A null executor means threads of this function's own. The log hears of files that killed writers left.
  Host host = {};
  Progress progress = {};               ///< gets Stage::convert, in bytes
  const CancelToken* cancel = nullptr;  ///< looked at every few MB; null: cannot be cancelled
  LoadReport* report = nullptr;         ///< filled with every missing, misshapen and unused tensor
};

/// The file that the vision half of a split model goes into, and is looked for in, given that of the text half.
std::filesystem::path mmproj_beside(const std::filesystem::path& text);

/// Reads a checkpoint of safetensors (mapped, never whole in memory) and writes GGUF. What is there under the name is
/// replaced when everything was written (of two files, both), and stays when not. Of several conversions to one name at
/// a time, the last to finish wins. See io/new_file.hpp for permissions and links, and for the files that a killed one
/// leaves.
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
