// Pictures that dsvl leaves to the program: WebP by libwebp, HEIC and AVIF by libheif, where the build found them.
#ifndef DSVL_CLI_DECODERS_HPP
#define DSVL_CLI_DECODERS_HPP

#include <dsvl/base/picture_decoder.hpp>

namespace cli {

dsvl::PictureDecoder picture_decoder();
/// "PNG, JPEG", and what else this build decodes.
const char* decoded_formats();

}  // namespace cli

#endif  // DSVL_CLI_DECODERS_HPP
