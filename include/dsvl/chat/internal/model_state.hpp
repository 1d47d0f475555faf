// What a Model is made of.
#ifndef DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
#define DSVL_CHAT_INTERNAL_MODEL_STATE_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../../base/thread_pool.hpp"
#include "../../model/load.hpp"
#include "../../text/tokenizer.hpp"
#include "../model_info.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Immutable after loading; sessions hold it by shared_ptr, so it outlives the Model it came from.
struct ModelState {
  Host host;
  std::unique_ptr<ThreadPool> pool;  ///< only without an executor of the host's
  ModelConfig config;
  std::optional<LoadedNetwork> network;  ///< always there once loaded
  std::optional<Tokenizer> tokenizer;
  std::optional<std::int32_t> image_token;
  std::vector<std::int32_t> end_tokens;  ///< sorted
  ModelInfo info;

  [[nodiscard]] TokenRoles roles() const noexcept {
    return {tokenizer ? &*tokenizer : nullptr, image_token, end_tokens};
  }
  [[nodiscard]] Executor& executor() const noexcept { return host.executor ? *host.executor : *pool; }
};

}  // namespace detail

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
