// Definitions of convert/convert.hpp.
//
//   checkpoint -> ExportList (each tensor's source and format) -> Writer (head, then tensors) -> FileWriter
//
// A tensor is made in groups of sixteen rows, which are independent, so threads make them at the same time. The bytes
// do not depend on the number of threads.
#ifndef DSVL_CONVERT_CONVERTER_HPP
#define DSVL_CONVERT_CONVERTER_HPP

#include "../base/host_macros_push.hpp"

#include <atomic>
#include <cmath>
#include <memory>

#include "../base/thread_pool.hpp"
#include "../io/file_writer.hpp"
#include "../kernels/dispatch.hpp"
#include "../kernels/weights/interleave.hpp"
#include "../kernels/weights/quantize.hpp"
#include "export_list.hpp"
#include "../model/gguf_model.hpp"
#include "../model/load.hpp"
#include "../model/settings.hpp"
#include "tokenizer_gguf_writer.hpp"
#include "../text/tokenizer_json.hpp"
#include "convert.hpp"

DSVL_BEGIN_NAMESPACE

namespace convert_detail {

/// The arrangement of rows in a file's tensors. dsvl's own file and llama.cpp's text half differ in both.
struct Arrangement {
  bool interleaved = false;  ///< quantised rows lie in groups, as the kernels read them
  Index rotary_dim = 0;      ///< of q and k: head_dim where rotated pairs are to be adjacent; 0 where they stay halves
};

/// The rows of one tensor as the file will have them, made a group at a time. Any thread may make any group.
class Rows {
 public:
  /// Both must outlive this object.
  Rows(const ExportTensor& tensor, const Arrangement& how) noexcept : t_(tensor), how_(how) {}

  /// Number of groups; the last may have fewer rows.
  [[nodiscard]] Index groups() const noexcept { return ceil_div(t_.rows, kGroupRows); }
  /// Bytes of a group in the file.
  [[nodiscard]] Index group_bytes(Index group) const noexcept { return count(group) * row_bytes(t_.format, t_.cols()); }

  /// Writes a group to `to`, which has room for group_bytes(). False when a number is not finite, or too large for the
  /// format.
  [[nodiscard]] bool make(Index group, std::byte* to) const {
    const Index rows = count(group), cols = t_.cols(), stride = row_bytes(t_.format, cols);
    const bool copied = t_.weight.format == t_.format;
    std::vector<float> numbers(static_cast<std::size_t>(rows * cols));
    for (Index r = 0; r < rows; ++r) {
      const WeightRow row = t_.weight.row(t_.first + source(group * kGroupRows + r));
      if (copied) std::memcpy(to + r * stride, row.group, static_cast<std::size_t>(stride));
      active_kernels<float>().unpack(row, numbers.data() + r * cols, cols);
    }
    for (const float x : numbers)
      if (!std::isfinite(x)) return false;
    // The bytes are copied as they are, and were unpacked only to look for numbers that are not finite.
    if (copied) return true;
    if (!quantized(t_.format)) return narrow(numbers, to);
    if (how_.interleaved) {
      encode_group(t_.format, numbers.data(), cols, cols, to);
      return finite_scales(t_.format, to, rows, cols);
    }
    // ggml has each row by itself, but the encoder makes groups. So the blocks of each row are gathered from the group.
    const StoredBlock block = stored_block(t_.format);
    std::vector<std::byte> grouped(static_cast<std::size_t>(rows * stride));
    encode_group(t_.format, numbers.data(), cols, cols, grouped.data());
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < cols / block.cols; ++c)
        gather_block(t_.format, grouped.data() + c * block.bytes, r, to + r * stride + c * (block.bytes / block.rows));
    return finite_scales(t_.format, grouped.data(), rows, cols);
  }

 private:
  /// Rows of a group.
  [[nodiscard]] Index count(Index group) const noexcept {
    return std::min<Index>(kGroupRows, t_.rows - group * kGroupRows);
  }
  /// The row of the checkpoint that becomes row r. Where pairs are to be adjacent, rows 0, dim / 2, 1, dim / 2 + 1, …
  /// of a head follow one another, as llama.cpp's rotary embedding takes them.
  [[nodiscard]] Index source(Index r) const noexcept {
    const Index dim = how_.rotary_dim;
    if (!t_.rotated || dim == 0) return r;
    const Index at = r % dim;
    return r - at + at % 2 * (dim / 2) + at / 2;
  }
  /// Stores numbers in a format without blocks. False when one overflows f16; bf16 has the range of float.
  [[nodiscard]] bool narrow(const std::vector<float>& numbers, std::byte* to) const noexcept {
    for (const float x : numbers) {
      const std::uint16_t half = t_.format == Format::bf16 ? to_bf16(x).bits : to_f16(x).bits;
      if (t_.format == Format::f16 && (half & 0x7C00u) == 0x7C00u) return false;
      if (t_.format == Format::f32) std::memcpy(to, &x, 4);
      else std::memcpy(to, &half, 2);
      to += row_bytes(t_.format, 1);
    }
    return true;
  }

