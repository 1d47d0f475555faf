// Checkpoint: all tensors of a model, from one safetensors file, from several with an index, or from GGUF files.
//
// The model floor asks it for weights by name. It owns the files' bytes, so a Matrix that was made of them is valid
// while it lives.
// Source: the layout that transformers writes: model.safetensors, or model.safetensors.index.json with a "weight_map"
// {"tensor": "file"} beside the files it names.
#ifndef DSVL_IO_CHECKPOINT_HPP
#define DSVL_IO_CHECKPOINT_HPP

#include "../base/host_macros_push.hpp"

#include <utility>
#include <variant>
#include <vector>

#include "../base/heap_sort.hpp"
#include "bytes.hpp"
#include "file_kind.hpp"
#include "file_name.hpp"
#include "folder.hpp"
#include "gguf_shards.hpp"
#include "safetensors.hpp"

DSVL_BEGIN_NAMESPACE

/// The tensors of a model by name. Immutable after opening, so any number of threads may read it.
class Checkpoint {
 public:
  static constexpr std::string_view kSingle = "model.safetensors";  ///< the name of a lone file
  static constexpr std::string_view kIndex = "model.safetensors.index.json";  ///< names the files of several
  static constexpr std::size_t kMaxFiles = 256;  ///< more are refused; the largest published models have below 200

  /// One file of the checkpoint.
  struct Part {
    std::string name;  ///< within the folder
    Bytes bytes;       ///< its content
    std::variant<Safetensors, Gguf> head;  ///< its parsed head, which points into the bytes

    /// The file's tensors, sorted by name.
    [[nodiscard]] std::span<const TensorInfo> tensors() const noexcept {
      return std::visit([](const auto& h) { return h.tensors(); }, head);
    }
    /// The head of a GGUF file; null for a safetensors file.
    [[nodiscard]] const Gguf* gguf() const noexcept { return std::get_if<Gguf>(&head); }
  };

  /// A checkpoint without tensors.
  explicit Checkpoint(Allocator* from = nullptr) noexcept : tensors_(from) {}

  /// Opens model.safetensors when the folder has it, otherwise the files that the index lists. With an index, exactly
  /// the tensors it lists are there; others in its files are not. Each file is opened once; `progress` runs over the
  /// bytes of all files.
  ///
  /// Codes  those of Folder::open, json::Document::parse and Safetensors::parse
  static Result<Checkpoint> open(const Folder& folder, LoadMode mode = LoadMode::map, Allocator* from = nullptr,
                                 const Progress& progress = {}, const CancelToken* cancel = nullptr) noexcept {
    // A file that is there and cannot be read is an error of its own, which open_file() reports.
    if (const auto single = folder.size(kSingle); single || single.error().code() != Code::not_found)
      return open_file(folder, kSingle, mode, from, progress, cancel);
    if (folder.has(kIndex)) return open_index(folder, mode, from, progress, cancel);
    return no_weights(folder);
  }
  /// The containers that open_file() accepts.
  enum class Accept : unsigned char {
    any,   ///< safetensors and GGUF
    gguf,  ///< only GGUF
  };
  /// Opens one file of any name, safetensors or GGUF. When it is one of several files of a split GGUF model, all of
  /// them are opened, whichever was named.
  ///
  /// Codes  those of open(), and limit (too many files)
  static Result<Checkpoint> open_file(const Folder& folder, std::string_view name, LoadMode mode = LoadMode::map,
                                      Allocator* from = nullptr, const Progress& progress = {},
                                      const CancelToken* cancel = nullptr, Accept accept = Accept::any) noexcept;

  /// Takes the files of `other` as well; `what` names them in errors. After an error the checkpoint must not be used.
  ///
  /// Codes  bad_file (both have a tensor of one name), out_of_memory
  Status join(Checkpoint other, std::string_view what) noexcept;

