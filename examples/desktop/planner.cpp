#include "planner.hpp"

#include <algorithm>

#include "../cli/system.hpp"

namespace desktop {

namespace fs = std::filesystem;

namespace {

bool is_model_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path / "config.json", error);
}

/// A GGUF file that has a model's text half: the other half is found beside it.
bool is_model_file(const fs::path& path) {
  return path.extension() == ".gguf" && !cli::to_text(path.filename()).starts_with("mmproj");
}

}  // namespace

void Planner::add_one(const fs::path& path) {
  const std::string text = cli::to_text(path);
  if (std::find(models_.begin(), models_.end(), text) == models_.end()) models_.push_back(text);
}

std::string Planner::add(const std::string& text) {
  const fs::path path = cli::to_path(text);
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder ? path : path.parent_path(), error), end; !error && at != end;
       at.increment(error))
    if (is_model_file(at->path()) || (folder && is_model_folder(at->path()))) found.push_back(at->path());
  std::sort(found.begin(), found.end());
  const fs::path meant = !folder || is_model_folder(path) || found.empty() ? path : found.front();
  add_one(meant);
  for (const fs::path& each : found) add_one(each);
  return cli::to_text(meant);
}

void Planner::plan(const Choice& choice) {
  if (wanted_ == choice) return;
  wanted_ = choice;
  plan_.reset(), error_.clear();
  background_.post([this, choice] {
    dsvl::LoadOptions load;
    load.threads = choice.threads;
    auto plan = std::make_shared<dsvl::Result<dsvl::Plan>>(
        dsvl::plan(dsvl::utf8_to_path(choice.model), session_options(choice), load));
    mailbox_.post([this, choice, plan, bytes = cli::available_memory()] {
      if (wanted_ != choice) return;
      free_ = bytes;
      if (*plan) plan_ = **plan;
      else error_ = plan->error().text();
    });
  });
}

}  // namespace desktop
