// ModelState: what the handles named Model share.
#ifndef DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
#define DSVL_CHAT_INTERNAL_MODEL_STATE_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../../base/thread_pool.hpp"
#include "../../model/load.hpp"
#include "../../text/token_filter.hpp"
#include "../../text/tokenizer.hpp"
#include "../model_info.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// A loaded model. It is immutable after loading. Sessions hold it by shared_ptr, so it outlives the Model it came
/// from.
struct ModelState {
  Host host;                                ///< of the application; what it points to outlives this
  std::unique_ptr<ThreadPool> pool;         ///< null where the host has an executor
  ModelConfig config;                       ///< of every part
  std::optional<LoadedNetwork> network;     ///< always there once loaded
  std::optional<Tokenizer> tokenizer;       ///< none when the files have none
  const ConstraintSupport* constraints = nullptr;     ///< of LoadOptions
  std::unique_ptr<const FilterTables> filter_tables;  ///< of the tokenizer; null without `constraints`
  std::optional<std::int32_t> image_token;  ///< none when it is not known
  std::vector<std::int32_t> end_tokens;     ///< sorted
  ModelInfo info;                           ///< for the application

  /// The tokens that mean something to a session, as views of this.
  [[nodiscard]] TokenRoles roles() const noexcept {
    return {tokenizer ? &*tokenizer : nullptr, image_token, end_tokens};
  }
  /// The host's threads, or the model's own.
  [[nodiscard]] Executor& executor() const noexcept { return host.executor ? *host.executor : *pool; }
  /// Those of a session: its own host's before the model's.
  [[nodiscard]] Executor& executor(const Host& of_session) const noexcept {
    return of_session.executor ? *of_session.executor : executor();
  }
};

}  // namespace detail

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
