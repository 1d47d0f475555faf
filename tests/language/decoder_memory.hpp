// What a decoder works with, in a test's own memory.
#ifndef DSVL_TESTS_LANGUAGE_DECODER_MEMORY_HPP
#define DSVL_TESTS_LANGUAGE_DECODER_MEMORY_HPP

#include <dsvl/language/decoder.hpp>

#include "../oracle.hpp"

namespace test {

/// Buffers for passes of up to `rows` rows, each with logits, and a cache of `context` tokens.
template <class T>
struct DecoderMemory {
  dsvl::DecoderBuffers<T> buffers;
  dsvl::KvCache<T> cache;
  dsvl::Buffer<std::byte> memory;

  DecoderMemory(const dsvl::DecoderDims& dims, dsvl::Index rows, dsvl::Index context, dsvl::KvFormat format)
      : memory(slab([&](dsvl::Arena& a) {
          buffers.carve(a, dims, rows);
          buffers.carve_logits(a, dims, rows);
          cache.carve(a, dims.heads, dims.layers, context, format);
        })) {}
};

}  // namespace test

#endif  // DSVL_TESTS_LANGUAGE_DECODER_MEMORY_HPP
