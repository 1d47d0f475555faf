// Pages of PDF files as pictures, where the build found poppler-cpp.
#ifndef DSVL_DESKTOP_PDF_HPP
#define DSVL_DESKTOP_PDF_HPP

#include "picture_source.hpp"

#include <filesystem>

namespace desktop {

#if DSVL_DESKTOP_HAS_PDF
inline constexpr bool kHasPdf = true;
#else
inline constexpr bool kHasPdf = false;
#endif

/// A PDF file that is open. One thread at a time may use it.
class Pdf {
 public:
  /// Codes  unsupported (this build reads none, or it is locked), bad_file
  static dsvl::Result<std::shared_ptr<Pdf>> open(const std::filesystem::path& file);
  virtual ~Pdf() = default;
  /// At least one.
  [[nodiscard]] virtual int pages() const = 0;
  /// Page `number`, from 0 on, with the size that people see (its crop box, turned as the file says).
  ///
  /// longest  of its sides in pixels; the page is not drawn finer than 150 dots an inch
  /// Codes    bad_file, out_of_memory
  virtual dsvl::Result<cli::Drawing> draw(int number, dsvl::Index longest) = 0;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_PDF_HPP
