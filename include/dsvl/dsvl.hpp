// dsvl: DeepSeek-VL on the CPU, header-only. Everything an application needs; single floors can be included alone.
#ifndef DSVL_DSVL_HPP
#define DSVL_DSVL_HPP

// Floor 0: errors, views, the host's plumbing.
#include "base/config.hpp"
#include "base/host.hpp"
#include "base/pixels.hpp"
#include "base/status.hpp"

// What an application touches: the front door, floor 7.
#include "chat/model.hpp"
#include "chat/plan.hpp"
#include "chat/session.hpp"

// Floors 1 to 6 (kernels, files, words, components, towers, the network, the engine) come with the definitions. To use
// a component alone, include its header: engine/image_encoder.hpp, vision/siglip.hpp, text/tokenizer_json.hpp,
// io/safetensors.hpp, … What writes models has a header of its own: convert/convert.hpp.
#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "chat/implementation.hpp"
#include "io/image.hpp"
#endif

// What not every application needs has headers of its own: include those. dsvl as one file has no others to include,
// so it holds these parts too, and the macros turn them on.
#ifdef DSVL_WITH_SCHEDULER
#include "chat/scheduler.hpp"
#endif
#ifdef DSVL_WITH_CONSTRAINTS
#include "chat/ask_typed.hpp"
#endif
#ifdef DSVL_WITH_FRAMES
#include "chat/frames.hpp"
#endif
#ifdef DSVL_WITH_PREVIEWS
#include "chat/decoded_picture.hpp"
#include "chat/prepared_picture.hpp"
#endif
#ifdef DSVL_WITH_GATE
#include "chat/gate.hpp"
#endif

#endif  // DSVL_DSVL_HPP
