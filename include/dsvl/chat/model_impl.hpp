// Definitions of chat/model.hpp.
#ifndef DSVL_CHAT_MODEL_IMPL_HPP
#define DSVL_CHAT_MODEL_IMPL_HPP

#include "../base/float_environment.hpp"
#include "../model/config_json.hpp"
#include "../model/preprocess_json.hpp"
#include "../text/chat_template.hpp"
#include "../text/tokenizer_json.hpp"
#include "model.hpp"
#include "model_state.hpp"

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

inline Status load_settings(const Folder& folder, Allocator* from, ModelConfig& config) {
  DSVL_TRY(main, read_json(folder, "config.json", false, from));
  DSVL_TRY(read, read_config(main.root(), folder.describe("config.json")));
  config = read;
  DSVL_TRY(pictures, read_json(folder, "preprocessor_config.json", true, from));
  DSVL_CHECK_STATUS(read_preprocess(pictures.root(), folder.describe("preprocessor_config.json"), main.root(), config));
  DSVL_TRY(processor, read_json(folder, "processor_config.json", true, from));
  return check_processor(processor.root(), folder.describe("processor_config.json"), config);
}

inline Status load_tokenizer(const Folder& folder, ModelState& state) {
  Allocator* const from = state.host.allocator;
  DSVL_TRY(text, open_optional(folder, "tokenizer.json", from));
  if (!text) {
    state.host.log(Level::warning, "the model has no tokenizer.json: only calls that take token ids will work");
    return {};
  }
  DSVL_TRY(settings, open_optional(folder, "tokenizer_config.json", from));
  DSVL_TRY(tokenizer, read_tokenizer_json(text->text(), folder.describe("tokenizer.json"),
                                          settings ? settings->text() : std::string_view(), from));
  if (tokenizer.vocab_size() > state.config.decoder.vocab)
    return fail(Code::bad_file, "%s: has tokens up to id %d, the decoder knows %td",
                folder.describe("tokenizer.json").c_str(), tokenizer.vocab_size() - 1, state.config.decoder.vocab);
  state.tokenizer.emplace(std::move(tokenizer));
  return {};
}

inline Status find_image_token(const LoadOptions& options, ModelState& state) {
  state.image_token = options.image_token ? options.image_token : state.config.image_token;
  if (!state.image_token && state.tokenizer) state.image_token = state.tokenizer->find(kImageText);
  if (state.image_token && (*state.image_token < 0 || *state.image_token >= state.config.decoder.vocab))
    return fail(Code::bad_argument, "image token %d is outside the vocabulary of %td", *state.image_token,
                state.config.decoder.vocab);
  return {};
}

inline ModelInfo describe(const ModelConfig& config, const Checkpoint& checkpoint) {
  ModelInfo info{name(config.layout), config.high.has_value(), config.image_tokens(), config.decoder.hidden,
                 config.decoder.layers, config.decoder.vocab, config.max_positions, 0, 0};
  info.default_context = std::min<Index>(4096, info.max_context);
  for (const Checkpoint::Part& part : checkpoint.parts()) info.file_bytes += part.bytes.size();
  return info;
}

}  // namespace detail

DSVL_INLINE Result<Model> Model::load(const Folder& folder, const LoadOptions& options) {
  const FloatEnvironment ours;
  auto state = std::make_shared<detail::ModelState>();
  state->host = options.host;
  Allocator* const from = options.host.allocator;
  LoadReport unread;
  LoadReport& report = options.report ? *options.report : unread;
  report = {};
  const auto go_on = [&] {
    return options.cancel && options.cancel->cancelled() ? fail(Code::cancelled, "loading was cancelled") : Status();
  };
  DSVL_CHECK_STATUS(go_on());
  DSVL_CHECK_STATUS(detail::load_settings(folder, from, state->config));
  DSVL_CHECK_STATUS(detail::load_tokenizer(folder, *state));
  DSVL_CHECK_STATUS(detail::find_image_token(options, *state));
  DSVL_CHECK_STATUS(go_on());
  DSVL_TRY(checkpoint, Checkpoint::open(folder, options.mode, from, options.progress, options.cancel));
  DSVL_CHECK_STATUS(go_on());
  DSVL_TRY(network, load_network(std::move(checkpoint), state->config, from, report));
  state->network.emplace(std::move(network));
  state->info = detail::describe(state->config, state->network->checkpoint);
  if (!options.host.executor) state->pool = std::make_unique<ThreadPool>(options.threads);
  if (!report.unused.empty())
    options.host.log(Level::info, std::to_string(report.unused.size()) +
                                      " tensors of the checkpoint are not used, first " + report.unused[0]);
  return Model(std::move(state));
}

DSVL_INLINE Result<Model> Model::load(const std::filesystem::path& directory, const LoadOptions& options) {
  return load(Folder::directory(directory), options);
}

DSVL_INLINE const ModelInfo& Model::info() const noexcept { return state_->info; }
DSVL_INLINE const Tokenizer* Model::tokenizer() const noexcept {
  return state_->tokenizer ? &*state_->tokenizer : nullptr;
}
DSVL_INLINE std::optional<std::int32_t> Model::image_token() const noexcept { return state_->image_token; }
DSVL_INLINE const ModelConfig& Model::config() const noexcept { return state_->config; }

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_MODEL_IMPL_HPP
