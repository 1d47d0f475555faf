#include "pdf.hpp"

#if DSVL_DESKTOP_HAS_PDF
#include <poppler-document.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>
#endif

#include <algorithm>

namespace desktop {

#if DSVL_DESKTOP_HAS_PDF

namespace {

/// The finest that a page is drawn: twice what a tower of 1024 pixels sees of A4, so that regions stay sharp.
constexpr double kDots = 150;

cli::Drawing rgb_of(const poppler::image& image) {
  cli::Drawing out(image.width(), image.height());
  for (int y = 0; y < image.height(); ++y) {
    const auto* const row = reinterpret_cast<const std::uint8_t*>(image.const_data()) + y * image.bytes_per_row();
    std::copy_n(row, 3 * image.width(), out.at(0, y));
  }
  return out;
}

class PopplerPdf final : public Pdf {
 public:
  explicit PopplerPdf(std::unique_ptr<poppler::document> document) : document_(std::move(document)) {
    renderer_.set_image_format(poppler::image::format_rgb24);
    // As pdftoppm draws. Hinting moves letters.
    renderer_.set_render_hints(poppler::page_renderer::antialiasing | poppler::page_renderer::text_antialiasing);
  }
  [[nodiscard]] int pages() const override { return document_->pages(); }
  dsvl::Result<cli::Drawing> draw(int number, dsvl::Index longest) override {
    const std::unique_ptr<poppler::page> page(document_->create_page(number));
    if (!page) return dsvl::fail(dsvl::Code::bad_file, "page %d cannot be read", number + 1);
    const poppler::rectf size = page->page_rect(poppler::crop_box);  // in points, 72 to the inch
    const double side = std::max({size.width(), size.height(), 1.0});
    const double dots = std::min(kDots, 72 * static_cast<double>(longest) / side);
    const poppler::image image = renderer_.render_page(page.get(), dots, dots);
    if (!image.is_valid() || image.width() < 1 || image.height() < 1)
      return dsvl::fail(dsvl::Code::bad_file, "page %d cannot be drawn", number + 1);
    return rgb_of(image);
  }

 private:
  std::unique_ptr<poppler::document> document_;
  poppler::page_renderer renderer_;
};

}  // namespace

dsvl::Result<std::shared_ptr<Pdf>> Pdf::open(const std::filesystem::path& file) {
  std::unique_ptr<poppler::document> document(poppler::document::load_from_file(file.string()));
  const std::string name = dsvl::path_to_utf8(file.filename());
  if (!document) return dsvl::fail(dsvl::Code::bad_file, "%s: poppler cannot read it", name.c_str());
  if (document->is_locked()) return dsvl::fail(dsvl::Code::unsupported, "%s: it has a password", name.c_str());
  if (document->pages() < 1) return dsvl::fail(dsvl::Code::bad_file, "%s: it has no pages", name.c_str());
  return std::shared_ptr<Pdf>(std::make_shared<PopplerPdf>(std::move(document)));
}

#else

dsvl::Result<std::shared_ptr<Pdf>> Pdf::open(const std::filesystem::path& file) {
  return dsvl::fail(dsvl::Code::unsupported, "%s: this build reads no PDF files (poppler-cpp was not there)",
                    dsvl::path_to_utf8(file.filename()).c_str());
}

#endif

}  // namespace desktop
