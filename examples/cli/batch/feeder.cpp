#include "feeder.hpp"

#include <dsvl/chat/internal/host_picture.hpp>

#include "../base64.hpp"
#include "../system.hpp"

namespace cli::batch {

namespace {

/// Messages name a picture as its record does, wherever the folder lies.
dsvl::Status named(const dsvl::Status& status, const InputPicture& picture) {
  const std::string path = to_text(picture.file);
  const std::string_view text = status.text();
  if (path.empty() || !text.starts_with(path)) return status;
  return dsvl::fail(status.code(), "%s%s", picture.name.c_str(), text.data() + path.size());
}

dsvl::Result<dsvl::Image> decode(std::span<const std::byte> file, const InputPicture& picture,
                                 const FeederOptions& options) {
  return dsvl::decode_picture(file, options.limits, options.decoder, nullptr, picture.name, options.cancel);
}

dsvl::Result<dsvl::Image> read(const InputPicture& picture, const FeederOptions& options, Key& content) {
  if (picture.file.empty()) {
    const auto bytes = decode_base64(picture.base64);
    if (bytes) return decode(*bytes, picture, options);
    return dsvl::fail(dsvl::Code::bad_file, "%s: is no base64", picture.name.c_str());
  }
  const auto bytes = dsvl::read_picture_file(picture.file, options.limits, nullptr);
  if (bytes) dsvl::add_bytes(content, bytes->span());
  content.add(bytes ? bytes->size() : 0);  // content_of() has the same
  if (!bytes) return named(bytes.error(), picture);
  return decode(bytes->span(), picture, options);
}

}  // namespace

Feeder::Feeder(const Inputs& inputs, std::span<const Item> items, const FeederOptions& options)
    : inputs_(inputs), options_(options), items_(items) {
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
}

Feeder::~Feeder() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  taken_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::span<const Item> Feeder::next_items() {
  std::size_t n = 0;
  while (n < items_.size() && items_[n].group == items_[0].group) ++n;
  const auto out = items_.first(n);
  items_ = items_.subspan(n);
  return out;
}

void Feeder::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    taken_.wait(lock, [&] {
      return ending_ || items_.empty() ||
             (ready_.size() + loading_ < options_.ahead && (bytes_ < options_.bytes_ahead || ready_.empty()));
    });
    if (ending_ || items_.empty()) return;
    auto group = std::make_shared<Group>();
    group->items = next_items();
    ++loading_;
    lock.unlock();
    load(*group);
    lock.lock();
    --loading_;
    bytes_ += group->bytes();
    ready_.push_back(std::move(group));
    loaded_.notify_all();
  }
}

void Feeder::load(Group& group) const {
  const Input input = inputs_.read(group.items[0].input);
  group.stamp = stamp_of(input);
  for (const InputPicture& picture : input.pictures) {
    auto image = read(picture, options_, group.content);
    if (!image && group.error.ok()) group.error = image.error();
    if (image) group.pictures.push_back(std::move(*image));
  }
  if (!group.error.ok()) group.pictures.clear();
}

std::shared_ptr<Group> Feeder::take(bool wait) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !ready_.empty() || (items_.empty() && loading_ == 0); };
  // A signal wakes nobody, so the token is looked at now and then.
  while (wait && !ready() && !cancelled()) loaded_.wait_for(lock, std::chrono::milliseconds(50), ready);
  if (ready_.empty()) return nullptr;
  auto group = std::move(ready_.front());
  ready_.pop_front();
  bytes_ -= group->bytes();
  lock.unlock();
  taken_.notify_all();
  return group;
}

bool Feeder::empty() {
  const std::lock_guard lock(mutex_);
  return ready_.empty() && items_.empty() && loading_ == 0;
}

}  // namespace cli::batch
