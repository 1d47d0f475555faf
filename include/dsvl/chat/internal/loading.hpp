// Definitions of chat/model.hpp: from files to a Model.
//
//   place (which files) -> source (opened) -> settings -> tokenizer, end tokens, image token -> weights -> network
//
// The small files beside safetensors are read first, so that a mistake in them is reported before the weights are read.
#ifndef DSVL_CHAT_INTERNAL_LOADING_HPP
#define DSVL_CHAT_INTERNAL_LOADING_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/float_environment.hpp"
#include "../../model/gguf_model.hpp"
#include "../../model/settings.hpp"
#include "../../text/tokenizer_gguf.hpp"
#include "../../text/tokenizer_json.hpp"
#include "../model.hpp"
#include "model_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The files of a model, opened as far as its settings need.
struct ModelSource {
  Folder settings;                    ///< has the JSON files, as files or as strings of a GGUF file
  std::optional<Checkpoint> weights;  ///< of GGUF files, which have the settings too
};

/// Opens the GGUF files of a place, or only notes its folder: safetensors are opened after the settings were read.
///
/// Codes  bad_argument (towers of their own without a GGUF file), those of open_gguf()
DSVL_COLD
inline Result<ModelSource> open_source(const ModelPlace& place, const LoadOptions& options) {
  if (place.file.empty() && !place.vision.empty())
    return fail(Code::bad_argument, "vision towers of their own (%s) go with a GGUF file, and %s is none",
                Printable(place.vision).text(), Printable(place.folder.describe("config.json")).text());
  if (place.file.empty()) return ModelSource{place.folder, std::nullopt};
  DSVL_TRY(checkpoint,
           open_gguf(place, {options.mode, options.host.allocator, options.progress, options.cancel}));
  Folder settings = gguf_settings(checkpoint);
  return Result<ModelSource>(ModelSource{std::move(settings), std::move(checkpoint)});
}

/// The files of a model in a folder: those that the options name, or else config.json with safetensors, or else
/// model.gguf. Names in the options are names within the folder.
DSVL_COLD inline ModelPlace place_in(const Folder& folder, const LoadOptions& options) {
  ModelPlace place{folder, options.file, std::nullopt, options.mmproj};
  if (place.file.empty() && !folder.has("config.json") && folder.has("model.gguf")) place.file = "model.gguf";
  return place;
}

/// The files of a model at a path. A file is a folder with one name chosen; its contents decide what it is.
///
/// Codes  not_found, io
DSVL_COLD
inline Result<ModelPlace> place_of(const std::filesystem::path& path, const LoadOptions& options) {
  const auto parent = [](const std::filesystem::path& file) {
    return Folder::directory(file.has_parent_path() ? file.parent_path() : std::filesystem::path("."));
  };
  const std::string what = path_to_utf8(path);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found)
    return fail(Code::not_found, "%s: no such file or folder", Printable(what).text());
  if (status.type() == std::filesystem::file_type::none)
    return fail(Code::io, "%s: cannot be looked at: %s", Printable(what).text(), error.message().c_str());
  // Anything but a folder may be the file; opening it tells.
  const bool file = status.type() != std::filesystem::file_type::directory;
  ModelPlace place =
      file ? ModelPlace{parent(path), path_to_utf8(path.filename())} : place_in(Folder::directory(path), options);
  if (!options.mmproj.empty()) {
    const std::filesystem::path towers = utf8_to_path(options.mmproj);
    place.vision_folder = parent(towers);
    place.vision = path_to_utf8(towers.filename());
  }
  return place;
}

