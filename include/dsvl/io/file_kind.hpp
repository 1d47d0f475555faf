// FileKind: it recognises, by its first bytes, a file that is not what was asked for, and knows what to do about it.
//
// A download that went wrong (a pointer of Git LFS, a web page) or a file of another program is best named in the
// error: "is truncated" would send its owner the wrong way. Nothing here decides if a file is accepted: readers ask
// when they have failed, or are about to.
#ifndef DSVL_IO_FILE_KIND_HPP
#define DSVL_IO_FILE_KIND_HPP

#include "../base/host_macros_push.hpp"

#include <cstddef>
#include <span>
#include <string_view>

#include "../base/status.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

/// A kind of file, in words that fit the sentence "FILE: is NAME; ADVICE".
struct FileKind {
  std::string_view name;    ///< "a WebP picture"
  std::string_view advice;  ///< "convert it, …"
};

namespace detail {

/// The bytes at an offset by which a kind is recognised.
struct FileMark {
  std::size_t offset;      ///< from the beginning of the file
  std::string_view bytes;  ///< may hold NUL
  FileKind kind;           ///< the kind that has them
};

/// Advice for pictures that only PictureDecoder can decode.
inline constexpr std::string_view kConvertPicture = "dsvl reads PNG and JPEG: convert it, or hand over its pixels";
/// Advice for weights of other programs.
inline constexpr std::string_view kConvertWeights =
    "dsvl reads *.safetensors and GGUF: load it in Python and save it again with save_pretrained()";
/// Advice for data that are no weights at all.
inline constexpr std::string_view kNoWeights = "the file of a model is GGUF or *.safetensors";

/// The kinds in the order they are tried. Sources: the formats' specifications, and file(1)'s magic.
inline constexpr FileMark kFileMarks[] = {
    {0, "version https://git-lfs", {"a pointer of Git LFS, not the file itself", "run: git lfs pull"}},
    {0, "GGUF", {"a GGUF file", "name it as the model"}},
    {0, "\x89PNG", {"a PNG picture", "a model is GGUF or a folder with *.safetensors"}},
    {0, "\xFF\xD8\xFF", {"a JPEG picture", "a model is GGUF or a folder with *.safetensors"}},
    {8, "WEBP", {"a WebP picture", kConvertPicture}},
    {0, "GIF8", {"a GIF picture", kConvertPicture}},
    {0, std::string_view("II*\0", 4), {"a TIFF picture", kConvertPicture}},
    {0, std::string_view("MM\0*", 4), {"a TIFF picture", kConvertPicture}},
    {4, "ftypavif", {"an AVIF picture", kConvertPicture}},
    {4, "ftypavis", {"an AVIF picture", kConvertPicture}},
    {4, "ftyphei", {"a HEIC picture", kConvertPicture}},
    {4, "ftyphev", {"a HEIC picture", kConvertPicture}},
    {4, "ftypmif1", {"a HEIC or AVIF picture", kConvertPicture}},
    {4, "ftypmsf1", {"a HEIC or AVIF picture", kConvertPicture}},
    {0, std::string_view("\0\0\0\x0CJXL ", 8), {"a JPEG XL picture", kConvertPicture}},
    {0, "\xFF\x0A", {"a JPEG XL picture", kConvertPicture}},
    {0, std::string_view("\0\0\0\x0CjP  ", 8), {"a JPEG 2000 picture", kConvertPicture}},
    {0, "8BPS", {"a Photoshop picture", kConvertPicture}},
    {0, "<svg", {"an SVG drawing", kConvertPicture}},
    {0, "%PDF-", {"a PDF document", "make pictures of its pages first, for example with pdftoppm -png"}},
    {0, "PK\x03\x04", {"a zip archive, as PyTorch's .bin and .pt files are", kConvertWeights}},
    {0, "\x80\x02", {"a Python pickle, as PyTorch's older .bin files are", kConvertWeights}},
    {0, "\x80\x04\x95", {"a Python pickle", kConvertWeights}},
    {0, "\x80\x05\x95", {"a Python pickle", kConvertWeights}},
    {0, "\x89HDF", {"an HDF5 file, as Keras writes them", kConvertWeights}},
    {4, "TFL3", {"a TensorFlow Lite model", kConvertWeights}},
    {0, "\x93NUMPY", {"a NumPy array", kNoWeights}},
    {0, "tjgg", {"a model for a llama.cpp of before August 2023", "make a GGUF file of its origin"}},
    {0, "fmgg", {"a model for a llama.cpp of before August 2023", "make a GGUF file of its origin"}},
    {0, "lmgg", {"a model for a llama.cpp of before August 2023", "make a GGUF file of its origin"}},
    {0, "\x1F\x8B", {"a file packed with gzip", "unpack it first"}},
    {0, "\xFD" "7zXZ", {"a file packed with xz", "unpack it first"}},
    {0, "\x28\xB5\x2F\xFD", {"a file packed with Zstandard", "unpack it first"}},
    {0, "7z\xBC\xAF", {"a 7-Zip archive", "unpack it first"}},
    {257, "ustar", {"a tar archive", "unpack it first"}},
};

/// True when the text begins with `word` (in small letters), in any case and behind any white space.
constexpr bool begins_with_word(std::string_view text, std::string_view word) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text.size() - first < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = text[first + i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
  }
  return true;
}

}  // namespace detail

/// The kind of a file, or null when its first bytes are of none known here. Looks at 300 bytes at most.
DSVL_COLD inline const FileKind* kind_of(std::span<const std::byte> file) noexcept {
  static constexpr FileKind kPage = {"a web page, not the file itself", "download it again: it may need a login"},
                            kBitmap = {"a BMP picture", detail::kConvertPicture},
                            kOnnx = {"an ONNX model", detail::kConvertWeights};
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size() < 300 ? file.size() : 300);
  for (const detail::FileMark& mark : detail::kFileMarks)
    if (text.size() >= mark.offset && text.substr(mark.offset).starts_with(mark.bytes)) return &mark.kind;
  for (const char* word : {"<!doctype html", "<html", "<head"})
    if (detail::begins_with_word(text, word)) return &kPage;
  // Two letters alone could begin any text, so the reserved bytes and the upper bytes of the header's size are checked.
  if (text.starts_with("BM") && text.size() >= 18 && text.substr(6, 4) == std::string_view("\0\0\0\0", 4) &&
      text.substr(15, 3) == std::string_view("\0\0\0", 3))
    return &kBitmap;
  // ONNX is a protocol buffer whose first fields are the version (1, a small number) and the producer's name (2).
  if (text.size() >= 4 && text[0] == 0x08 && text[1] > 0 && text[1] < 32 && (text[2] == 0x12 || text[2] == 0x3A))
    return &kOnnx;
  return nullptr;
}

/// The error "FILE: is a web page, …" for bytes of such a kind; ok for all others. `what` names the file.
DSVL_COLD inline Status refuse_other_kind(std::span<const std::byte> file, std::string_view what) noexcept {
  const FileKind* const kind = kind_of(file);
  if (!kind) return {};
  return fail(Code::unsupported, "%s: is %.*s; %.*s", Printable(what).text(), static_cast<int>(kind->name.size()),
              kind->name.data(), static_cast<int>(kind->advice.size()), kind->advice.data());
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_KIND_HPP
