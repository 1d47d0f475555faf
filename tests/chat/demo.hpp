// The shipped model's demo questions and what PyTorch answers.
#ifndef DSVL_TESTS_CHAT_DEMO_HPP
#define DSVL_TESTS_CHAT_DEMO_HPP

#include <doctest/doctest.h>

#include <dsvl/dsvl.hpp>
#include <dsvl/io/image.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/text/tokenizer.hpp>
#include <string>
#include <vector>

#include "../support.hpp"

namespace test {

/// The shipped model, loaded once for all tests of this program.
inline const dsvl::Model& tiny_model() {
  static const auto model = dsvl::Model::load(tiny_vl());
  if (!model) FAIL(model.error().text());
  return *model;
}

inline dsvl::Session open_session(const dsvl::SessionOptions& options = {}, const dsvl::Model& model = tiny_model()) {
  auto session = dsvl::Session::open(model, options);
  if (!session) FAIL(session.error().text());
  return std::move(*session);
}

/// Conversations without a system text: prompts are slow to be read, above all under sanitizers.
inline dsvl::SessionOptions brief() {
  dsvl::SessionOptions options;
  options.system.clear();
  return options;
}

/// A JSON file of the test data, kept while its values are used.
inline const dsvl::json::Document& json_file(const std::filesystem::path& path) {
  static std::vector<std::pair<std::string, dsvl::json::Document>> read;
  for (const auto& [name, document] : read)
    if (name == path.string()) return document;
  read.reserve(16);
  auto document = dsvl::json::Document::parse(read_file(path), path.string());
  if (!document) FAIL(document.error().text());
  read.emplace_back(path.string(), std::move(*document));
  return read.back().second;
}

inline std::string text(dsvl::json::Value v) { return std::string(v.string().value_or("")); }
inline std::vector<std::int32_t> ids(dsvl::json::Value v) {
  std::vector<std::int32_t> out;
  for (const auto id : v) out.push_back(static_cast<std::int32_t>(id.integer().value_or(-1)));
  return out;
}
inline std::vector<std::int32_t> ids(std::span<const std::int32_t> s) { return {s.begin(), s.end()}; }

inline std::string strip(std::string s) {
  const auto space = " \t\r\n";
  s.erase(s.find_last_not_of(space) + 1);
  return s.erase(0, s.find_first_not_of(space));
}

inline std::filesystem::path demo(const char* name) { return tiny_vl() / "demo" / name; }
inline std::filesystem::path demo_picture(dsvl::json::Value entry) { return tiny_vl() / "demo" / text(entry.find("image")); }

/// How far the first logits are from PyTorch's.
inline double first_logits_error(std::span<const float> got, dsvl::json::Value want) {
  double most = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(got[i]) - want[i].number().value_or(NAN)));
  return most;
}

}  // namespace test

#endif  // DSVL_TESTS_CHAT_DEMO_HPP
