// What a file is by its first bytes.
#include <doctest/doctest.h>
#include <dsvl/io/file_kind.hpp>

#include <string>

using namespace dsvl;

namespace {

std::string kind(const std::string& text) {
  const FileKind* const found = kind_of(std::as_bytes(std::span(text)));
  return found ? std::string(found->name) : std::string();
}
std::string bytes(const char* text, std::size_t size) { return {text, size}; }

}  // namespace

TEST_CASE("files that are taken for models or pictures by mistake are recognised by their first bytes") {
  CHECK(kind("version https://git-lfs.github.com/spec/v1\noid sha256:1\n") == "a pointer of Git LFS, not the file itself");
  CHECK(kind("<!DOCTYPE html>\n<html>") == "a web page, not the file itself");
  CHECK(kind("\r\n <!doctype HTML>") == "a web page, not the file itself");
  CHECK(kind("<HTML lang=en>") == "a web page, not the file itself");
  CHECK(kind(bytes("PK\x03\x04\x00\x00", 6)) == "a zip archive, as PyTorch's .bin and .pt files are");
  CHECK(kind(bytes("\x80\x02\x8A\x0A", 4)) == "a Python pickle, as PyTorch's older .bin files are");
  CHECK(kind(bytes("\x08\x07\x12\x07pytorch", 11)) == "an ONNX model");
  CHECK(kind(bytes("\x89HDF\r\n\x1A\n", 8)) == "an HDF5 file, as Keras writes them");
  CHECK(kind("tjgg....") == "a model for a llama.cpp of before August 2023");
  CHECK(kind("GGUF....") == "a GGUF file");
}

TEST_CASE("pictures that are not read are called by their name") {
  CHECK(kind(bytes("RIFF\x10\x00\x00\x00WEBPVP8 ", 16)) == "a WebP picture");
  CHECK(kind("GIF89a") == "a GIF picture");
  CHECK(kind(bytes("II*\0\x08\0\0\0", 8)) == "a TIFF picture");
  CHECK(kind(bytes("MM\0*\0\0\0\x08", 8)) == "a TIFF picture");
  CHECK(kind(bytes("\0\0\0\x20" "ftypheic", 12)) == "a HEIC picture");
  CHECK(kind(bytes("\0\0\0\x20" "ftypavif", 12)) == "an AVIF picture");
  CHECK(kind(bytes("BM\x36\x10\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", 18)) == "a BMP picture");
  CHECK(kind(bytes("\xFF\x0A..", 4)) == "a JPEG XL picture");
  CHECK(kind("<svg xmlns=\"x\">") == "an SVG drawing");
  CHECK(kind("%PDF-1.7") == "a PDF document");
}

TEST_CASE("text, JSON, safetensors, short and empty files are of no kind that is known here") {
  CHECK(kind("").empty());
  CHECK(kind("{\"a\": 1}").empty());
  CHECK(kind("BMW builds cars and motorcycles").empty());
  CHECK(kind("hello").empty());
  CHECK(kind(bytes("\x10\0\0\0\0\0\0\0{\"a\": {}}    ", 21)).empty());
  CHECK(kind(bytes("\x08\0\0\0\0\0\0\0{}      ", 16)).empty());  // a safetensors header of 8 bytes
  CHECK(kind("P").empty());
}

TEST_CASE("the error says what the file is and what to do") {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\n";
  const Status status = refuse_other_kind(std::as_bytes(std::span(pointer)), "model.safetensors");
  CHECK(status.code() == Code::unsupported);
  CHECK(std::string(status.text()) == "model.safetensors: is a pointer of Git LFS, not the file itself; run: git lfs pull");
  CHECK(refuse_other_kind({}, "x").ok());
}
