// dsvl preview: a picture as a model gets it.
#include "library.hpp"

#include "commands.hpp"
#include "decoders.hpp"
#include "drawing.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

struct Preview : Settings {
  std::vector<std::string> images;
  std::vector<NamedRegion> regions;
  bool grid = false, low = false;
};

CommandLine describe(Preview& preview) {
  CommandLine line("dsvl preview", "[OPTION]... -i IMAGE FILE.png",
                   std::string("Writes a picture as the model gets it: turned, cut, scaled and padded, as pixels. This\n"
                               "is what a question is answered from; what cannot be read in it, the model cannot read.\n"
                               "This build reads pictures of these formats: ") + decoded_formats() + ".");
  line.section("Picture");
  line.paths('i', "image", "FILE", "The picture, - for standard input", preview.images);
  add_region_option(line, preview.images, preview.regions);
  line.flag(0, "grid", "Draw the grid of tokens over it; tokens of padding are shaded", preview.grid);
  line.flag(0, "low", "What SigLIP sees, where the model has a second tower that sees more", preview.low);
  line.section("Model");
  add_model_options(line, preview);
  return line;
}

/// The mistakes in what was asked for; an exit code when there is one.
std::optional<int> check(const CommandLine& line, const Preview& preview, const std::vector<std::string>& rest) {
  static constexpr const char* kExample = "for example: dsvl preview -i photo.jpg seen.png";
  if (preview.images.size() != 1) return line.usage_error("one picture is expected, named with -i", kExample);
  if (preview.regions.size() > 1) return line.usage_error("one region is expected, or none");
  if (rest.size() != 1) return line.usage_error("one file to write is expected", kExample);
  if (to_path(rest[0]).extension() != ".png") return line.usage_error(rest[0] + ": the name has to end in .png");
  return check_input(line, preview.images, "");
}

}  // namespace

int run_preview(Arguments arguments) {
  Preview preview;
  const CommandLine line = describe(preview);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (const auto exit = check(line, preview, rest)) return *exit;
  preview.load.cancel = &catch_interrupts();
  std::vector<NamedPicture> pictures;
  if (const auto exit = find_pictures(preview.images, pictures)) return *exit;
  add_regions(preview.regions, pictures);
  ProgressLine progress(!preview.quiet);
  dsvl::LoadReport report;
  int exit = kOk;
  const auto model = load_model(preview, report, progress, exit);
  progress.clear();
  if (!model) return exit;
  preview.session.host.decode_picture = picture_decoder();
  const NamedPicture& picture = pictures.back();  // the region, where one was asked for
  const auto shown = dsvl::prepare_picture(*model, picture.picture(), preview.session);
  if (!shown) return print_error(name_picture(picture, shown.error().text())), kError;
  Drawing drawing = draw_view(preview.low ? shown->low : shown->sharpest());
  if (preview.grid) draw_grid(*shown, drawing);
  if (const dsvl::Status s = save_png(drawing, to_path(rest[0])); !s.ok()) return print_error(s.text()), kError;
  std::printf("%s: %s\n", picture.name.c_str(), seen_text(shown->seen).c_str());
  return finish_output();
}

}  // namespace cli