  /// Bytes of the files that open() would open, for a plan made beforehand.
  static Result<std::uint64_t> bytes_of(const Folder& folder, Allocator* from = nullptr) noexcept;

  /// All tensors, sorted by name.
  [[nodiscard]] std::span<const TensorInfo> tensors() const noexcept { return tensors_.span(); }
  /// The tensor of that name, or null. Valid while the Checkpoint lives, even after it was moved. Cost: a binary
  /// search.
  [[nodiscard]] const TensorInfo* find(std::string_view name) const noexcept { return find_tensor(tensors(), name); }
  /// The files, for reports: names, bytes (owned or mapped), metadata.
  [[nodiscard]] std::span<const Part> parts() const noexcept { return parts_; }

 private:
  /// An entry of the index; both views point into its JSON document.
  struct Listed {
    std::string_view tensor, file;
  };

  static Status no_weights(const Folder& folder) noexcept;
  static Result<Checkpoint> open_index(const Folder& folder, LoadMode mode, Allocator* from, const Progress& progress,
                                       const CancelToken* cancel) noexcept;
  static Status read_index(const json::Document& index, std::string_view what, Buffer<Listed>& list) noexcept;
  Status add_parts(const Folder& folder, std::span<const std::string_view> names, LoadMode mode, Allocator* from,
                   const Progress& progress, const CancelToken* cancel, Accept accept = Accept::any) noexcept;
  Status add_listed(std::span<const Listed> list, const Folder& folder) noexcept;
  Status add_tensors(std::span<const TensorInfo> more, std::string_view what) noexcept;
  Status sort_tensors(std::string_view what) noexcept;

  std::vector<Part> parts_;
  Buffer<TensorInfo> tensors_;
};

DSVL_COLD
inline Result<Checkpoint> Checkpoint::open_file(const Folder& folder, std::string_view name, LoadMode mode,
                                                Allocator* from, const Progress& progress,
                                                const CancelToken* cancel, Accept accept) noexcept {
  if (const auto shard = gguf::shard_name(name); shard && std::cmp_greater(shard->count, kMaxFiles))
    return fail(Code::limit, "%s: is one of %td files, at most %zu are accepted",
                Printable(folder.describe(name)).text(), shard->count, kMaxFiles);
  const std::vector<std::string> names = gguf::shard_names(name);
  // The named file is looked for first: if that is not there, the message must not speak of its siblings.
  DSVL_CHECK_STATUS(folder.size(name).error());
  for (const std::string& part : names)
    if (const auto size = folder.size(part); !size && size.error().code() == Code::not_found)
      return fail(Code::not_found,
                  "%s: no such file; %s is one of the %zu files of a model, which belong in one folder",
                  Printable(folder.describe(part)).text(), Printable(name).text(), names.size());
  Checkpoint checkpoint(from);
  const std::vector<std::string_view> views(names.begin(), names.end());
  DSVL_CHECK_STATUS(checkpoint.add_parts(folder, views, mode, from, progress, cancel, accept));
  for (const Part& part : checkpoint.parts_) {
    if (part.gguf()) DSVL_CHECK_STATUS(gguf::check_shard(*part.gguf(), part.name, folder.describe(part.name)));
    DSVL_CHECK_STATUS(checkpoint.add_tensors(part.tensors(), folder.describe(part.name)));
  }
  DSVL_CHECK_STATUS(checkpoint.sort_tensors(folder.describe(name)));
  return Result<Checkpoint>(std::move(checkpoint));
}

/// The error for a folder without weights that can be read. Such a folder often has weights of another kind, so the
/// message names them.
DSVL_COLD inline Status Checkpoint::no_weights(const Folder& folder) noexcept {
  const std::string wanted = folder.describe(kSingle);
  for (const char* other : {"adapter_model.safetensors", "pytorch_model.bin", "pytorch_model.bin.index.json",
                            "model.onnx", "tf_model.h5", "flax_model.msgpack"})
    if (folder.has(other))
      return fail(Code::not_found,
                  "%s: no such file; the folder has %s, which dsvl does not read: %s", Printable(wanted).text(), other,
                  std::string_view(other).starts_with("adapter")
                      ? "it is a LoRA adapter, to be merged into its base model first (merge_and_unload() in Python)"
                      : "load it in Python and save it again with save_pretrained()");
  return fail(Code::not_found, "%s: no such file, nor %s beside it", Printable(wanted).text(), kIndex.data());
}

