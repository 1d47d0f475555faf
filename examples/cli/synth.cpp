// dsvl synth: writes a checkpoint of full size whose weights are made from the tensors' names.
#include "library.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/io/mapped_file.hpp>
#include <dsvl/io/new_file.hpp>
#include <dsvl/convert/synthetic/safetensors_writer.hpp>
#include <dsvl/model/config_json.hpp>
#include <dsvl/convert/synthetic/inventory.hpp>
#include <dsvl/model/released.hpp>
#include <dsvl/convert/synthetic/synthetic.hpp>

#include "commands.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace fs = std::filesystem;
namespace released = dsvl::released;
using dsvl::Index;
using dsvl::StoredTensor;

namespace {

struct Synth {
  std::string size, layout = "hf", dtype = "bf16", tokenizer;
  bool quiet = false;
};

/// What the options stand for.
struct Kind {
  const released::Files* files = nullptr;
  dsvl::Layout layout = dsvl::Layout::hf;
  dsvl::Format format = dsvl::Format::bf16;
  bool hybrid = false;
};

CommandLine describe(Synth& synth) {
  CommandLine line(
      "dsvl synth", "--size SIZE [OPTION]... DIRECTORY",
      "Writes a checkpoint with the sizes of a published model and synthetic weights: for measuring, and for\n"
      "comparing numbers where the published files are not at hand. It answers nonsense.");
  line.text(0, "size", "SIZE", "1.3b (4 GB) or 7b (15 GB)", synth.size);
  line.text(0, "layout", "LAYOUT", "hf (default) or original: names, files and settings as published there",
            synth.layout);
  line.text(0, "dtype", "TYPE", "bf16 (default) or f16", synth.dtype);
  line.text(0, "tokenizer", "FILE", "A tokenizer.json to put beside it; without one only token ids can be used",
            synth.tokenizer);
  line.flag('q', "quiet", "No progress line", synth.quiet);
  return line;
}

std::optional<int> understand(const CommandLine& line, const Synth& synth, Kind& kind) {
  if (synth.size.empty()) return line.usage_error("no size was given", "--size 1.3b or --size 7b");
  if (synth.size != "1.3b" && synth.size != "7b")
    return line.usage_error("--size " + synth.size + ": is none of 1.3b, 7b");
  if (synth.layout != "hf" && synth.layout != "original")
    return line.usage_error("--layout " + synth.layout + ": is none of hf, original");
  if (synth.dtype != "bf16" && synth.dtype != "f16")
    return line.usage_error("--dtype " + synth.dtype + ": is none of bf16, f16");
  kind.hybrid = synth.size == "7b";
  kind.layout = synth.layout == "hf" ? dsvl::Layout::hf : dsvl::Layout::original;
  kind.format = synth.dtype == "bf16" ? dsvl::Format::bf16 : dsvl::Format::f16;
  const bool hf = kind.layout == dsvl::Layout::hf;
  kind.files = kind.hybrid ? (hf ? &released::kHf7B : &released::kOriginal7B)
                           : (hf ? &released::kHf1_3B : &released::kOriginal1_3B);
  return std::nullopt;
}

/// What stands in the published original files and is never read: SigLIP's pooling head, and two norms of the hybrid.
void add_unused(std::vector<StoredTensor>& to, bool hybrid) {
  const auto add = [&](const std::string& name, std::vector<Index> shape) {
    Index cols = 1;
    for (std::size_t d = 1; d < shape.size(); ++d) cols *= shape[d];
    to.push_back({name, shape, {{name, shape[0], cols}}});
  };
  const auto add_layer = [&](const std::string& name, Index out, Index in) {
    add(name + ".weight", {out, in}), add(name + ".bias", {out});
  };
  const auto add_norm = [&](const std::string& name) { add(name + ".weight", {1024}), add(name + ".bias", {1024}); };
  const std::string pool =
      std::string("vision_model.vision_tower") + (hybrid ? "_low.vision_tower" : "") + ".attn_pool.";
  add(pool + "latent", {1, 1, 1024});
  add_layer(pool + "q", 1024, 1024), add_layer(pool + "kv", 2048, 1024), add_layer(pool + "proj", 1024, 1024);
  add_norm(pool + "norm");
  add_layer(pool + "mlp.fc1", 4096, 1024), add_layer(pool + "mlp.fc2", 1024, 4096);
  if (hybrid) add_norm("vision_model.high_layer_norm"), add_norm("vision_model.low_layer_norm");
}

/// One safetensors file of the checkpoint.
struct Shard {
  std::string file;
  std::vector<const StoredTensor*> tensors;
  Index bytes = 0;  ///< of the tensors
};

/// Tensors in order, a new file where the next one would not fit 5 GB: as transformers cuts them.
std::vector<Shard> cut(const std::vector<StoredTensor>& tensors, Index element) {
  static constexpr Index kMost = 5'000'000'000;
  std::vector<Shard> shards(1);
  for (const StoredTensor& t : tensors) {
    const Index bytes = t.elements() * element;
    if (!shards.back().tensors.empty() && shards.back().bytes + bytes > kMost) shards.emplace_back();
    shards.back().tensors.push_back(&t);
    shards.back().bytes += bytes;
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    char name[64] = "model.safetensors";
    if (shards.size() > 1) std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    shards[i].file = name;
  }
  return shards;
}

/// A part of a file that one task makes and writes.
struct Piece {
  const StoredTensor::Part* part;
  Index first, count;  ///< elements of the part
  std::uint64_t at;    ///< byte of the file
};

std::vector<Piece> pieces_of(const Shard& shard, std::uint64_t data_begin, Index element) {
  static constexpr Index kElements = 1 << 21;
  std::vector<Piece> out;
  std::uint64_t at = data_begin;
  for (const StoredTensor* t : shard.tensors)
    for (const StoredTensor::Part& part : t->parts)
      for (Index first = 0, all = part.rows * part.cols; first < all; first += kElements) {
        const Index count = std::min<Index>(kElements, all - first);
        out.push_back({&part, first, count, at});
        at += static_cast<std::uint64_t>(count * element);
      }
  return out;
}

std::string header_of(const Shard& shard, dsvl::Format format) {
  std::vector<dsvl::SafetensorsEntry> entries;
  for (const StoredTensor* t : shard.tensors)
    entries.push_back({t->name, format == dsvl::Format::bf16 ? "BF16" : "F16", t->shape,
                       static_cast<std::uint64_t>(dsvl::row_bytes(format, t->elements()))});
  return dsvl::safetensors_header(entries);
}

std::string index_of(const std::vector<Shard>& shards) {
  dsvl::json::Writer w;
  Index total = 0;
  for (const Shard& s : shards) total += s.bytes;
  w.begin_object()
      .key("metadata")
      .begin_object()
      .key("total_size")
      .value(total)
      .end_object()
      .key("weight_map")
      .begin_object();
  for (const Shard& s : shards)
    for (const StoredTensor* t : s.tensors) w.key(t->name).value(s.file);
  return w.end_object().end_object().text();
}

/// Writes one directory and takes back what it wrote when it does not come to the end. Without config.json no directory
/// is a checkpoint, so that comes last: killed in between, this leaves none that looks complete.
class Writer {
 public:
  Writer(fs::path directory, const Kind& kind, const dsvl::CancelToken& cancel, ProgressLine& progress)
      : directory_(std::move(directory)), kind_(kind), cancel_(cancel), progress_(progress) {}
  ~Writer() {
    std::error_code ignored;
    if (!complete_)
      for (const fs::path& file : written_) fs::remove(file, ignored);
  }

