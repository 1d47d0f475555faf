#include "shelf.hpp"

#include <algorithm>
#include <fstream>

#include "../cli/file_names.hpp"
#include "../cli/system.hpp"

namespace desktop {

namespace {

constexpr dsvl::Index kThumbnail = 124;   // pixels of the longest side, as it is drawn
constexpr dsvl::Index kPageSmall = 180;   // likewise, of a page to choose
constexpr dsvl::Index kPageLarge = 4096;  // of a page that was chosen, at the most
constexpr std::uintmax_t kLargestFile = std::uintmax_t{256} << 20;

dsvl::Result<SharedPicture> read(const std::filesystem::path& path) {
  auto out = std::make_shared<PictureSource>();
  out->name = dsvl::path_to_utf8(path.filename());
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return dsvl::fail(dsvl::Code::not_found, "%s: %s", out->name.c_str(), error.message().c_str());
  if (size == 0 || size > kLargestFile)
    return dsvl::fail(dsvl::Code::limit, "%s: has %ju bytes, pictures of up to 256 MiB are opened", out->name.c_str(),
                      size);
  out->file.resize(static_cast<std::size_t>(size));
  std::ifstream in(path, std::ios::binary);
  in.read(reinterpret_cast<char*>(out->file.data()), static_cast<std::streamsize>(size));
  if (!in) return dsvl::fail(dsvl::Code::io, "%s: cannot be read", out->name.c_str());
  return SharedPicture(std::move(out));
}

}  // namespace

Shelf::Shelf(Mailbox& mailbox, TaskThread& background, Canvas& canvas, const dsvl::SessionOptions& session)
    : mailbox_(mailbox), background_(background), canvas_(canvas), session_(session) {}

void Shelf::open(const std::string& text) {
  ++reading_;
  error_.clear();
  background_.post([this, path = cli::to_path(text)] {
    if (cli::lower_extension(path) == ".pdf") {
      auto pdf = Pdf::open(path);
      mailbox_.post([this, name = dsvl::path_to_utf8(path.filename()), pdf = std::move(pdf)] { arrive(name, pdf); });
    } else if (auto source = read(path)) {
      add(std::move(*source));
    } else {
      mailbox_.post([this, status = source.error()] { fail(status); });
    }
  });
}

void Shelf::add(SharedPicture source) {
  auto decoded = std::make_shared<dsvl::Result<Decoded>>(decode(*source, session_, kThumbnail));
  mailbox_.post([this, source, decoded] { arrive(source, *decoded); });
}

void Shelf::arrive(SharedPicture source, const dsvl::Result<Decoded>& decoded) {
  if (!decoded) {
    std::string text(decoded.error().text());
    return fail(text.starts_with("picture: ")
                    ? dsvl::fail(decoded.error().code(), "%s: %s", source->name.c_str(), text.substr(9).c_str())
                    : decoded.error());
  }
  --reading_;
  pictures_.push_back({std::move(source), decoded->width, decoded->height, decoded->orientation,
                       canvas_.texture(decoded->small.pixels())});
}

void Shelf::arrive(const std::string& name, const dsvl::Result<std::shared_ptr<Pdf>>& pdf) {
  if (!pdf) return fail(pdf.error());
  if (chooser_)
    return fail(dsvl::fail(dsvl::Code::unsupported, "%s: open it again when pages of %s have been chosen", name.c_str(),
                           chooser_->name.c_str()));
  --reading_;
  chooser_.emplace();
  chooser_->name = name, chooser_->pdf = *pdf, chooser_->pages = (*pdf)->pages();
  if (chooser_->pages == 1) {
    take_page(0);
    return close_pages();
  }
  draw_pages();
}

void Shelf::turn_to(int first) {
  chooser_->first = std::clamp(first, 0, chooser_->pages - 1);
  chooser_->thumbnails.clear();
  draw_pages();
}

void Shelf::draw_pages() {
  const int first = chooser_->first, last = std::min(first + kPagesShown, chooser_->pages);
  chooser_->shown = std::make_shared<const int>(first);
  const std::weak_ptr<const int> shown = chooser_->shown;
  for (int page = first; page < last; ++page)
    background_.post([this, pdf = chooser_->pdf, page, shown] {
      if (shown.expired()) return;
      auto drawn = std::make_shared<dsvl::Result<cli::Drawing>>(pdf->draw(page, kPageSmall));
      mailbox_.post([this, drawn, shown] {
        if (!shown.expired()) chooser_->thumbnails.push_back(*drawn ? canvas_.texture((*drawn)->pixels()) : Texture());
      });
    });
}

void Shelf::take_page(int number) {
  ++reading_;
  chooser_->taken.push_back(number);
  background_.post([this, pdf = chooser_->pdf, number, name = chooser_->name] {
    auto drawn = pdf->draw(number, kPageLarge);
    if (!drawn) return mailbox_.post([this, status = drawn.error()] { fail(status); });
    auto source = std::make_shared<PictureSource>();
    source->name = name + ", page " + std::to_string(number + 1);
    source->page = std::move(*drawn);
    add(std::move(source));
  });
}

void Shelf::remove(std::size_t at) { pictures_.erase(pictures_.begin() + static_cast<std::ptrdiff_t>(at)); }

const ShelfPicture* Shelf::find(const SharedPicture& source) const {
  const auto at =
      std::find_if(pictures_.begin(), pictures_.end(), [&](const ShelfPicture& p) { return p.source == source; });
  return at == pictures_.end() ? nullptr : &*at;
}

void Shelf::fail(const dsvl::Status& status) {
  --reading_;
  error_ = status.text();
}

}  // namespace desktop
