// Makes the head of a safetensors file. The tensors' bytes follow it in the same order, without gaps.
//
// Source: the format as huggingface/safetensors describes it; safetensors.hpp reads it.
#ifndef DSVL_CONVERT_SYNTHETIC_SAFETENSORS_WRITER_HPP
#define DSVL_CONVERT_SYNTHETIC_SAFETENSORS_WRITER_HPP

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "../../base/view.hpp"
#include "../../io/json_writer.hpp"

DSVL_BEGIN_NAMESPACE

/// A tensor to be written.
struct SafetensorsEntry {
  std::string_view name;         ///< in the checkpoint's spelling
  std::string_view dtype;        ///< "BF16", "F16", "F32", …
  std::span<const Index> shape;  ///< outer-first
  std::uint64_t bytes = 0;       ///< that will be written
};

/// Makes the head of a file with these tensors: its length, the JSON, and padding to a multiple of 8 bytes, so that the
/// data begin aligned.
inline std::string safetensors_header(std::span<const SafetensorsEntry> entries) {
  json::Writer w;
  w.begin_object().key("__metadata__").begin_object().key("format").value("pt").end_object();
  std::uint64_t at = 0;  // offset of the next tensor, from the beginning of the data
  for (const SafetensorsEntry& e : entries) {
    w.key(e.name).begin_object().key("dtype").value(e.dtype).key("shape").begin_array();
    for (const Index d : e.shape) w.value(d);
    w.end_array().key("data_offsets").begin_array().value(at).value(at + e.bytes).end_array().end_object();
    at += e.bytes;
  }
  std::string json = w.end_object().text();
  // The format allows blanks behind the JSON. The length in front of it is 8 bytes, so this aligns the data.
  json.append((8 - json.size() % 8) % 8, ' ');
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return out + json;
}

DSVL_END_NAMESPACE

#endif  // DSVL_CONVERT_SYNTHETIC_SAFETENSORS_WRITER_HPP
