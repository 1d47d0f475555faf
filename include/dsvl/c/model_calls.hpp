// Definitions of c.h: versions, flags, models, plans and constraints.
#ifndef DSVL_C_MODEL_CALLS_HPP
#define DSVL_C_MODEL_CALLS_HPP

#include "../base/host_macros_push.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "../chat/plan.hpp"
#include "options.hpp"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

/// Loads what `load(options)` finds into a handle.
template <class Load>
dsvl_code load_model(const dsvl_load_options* options, dsvl_model** made, dsvl_error* error, Load load) noexcept {
  return make_handle(made, error, [&]() -> Result<std::unique_ptr<ModelHandle>> {
    LoadRequest request;
    DSVL_CHECK_STATUS(request.read(options));
    Result<Model> model = load(request.options);
    if (!model) return model.error();
    return new_handle<ModelHandle>(request.host, std::move(*model));
  });
}

/// Puts a compiled constraint into a handle.
inline Result<std::unique_ptr<ConstraintHandle>> constraint_handle(Result<Constraint> compiled) {
  if (!compiled) return compiled.error();
  return new_handle<ConstraintHandle>(std::move(*compiled));
}

/// A plan as c.h has it.
inline dsvl_memory_plan plan_to_c(const Plan& plan) noexcept {
  dsvl_memory_plan to = {};
  to.model = plan.model;
  to.decoder = plan.decoder;
  to.cache = plan.cache;
  to.vision = plan.vision;
  to.session = plan.session();
  to.load_peak = plan.load_peak;
  to.peak = plan.peak();
  to.file_bytes = plan.file_bytes;
  return to;
}

/// Sizes of a model as c.h has them.
inline dsvl_model_info info_to_c(const Model& model) noexcept {
  const ModelInfo& from = model.info();
  dsvl_model_info to = {};
  to.image_tokens = from.image_tokens;
  to.hidden = from.hidden;
  to.layers = from.layers;
  to.vocab = from.vocab;
  to.max_context = from.max_context;
  to.default_context = from.default_context;
  to.file_bytes = from.file_bytes;
  to.hybrid = from.hybrid ? 1 : 0;
  to.has_tokenizer = model.tokenizer() ? 1 : 0;
  return to;
}

}  // namespace c_interface

DSVL_END_NAMESPACE

extern "C" {

DSVL_C_API uint32_t dsvl_version(void) { return DSVL_VERSION; }
DSVL_C_API uint32_t dsvl_abi_version(void) { return DSVL_C_ABI; }
DSVL_C_API uint32_t dsvl_abi_minor_version(void) { return DSVL_C_ABI_MINOR; }
DSVL_C_API const char* dsvl_code_name(dsvl_code code) {
  // Names are literals, which end with a zero byte.
  return code >= 0 && code <= DSVL_ERROR_CANCELLED ? dsvl::name(static_cast<dsvl::Code>(code)).data() : "unknown";
}

DSVL_C_API dsvl_code dsvl_cancel_open(dsvl_cancel** made, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return make_handle(made, error, [] { return new_handle<CancelHandle>(std::make_shared<dsvl::CancelToken>()); });
}
DSVL_C_API void dsvl_cancel_set(dsvl_cancel* cancel) {
  if (cancel) dsvl::c_interface::behind(cancel)->token->cancel();
}
DSVL_C_API void dsvl_cancel_reset(dsvl_cancel* cancel) {
  if (cancel) dsvl::c_interface::behind(cancel)->token->reset();
}
DSVL_C_API void dsvl_cancel_close(dsvl_cancel* cancel) { delete dsvl::c_interface::behind(cancel); }

DSVL_C_API dsvl_code dsvl_model_load(const char* path, const dsvl_load_options* options, dsvl_model** made,
                                     dsvl_error* error) {
  using Loaded = dsvl::Result<dsvl::Model>;
  return dsvl::c_interface::load_model(options, made, error, [&](const dsvl::LoadOptions& how) -> Loaded {
    if (!path) return dsvl::fail(dsvl::Code::bad_argument, "the path of the model is NULL");
    return dsvl::Model::load(dsvl::utf8_to_path(path), how);
  });
}
DSVL_C_API dsvl_code dsvl_model_load_memory(const void* gguf, size_t bytes, const dsvl_load_options* options,
                                            dsvl_model** made, dsvl_error* error) {
  using Loaded = dsvl::Result<dsvl::Model>;
  return dsvl::c_interface::load_model(options, made, error, [&](const dsvl::LoadOptions& how) -> Loaded {
    if (!gguf) return dsvl::fail(dsvl::Code::bad_argument, "the memory of the model is NULL");
    return dsvl::Model::load(std::span(static_cast<const std::byte*>(gguf), bytes), how);
  });
}
DSVL_C_API dsvl_code dsvl_model_get_info(const dsvl_model* model, dsvl_model_info* info, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&] {
    if (!model) return no_handle("dsvl_model");
    return write_struct(info_to_c(behind(model)->model), info, "dsvl_model_info");
  });
}
DSVL_C_API void dsvl_model_close(dsvl_model* model) { delete dsvl::c_interface::behind(model); }

