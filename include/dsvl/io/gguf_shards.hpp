// The files that a GGUF model was split into: their names, and the number that each file has inside.
//
// llama.cpp's gguf-split writes NAME-00001-of-00003.gguf and so on. The first file has all metadata, every file has its
// number, and each has tensors of its own.
// Source: llama.cpp, tools/gguf-split, and llama_split_path in its API.
#ifndef DSVL_IO_GGUF_SHARDS_HPP
#define DSVL_IO_GGUF_SHARDS_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gguf.hpp"

DSVL_BEGIN_NAMESPACE
namespace gguf {

inline constexpr std::string_view kShardKey = "split.no";      ///< key of the file's number, counted from 0
inline constexpr std::string_view kShardsKey = "split.count";  ///< key of the number of files

/// The parts of such a name.
struct ShardName {
  std::string_view stem;  ///< "model" in "model-00002-of-00003.gguf"
  Index number = 1;       ///< 2 in that name
  Index count = 1;        ///< 3 in that name

  /// The name of another file of the same model.
  [[nodiscard]] std::string file(Index which) const {
    char end[64];
    std::snprintf(end, sizeof end, "-%05td-of-%05td.gguf", which, count);
    return std::string(stem) + end;
  }
};

/// Takes a name apart; nothing for a name of another kind.
DSVL_COLD inline std::optional<ShardName> shard_name(std::string_view name) noexcept {
  constexpr std::string_view kPattern = "-NNNNN-of-NNNNN.gguf";  // N stands for a digit
  if (name.size() <= kPattern.size()) return std::nullopt;
  const std::string_view end = name.substr(name.size() - kPattern.size());
  Index numbers[2] = {};
  std::size_t which = 0;
  for (std::size_t i = 0; i < end.size(); ++i) {
    const bool digit = end[i] >= '0' && end[i] <= '9';
    if (kPattern[i] == 'N' ? !digit : end[i] != kPattern[i]) return std::nullopt;
    if (kPattern[i] == 'N') numbers[which] = 10 * numbers[which] + (end[i] - '0');
    else if (i == 6) which = 1;  // behind the first number
  }
  const ShardName out{name.substr(0, name.size() - kPattern.size()), numbers[0], numbers[1]};
  if (out.number < 1 || out.number > out.count) return std::nullopt;
  return out;
}

/// The names of all files of the model that `name` belongs to; that name alone when it is no shard's.
DSVL_COLD inline std::vector<std::string> shard_names(std::string_view name) {
  std::vector<std::string> out;
  if (const auto shard = shard_name(name))
    for (Index i = 1; i <= shard->count; ++i) out.push_back(shard->file(i));
  else
    out.emplace_back(name);
  return out;
}

/// Ok when the number inside a file agrees with its name, or when it has none; else bad_file. A renamed file would give
/// a model with a part twice and another missing.
DSVL_COLD inline Status check_shard(const Gguf& head, std::string_view name, std::string_view what) noexcept {
  const auto number = head.value(kShardKey).integer(), count = head.value(kShardsKey).integer();
  const ShardName shard = shard_name(name).value_or(ShardName{name, 1, 1});
  if (!count || (*count == shard.count && (*count <= 1 || number == shard.number - 1))) return {};
  return fail(Code::bad_file,
              "%s: is part %td of %td of a model by its own account, by its name %td of %td: the parts of a model are "
              "called NAME-00001-of-%05td.gguf and so on, and lie in one folder",
              Printable(what).text(), number.value_or(0) + 1, *count, shard.number, shard.count, *count);
}

}  // namespace gguf
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_GGUF_SHARDS_HPP
