// dsvl: DeepSeek-VL on the CPU, header-only. Everything an application needs; single floors can be included alone.
#ifndef DSVL_DSVL_HPP
#define DSVL_DSVL_HPP

// Floor 0: errors, views, the host's plumbing.
#include "base/config.hpp"
#include "base/host.hpp"
#include "base/pixels.hpp"
#include "base/status.hpp"

// Floors 1 to 5 (kernels, files, words, components, towers, the network) come with what needs them; to use a component
// alone, include its header: vision/siglip.hpp, text/tokenizer_json.hpp, io/safetensors.hpp, …

// Floor 6: what an application touches.
#include "chat/convert.hpp"
#include "chat/model.hpp"
#include "chat/plan.hpp"
#include "chat/session.hpp"

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "io/image.hpp"
#endif

#endif  // DSVL_DSVL_HPP
