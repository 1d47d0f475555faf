// Options and questions of c.h as those that dsvl knows.
#ifndef DSVL_C_OPTIONS_HPP
#define DSVL_C_OPTIONS_HPP

#include "../base/host_macros_push.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "../chat/picture.hpp"
#include "handles.hpp"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

// The numbers of c.h are those of the enumerators, but for DSVL_FINISH_...
static_assert(DSVL_OK == static_cast<int>(Code::ok) && DSVL_ERROR_CANCELLED == static_cast<int>(Code::cancelled));
static_assert(DSVL_STAGE_LOAD == static_cast<int>(Stage::load) && DSVL_STAGE_DECODE == static_cast<int>(Stage::decode));
static_assert(DSVL_LEVEL_DEBUG == static_cast<int>(Level::debug) && DSVL_LEVEL_ERROR == static_cast<int>(Level::error));
static_assert(DSVL_LOAD_PREFAULT == static_cast<int>(LoadMode::prefault));
static_assert(DSVL_RGB == static_cast<int>(PixelFormat::rgb) && DSVL_GRAY16 == static_cast<int>(PixelFormat::gray16) &&
              DSVL_UYVY == static_cast<int>(PixelFormat::uyvy));
static_assert(DSVL_KV_F32 == static_cast<int>(KvFormat::full) + 1 && DSVL_KV_Q8 == static_cast<int>(KvFormat::q8) + 1);
static_assert(DSVL_ACTIVATIONS_BF16 == static_cast<int>(ActivationPrecision::bf16));

/// An enumerator by its number, up to `last`.
///
/// Codes  bad_argument (`name` says of what)
template <class Enum>
Result<Enum> enumerator(std::int32_t number, Enum last, const char* name) noexcept {
  if (number >= 0 && number <= static_cast<std::int32_t>(last)) return static_cast<Enum>(number);
  return fail(Code::bad_argument, "%s is %d, and goes from 0 to %d", name, static_cast<int>(number),
              static_cast<int>(last));
}

/// The flag that a handle shares; null for null.
inline std::shared_ptr<CancelToken> token_of(dsvl_cancel* cancel) noexcept {
  return cancel ? behind(cancel)->token : nullptr;
}

/// Options for loading, with what they point to beside them. It does not move.
struct LoadRequest {
  LoadOptions options;                ///< refers to the members below
  std::shared_ptr<HostAdapter> host;  ///< may be null
  Watched watched;                    ///< cancellation and progress

  /// Fills everything in.
  ///
  /// Codes  bad_argument, unsupported, out_of_memory
  Status read(const dsvl_load_options* given) {
    DSVL_TRY(from, read_struct(given, "dsvl_load_options"));
    DSVL_TRY(mode, enumerator(from.mode, LoadMode::prefault, "dsvl_load_options::mode"));
    DSVL_TRY(adapter, HostAdapter::make(from.host));
    host = adapter;
    watched.cancel = token_of(from.cancel);
    watched.progress = from.progress;
    watched.progress_user = from.progress_user;
    options.host = HostAdapter::host_of(host);
    options.threads = from.threads;
    options.mode = mode;
    if (from.file) options.file = from.file;
    if (from.mmproj) options.mmproj = from.mmproj;
    options.constraints = from.constraints ? &kConstraints : nullptr;
    options.progress = watched.receiver();
    options.cancel = watched.cancel.get();
    return {};
  }
};

/// A colour of c.h; empty unless there is one.
inline std::optional<std::array<std::uint8_t, 3>> color(std::int32_t there, const std::uint8_t (&rgb)[4]) noexcept {
  if (!there) return {};
  return std::array<std::uint8_t, 3>{rgb[0], rgb[1], rgb[2]};
}

/// The sizes among a session's options, with the defaults for 0.
inline Limits read_limits(const dsvl_session_options& from) noexcept {
  Limits to;
  to.context = to_index(from.context);
  to.chunk = to_index(from.chunk, to.chunk);
  // -1 says none here and 0 the default, which dsvl has the other way round; what is below stays an error.
  to.pictures = from.pictures == 0 ? -1 : from.pictures == -1 ? 0 : to_index(from.pictures);
  to.picture_side = to_index(from.picture_side, to.picture_side);
  to.picture_pixels = to_index(from.picture_pixels, to.picture_pixels);
  to.text_bytes = to_index(from.text_bytes);
  to.logit_rows = to_index(from.logit_rows, to.logit_rows);
  to.cached_tokens = to_index(from.cached_tokens);
  return to;
}
/// Options of a session. What is given of a host is `host`, which may be null.
///
/// Codes  bad_argument, unsupported
inline Result<SessionOptions> read_session_options(const dsvl_session_options& from, HostAdapter* host) {
  SessionOptions to;
  to.limits = read_limits(from);
  DSVL_TRY(kv, enumerator(from.kv, static_cast<KvFormat>(DSVL_KV_Q8), "dsvl_session_options::kv"));
  if (from.kv != DSVL_KV_AUTO) to.limits.kv = static_cast<KvFormat>(static_cast<int>(kv) - 1);
  DSVL_TRY(activations,
           enumerator(from.activations, ActivationPrecision::bf16, "dsvl_session_options::activations"));
  to.limits.activations = activations;
  if (host) to.host = host->host();
  if (from.system) to.system = from.system;
  to.keep_generated_ids = from.keep_generated_ids != 0;
  to.apply_exif_orientation = from.apply_exif_orientation != 0;
  to.clip_gray16 = from.clip_gray16 != 0;
  to.background = color(from.has_background, from.background);
  to.attention_maps = to_index(from.attention_maps);
  return to;
}

