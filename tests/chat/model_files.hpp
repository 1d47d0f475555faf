// The shipped model as a set of files in memory, to be broken in every way.
#ifndef DSVL_TESTS_CHAT_MODEL_FILES_HPP
#define DSVL_TESTS_CHAT_MODEL_FILES_HPP

#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "demo.hpp"

namespace test {

using Json = nlohmann::ordered_json;

/// Cheap to copy: contents are shared until they are replaced.
class ModelFiles {
 public:
  static const ModelFiles& tiny() {
    static const ModelFiles all = [] {
      ModelFiles files;
      for (const char* name : {"config.json", "model.safetensors", "preprocessor_config.json", "processor_config.json",
                               "tokenizer.json", "tokenizer_config.json"})
        files.put(name, read_file(tiny_vl() / name));
      return files;
    }();
    return all;
  }

  [[nodiscard]] const std::string& get(const std::string& name) const { return *files_.at(name); }
  void put(const std::string& name, std::string content) {
    files_[name] = std::make_shared<const std::string>(std::move(content));
  }
  void remove(const std::string& name) { files_.erase(name); }

  /// Parses a JSON file, lets `change` work on it, and writes it back.
  template <class Change>
  void edit(const std::string& name, Change&& change) {
    Json json = Json::parse(get(name));
    change(json);
    put(name, json.dump());
  }
  /// Sets the value at a JSON pointer ("/text_config/hidden_size"), which must exist.
  void set(const std::string& name, const std::string& pointer, const Json& value) {
    edit(name, [&](Json& json) { json.at(Json::json_pointer(pointer)) = value; });
  }
  void add(const std::string& name, const std::string& pointer, const Json& value) {
    edit(name, [&](Json& json) { json[Json::json_pointer(pointer)] = value; });
  }
  void erase(const std::string& name, const std::string& pointer) {
    edit(name, [&](Json& json) {
      const Json::json_pointer at(pointer);
      json.at(at.parent_pointer()).erase(at.back());
    });
  }

  /// The header of model.safetensors, and the bytes behind it.
  [[nodiscard]] Json header() const { return Json::parse(get(kWeights).substr(8, header_size())); }
  [[nodiscard]] std::size_t header_size() const {
    std::uint64_t n = 0;
    std::memcpy(&n, get(kWeights).data(), 8);
    return static_cast<std::size_t>(n);
  }
  [[nodiscard]] std::string data() const { return get(kWeights).substr(8 + header_size()); }
  static std::string safetensors(const std::string& header, const std::string& data) {
    const std::uint64_t n = header.size();
    std::string file(8, '\0');
    std::memcpy(file.data(), &n, 8);
    return file + header + data;
  }
  template <class Change>
  void edit_header(Change&& change) {
    Json json = header();
    change(json);
    put(kWeights, safetensors(json.dump(), data()));
  }

  [[nodiscard]] dsvl::Folder folder() const {
    std::vector<dsvl::NamedBytes> named;
    for (const auto& [name, content] : files_)
      named.push_back({name, std::as_bytes(std::span<const char>(content->data(), content->size()))});
    return dsvl::Folder::memory(named);
  }

  static constexpr const char* kWeights = "model.safetensors";

 private:
  std::map<std::string, std::shared_ptr<const std::string>> files_;
};

}  // namespace test

#endif  // DSVL_TESTS_CHAT_MODEL_FILES_HPP
