// Pictures that dsvl leaves to the program: WebP by libwebp, HEIC and AVIF by libheif, where the build found them.
#pragma once

#include <dsvl/base/picture_decoder.hpp>

namespace cli {

dsvl::PictureDecoder picture_decoder();
/// "PNG, JPEG", and what else this build decodes.
const char* decoded_formats();

}  // namespace cli
