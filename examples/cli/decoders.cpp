#include "decoders.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#if CLI_HAS_WEBP
#include <webp/decode.h>
#endif
#if CLI_HAS_HEIF
#include <libheif/heif.h>
#endif

namespace cli {

namespace {

using dsvl::Code;
using dsvl::PixelFormat;
using dsvl::Pixels;
using dsvl::Status;

using Bytes = std::span<const std::byte>;
using Give = dsvl::PictureDecoder::Give;

#if CLI_HAS_WEBP
Status decode_webp(Bytes file, Give give) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(file.data());
  int width = 0, height = 0;
  const std::unique_ptr<std::uint8_t, void (*)(void*)> rgba(WebPDecodeRGBA(data, file.size(), &width, &height), WebPFree);
  if (!rgba) return dsvl::fail(Code::bad_file, "libwebp cannot decode it (damaged, or an animation)");
  return give(Pixels{rgba.get(), width, height, PixelFormat::rgba, 0});
}
#endif

#if CLI_HAS_HEIF
/// libheif turns and mirrors as the file says.
Status decode_heif(Bytes file, Give give) {
  const std::unique_ptr<heif_context, void (*)(heif_context*)> context(heif_context_alloc(), heif_context_free);
  const auto failed = [](const heif_error& error) { return dsvl::fail(Code::bad_file, "libheif: %s", error.message); };
  if (const heif_error e = heif_context_read_from_memory_without_copy(context.get(), file.data(), file.size(), nullptr);
      e.code != heif_error_Ok)
    return failed(e);
  heif_image_handle* handle = nullptr;
  if (const heif_error e = heif_context_get_primary_image_handle(context.get(), &handle); e.code != heif_error_Ok)
    return failed(e);
  const std::unique_ptr<heif_image_handle, void (*)(const heif_image_handle*)> held(handle, heif_image_handle_release);
  heif_image* decoded = nullptr;
  if (const heif_error e =
          heif_decode_image(handle, &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGBA, nullptr);
      e.code != heif_error_Ok)
    return failed(e);
  const std::unique_ptr<heif_image, void (*)(const heif_image*)> image(decoded, heif_image_release);
  int stride = 0;
  const std::uint8_t* const data = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  return give(Pixels{data, heif_image_get_width(decoded, heif_channel_interleaved),
                     heif_image_get_height(decoded, heif_channel_interleaved), PixelFormat::rgba, stride});
}
#endif

Status decode(void*, Bytes file, std::string_view kind, [[maybe_unused]] Give give) {
#if CLI_HAS_WEBP
  if (kind == "a WebP picture") return decode_webp(file, give);
#endif
#if CLI_HAS_HEIF
  if (kind == "a HEIC picture" || kind == "an AVIF picture" || kind == "a HEIC or AVIF picture") return decode_heif(file, give);
#endif
  return dsvl::fail(Code::unsupported, "%.*s is not decoded (%zu bytes)", static_cast<int>(kind.size()), kind.data(),
                    file.size());
}

}  // namespace

dsvl::PictureDecoder picture_decoder() { return {decode, nullptr}; }

const char* decoded_formats() {
#if CLI_HAS_WEBP && CLI_HAS_HEIF
  return "PNG, JPEG, WebP, HEIC, AVIF";
#elif CLI_HAS_WEBP
  return "PNG, JPEG, WebP";
#elif CLI_HAS_HEIF
  return "PNG, JPEG, HEIC, AVIF";
#else
  return "PNG, JPEG";
#endif
}

}  // namespace cli
