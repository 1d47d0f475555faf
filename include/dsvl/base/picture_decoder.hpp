// PictureDecoder: the application's own decoder, for pictures that dsvl does not decode.
#ifndef DSVL_BASE_PICTURE_DECODER_HPP
#define DSVL_BASE_PICTURE_DECODER_HPP

#include "host_macros_push.hpp"

#include <cstddef>
#include <span>
#include <string_view>

#include "function_ref.hpp"
#include "pixels.hpp"
#include "status.hpp"

DSVL_BEGIN_NAMESPACE

/// Decodes pictures that are neither PNG nor JPEG (WebP, HEIC, AVIF, TIFF, …): dsvl has the file, the application has
/// the library. Without one they are refused by name.
struct PictureDecoder {
  /// Takes the picture: its pixels are converted to 8-bit RGB and copied before it returns, and need not stay longer.
  /// Its error (the picture is too large, there is no memory) is what decode() has to return then.
  using Give = FunctionRef<Status(const Pixels& pixels)>;

  /// Calls `give` once and returns its result, or an error of its own, which becomes that of the answer; with
  /// Code::unsupported the file is refused as if there were no decoder. `file` is the whole file, `kind` what its first
  /// bytes say ("a WebP picture"; empty when they say nothing). The decoder turns the picture upright itself, where the
  /// application wants that. Called on the thread that asks, and once for each time that a picture is handed in; must
  /// not throw.
  Status (*decode)(void* user, std::span<const std::byte> file, std::string_view kind, Give give) = nullptr;
  void* user = nullptr;  ///< must outlive every session and answer that decodes here
};

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_PICTURE_DECODER_HPP
