// model_identity(): tells models apart, for what is kept beyond a run: saved sessions, rows of answers.
#ifndef DSVL_CHAT_INTERNAL_MODEL_IDENTITY_HPP
#define DSVL_CHAT_INTERNAL_MODEL_IDENTITY_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/bit_cast.hpp"
#include "../../base/byte_hash.hpp"
#include "model_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The hash of a model: its weights (their names, shapes and a sample of their bytes) and its preprocessing. The same
/// files give the same hash on every machine of one byte order, wherever they lie.
///
/// Cost   reads 192 bytes of every tensor, from the disk where they are not in memory yet
DSVL_COLD
inline ContentHash model_identity(const ModelState& model) noexcept {
  ContentHash id;
  const auto number = [&](auto x) { id.add(static_cast<std::uint64_t>(x)); };
  const auto real = [&](float x) { id.add(dsvl::bit_cast<std::uint32_t>(x)); };
  for (const TensorInfo& t : model.network->checkpoint.tensors()) {
    add_bytes(id, std::as_bytes(std::span(t.name)));
    add_bytes(id, std::as_bytes(std::span(t.dtype)));
    for (const Index d : t.dims()) number(d);
    const std::size_t some = std::min<std::size_t>(t.bytes, 64);
    for (const std::size_t at : {std::size_t{0}, (t.bytes - some) / 2, t.bytes - some})
      add_bytes(id, {t.data + at, some});
  }
  const PreprocessConfig& p = model.config.preprocess;
  number(p.size_rule), number(p.min_side), number(p.low_source), id.add(dsvl::bit_cast<std::uint64_t>(p.rescale));
  for (const ViewConfig* view : {&p.low, &p.high}) {
    number(view->side), number(view->filter);
    for (std::size_t c = 0; c < 3; ++c)
      number(view->background[c]), real(view->image_mean[c]), real(view->image_std[c]);
  }
  return id;
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_MODEL_IDENTITY_HPP
