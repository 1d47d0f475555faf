// Precisions that a caller chooses: of activations in matrix products, and of cached keys and values.
#ifndef DSVL_BASE_PRECISION_HPP
#define DSVL_BASE_PRECISION_HPP

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// In which precision activations enter a product with dense weights. (Quantised weights meet activations in 8 bits in
/// either case.)
enum class ActivationPrecision : unsigned char {
  f32,   ///< activations stay in float, whatever the weights are
  bf16,  ///< rounded to bf16 where the weights are bf16, as frameworks do that run a model in bf16. Prefill is faster
         ///< on processors that multiply bf16 (AVX512-BF16), and no slower elsewhere; logits move a little
};

/// How the cache stores keys and values.
enum class KvFormat : unsigned char {
  full,  ///< as the activation scalar: float, or double in the oracle
  bf16,  ///< rounded to bf16: half the memory
  q8,    ///< 8 bits, with a float scale for each token's key and one for its value, in each head
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_PRECISION_HPP