  int run(const std::string& tokenizer) {
    std::error_code failed;
    fs::create_directories(directory_, failed);
    if (failed) {
      print_error(to_text(directory_) + ": cannot be created (" + failed.message() + ")",
                  "name a directory in one that exists and that you may write to");
      return kError;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, failed)) {
      print_error(to_text(directory_) + ": has files already, first " + to_text(entry.path().filename()),
                  "name a directory that is empty or does not exist yet");
      return kError;
    }
    auto document = dsvl::json::Document::parse(kind_.files->config, "config.json");
    if (!document) return give_up(document.error());
    const auto config = dsvl::read_config(document->root(), "config.json");
    if (!config) return give_up(config.error());
    std::vector<StoredTensor> tensors = dsvl::Inventory::of(dsvl::DeepseekVl(*config), kind_.layout);
    if (kind_.layout == dsvl::Layout::original) add_unused(tensors, kind_.hybrid);
    const std::vector<Shard> shards = cut(tensors, element());
    for (const Shard& s : shards) total_ += static_cast<double>(s.bytes);
    int exit = write_tokenizer(tokenizer);  // first, since it is the only thing that may not be there
    for (const Shard& s : shards)
      if (exit == kOk) exit = write_shard(s);
    if (exit == kOk && shards.size() > 1) exit = write_text("model.safetensors.index.json", index_of(shards));
    if (exit == kOk) exit = write_settings();
    complete_ = exit == kOk;
    progress_.clear();
    if (complete_)
      std::printf("%s: %s, %s layout, %zu tensors, %s\n", to_text(directory_).c_str(), kind_.hybrid ? "7B" : "1.3B",
                  std::string(name(kind_.layout)).c_str(), tensors.size(), bytes_text(total_).c_str());
    return exit;
  }

