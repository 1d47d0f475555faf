// Small checkpoints taken apart and written anew: other names, dtypes, shapes, missing or extra tensors.
#ifndef DSVL_TESTS_MODEL_REWRITE_HPP
#define DSVL_TESTS_MODEL_REWRITE_HPP

#include <dsvl/io/checkpoint.hpp>

#include "golden.hpp"

namespace test {

struct Tensor {
  std::string name, dtype;
  std::vector<Index> shape;
  std::vector<std::byte> bytes;
};

/// All tensors of a model in tests/data.
inline std::vector<Tensor> read_tensors(const std::string& model) {
  const auto checkpoint = must(dsvl::Checkpoint::open(dsvl::Folder::directory(data(model))));
  std::vector<Tensor> out;
  for (const dsvl::TensorInfo& t : checkpoint.tensors())
    out.push_back({std::string(t.name), std::string(t.dtype), {t.dims().begin(), t.dims().end()}, {t.data, t.data + t.bytes}});
  return out;
}

/// The same numbers in f32 (exact) or f16 (rounded).
inline std::vector<Tensor> retyped(std::vector<Tensor> tensors, Format format) {
  for (Tensor& t : tensors) {
    REQUIRE(t.dtype == "BF16");
    t.dtype = format == Format::f32 ? "F32" : "F16";
    std::vector<std::byte> bytes(t.bytes.size() / 2 * static_cast<std::size_t>(dsvl::row_bytes(format, 1)));
    for (std::size_t i = 0; i < t.bytes.size() / 2; ++i) {
      dsvl::bf16 from;
      std::memcpy(&from, t.bytes.data() + 2 * i, 2);
      const float wide = dsvl::to_float(from);
      const dsvl::f16 half = dsvl::to_f16(wide);
      if (format == Format::f32) std::memcpy(bytes.data() + 4 * i, &wide, 4);
      else std::memcpy(bytes.data() + 2 * i, &half, 2);
    }
    t.bytes = std::move(bytes);
  }
  return tensors;
}

/// A safetensors file in memory whose data begin at an odd address.
class Rewritten {
 public:
  explicit Rewritten(const std::vector<Tensor>& tensors) {
    std::string header = "{";
    std::size_t at = 0;
    for (const Tensor& t : tensors) {
      header += (header.size() > 1 ? ",\"" : "\"") + t.name + "\":{\"dtype\":\"" + t.dtype + "\",\"shape\":[";
      for (std::size_t d = 0; d < t.shape.size(); ++d) header += (d ? "," : "") + std::to_string(t.shape[d]);
      header += "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + t.bytes.size()) + "]}";
      at += t.bytes.size();
    }
    header += "}";
    if (header.size() % 2 == 0) header += " ";
    const std::uint64_t size = header.size();
    bytes_.resize(8 + header.size() + at);
    std::memcpy(bytes_.data(), &size, 8);
    std::memcpy(bytes_.data() + 8, header.data(), header.size());
    std::byte* to = bytes_.data() + 8 + header.size();
    for (const Tensor& t : tensors) to = std::copy(t.bytes.begin(), t.bytes.end(), to);
  }

  /// Valid while this lives.
  [[nodiscard]] dsvl::Folder folder() const {
    const dsvl::NamedBytes file{"model.safetensors", bytes_};
    return dsvl::Folder::memory({&file, 1});
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace test

#endif  // DSVL_TESTS_MODEL_REWRITE_HPP
