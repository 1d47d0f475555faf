// Loading: from a folder of files to a network whose weights are bound and whose shapes are checked.
#ifndef DSVL_MODEL_LOAD_HPP
#define DSVL_MODEL_LOAD_HPP

#include <utility>

#include "bind.hpp"
#include "deepseek_vl.hpp"

DSVL_BEGIN_NAMESPACE

/// A network and what its weights live in. Immutable once loaded; moving it does not move the weights.
struct LoadedNetwork {
  Checkpoint checkpoint;
  Buffer<std::byte> parameters;  ///< norms, biases and relative positions, in float
  DeepseekVl net;
};

/// Binds every tensor of the network. The head is tied to the embedding only when the configuration allows it and the
/// file has no head of its own. Codes: not_found, bad_shape (both with everything in `report`), out_of_memory.
inline Result<LoadedNetwork> load_network(Checkpoint checkpoint, const ModelConfig& config, Allocator* from,
                                          LoadReport& report) {
  LoadedNetwork out{std::move(checkpoint), Buffer<std::byte>(from), DeepseekVl(config)};
  out.net.decoder.dims.tied =
      config.may_tie && !out.checkpoint.find(spell("language.head", config.layout, 0, 0).name + ".weight");
  Arena measured;
  Binder check(out.checkpoint, config.layout, measured, report);
  out.net.visit(check);
  DSVL_CHECK_STATUS(check.finish());
  if (!out.parameters.resize(measured.peak()))
    return fail(Code::out_of_memory, "no memory for %zu bytes of norms and biases", measured.peak());
  Arena carved(out.parameters.span());
  LoadReport again;
  Binder bind(out.checkpoint, config.layout, carved, again);
  out.net.visit(bind);
  return Result<LoadedNetwork>(std::move(out));
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_LOAD_HPP
