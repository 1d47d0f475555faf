// Reads what a GGUF file says about a model beside its tensors: which half of the model it holds, how its weights are
// laid out, and the small JSON files of the checkpoint that it was made from.
//
// A file is whole ("deepseek-vl", our own form, whose quantised weights are interleaved and used in place), or one of
// two halves ("llama", which llama.cpp runs too, and "clip" with the vision towers). The JSON files are in the whole
// file and in the one with the towers.
#ifndef DSVL_MODEL_GGUF_MODEL_HPP
#define DSVL_MODEL_GGUF_MODEL_HPP

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../io/checkpoint.hpp"
#include "place.hpp"

DSVL_BEGIN_NAMESPACE
namespace gguf {

inline constexpr std::string_view kArchitectureKey = "general.architecture";  ///< the key that tells the three apart
inline constexpr std::string_view kWhole = "deepseek-vl";  ///< our own form, everything in one file
inline constexpr std::string_view kText = "llama";         ///< the decoder alone
inline constexpr std::string_view kVision = "clip";        ///< towers and aligner (an mmproj file)
/// The key that says how many rows of quantised weights are interleaved, kGroupRows. ggml's files do not have it.
inline constexpr std::string_view kInterleavedKey = "dsvl.rows_interleaved";
/// The JSON files of a checkpoint are stored as strings, unchanged, under this prefix and their name.
inline constexpr std::string_view kFilePrefix = "dsvl.file.";
/// Names of the JSON files that may be stored.
inline constexpr std::string_view kFiles[] = {"config.json", "preprocessor_config.json", "processor_config.json",
                                              "generation_config.json"};

}  // namespace gguf

/// The file of a checkpoint that has this architecture; null when there is none.
DSVL_COLD
inline const Checkpoint::Part* find_part(const Checkpoint& checkpoint, std::string_view architecture) noexcept {
  for (const Checkpoint::Part& part : checkpoint.parts())
    if (part.gguf() && part.gguf()->value(gguf::kArchitectureKey).string() == architecture) return &part;
  return nullptr;
}
/// True when the checkpoint is made of GGUF files, false for safetensors.
DSVL_COLD inline bool is_gguf(const Checkpoint& checkpoint) noexcept {
  return !checkpoint.parts().empty() && checkpoint.parts()[0].gguf();
}
/// True when quantised weights can be used where they are, without a copy: in our own files, and in safetensors, which
/// have none.
DSVL_COLD inline bool rows_interleaved(const Checkpoint& checkpoint) noexcept {
  return !is_gguf(checkpoint) || find_part(checkpoint, gguf::kWhole);
}
/// True when q and k have the two elements that rotate together side by side, which is the order of llama.cpp's files.
DSVL_COLD inline bool rotary_pairs_adjacent(const Checkpoint& checkpoint) noexcept {
  return find_part(checkpoint, gguf::kText) != nullptr;
}

/// The JSON files that a GGUF file carries, as a folder of files in memory; valid while the checkpoint lives.
DSVL_COLD inline Folder gguf_settings(const Checkpoint& checkpoint) {
  std::vector<NamedBytes> files;
  for (const Checkpoint::Part& part : checkpoint.parts())
    for (const std::string_view name : gguf::kFiles)
      if (const auto text = part.gguf()->value(std::string(gguf::kFilePrefix) + std::string(name)).string())
        files.push_back({name, std::as_bytes(std::span(*text))});
  return Folder::memory(files);
}

/// Opens the GGUF file of a place, whatever its name, and the file with the towers if it has only the text half.
///
/// Codes  those of Checkpoint::open_file and join; unsupported for a file that is no such model, bad_argument for a
///        file
///        with towers beside one that has its own, not_found when the towers' file or its settings are not there
DSVL_COLD
inline Result<Checkpoint> open_gguf(const ModelPlace& place, const OpenOptions& how) {
  const auto open = [&](const Folder& folder, std::string_view name) {
    return Checkpoint::open_file(folder, name, how.mode, how.from, how.progress, how.cancel, Checkpoint::Accept::gguf);
  };
  const auto refuse = [&](const Folder& folder, std::string_view file, std::string_view found, const char* needed) {
    return fail(Code::unsupported, "%s: is a model of kind '%s', %s", Printable(folder.describe(file)).text(),
                Printable(found).text(), needed);
  };
  const auto kind = [](const Checkpoint& c) {
    return c.parts()[0].gguf()->value(gguf::kArchitectureKey).string().value_or("");
  };
  const auto with_settings = [](Checkpoint&& c, const Folder& folder, std::string_view file) -> Result<Checkpoint> {
    if (gguf_settings(c).has("config.json")) return std::move(c);
    return fail(Code::not_found,
                "%s: has no '%sconfig.json', as files have that dsvl made: make it with dsvl convert --split",
                Printable(folder.describe(file)).text(), gguf::kFilePrefix.data());
  };
  // A whole model needs no other file. Its rows must be interleaved as this version's kernels read them.
  DSVL_TRY(whole, open(place.folder, place.file));
  const std::string_view architecture = kind(whole);
  if (architecture == gguf::kWhole) {
    const auto rows = whole.parts()[0].gguf()->value(gguf::kInterleavedKey).integer();
    if (rows != kGroupRows)
      return fail(Code::unsupported, "%s: interleaves %td rows, this version reads %td",
                  Printable(place.folder.describe(place.file)).text(), rows.value_or(0), kGroupRows);
    if (!place.vision.empty())
      return fail(Code::bad_argument, "%s: has its vision towers itself, so no other file of them (%s) can be used",
                  Printable(place.folder.describe(place.file)).text(), Printable(place.vision).text());
    return with_settings(std::move(whole), place.folder, place.file);
  }
  if (architecture == gguf::kVision)
    return refuse(place.folder, place.file, architecture, "the towers alone: name the file with the text");
  if (architecture != gguf::kText)
    return refuse(place.folder, place.file, architecture, "known are deepseek-vl, and llama with its mmproj");
  // The file has the text half, so the towers' file is looked for. A missing one is an error of its own, because the
  // user may not know that there are two files.
  const Folder& beside = place.towers_folder();
  const std::string other = place.towers_name();
  if (const auto size = beside.size(other); !size && size.error().code() == Code::not_found)
    return fail(Code::not_found,
                "%s: no such file; %s has the text half of a model only, and the file with the vision towers goes with "
                "it (--mmproj, or LoadOptions::mmproj, where it is called or lies otherwise)",
                Printable(beside.describe(other)).text(), Printable(place.file).text());
  DSVL_TRY(towers, open(beside, other));
  if (const std::string_view found = kind(towers); found != gguf::kVision)
    return refuse(beside, other, found, "needed is clip: the vision towers");
  DSVL_CHECK_STATUS(whole.join(std::move(towers), beside.describe(other)));
  return with_settings(std::move(whole), beside, other);
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_GGUF_MODEL_HPP
