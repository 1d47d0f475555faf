#include <algorithm>
#include <dsvl/io/image.hpp>
#include <filesystem>
#include <vector>

#include "../cli/console.hpp"
#include "../cli/file_names.hpp"
#include "../cli/system.hpp"
#include "source.hpp"

namespace robot {

namespace {

/// Whether a file's name is that of a picture which the library decodes.
bool is_picture(const std::filesystem::path& file) {
  const std::string end = cli::lower_extension(file);
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

class FolderSource final : public FrameSource {
 public:
  explicit FolderSource(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}

  dsvl::Result<bool> next(Frame& frame) override {
    dsvl::ImageLimits limits;
    limits.apply_exif_orientation = true;  // photos come as cameras mean them
    while (next_ < files_.size()) {
      auto image = dsvl::read_image(files_[next_++], limits);
      if (!image) {
        cli::print_warning(image.error().text());
        continue;
      }
      const auto keeper = std::make_shared<const dsvl::Image>(std::move(*image));
      frame.pixels = keeper->pixels();
      frame.owner = keeper;
      frame.taken = Clock::now();
      return true;
    }
    return false;
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::size_t next_ = 0;
};

}  // namespace

SourceResult open_folder(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  std::filesystem::directory_iterator at(cli::to_path(folder), error), end;
  for (; !error && at != end; at.increment(error))
    if (is_picture(at->path())) files.push_back(at->path());
  if (error) return dsvl::fail(dsvl::Code::io, "%s: %s", folder.c_str(), error.message().c_str());
  if (files.empty()) return dsvl::fail(dsvl::Code::not_found, "%s: has no PNG and no JPEG files", folder.c_str());
  std::sort(files.begin(), files.end());
  return std::unique_ptr<FrameSource>(std::make_unique<FolderSource>(std::move(files)));
}

}  // namespace robot
