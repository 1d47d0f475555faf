// Precisions that an application chooses: of the cache's keys and values, and of what products take in.
#ifndef DSVL_BASE_PRECISION_HPP
#define DSVL_BASE_PRECISION_HPP

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// How the cache stores keys and values: as the activation scalar, rounded to bf16, or in 8 bits with a float scale for
/// each token's key and value (of each head).
enum class KvFormat : unsigned char { full, bf16, q8 };

/// What products do to their input. exact: where weights are floats of any kind, nothing: x is float to the last bit.
/// rounded: where weights are bf16, x is rounded to bf16 as well, as frameworks do that run a model in bf16. The logits
/// of the shipped model move by 1e-3; many rows take about 0.6 of the time where the processor multiplies bf16
/// (AVX512-BF16), elsewhere no less. Quantised weights meet x in 8 bits either way.
enum class Activations : unsigned char { exact, rounded };

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_PRECISION_HPP