/// Appends tensors to the list, unsorted.
DSVL_COLD inline Status Checkpoint::add_tensors(std::span<const TensorInfo> more, std::string_view what) noexcept {
  if (tensors_.append(more.data(), more.size())) return {};
  return fail(Code::out_of_memory, "%s: no memory for a list of %zu tensors", Printable(what).text(), more.size());
}

/// Sorts the list, and refuses a name that occurs twice.
DSVL_COLD
inline Status Checkpoint::sort_tensors(std::string_view what) noexcept {
  sort_by_name(tensors_.span());
  if (const TensorInfo* const twin = find_twin(tensors()))
    return fail(Code::bad_file, "%s: has tensor '%s', as another file of the model does", Printable(what).text(),
                Printable(twin->name).text());
  return {};
}

DSVL_COLD
inline Status Checkpoint::join(Checkpoint other, std::string_view what) noexcept {
  DSVL_CHECK_STATUS(add_tensors(other.tensors(), what));
  for (Part& part : other.parts_) parts_.push_back(std::move(part));
  return sort_tensors(what);
}

DSVL_COLD inline Result<std::uint64_t> Checkpoint::bytes_of(const Folder& folder, Allocator* from) noexcept {
  if (const auto single = folder.size(kSingle); single || single.error().code() != Code::not_found) return single;
  const std::string what = folder.describe(kIndex);
  DSVL_TRY(bytes, folder.open(kIndex, LoadMode::read, from));
  DSVL_TRY(index, json::Document::parse(bytes.text(), what, from));
  Buffer<Listed> list(from);
  DSVL_CHECK_STATUS(read_index(index, what, list));
  // Sorted by file, so that each file's size is counted once.
  heap_sort(list, [](const Listed& a, const Listed& b) { return a.file < b.file; });
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0 && list[i - 1].file == list[i].file) continue;
    DSVL_TRY(size, folder.size(list[i].file));
    sum += size;
  }
  return sum;
}

DSVL_COLD
inline Result<Checkpoint> Checkpoint::open_index(const Folder& folder, LoadMode mode, Allocator* from,
                                                 const Progress& progress, const CancelToken* cancel) noexcept {
  const std::string what = folder.describe(kIndex);
  DSVL_TRY(bytes, folder.open(kIndex, LoadMode::read, from, {}, cancel));
  DSVL_TRY(index, json::Document::parse(bytes.text(), what, from));
  Buffer<Listed> list(from);
  DSVL_CHECK_STATUS(read_index(index, what, list));
  // Sorted by file, then by name, each file comes once and its tensors come together.
  heap_sort(list, [](const Listed& a, const Listed& b) {
    return a.file != b.file ? a.file < b.file : a.tensor < b.tensor;
  });
  // The names come from a file, so they are checked before they become paths.
  std::vector<std::string_view> files;
  for (const Listed& entry : list) {
    if (!files.empty() && files.back() == entry.file) continue;
    if (files.size() == kMaxFiles)
      return fail(Code::limit, "%s: names more than %zu files", Printable(what).text(), kMaxFiles);
    if (Status bad = check_name(entry.file); !bad.ok())
      return fail(Code::bad_file, "%s: %s", Printable(what).text(), bad.text());
    files.push_back(entry.file);
  }
  Checkpoint checkpoint(from);
  DSVL_CHECK_STATUS(checkpoint.add_parts(folder, files, mode, from, progress, cancel));
  DSVL_CHECK_STATUS(checkpoint.add_listed(list.span(), folder));
  return Result<Checkpoint>(std::move(checkpoint));
}

