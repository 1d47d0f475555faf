#include "screen.hpp"

namespace game {

Frame::Frame(bool nv12)
    : surface_(SDL_CreateRGBSurfaceWithFormat(0, kWidth, kHeight, 32, SDL_PIXELFORMAT_RGBA32)),
      nv12_(nv12 ? kWidth * kHeight * 3 / 2 : 0) {
  if (surface_) canvas_ = std::make_unique<Canvas>(*surface_);
}

void Frame::finish() {
  canvas_->finish();
  if (!nv12_.empty())
    SDL_ConvertPixels(kWidth, kHeight, surface_->format->format, surface_->pixels, surface_->pitch,
                      SDL_PIXELFORMAT_NV12, nv12_.data(), kWidth);
}

dsvl::Pixels Frame::pixels() const {
  if (!nv12_.empty()) return {nv12_.data(), kWidth, kHeight, dsvl::PixelFormat::nv12};  // BT.601, limited: as SDL's
  return {static_cast<const std::uint8_t*>(surface_->pixels), kWidth, kHeight, dsvl::PixelFormat::rgba,
          surface_->pitch};
}

void Frame::show_on(SDL_Surface& window) const {
  if (nv12_.empty())
    SDL_BlitSurface(surface_.get(), nullptr, &window, nullptr);
  else if (window.w >= kWidth && window.h >= kHeight)
    SDL_ConvertPixels(kWidth, kHeight, SDL_PIXELFORMAT_NV12, nv12_.data(), kWidth, window.format->format, window.pixels,
                      window.pitch);
}

}  // namespace game