/// The view of the caller's pixels.
///
/// Codes  bad_argument (no such format)
inline Result<Pixels> read_pixels(const dsvl_picture& from) noexcept {
  DSVL_TRY(format, enumerator(from.format, PixelFormat::uyvy, "dsvl_picture::format"));
  Pixels to;
  to.data = static_cast<const std::uint8_t*>(from.pixels);
  to.width = to_index(from.width);
  to.height = to_index(from.height);
  to.format = format;
  to.stride = to_index(from.stride);
  to.range = from.full_range ? ColorRange::full : ColorRange::limited;
  to.matrix = from.bt709 ? ColorMatrix::bt709 : ColorMatrix::bt601;
  to.transfer = from.linear ? Transfer::linear : Transfer::srgb;
  for (int i = 0; i < 2; ++i)
    to.chroma[i] = {static_cast<const std::uint8_t*>(from.chroma[i]), to_index(from.chroma_stride[i])};
  to.background = color(from.has_background, from.background);
  return to;
}
/// The whole of a picture; bytes and pixels stay the caller's.
///
/// Codes  bad_argument (none or several of its three forms)
inline Result<Picture> read_whole_picture(const dsvl_picture& from, std::size_t number) {
  const int forms = (from.path != nullptr) + (from.bytes != nullptr) + (from.pixels != nullptr);
  if (forms != 1)
    return fail(Code::bad_argument, "picture %zu has %d of path, bytes and pixels: exactly one is needed", number,
                forms);
  if (from.path) return Picture::file(std::string_view(from.path));
  if (from.bytes) return Picture::bytes({static_cast<const std::byte*>(from.bytes), from.byte_count});
  DSVL_TRY(pixels, read_pixels(from));
  return Picture::pixels(pixels);
}
/// One picture of a question, or the part of it that was asked for.
///
/// Codes  bad_argument (null, none or several of its three forms), unsupported
inline Result<Picture> read_picture(const dsvl_picture* given, std::size_t number) {
  if (!given) return fail(Code::bad_argument, "picture %zu is NULL", number);
  DSVL_TRY(from, read_struct(given, "dsvl_picture"));
  DSVL_TRY(whole, read_whole_picture(from, number));
  const dsvl_rect& part = from.region;
  if (part.x == 0 && part.y == 0 && part.width == 0 && part.height == 0) return std::move(whole);
  return whole.region({to_index(part.x), to_index(part.y), to_index(part.width), to_index(part.height)});
}

/// The time `nanoseconds` from now; 0 means none, the largest time.
///
/// Codes  bad_argument (negative)
inline Result<Clock::time_point> read_time_limit(std::int64_t nanoseconds) noexcept {
  constexpr Clock::time_point kNever = (Clock::time_point::max)();
  if (nanoseconds < 0)
    return fail(Code::bad_argument, "dsvl_question::time_limit is %lld ns", static_cast<long long>(nanoseconds));
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds limit(nanoseconds);
  return nanoseconds == 0 || limit >= kNever - now ? kNever : now + limit;
}

/// A question as dsvl takes it, except for what must outlive the call, which is a Watched.
struct Question {
  std::string_view text;          ///< the caller's memory
  std::vector<Picture> pictures;  ///< bytes and pixels are the caller's
  GenerateOptions options;        ///< refers to the Watched

  /// Fills everything in, and what the answer points to in `watched`.
  ///
  /// Codes  bad_argument, unsupported
  Status read(const dsvl_question* given, Watched& watched) {
    if (!given) return fail(Code::bad_argument, "the dsvl_question is NULL");
    DSVL_TRY(from, read_struct(given, "dsvl_question"));
    DSVL_TRY(words, read_text(from.text, "dsvl_question::text"));
    text = words;
    if (!from.pictures && from.picture_count > 0)
      return fail(Code::bad_argument, "dsvl_question has %zu pictures at NULL", from.picture_count);
    for (std::size_t i = 0; i < from.picture_count; ++i) {
      DSVL_TRY(picture, read_picture(from.pictures[i], i));
      pictures.push_back(std::move(picture));
    }
    watched.cancel = token_of(from.cancel);
    watched.progress = from.progress;
    watched.progress_user = from.progress_user;
    if (from.constraint) watched.constraint.emplace(behind(from.constraint)->constraint);
    options.cancel = watched.cancel.get();
    options.progress = watched.receiver();
    options.constraint = watched.constraint ? &*watched.constraint : nullptr;
    return read_choices(from);
  }

 private:
  /// How the answer is made.
  Status read_choices(const dsvl_question& from) {
    options.max_tokens = to_index(from.max_tokens, options.max_tokens);
    options.placeholders = from.placeholders != 0;
    DSVL_TRY(deadline, read_time_limit(from.time_limit));
    options.deadline = deadline;
    options.draft = to_index(from.draft);
    DSVL_TRY(draft_text, read_text(from.draft_text, "dsvl_question::draft_text"));
    options.draft_text = draft_text;
    DSVL_TRY(stop, read_texts(from.stop, from.stop_count, "stop texts"));
    options.stop.assign(stop.begin(), stop.end());
    SamplerOptions& sampling = options.sampling;
    sampling.temperature = from.temperature;
    sampling.top_k = to_index(from.top_k);
    // 0 is out of the range of these two, so it is free to be the default.
    if (!is_zero(from.top_p)) sampling.top_p = from.top_p;
    if (!is_zero(from.repetition_penalty)) sampling.repetition_penalty = from.repetition_penalty;
    sampling.penalize_prompt = from.penalize_prompt != 0;
    sampling.seed = from.seed;
    return {};
  }
  static bool is_zero(float number) noexcept { return !(number < 0) && !(number > 0) && number == number; }
};

}  // namespace c_interface

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_OPTIONS_HPP
