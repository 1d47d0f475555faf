// Reads and checks the small JSON files of a model: sizes, how pictures are prepared, what ends an answer, and what
// would change the prompt.
//
// transformers 4 writes the settings of pictures into preprocessor_config.json, transformers 5 into the object
// image_processor of processor_config.json, which wins where both are. A model with neither must have the sizes of a
// released one, whose settings are known, or it is refused: guessed settings would make its answers a little worse than
// they should be, and the reason would be hard to find.
#ifndef DSVL_MODEL_SETTINGS_HPP
#define DSVL_MODEL_SETTINGS_HPP

#include "../base/host_macros_push.hpp"

#include <optional>
#include <string>
#include <vector>

#include "../base/host.hpp"
#include "../io/bytes.hpp"
#include "../io/file_kind.hpp"
#include "../text/chat_template.hpp"
#include "config_json.hpp"
#include "end_tokens.hpp"
#include "preprocess_list.hpp"
#include "released.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// A small file that a model may have, or nothing. One that is there must be readable, because without it answers would
/// differ.
DSVL_COLD inline Result<std::optional<Bytes>> open_optional(const Folder& folder, const char* file, Allocator* from) {
  auto bytes = folder.open(file, LoadMode::read, from);
  if (!bytes && bytes.error().code() == Code::not_found) return std::optional<Bytes>();
  if (!bytes) return bytes.error();
  DSVL_CHECK_STATUS(refuse_other_kind(bytes->span(), folder.describe(file)));
  return std::optional<Bytes>(std::move(*bytes));
}

/// A small JSON file of the model, which has to be an object; nothing when it is not there.
DSVL_COLD
inline Result<std::optional<json::Document>> read_json(const Folder& folder, const char* file, Allocator* from) {
  const std::string what = folder.describe(file);
  DSVL_TRY(bytes, open_optional(folder, file, from));
  if (!bytes) return std::optional<json::Document>();
  DSVL_TRY(document, json::Document::parse(bytes->text(), what, from));
  if (!document.root().is_object()) return fail(Code::bad_file, "%s: is no JSON object", Printable(what).text());
  return std::optional<json::Document>(std::move(document));
}

/// The error for a folder without config.json, with a hint when it is a LoRA adapter.
DSVL_COLD inline Status no_config(const Folder& folder) {
  const std::string what = folder.describe("config.json");
  if (folder.has("adapter_config.json"))
    return fail(Code::unsupported,
                "%s: is the LoRA adapter of a model, not a model: merge it into its base model in Python "
                "(PeftModel.from_pretrained(base, folder).merge_and_unload().save_pretrained(…)) and load the result",
                Printable(folder.describe("adapter_config.json")).text());
  return fail(Code::not_found, "%s: no such file; a model is a folder with config.json and *.safetensors, or a GGUF "
              "file", Printable(what).text());
}

/// Checks processor_config.json. The released models have fixed settings there, and our prompt is built for those;
/// others that would change the prompt are refused.
DSVL_COLD
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

/// True when two configurations have the same layers of the same sizes.
DSVL_COLD inline bool same_network(const ModelConfig& a, const ModelConfig& b) noexcept {
  return a.layout == b.layout && a.siglip == b.siglip && a.high == b.high && a.aligner == b.aligner &&
         a.decoder == b.decoder;
}

/// The released model of exactly these sizes; null when it is another model.
DSVL_COLD
inline Result<const released::Files*> released_like(const ModelConfig& config, Allocator* from) {
  for (const released::Files* files : released::kSeparate) {
    DSVL_TRY(document, json::Document::parse(files->config, files->name, from));
    DSVL_TRY(known, read_config(document.root(), std::string(files->name)));
    // Some sizes are released in both layouts, which prepare pictures differently; the layout is compared too.
    if (same_network(config, known)) return files;
  }
  return static_cast<const released::Files*>(nullptr);
}

/// The files of a tokenizer. Without the first there is no tokenizer. The second names bos and eos; it is
/// tokenizer_config.json, or special_tokens_map.json when only that is there.
struct TokenizerFiles {
  std::optional<Bytes> text;      ///< tokenizer.json
  std::optional<Bytes> settings;  ///< tokenizer_config.json or special_tokens_map.json

  /// Opens both; `text` stays empty when there is no tokenizer.
  static Result<TokenizerFiles> open(const Folder& folder, Allocator* from) {
    DSVL_TRY(text, open_optional(folder, "tokenizer.json", from));
    if (!text) return TokenizerFiles{};
    DSVL_TRY(settings, open_optional(folder, "tokenizer_config.json", from));
    if (!settings) {
      DSVL_TRY(map, open_optional(folder, "special_tokens_map.json", from));
      return Result<TokenizerFiles>(TokenizerFiles{std::move(text), std::move(map)});
    }
    return Result<TokenizerFiles>(TokenizerFiles{std::move(text), std::move(settings)});
  }
  /// The second file, empty when there is none; valid while this object lives.
  [[nodiscard]] std::string_view settings_text() const noexcept {
    return settings ? settings->text() : std::string_view();
  }
};

}  // namespace detail

