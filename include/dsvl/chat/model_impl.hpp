// Definitions of chat/model.hpp.
#ifndef DSVL_CHAT_MODEL_IMPL_HPP
#define DSVL_CHAT_MODEL_IMPL_HPP

#include "../base/float_environment.hpp"
#include "../model/gguf_model.hpp"
#include "../model/settings.hpp"
#include "../text/tokenizer_gguf.hpp"
#include "../text/tokenizer_json.hpp"
#include "model.hpp"
#include "model_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Where a model comes from, opened as far as its settings need.
struct ModelSource {
  Folder settings;
  std::optional<Checkpoint> weights;  ///< of GGUF files, which have the settings too
};

inline Result<ModelSource> open_source(const Folder& folder, const LoadOptions& options) {
  std::string file = options.file;
  if (file.empty() && !folder.has("config.json") && folder.has("model.gguf")) file = "model.gguf";
  if (file.empty()) return ModelSource{folder, std::nullopt};
  DSVL_TRY(checkpoint, open_gguf(folder, file, options.mmproj, options.mode, options.host.allocator, options.progress,
                                 options.cancel));
  Folder settings = gguf_settings(checkpoint);
  return Result<ModelSource>(ModelSource{std::move(settings), std::move(checkpoint)});
}

/// A .gguf file is a folder with one name chosen.
inline Folder folder_of(const std::filesystem::path& path, LoadOptions& options) {
  if (path.extension() != ".gguf") return Folder::directory(path);
  options.file = path_to_utf8(path.filename());
  return Folder::directory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

/// Nothing when the model has none.
inline Result<std::optional<Tokenizer>> read_tokenizer(const ModelSource& source, Allocator* from) {
  if (source.weights) {
    const Checkpoint::Part* part = find_part(*source.weights, gguf::kWhole);
    if (!part) part = find_part(*source.weights, gguf::kText);
    if (part->gguf()->value(tokenizer_gguf::kModelKey).missing()) return std::optional<Tokenizer>();
    DSVL_TRY(tokenizer, read_tokenizer_gguf(*part->gguf(), part->name, from));
    return std::optional<Tokenizer>(std::move(tokenizer));
  }
  const Folder& folder = source.settings;
  DSVL_TRY(files, TokenizerFiles::open(folder, from));
  if (!files.text) return std::optional<Tokenizer>();
  DSVL_TRY(tokenizer, read_tokenizer_json(files.text->text(), folder.describe("tokenizer.json"), files.settings_text(),
                                          from));
  return std::optional<Tokenizer>(std::move(tokenizer));
}

inline Status load_tokenizer(const ModelSource& source, ModelState& state) {
  DSVL_TRY(tokenizer, read_tokenizer(source, state.host.allocator));
  if (!tokenizer)
    state.host.log(Level::warning, "the model has no tokenizer.json: only calls that take token ids will work");
  else if (tokenizer->vocab_size() > state.config.decoder.vocab)
    return fail(Code::bad_file, "%s: has tokens up to id %d, the decoder knows %td",
                source.settings.describe("tokenizer.json").c_str(), tokenizer->vocab_size() - 1,
                state.config.decoder.vocab);
  else
    state.tokenizer = std::move(tokenizer);
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
  ModelInfo info{name(layout_of(checkpoint, config)), config.high.has_value(), config.image_tokens(),
                 config.decoder.hidden, config.decoder.layers, config.decoder.vocab, config.max_positions, 0, 0};
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
  DSVL_TRY(source, detail::open_source(folder, options));
  DSVL_TRY(config, read_settings(source.settings, from));
  state->config = config;
  DSVL_CHECK_STATUS(detail::load_tokenizer(source, *state));
  DSVL_CHECK_STATUS(detail::find_image_token(options, *state));
  DSVL_CHECK_STATUS(go_on());
  if (!source.weights) {
    DSVL_TRY(checkpoint, Checkpoint::open(folder, options.mode, from, options.progress, options.cancel));
    source.weights = std::move(checkpoint);
  }
  DSVL_CHECK_STATUS(go_on());
  DSVL_TRY(network, load_network(std::move(*source.weights), state->config, from, report));
  state->network.emplace(std::move(network));
  state->info = detail::describe(state->config, state->network->checkpoint);
  if (!options.host.executor) state->pool = std::make_unique<ThreadPool>(options.threads);
  if (!report.unused.empty())
    options.host.log(Level::info, std::to_string(report.unused.size()) +
                                      " tensors of the checkpoint are not used, first " + report.unused[0]);
  return Model(std::move(state));
}

DSVL_INLINE Result<Model> Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  LoadOptions chosen = options;
  const Folder folder = detail::folder_of(path, chosen);
  return load(folder, chosen);
}

DSVL_INLINE Result<Model> Model::load(std::span<const std::byte> gguf, const LoadOptions& options) {
  const NamedBytes file{"model.gguf", gguf};
  return load(Folder::memory({&file, 1}), options);
}

DSVL_INLINE const ModelInfo& Model::info() const noexcept { return state_->info; }
DSVL_INLINE const Tokenizer* Model::tokenizer() const noexcept {
  return state_->tokenizer ? &*state_->tokenizer : nullptr;
}
DSVL_INLINE std::optional<std::int32_t> Model::image_token() const noexcept { return state_->image_token; }
DSVL_INLINE const ModelConfig& Model::config() const noexcept { return state_->config; }

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_MODEL_IMPL_HPP