  const ExportTensor& t_;   // source and format
  const Arrangement& how_;  // of this file
};

/// Writes the files of one conversion, with progress over all of them.
class Writer {
 public:
  /// `total` is the number of bytes of all tensors, for progress. The references must outlive this object.
  Writer(const ConvertOptions& options, Executor& executor, double total) noexcept
      : options_(options), executor_(executor), total_(total) {}

  /// Writes everything but the name, which the file gets by its commit(). `head` has everything but the tensors.
  ///
  /// Codes  those of GgufHead::add; bad_file (weights that are not finite), io, cancelled
  Status write(FileWriter& file, GgufHead head, std::span<const ExportTensor* const> tensors, const Arrangement& how) {
    for (const ExportTensor* t : tensors) {
      auto added = head.add(t->name, t->shape, dtype(t->format), t->bytes());
      if (!added) return added.error();
    }
    const std::string text = head.text();
    file.write(std::as_bytes(std::span(text)));
    for (const ExportTensor* t : tensors) {
      DSVL_CHECK_STATUS(write_tensor(file, *t, how));
      constexpr std::byte kZeros[GgufHead::kAlign] = {};
      file.write({kZeros, static_cast<std::size_t>(GgufHead::padding(t->bytes()))});
      if (file.failed()) break;  // status() has the error
    }
    return file.status();
  }

 private:
  static constexpr Index kBatchBytes = 8 << 20;  // bytes between two looks at cancel and progress

  /// Makes a batch of groups on all threads, then writes it, until the tensor is done.
  Status write_tensor(FileWriter& file, const ExportTensor& t, const Arrangement& how) {
    const Rows rows(t, how);
    const Index whole = kGroupRows * row_bytes(t.format, t.cols()), batch = std::max<Index>(1, kBatchBytes / whole);
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<Index>(batch, rows.groups()) * whole));
    for (Index first = 0; first < rows.groups() && !file.failed(); first += batch) {
      if (options_.cancel && options_.cancel->cancelled()) return fail(Code::cancelled, "the conversion was cancelled");
      const Index count = std::min<Index>(batch, rows.groups() - first);
      // Any of the threads may find a bad number.
      std::atomic<bool> good = true;
      executor_.run(static_cast<int>(count), [&](int i) {
        if (!rows.make(first + i, bytes.data() + i * whole)) good = false;
      });
      if (!good)
        return fail(Code::bad_file, "tensor '%s': has a weight that is not finite, or too large for %s",
                    t.name.c_str(), name(t.format).data());
      const Index size = (count - 1) * whole + rows.group_bytes(first + count - 1);
      file.write({bytes.data(), static_cast<std::size_t>(size)});
      options_.progress(Stage::convert, done_ += static_cast<double>(size), total_);
    }
    return {};
  }

  const ConvertOptions& options_;  // cancel and progress
  Executor& executor_;             // makes groups
  double done_ = 0, total_;        // bytes written, and bytes of all tensors
};

/// A head with what every file says: its kind, the model's name, and the type of most weights.
DSVL_COLD inline GgufHead begin(std::string_view architecture, const ConvertOptions& options) {
  GgufHead head;
  head.set(gguf::kArchitectureKey, architecture);
  if (!options.name.empty()) head.set("general.name", options.name);
  head.set("general.file_type", row_of(options.types.decoder).file_type).set("general.quantization_version", 2u);
  return head;
}

/// A size as GGUF stores it.
constexpr std::uint32_t u32(Index n) noexcept { return static_cast<std::uint32_t>(n); }