 private:
  [[nodiscard]] Index element() const { return dsvl::row_bytes(kind_.format, 1); }

  int write_settings() {
    const released::Files& files = *kind_.files;
    for (const auto& [name, text] : {std::pair{"preprocessor_config.json", files.preprocessor},
                                     std::pair{"processor_config.json", files.processor},
                                     std::pair{"config.json", files.config}})
      if (const int exit = write_text(name, text); exit != kOk) return exit;
    return kOk;
  }

  int write_tokenizer(const std::string& tokenizer) {
    if (tokenizer.empty()) return kOk;
    const auto from = dsvl::MappedFile::open(to_path(tokenizer), tokenizer);
    if (!from) return give_up(from.error());
    return write("tokenizer.json", {from->data(), from->size()});
  }

  int write_text(const std::string& name, std::string_view text) {
    return write(name, std::as_bytes(std::span<const char>(text.data(), text.size())));
  }

  int write(const std::string& name, std::span<const std::byte> bytes) {
    dsvl::NewFile file(directory_ / name);
    file.write_at(0, bytes);
    return commit(file, name);
  }

  int commit(dsvl::NewFile& file, const std::string& name) {
    const dsvl::Status status = file.commit();
    if (!status.ok()) return give_up_on(status);
    written_.push_back(directory_ / name);
    return kOk;
  }

  /// All cores make weights, each puts its piece where it belongs.
  int write_shard(const Shard& shard) {
    const std::string header = header_of(shard, kind_.format);
    const std::vector<Piece> pieces = pieces_of(shard, header.size(), element());
    dsvl::NewFile file(directory_ / shard.file);
    if (!file.write_at(0, std::as_bytes(std::span(header)))) return give_up_on(file.status());
    static constexpr std::size_t kBatch = 32;  // tasks between two looks at Ctrl-C and progress
    for (std::size_t begin = 0; begin < pieces.size(); begin += kBatch) {
      if (cancel_.cancelled()) return progress_.clear(), kInterrupted;
      const std::size_t count = std::min<std::size_t>(kBatch, pieces.size() - begin);
      std::atomic<bool> good = true;
      pool_.run(static_cast<int>(count), [&](int task) {
        const Piece& piece = pieces[begin + static_cast<std::size_t>(task)];
        if (!write_piece(file, piece)) good = false;
      });
      if (!good) return give_up_on(file.status());
      for (std::size_t i = begin; i < begin + count; ++i) done_ += static_cast<double>(pieces[i].count * element());
      progress_.show("writing " + shard.file, done_, total_);
    }
    return commit(file, shard.file);
  }

  [[nodiscard]] bool write_piece(dsvl::NewFile& file, const Piece& piece) const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(piece.count * element()));
    dsvl::synthetic::fill(piece.part->hf_name, piece.part->cols, piece.first, piece.count, kind_.format, bytes.data());
    return file.write_at(piece.at, bytes);
  }

  int give_up_on(const dsvl::Status& status) {
    progress_.clear();
    return give_up(status);
  }

  fs::path directory_;
  Kind kind_;
  const dsvl::CancelToken& cancel_;
  ProgressLine& progress_;
  dsvl::ThreadPool pool_;
  std::vector<fs::path> written_;
  double done_ = 0, total_ = 0;
  bool complete_ = false;
};

}  // namespace

int run_synth(Arguments arguments) {
  Synth synth;
  const CommandLine line = describe(synth);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  Kind kind;
  if (const auto exit = understand(line, synth, kind)) return *exit;
  if (rest.size() != 1)
    return line.usage_error(rest.empty() ? "no directory was given" : "one directory is expected",
                            "for example: dsvl synth --size 1.3b synthetic-1.3b");
  const dsvl::CancelToken& interrupt = catch_interrupts();
  ProgressLine progress(!synth.quiet);
  return finish_output(Writer(to_path(rest[0]), kind, interrupt, progress).run(synth.tokenizer));
}

}  // namespace cli
