// kNative: the vectorised table, for the instruction set that this translation unit is compiled for.
#ifndef DSVL_KERNELS_NATIVE_HPP
#define DSVL_KERNELS_NATIVE_HPP

#include "../base/strict_math.hpp"
#include "attention/attention.hpp"
#include "attention/store_kv.hpp"
#include "isa.hpp"
#include "linear/linear.hpp"
#include "linear/quantize_activations.hpp"
#include "small/elementwise.hpp"
#include "small/maps.hpp"
#include "small/norms.hpp"
#include "small/rope.hpp"
#include "weights/dense_formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// The table of this unit.
inline constexpr Kernels<float> kNative = {
    .name = name(Isa::DSVL_ISA),
    .linear = linear,
    .quantize_activations = quantize_activations,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .gelu_erf = gelu_erf,
    .gelu_tanh = gelu_tanh,
    .silu_mul = silu_mul,
    .add_scaled = add_scaled,
    .unpack = unpack,
    .add_unpacked = add_unpacked,
    .rope = rope,
    .store_kv = store_kv,
    .attend = attend,
    .unfold = unfold,
    .resize = resize,
};

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_NATIVE_HPP