/// Writes the sizes of the decoder, under llama.cpp's keys.
DSVL_COLD inline void describe_text(GgufHead& head, const ModelConfig& config) {
  const DecoderDims& d = config.decoder;
  head.set("llama.vocab_size", u32(d.vocab)).set("llama.context_length", u32(config.max_positions));
  head.set("llama.embedding_length", u32(d.hidden)).set("llama.feed_forward_length", u32(d.intermediate));
  head.set("llama.block_count", u32(d.layers)).set("llama.rope.dimension_count", u32(d.heads.head_dim));
  head.set("llama.attention.head_count", u32(d.heads.heads));
  head.set("llama.attention.head_count_kv", u32(d.heads.kv_heads));
  head.set("llama.attention.key_length", u32(d.heads.head_dim));
  head.set("llama.attention.value_length", u32(d.heads.head_dim));
  head.set("llama.attention.layer_norm_rms_epsilon", static_cast<float>(d.eps));
  head.set("llama.rope.freq_base", static_cast<float>(d.rope_theta));
}

/// Writes the sizes of the low-resolution tower, under the keys of mmproj files. dsvl's own loader reads config.json
/// instead.
DSVL_COLD inline void describe_vision(GgufHead& head, const ModelConfig& config) {
  const SiglipDims& d = config.siglip;
  head.set("general.type", "mmproj").set("clip.has_vision_encoder", true).set("clip.projector_type", "deepseek-vl");
  head.set("clip.vision.image_size", u32(d.input.image)).set("clip.vision.patch_size", u32(d.input.patch));
  head.set("clip.vision.embedding_length", u32(d.hidden)).set("clip.vision.feed_forward_length", u32(d.intermediate));
  head.set("clip.vision.block_count", u32(d.layers)).set("clip.vision.attention.head_count", u32(d.heads));
  head.set("clip.vision.projection_dim", u32(config.decoder.hidden));
  head.set("clip.vision.attention.layer_norm_epsilon", static_cast<float>(d.eps));
}

/// Adds the JSON files as they are; settings of pictures that were assumed stand as if they had been there. The files
/// are read a second time here, so what they say is compared with the first: a file that changed meanwhile would make
/// another model, or none.
///
/// Codes  io (a file changed), those of reading
DSVL_COLD
inline Status add_files(GgufHead& head, const Folder& from, const ModelSettings& settings, Allocator* allocator) {
  std::vector<Bytes> kept;
  std::vector<NamedBytes> written;
  kept.reserve(std::size(gguf::kFiles));
  for (const std::string_view name : gguf::kFiles) {
    DSVL_TRY(bytes, detail::open_optional(from, std::string(name).c_str(), allocator));
    if (!bytes) continue;
    kept.push_back(std::move(*bytes));
    written.push_back({name, kept.back().span()});
  }
  if (!settings.assumed.empty())
    written.push_back({"preprocessor_config.json", std::as_bytes(std::span<const char>(settings.assumed))});
  const auto again = read_settings(Folder::memory(written), allocator);
  if (!again || again->config != settings.config || again->end != settings.end)
    return fail(Code::io, "%s: a settings file beside it changed while the model was converted; convert it again",
                Printable(from.describe("config.json")).text());
  for (const NamedBytes& file : written)
    head.set(std::string(gguf::kFilePrefix) + std::string(file.name),
             std::string_view(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()));
  return {};
}

/// Adds the tokenizer under the keys of GGUF; nothing when the checkpoint has none.
///
/// Codes  those of parse_tokenizer_json() and write_tokenizer_gguf()
DSVL_COLD inline Status add_tokenizer(GgufHead& head, const Folder& from, Index vocab, Allocator* allocator) {
  DSVL_TRY(files, detail::TokenizerFiles::open(from, allocator));
  if (!files.text) return {};
  DSVL_TRY(parsed, parse_tokenizer_json(files.text->text(), from.describe("tokenizer.json"), files.settings_text(),
                                        allocator));
  head.set("tokenizer.ggml.add_bos_token", true);
  return write_tokenizer_gguf(head, parsed.spec(), vocab);
}

/// A conversion under way: what it reads, and how it writes. It holds views only.
struct Conversion {
  const Folder& from;                     ///< the checkpoint
  const ModelSettings& settings;          ///< read from it
  std::span<const ExportTensor> tensors;  ///< of all files, in order
  const ConvertOptions& options;          ///< the caller's
  Writer& writer;                         ///< shared by all files, for progress

  /// The options of each file that is written.
  [[nodiscard]] NewFileOptions file_options() const noexcept { return {options.sync, options.host.log}; }
  /// The tensors of the text half, of the vision half, or of both.
  [[nodiscard]] std::vector<const ExportTensor*> tensors_of(bool text, bool vision) const {
    std::vector<const ExportTensor*> out;
    for (const ExportTensor& t : tensors)
      if (t.text ? text : vision) out.push_back(&t);
    return out;
  }
};

