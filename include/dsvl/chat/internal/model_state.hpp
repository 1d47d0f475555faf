// What a Model is made of.
#ifndef DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
#define DSVL_CHAT_INTERNAL_MODEL_STATE_HPP

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../../base/thread_pool.hpp"
#include "../../model/load.hpp"
#include "../../text/tokenizer.hpp"
#include "../model_info.hpp"

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

  [[nodiscard]] bool ends_answer(std::int32_t id) const noexcept {
    return std::binary_search(end_tokens.begin(), end_tokens.end(), id);
  }
  [[nodiscard]] Executor& executor() const noexcept { return host.executor ? *host.executor : *pool; }
};

}  // namespace detail

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_MODEL_STATE_HPP