/// Everything that the small files say.
struct ModelSettings {
  ModelConfig config;  ///< sizes, and how pictures are prepared
  EndTokens end;       ///< ids that end an answer
  /// The preprocessor_config.json that was assumed because the model has no settings of pictures; otherwise empty.
  std::string_view assumed = {};
};

namespace detail {

/// Reads how pictures are prepared, from whichever file says it.
class PictureReader {
 public:
  /// All references must outlive the object; `list` may be null.
  PictureReader(const Folder& folder, json::Value config_file, Allocator* from, const Logger& log, ModelSettings& out,
                std::vector<Setting>* list)
      : folder_(folder), config_file_(config_file), from_(from), log_(log), out_(out), list_(list) {}

  /// `processor` is the root of processor_config.json, missing when there is no such file.
  Status read(json::Value processor) {
    const json::Value nested = processor.find("image_processor");
    const bool has_nested = !nested.missing() && !nested.is_null();
    const std::string where = folder_.describe("processor_config.json");
    if (has_nested && !nested.is_object())
      return fail(Code::bad_file, "%s: image_processor is no object", Printable(where).text());
    DSVL_TRY(separate, read_json(folder_, "preprocessor_config.json", from_));
    const PictureSettings own{separate ? separate->root() : json::Value(),
                              folder_.describe("preprocessor_config.json")};
    if (!has_nested) return separate ? take(own) : assume();
    ModelConfig other = out_.config;  // read even though it is not used, so that a broken file is not passed over
    if (separate) DSVL_CHECK_STATUS(read_preprocess(own, config_file_, other));
    DSVL_CHECK_STATUS(take({nested, where, "image_processor."}));
    if (separate && !(other.preprocess == out_.config.preprocess))
      log_(Level::warning, own.where + " differs from image_processor in processor_config.json, which is used, as in "
                                       "transformers 5; remove the one that is wrong");
    return {};
  }

 private:
  /// Reads the settings from one object, and lists them when a list is wanted.
  Status take(const PictureSettings& from) {
    DSVL_CHECK_STATUS(read_preprocess(from, config_file_, out_.config));
    if (list_) list_preprocess(from, out_.config, *list_);
    return {};
  }
  /// Takes the settings of the released model of the same sizes, with a warning in the log; not_found when there is
  /// none.
  Status assume() {
    DSVL_TRY(model, released_like(out_.config, from_));
    if (!model)
      return fail(Code::not_found,
                  "%s: no such file, nor image_processor in processor_config.json: without one of them it is not known "
                  "how pictures are prepared; copy it from where the model came from",
                  Printable(folder_.describe("preprocessor_config.json")).text());
    const std::string where = "as released with " + std::string(model->name);
    DSVL_TRY(document, json::Document::parse(model->preprocessor, where, from_));
    DSVL_CHECK_STATUS(take({document.root(), where}));
    out_.assumed = model->preprocessor;
    const ViewConfig& low = out_.config.preprocess.low;
    log_(Level::warning, "the model has no preprocessor_config.json: its sizes are those of " +
                             std::string(model->name) + ", so pictures are prepared as released with it (mean " +
                             triple_text(low.image_mean) + ", deviation " + triple_text(low.image_std) + ", " +
                             (low.filter == Filter::bicubic ? "bicubic" : "bilinear") + ")");
    return {};
  }

  const Folder& folder_;
  json::Value config_file_;
  Allocator* from_;
  const Logger& log_;
  ModelSettings& out_;
  std::vector<Setting>* list_;
};

}  // namespace detail

/// Reads everything. Faults that do no harm go to `log`; how pictures are prepared, and where each value came from,
/// goes to `list`.
///
/// Codes  not_found (config.json, settings of pictures), io, bad_file, unsupported, out_of_memory
DSVL_COLD
inline Result<ModelSettings> read_settings(const Folder& folder, Allocator* from, const Logger& log = {},
                                           std::vector<Setting>* list = nullptr) {
  DSVL_TRY(main, detail::read_json(folder, "config.json", from));
  if (!main) return detail::no_config(folder);
  ModelSettings out;
  DSVL_TRY(config, read_config(main->root(), folder.describe("config.json")));
  out.config = config;
  DSVL_TRY(processor, detail::read_json(folder, "processor_config.json", from));
  const json::Value processor_root = processor ? processor->root() : json::Value();
  DSVL_CHECK_STATUS(detail::PictureReader(folder, main->root(), from, log, out, list).read(processor_root));
  DSVL_CHECK_STATUS(detail::check_processor(processor_root, folder.describe("processor_config.json"), config));

  Status status;
  // Both files may name end tokens; EndTokens decides later, when the tokenizer is known.
  const char* const text_part = config.layout == Layout::hf ? "text_config" : "language_config";
  out.end.text = read_eos(Fields(main->root(), folder.describe("config.json"), status).child(text_part),
                          config.decoder.vocab);
  DSVL_TRY(generation, detail::read_json(folder, "generation_config.json", from));
  if (generation)
    out.end.generation = read_eos(Fields(generation->root(), folder.describe("generation_config.json"), status),
                                  config.decoder.vocab);
  DSVL_CHECK_STATUS(status);
  return Result<ModelSettings>(std::move(out));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_SETTINGS_HPP
