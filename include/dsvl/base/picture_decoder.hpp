// PictureDecoder: the application's own decoder, for pictures that dsvl does not decode.
//
// It stands in Host beside the other things that an application provides.
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
/// the library. Without a decoder such files are refused, with their kind in the message.
struct PictureDecoder {
  /// The function that takes the decoded picture. It converts the pixels to 8-bit RGB and copies them, so they need not
  /// stay after it returns. When it fails (the picture is too large, there is no memory), decode() returns its error.
  using Give = FunctionRef<Status(const Pixels& pixels)>;

  /// Calls `give` once and returns its result, or an error of its own, which becomes the answer's error. With
  /// Code::unsupported the file is refused as if there were no decoder. `file` is the whole file, `kind` is the kind
  /// that its first bytes name ("a WebP picture"; empty when they are unknown). Rotating the picture upright, where the
  /// application wants it, is left to the decoder. Called on the thread that asks, each time that a picture is handed
  /// in; must not throw.
  Status (*decode)(void* user, std::span<const std::byte> file, std::string_view kind, Give give) = nullptr;
  void* user = nullptr;  ///< must outlive every session and answer that decodes here

  /// Whether both are the same decoder.
  bool operator==(const PictureDecoder&) const noexcept = default;
};

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_PICTURE_DECODER_HPP
