#include "overlay.hpp"

#include "../cli/drawing.hpp"
#include "../cli/looked.hpp"
#include "thumbnail.hpp"

namespace desktop {

namespace {

struct Drawn {
  cli::Drawing pixels;
  dsvl::SeenPicture seen;
  dsvl::Index strongest = -1;
};

dsvl::Result<Drawn> draw(const LoadedModel& loaded, const OverlayWish& wish) {
  const auto shown = dsvl::prepare_picture(*loaded.model, wish.picture->picture(), session_options(loaded.choice));
  if (!shown) return shown.error();
  Drawn out;
  out.seen = shown->seen;
  if (wish.kind == OverlayKind::view || std::ssize(wish.attention) != shown->seen.tokens) {
    out.pixels = shrink(cli::draw_view(shown->sharpest()).pixels(), Overlay::kSide);
    return out;
  }
  const cli::Looked looked{wish.attention};
  out.strongest = looked.strongest_token(shown->seen.map());
  out.pixels = shrink(cli::draw_attention(*shown, looked.cells, out.strongest).pixels(), Overlay::kSide);
  return out;
}

}  // namespace

void Overlay::want(const SharedModel& model, const OverlayWish& wish) {
  if (wish_ == wish) return;
  const bool other = !wish_ || wish_->picture != wish.picture || wish_->kind != wish.kind;
  wish_ = wish;
  if (other) texture_.reset();
  error_.clear();
  done_ = false;
  background_.post([this, model, wish] {
    auto drawn = std::make_shared<dsvl::Result<Drawn>>(draw(*model, wish));
    mailbox_.post([this, wish, drawn] {
      if (wish_ != wish) return;  // another one is wanted meanwhile
      done_ = true;
      if (!*drawn) return void(error_ = drawn->error().text());
      texture_ = canvas_.texture((*drawn)->pixels.pixels());
      seen_ = (*drawn)->seen;
      strongest_ = (*drawn)->strongest;
    });
  });
}

void Overlay::clear() { wish_.reset(), texture_.reset(), error_.clear(); }

}  // namespace desktop