/// Reads the "weight_map" of an index.
DSVL_COLD
inline Status Checkpoint::read_index(const json::Document& index, std::string_view what,
                                     Buffer<Listed>& list) noexcept {
  const json::Value map = index.root().find("weight_map");
  if (!map.is_object()) return fail(Code::bad_file, "%s: has no object \"weight_map\"", Printable(what).text());
  if (map.size() == 0) return fail(Code::bad_file, "%s: its \"weight_map\" is empty", Printable(what).text());
  for (const json::Value entry : map) {
    const auto file = entry.string();
    if (!file)
      return fail(Code::bad_file, "%s: tensor '%s' has no file name", Printable(what).text(),
                  Printable(entry.key()).text());
    if (!list.push_back({entry.key(), *file}))
      return fail(Code::out_of_memory, "%s: no memory for a list of %zu tensors", Printable(what).text(), map.size());
  }
  return {};
}

/// Opens and parses files. Their sizes are asked for first, because progress runs over the sum.
DSVL_COLD
inline Status Checkpoint::add_parts(const Folder& folder, std::span<const std::string_view> names, LoadMode mode,
                                    Allocator* from, const Progress& progress, const CancelToken* cancel,
                                    Accept accept) noexcept {
  // Folder::open reports the bytes of one file. This adds the bytes of the files before it.
  struct Overall {
    const Progress& report;
    double before, total;
  } overall{progress, 0, 0};
  for (const std::string_view name : names) {
    DSVL_TRY(size, folder.size(name));
    overall.total += static_cast<double>(size);
  }
  const Progress shifted{[](void* user, Stage stage, double done, double) {
                           const Overall& o = *static_cast<const Overall*>(user);
                           o.report(stage, o.before + done, o.total);
                         },
                         &overall};
  parts_.reserve(names.size());
  for (const std::string_view name : names) {
    DSVL_TRY(bytes, folder.open(name, mode, from, shifted, cancel));
    overall.before += static_cast<double>(bytes.size());
    // The content decides which container it is; names do not matter, so that a renamed file still loads.
    if (bytes.text().starts_with(gguf::kMagic)) {
      DSVL_TRY(head, Gguf::parse(bytes.span(), folder.describe(name), from));
      parts_.push_back(Part{std::string(name), std::move(bytes), std::move(head)});
    } else {
      DSVL_CHECK_STATUS(refuse_other_kind(bytes.span(), folder.describe(name)));
      if (accept == Accept::gguf)
        return fail(Code::unsupported,
                    "%s: is no GGUF file; a model is a GGUF file, or a folder with config.json and *.safetensors",
                    Printable(folder.describe(name)).text());
      DSVL_TRY(head, Safetensors::parse(bytes.span(), folder.describe(name), from));
      parts_.push_back(Part{std::string(name), std::move(bytes), std::move(head)});
    }
  }
  return {};
}

/// Looks up the tensors that the index lists in the files it names. `list` and parts_ are sorted by file.
DSVL_COLD
inline Status Checkpoint::add_listed(std::span<const Listed> list, const Folder& folder) noexcept {
  std::size_t part = 0;
  for (const Listed& entry : list) {
    // Both lists are sorted by file, so the search for the file goes on from the last one.
    while (parts_[part].name != entry.file) ++part;
    const TensorInfo* const tensor = find_tensor(parts_[part].tensors(), entry.tensor);
    if (!tensor)
      return fail(Code::not_found, "%s: does not have tensor '%s', which the index says it has",
                  Printable(folder.describe(entry.file)).text(), Printable(entry.tensor).text());
    if (!tensors_.push_back(*tensor))
      return fail(Code::out_of_memory, "%s: no memory for a list of %zu tensors",
                  Printable(folder.describe(kIndex)).text(), list.size());
  }
  sort_by_name(tensors_.span());
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_CHECKPOINT_HPP