DSVL_C_API dsvl_code dsvl_plan(const char* path, const dsvl_load_options* load, const dsvl_session_options* options,
                               dsvl_memory_plan* plan, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!path) return dsvl::fail(dsvl::Code::bad_argument, "the path of the model is NULL");
    LoadRequest request;
    DSVL_CHECK_STATUS(request.read(load));
    DSVL_TRY(from, read_struct(options, "dsvl_session_options"));
    DSVL_TRY(host, HostAdapter::make(from.host));
    DSVL_TRY(session, read_session_options(from, host.get()));
    DSVL_TRY(planned, dsvl::plan(dsvl::utf8_to_path(path), session, request.options));
    return write_struct(plan_to_c(planned), plan, "dsvl_memory_plan");
  });
}

DSVL_C_API dsvl_code dsvl_constraint_schema(dsvl_text schema, int32_t json, dsvl_constraint** made,
                                            dsvl_error* error) {
  using namespace dsvl::c_interface;
  return make_handle(made, error, [&]() -> dsvl::Result<std::unique_ptr<ConstraintHandle>> {
    DSVL_TRY(text, read_text(schema, "the schema"));
    if (json < 0 || json > (DSVL_JSON_PRETTY | DSVL_JSON_ASCII))
      return dsvl::fail(dsvl::Code::bad_argument, "json is %d, and a sum of DSVL_JSON_...", static_cast<int>(json));
    const dsvl::JsonOptions form{(json & DSVL_JSON_PRETTY) != 0, (json & DSVL_JSON_ASCII) != 0};
    return constraint_handle(schema.data ? dsvl::Constraint::schema(text, form) : dsvl::Constraint::any_json(form));
  });
}
DSVL_C_API dsvl_code dsvl_constraint_regex(dsvl_text pattern, dsvl_constraint** made, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return make_handle(made, error, [&]() -> dsvl::Result<std::unique_ptr<ConstraintHandle>> {
    DSVL_TRY(text, read_text(pattern, "the pattern"));
    return constraint_handle(dsvl::Constraint::regex(text));
  });
}
DSVL_C_API dsvl_code dsvl_constraint_choices(const dsvl_text* choices, size_t count, dsvl_constraint** made,
                                             dsvl_error* error) {
  using namespace dsvl::c_interface;
  return make_handle(made, error, [&]() -> dsvl::Result<std::unique_ptr<ConstraintHandle>> {
    DSVL_TRY(texts, read_texts(choices, count, "choices"));
    return constraint_handle(dsvl::Constraint::choices(texts));
  });
}
DSVL_C_API dsvl_code dsvl_constraint_matches(const dsvl_constraint* constraint, dsvl_text text, int32_t* matches,
                                             dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!constraint) return no_handle("dsvl_constraint");
    if (!matches) return dsvl::fail(dsvl::Code::bad_argument, "the place for the result is NULL");
    DSVL_TRY(read, read_text(text, "the text"));
    DSVL_TRY(matched, behind(constraint)->constraint.matches(read));
    *matches = matched ? 1 : 0;
    return {};
  });
}
DSVL_C_API void dsvl_constraint_close(dsvl_constraint* constraint) { delete dsvl::c_interface::behind(constraint); }

}  // extern "C"

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_MODEL_CALLS_HPP
