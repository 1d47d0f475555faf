// The small JSON files of a model, read and checked: sizes, preprocessing, and what would change the prompt.
#ifndef DSVL_MODEL_SETTINGS_HPP
#define DSVL_MODEL_SETTINGS_HPP

#include <optional>
#include <string>

#include "../text/chat_template.hpp"
#include "config_json.hpp"
#include "preprocess_json.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// A small file that a model may have, or nothing. One that is there must be readable: without it answers would differ.
inline Result<std::optional<Bytes>> open_optional(const Folder& folder, const char* file, Allocator* from) {
  auto bytes = folder.open(file, LoadMode::read, from);
  if (bytes) return std::optional<Bytes>(std::move(*bytes));
  if (bytes.error().code() == Code::not_found) return std::optional<Bytes>();
  return bytes.error();
}

/// A small JSON file of the model; an empty object when it is optional and not there.
inline Result<json::Document> read_json(const Folder& folder, const char* file, bool optional, Allocator* from) {
  const std::string what = folder.describe(file);
  DSVL_TRY(bytes, open_optional(folder, file, from));
  if (!bytes && !optional) return fail(Code::not_found, "%s: no such file", Printable(what).text());
  DSVL_TRY(document, json::Document::parse(bytes ? bytes->text() : "{}", what, from));
  if (!document.root().is_object()) return fail(Code::bad_file, "%s: is no JSON object", Printable(what).text());
  return Result<json::Document>(std::move(document));
}

/// The processor's settings are fixed in the released models; what would change the prompt is refused.
inline Status check_processor(json::Value file, const std::string& where, const ModelConfig& config) {
  Status status;
  const Fields f(file, where, status);
  if (const Index tokens = f.size("num_image_tokens", config.image_tokens()); tokens != config.image_tokens())
    f.refuse(Code::bad_file, "num_image_tokens", "is " + std::to_string(tokens) + ", the vision tower makes " +
                                                     std::to_string(config.image_tokens()));
  if (f.flag("add_special_token", false)) f.refuse(Code::unsupported, "add_special_token", "needs to be false");
  if (f.text("image_tag", kImageText) != kImageText)
    f.refuse(Code::unsupported, "image_tag", "needs to be <image_placeholder>");
  if (f.text("sft_format", "deepseek") != "deepseek") f.refuse(Code::unsupported, "sft_format", "needs to be deepseek");
  return status;
}

/// The two files of a tokenizer; without the first there is none.
struct TokenizerFiles {
  std::optional<Bytes> text, settings;

  static Result<TokenizerFiles> open(const Folder& folder, Allocator* from) {
    DSVL_TRY(text, open_optional(folder, "tokenizer.json", from));
    if (!text) return TokenizerFiles{};
    DSVL_TRY(settings, open_optional(folder, "tokenizer_config.json", from));
    return Result<TokenizerFiles>(TokenizerFiles{std::move(text), std::move(settings)});
  }
  [[nodiscard]] std::string_view settings_text() const noexcept {
    return settings ? settings->text() : std::string_view();
  }
};

}  // namespace detail

/// Codes: not_found (config.json), io, bad_file, unsupported, out_of_memory.
inline Result<ModelConfig> read_settings(const Folder& folder, Allocator* from) {
  DSVL_TRY(main, detail::read_json(folder, "config.json", false, from));
  DSVL_TRY(config, read_config(main.root(), folder.describe("config.json")));
  DSVL_TRY(pictures, detail::read_json(folder, "preprocessor_config.json", true, from));
  DSVL_CHECK_STATUS(read_preprocess(pictures.root(), folder.describe("preprocessor_config.json"), main.root(), config));
  DSVL_TRY(processor, detail::read_json(folder, "processor_config.json", true, from));
  DSVL_CHECK_STATUS(detail::check_processor(processor.root(), folder.describe("processor_config.json"), config));
  return config;
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_SETTINGS_HPP
