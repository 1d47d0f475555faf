// Loading: from an opened checkpoint to a network whose weights are bound and whose shapes are all checked.
//
// After that the forward pass cannot fail: no name is looked up and no shape is compared again.
#ifndef DSVL_MODEL_LOAD_HPP
#define DSVL_MODEL_LOAD_HPP

#include "../base/host_macros_push.hpp"

#include <utility>

#include "bind.hpp"
#include "deepseek_vl.hpp"

DSVL_BEGIN_NAMESPACE

/// A network and the memory that its weights point into. It is not changed once loaded, so threads may share it; moving
/// it does not move the weights.
struct LoadedNetwork {
  Checkpoint checkpoint;         ///< the mapped files, or their copy
  Buffer<std::byte> parameters;  ///< norms, biases and relative positions in float, and weights that were interleaved
  DeepseekVl net;                ///< points into both
};

/// The layout whose names the checkpoint's tensors have. config.layout says how the model was published; a GGUF file
/// made from it has names of its own.
DSVL_COLD inline Layout layout_of(const Checkpoint& checkpoint, const ModelConfig& config) noexcept {
  return is_gguf(checkpoint) ? Layout::gguf : config.layout;
}

/// The network that the configuration and the checkpoint describe, without its weights. The head is tied to the
/// embedding only when the configuration allows it and the file has no head of its own.
DSVL_COLD inline DeepseekVl network_of(const Checkpoint& checkpoint, const ModelConfig& config) {
  DeepseekVl net(config);
  const std::string head = spell("language.head", layout_of(checkpoint, config), 0, 0).name + ".weight";
  net.decoder.dims.tied = config.may_tie && !checkpoint.find(head);
  net.decoder.dims.rotary = rotary_pairs_adjacent(checkpoint) ? RotaryPairs::adjacent : RotaryPairs::halves;
  return net;
}

/// Binds every tensor of the network: finds and checks all, then takes the memory for unpacked weights and fills it.
///
/// Codes  not_found, bad_shape (both with everything in `report`), out_of_memory, cancelled
DSVL_COLD
inline Result<LoadedNetwork> load_network(Checkpoint checkpoint, const ModelConfig& config, Allocator* from,
                                          LoadReport& report, const LoadWork& work = {}) {
  const Layout layout = layout_of(checkpoint, config);
  DeepseekVl net = network_of(checkpoint, config);
  LoadedNetwork out{std::move(checkpoint), Buffer<std::byte>(from), std::move(net)};
  Arena measured;
  Binder binder(out.checkpoint, layout, measured, report);
  out.net.visit(binder);
  DSVL_CHECK_STATUS(binder.finish());
  if (!out.parameters.resize(measured.peak()))
    return fail(Code::out_of_memory, "no memory for %zu bytes of norms and biases", measured.peak());
  Arena carved(out.parameters.span());
  Interleaver interleaver(work, binder.interleaved_bytes());
  const Status filled = binder.fill(carved, interleaver);
  if (interleaver.cancelled()) return fail(Code::cancelled, "loading was cancelled");
  DSVL_CHECK_STATUS(filled);
  return Result<LoadedNetwork>(std::move(out));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_LOAD_HPP