/// Reads the tokenizer of a model; nothing when it has none.
///
/// Codes  those of read_tokenizer_gguf() and read_tokenizer_json()
DSVL_COLD inline Result<std::optional<Tokenizer>> read_tokenizer(const ModelSource& source, Allocator* from) {
  if (source.weights) {
    // The tokenizer is in the whole file, or in the one with the text half.
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

/// Reads the tokenizer into the state, and makes its tables for constraints. Its ids must be rows of the decoder's
/// embedding table, because they are looked up there without a check.
///
/// Codes  those of the readers, bad_file (ids beyond the embedding table), out_of_memory
DSVL_COLD inline Status load_tokenizer(const ModelSource& source, ModelState& state) {
  DSVL_TRY(tokenizer, read_tokenizer(source, state.host.allocator));
  if (!tokenizer)
    state.host.log(Level::warning, "the model has no tokenizer.json: only calls that take token ids will work");
  else if (tokenizer->vocab_size() > state.config.decoder.vocab)
    return fail(Code::bad_file, "%s: has tokens up to id %d, the decoder knows %td",
                source.settings.describe("tokenizer.json").c_str(), tokenizer->vocab_size() - 1,
                state.config.decoder.vocab);
  else
    state.tokenizer = std::move(tokenizer);
  if (!state.tokenizer || !state.constraints) return {};
  DSVL_TRY(tables, state.constraints->make_tables(*state.tokenizer, state.host.allocator));
  state.filter_tables = std::move(tables);
  return {};
}

/// The tokenizer's end of sentence, if there is a tokenizer that has one.
DSVL_COLD inline std::optional<std::int32_t> eos_of(const ModelState& state) noexcept {
  return state.tokenizer ? state.tokenizer->eos() : std::nullopt;
}

/// Decides which ids end an answer, and warns where the files leave that open.
DSVL_COLD inline void settle_end_tokens(const Folder& folder, const EndTokens& end, ModelState& state) {
  const auto eos = eos_of(state);
  state.end_tokens = end.with(eos);
  if (EndTokens::is_default(end.generation, eos))
    state.host.log(Level::warning, folder.describe("generation_config.json") +
                                       ": eos_token_id 2 is the default of LLaMA's class and not this tokenizer's, so "
                                       "it ends nothing");
  if (state.end_tokens.empty())
    state.host.log(Level::warning, "no file says which token ends an answer: answers go on to max_tokens");
}

/// The row of LoadReport::settings that says what ends an answer, and which files said so.
DSVL_COLD
inline Setting list_end_tokens(const Folder& folder, const EndTokens& end, const ModelState& state) {
  const auto eos = eos_of(state);
  std::string origin = eos ? "the tokenizer" : "";
  const auto add = [&](const std::vector<std::int32_t>& ids, const std::string& file) {
    for (const std::int32_t id : ids)
      if (id != eos && std::binary_search(state.end_tokens.begin(), state.end_tokens.end(), id))
        return void(origin += (origin.empty() ? "" : ", ") + file);
  };
  add(end.generation, folder.describe("generation_config.json"));
  add(end.text, folder.describe("config.json"));
  return {"end_tokens", id_list(state.end_tokens), origin};
}

/// Finds the token that stands for pictures: the application's, the configuration's, or the tokenizer's placeholder.
///
/// Codes  bad_argument (it is outside the vocabulary)
DSVL_COLD inline Status find_image_token(const LoadOptions& options, ModelState& state) {
  state.image_token = options.image_token ? options.image_token : state.config.image_token;
  if (!state.image_token && state.tokenizer) state.image_token = state.tokenizer->find(kImageText);
  if (state.image_token && (*state.image_token < 0 || *state.image_token >= state.config.decoder.vocab))
    return fail(Code::bad_argument, "image token %d is outside the vocabulary of %td", *state.image_token,
                state.config.decoder.vocab);
  return {};
}

/// The sizes that an application may want to know.
DSVL_COLD inline ModelInfo describe(const ModelConfig& config, const Checkpoint& checkpoint) {
  ModelInfo info{name(layout_of(checkpoint, config)), config.high.has_value(), config.image_tokens(),
                 config.decoder.hidden, config.decoder.layers, config.decoder.vocab, config.max_positions, 0, 0};
  info.default_context = std::min<Index>(kTrainedContext, info.max_context);
  for (const Checkpoint::Part& part : checkpoint.parts()) info.file_bytes += part.bytes.size();
  return info;
}

}  // namespace detail

/// The steps are in the order of their cost. Between them the load can be cancelled.
DSVL_COLD
DSVL_INLINE Result<Model> Model::load_from(const ModelPlace& place, const LoadOptions& options) {
  // The host may have set other rounding or flushing modes on this thread.
  const FloatEnvironment ours;
  auto state = std::make_shared<detail::ModelState>();
  state->host = options.host;
  state->constraints = options.constraints;
  Allocator* const from = options.host.allocator;
  LoadReport unread;
  LoadReport& report = options.report ? *options.report : unread;
  report = {};
  const auto go_on = [&] {
    return options.cancel && options.cancel->cancelled() ? fail(Code::cancelled, "loading was cancelled") : Status();
  };
  DSVL_CHECK_STATUS(go_on());
  DSVL_TRY(source, detail::open_source(place, options));
  std::vector<Setting>* const list = options.report ? &report.settings : nullptr;
  DSVL_TRY(settings, read_settings(source.settings, from, options.host.log, list));
  state->config = settings.config;
  DSVL_CHECK_STATUS(detail::load_tokenizer(source, *state));
  detail::settle_end_tokens(source.settings, settings.end, *state);
  if (list) list->push_back(detail::list_end_tokens(source.settings, settings.end, *state));
  DSVL_CHECK_STATUS(detail::find_image_token(options, *state));
  DSVL_CHECK_STATUS(go_on());
  // With safetensors, only the settings have been read so far; the weights are opened now.
  if (!source.weights) {
    DSVL_TRY(checkpoint, Checkpoint::open(place.folder, options.mode, from, options.progress, options.cancel));
    source.weights = std::move(checkpoint);
  }
  DSVL_CHECK_STATUS(go_on());
  // The model's own threads start now, since they also bring the weights into the order that the kernels read.
  if (!options.host.executor) state->pool = std::make_unique<ThreadPool>(options.threads);
  DSVL_TRY(network, load_network(std::move(*source.weights), state->config, from, report,
                                 {&state->executor(), options.progress, options.cancel}));
  state->network.emplace(std::move(network));
  state->info = detail::describe(state->config, state->network->checkpoint);
  if (!report.unused.empty())
    options.host.log(Level::info, std::to_string(report.unused.size()) +
                                      " tensors of the checkpoint are not used, first " + report.unused[0]);
  return Model(std::move(state));
}

DSVL_INLINE Result<Model> Model::load(const Folder& folder, const LoadOptions& options) {
  return load_from(detail::place_in(folder, options), options);
}

DSVL_INLINE Result<Model> Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  DSVL_TRY(place, detail::place_of(path, options));
  return load_from(place, options);
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
DSVL_INLINE std::span<const std::int32_t> Model::end_tokens() const noexcept { return state_->end_tokens; }
DSVL_INLINE const DeepseekVl& Model::network() const noexcept { return state_->network->net; }
DSVL_INLINE const ModelConfig& Model::config() const noexcept { return state_->config; }

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_LOADING_HPP
