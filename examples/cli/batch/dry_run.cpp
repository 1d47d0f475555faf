#include "dry_run.hpp"

#include <unordered_map>

#include <dsvl/io/image.hpp>

#include "../base64.hpp"
#include "../system.hpp"
#include "progress.hpp"

namespace cli::batch {

namespace {

constexpr std::size_t kMostLines = 50, kSamples = 20;

/// What is wrong with a picture, as far as its file's head tells; empty when nothing is.
std::string fault_of(const InputPicture& picture) {
  const auto look = [&](std::span<const std::byte> file) -> dsvl::Status {
    dsvl::Buffer<std::byte> essential;
    if (dsvl::png::is_png(file)) {
      const auto header = dsvl::png::read(file, picture.name, false, essential);
      return header ? dsvl::Status() : header.error();
    }
    if (dsvl::jpeg::is_jpeg(file)) {
      const auto frame = dsvl::jpeg::read(file, picture.name);
      return frame ? dsvl::Status() : frame.error();
    }
    if (file.empty()) return dsvl::fail(dsvl::Code::bad_file, "%s: is empty", picture.name.c_str());
    if (dsvl::kind_of(file)) return {};  // the program's decoders will say
    return dsvl::fail(dsvl::Code::bad_file, "%s: is no picture of a known kind", picture.name.c_str());
  };
  if (picture.file.empty()) {
    const auto bytes = decode_base64(picture.base64);
    return bytes ? look(*bytes).text() : picture.name + ": is no base64";
  }
  const auto bytes = dsvl::read_picture_file(picture.file, {}, nullptr);
  return bytes ? look(bytes->span()).text() : bytes.error().text();
}

}  // namespace

std::size_t print_faults(const Inputs& inputs, const Scan& scan, const Settings& settings, ProgressLine& progress) {
  std::unordered_map<std::string, std::string> pictures;  // what is wrong with each
  std::size_t spoilt = 0, done = 0;
  for (const Item& item : scan.items) {
    if (settings.generate.cancel && settings.generate.cancel->cancelled()) break;
    progress.show("looking at pictures", static_cast<double>(done++), static_cast<double>(scan.items.size()));
    const Input input = inputs.read(item.input);
    std::string fault = input.problem;
    for (const InputPicture& picture : input.pictures) {
      const auto [at, fresh] = pictures.emplace(picture.name, "");
      if (fresh) at->second = fault_of(picture);
      if (fault.empty()) fault = at->second;
    }
    if (fault.empty()) continue;
    progress.clear();
    if (++spoilt <= kMostLines) std::printf("%s: %s\n", input.id.c_str(), fault.c_str());
  }
  progress.clear();
  if (spoilt > kMostLines) std::printf("… and %zu more\n", spoilt - kMostLines);
  std::printf("inputs: %zu, about %zu different pictures; %zu would get an error\n", scan.items.size(), pictures.size(),
              spoilt);
  return spoilt;
}

void print_memory(const Settings& settings, const dsvl::SchedulerOptions& options) {
  const auto path = find_model(settings.model);
  if (!path) return;
  const auto plan = dsvl::plan(*path, options, settings.load);
  if (!plan) return std::printf("memory: %s\n", plan.error().text()), void();
  const auto text = [](std::size_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  std::printf("memory: %s and decoded pictures, with %td sessions of %td tokens; %s of weights beside that, which "
              "processes share\n",
              text(plan->peak()).c_str(), options.sessions, options.session.limits.context,
              text(plan->file_bytes).c_str());
}

dsvl::Status print_time(Runner& runner, const Scan& scan, std::size_t shards) {
  std::vector<Item> samples;
  const std::size_t n = std::min(kSamples, scan.items.size());
  for (std::size_t i = 0; i < n; ++i) samples.push_back(scan.items[i * scan.items.size() / n]);
  const auto began = Clock::now();
  DSVL_CHECK_STATUS(runner.run(samples, [](const Input&, const Outcome&, const RunNote&) { return dsvl::Status(); }));
  const double each = seconds_since(began) / static_cast<double>(std::max<std::size_t>(n, 1));
  const double all = each * static_cast<double>(scan.items.size());
  std::printf("time: about %s (%.2f h) for %zu inputs, by %zu of them%s\n", duration_text(all).c_str(), all / 3600,
              scan.items.size(), n, shards > 1 ? ", for the shards that this run would take" : "");
  return {};
}

}  // namespace cli::batch