/// Writes one file with everything.
///
/// Codes  those of Writer::write, io
DSVL_COLD
inline Status write_whole(const Conversion& c, const std::filesystem::path& to) {
  FileWriter file(to, c.file_options());
  DSVL_CHECK_STATUS(file.status());
  GgufHead head = begin(gguf::kWhole, c.options);
  head.set(gguf::kInterleavedKey, u32(kGroupRows));
  DSVL_CHECK_STATUS(add_files(head, c.from, c.settings, c.options.host.allocator));
  DSVL_CHECK_STATUS(add_tokenizer(head, c.from, c.settings.config.decoder.vocab, c.options.host.allocator));
  DSVL_CHECK_STATUS(c.writer.write(file, std::move(head), c.tensors_of(true, true), {.interleaved = true}));
  return file.commit();
}

/// Writes the text half and the vision half. They belong together, so both are complete before the first takes its
/// name.
///
/// Codes  those of Writer::write, io
DSVL_COLD
inline Status write_halves(const Conversion& c, const std::filesystem::path& to) {
  const DecoderDims& decoder = c.settings.config.decoder;
  FileWriter text(to, c.file_options());
  DSVL_CHECK_STATUS(text.status());
  FileWriter vision(mmproj_beside(to), c.file_options());
  DSVL_CHECK_STATUS(vision.status());

  GgufHead text_head = begin(gguf::kText, c.options);
  describe_text(text_head, c.settings.config);
  DSVL_CHECK_STATUS(add_tokenizer(text_head, c.from, decoder.vocab, c.options.host.allocator));
  const Arrangement adjacent = {.rotary_dim = decoder.heads.head_dim};
  DSVL_CHECK_STATUS(c.writer.write(text, std::move(text_head), c.tensors_of(true, false), adjacent));

  GgufHead vision_head = begin(gguf::kVision, c.options);
  describe_vision(vision_head, c.settings.config);
  DSVL_CHECK_STATUS(add_files(vision_head, c.from, c.settings, c.options.host.allocator));
  DSVL_CHECK_STATUS(c.writer.write(vision, std::move(vision_head), c.tensors_of(false, true), {}));

  // All bytes are written before any name changes. The text half comes last, since users and programs look for that
  // first.
  DSVL_CHECK_STATUS(text.finish());
  DSVL_CHECK_STATUS(vision.finish());
  DSVL_CHECK_STATUS(vision.commit());
  return text.commit();
}

}  // namespace convert_detail

DSVL_INLINE std::filesystem::path mmproj_beside(const std::filesystem::path& text) {
  std::filesystem::path name = kMmprojPrefix;
  name += text.filename();
  return std::filesystem::path(text).replace_filename(name);
}

DSVL_INLINE Status convert(const Folder& from, const std::filesystem::path& to, const ConvertOptions& options) {
  namespace detail = convert_detail;
  Allocator* const allocator = options.host.allocator;
  DSVL_TRY(settings, read_settings(from, allocator, options.host.log));
  const ModelConfig& config = settings.config;
  DSVL_TRY(checkpoint, Checkpoint::open(from, LoadMode::map, allocator, {}, options.cancel));
  DeepseekVl net = network_of(checkpoint, config);
  WeightTypes types = options.types;
  // A tied head and embedding are one tensor, so they have one format; the head is the product that matters.
  if (net.decoder.dims.tied) types.embedding = types.head;
  LoadReport unread;
  ExportList list(checkpoint, config.layout, types, options.report ? *options.report : unread);
  net.visit(list);
  DSVL_CHECK_STATUS(list.finish());
  const std::vector<ExportTensor> tensors = list.take();

  // The threads are made after the checks, so that an error costs none.
  std::unique_ptr<ThreadPool> pool;
  if (!options.host.executor) pool = std::make_unique<ThreadPool>();
  double total = 0;
  for (const ExportTensor& t : tensors) total += static_cast<double>(t.bytes());
  detail::Writer writer(options, options.host.executor ? *options.host.executor : *pool, total);
  const detail::Conversion conversion = {from, settings, tensors, options, writer};
  return options.split ? detail::write_halves(conversion, to) : detail::write_whole(conversion, to);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONVERT_CONVERTER_HPP
