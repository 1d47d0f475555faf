// Keys: by what a row is known again, by what pictures of one name are told apart, and which shard a question is in.
//
// They are the same on every machine of one byte order and in every version: rows are found again by them.
#ifndef DSVL_CLI_BATCH_KEYS_HPP
#define DSVL_CLI_BATCH_KEYS_HPP

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dsvl/base/byte_hash.hpp>

#include "input.hpp"

namespace cli::batch {

using Key = dsvl::ContentHash;

inline void add(Key& key, std::uint64_t number) { key.add(number); }
/// The length comes first, so that "ab", "c" and "a", "bc" differ.
inline void add(Key& key, std::string_view text) {
  key.add(text.size());
  dsvl::add_bytes(key, std::as_bytes(std::span<const char>(text.data(), text.size())));
}
inline Key key_of(std::string_view text) {
  Key key;
  add(key, text);
  return key;
}

/// 16 digits; those of a key are twice as many.
inline std::string hex(std::uint64_t number) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) out[i] = "0123456789abcdef"[number & 15];
  return out;
}
inline std::string hex(const Key& key) { return hex(key.a) + hex(key.b); }
inline std::optional<Key> read_key(std::string_view digits) {
  Key key{0, 0};
  if (digits.size() != 32) return std::nullopt;
  for (std::uint64_t* const half : {&key.a, &key.b}) {
    const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + 16, *half, 16);
    if (error != std::errc() || stopped != digits.data() + 16) return std::nullopt;
    digits.remove_prefix(16);
  }
  return key;
}

/// What answers depend on beside the input: the model and the options of the command line.
struct RunKey {
  std::string model;    ///< name and hash
  std::string options;  ///< hash
};

/// By what a row is known again: all that its answer depends on but the contents of the pictures.
inline Key input_key(const Input& input, const RunKey& run) {
  Key key = key_of(input.id);
  add(key, input.question);
  for (const InputPicture& picture : input.pictures) add(key, picture.name);
  const InputOptions& o = input.options;
  const auto optional = [&key](const auto& value, auto convert) {
    add(key, value ? convert(*value) : std::string("-"));
  };
  optional(o.system, [](const std::string& text) { return "=" + text; });
  optional(o.max_tokens, [](dsvl::Index n) { return std::to_string(n); });
  for (const auto* real : {&o.temperature, &o.top_p}) optional(*real, [](double x) { return std::to_string(x); });
  optional(o.seed, [](std::uint64_t n) { return std::to_string(n); });
  add(key, o.schema);
  add(key, o.placeholders);
  for (const auto* list : {&o.choices, &o.stop}) {
    add(key, list->size());
    for (const std::string& text : *list) add(key, text);
  }
  add(key, input.problem);
  add(key, run.model), add(key, run.options);
  return key;
}

/// What questions have in common that are answered one after the other, because they begin alike: system text and
/// pictures. A question without pictures is alone.
inline std::uint64_t group_key(const Input& input) {
  Key key = key_of(input.options.system ? "=" + *input.options.system : "-");
  for (const InputPicture& picture : input.pictures) add(key, picture.name);
  if (input.pictures.empty()) add(key, input.id), add(key, input.question);
  return key.a;
}

/// The shard, from 0, of `count`. Questions about one picture are in the same one.
inline std::size_t shard_of(const Input& input, std::size_t count) {
  const Key key = key_of(input.pictures.empty() ? input.id : input.pictures[0].name);
  return static_cast<std::size_t>(key.b % count);
}

/// The size and the time of the pictures' files: another one, and the row is not taken for one of these pictures.
inline std::uint64_t stamp_of(const Input& input) {
  Key key;
  for (const InputPicture& picture : input.pictures) {
    if (picture.file.empty()) continue;
    std::error_code size_error, time_error;
    const auto size = std::filesystem::file_size(picture.file, size_error);
    const auto time = std::filesystem::last_write_time(picture.file, time_error);
    add(key, size_error ? 0 : static_cast<std::uint64_t>(size) + 1);
    add(key, time_error ? 0 : static_cast<std::uint64_t>(time.time_since_epoch().count()));
  }
  return key.a;
}

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_KEYS_HPP
