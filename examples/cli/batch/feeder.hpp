// Feeder: threads that read and decode the pictures of the next groups while others are answered.
#ifndef DSVL_CLI_BATCH_FEEDER_HPP
#define DSVL_CLI_BATCH_FEEDER_HPP

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <dsvl/io/image.hpp>

#include "todo.hpp"

namespace cli::batch {

/// Items that begin alike, with their pictures.
struct Group {
  std::span<const Item> items;        ///< of the todo list
  std::size_t next = 0;               ///< the item that is answered next
  bool begun = false;                 ///< one of them was read by the model, so that others find what they share
  std::vector<dsvl::Image> pictures;
  Key content = {};                   ///< hash of their files
  std::uint64_t stamp = 0;            ///< of these files, before they were read
  dsvl::Status error;                 ///< why there are none

  [[nodiscard]] bool left() const { return next < items.size(); }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const dsvl::Image& picture : pictures) sum += picture.rgb.size();
    return sum;
  }
};

/// How pictures are read.
struct FeederOptions {
  dsvl::ImageLimits limits = {};
  dsvl::PictureDecoder decoder = {};
  const dsvl::CancelToken* cancel = nullptr;
  std::size_t threads = 1;
  std::size_t ahead = 8;                             ///< groups that wait at most
  std::size_t bytes_ahead = std::size_t{256} << 20;  ///< of their pixels; one more is begun when there are fewer
};

/// Works through a todo list, which must outlive it, as the inputs must.
class Feeder {
 public:
  Feeder(const Inputs& inputs, std::span<const Item> items, const FeederOptions& options);
  ~Feeder();
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  /// A group whose pictures are there; null when there is none yet. With `wait`, null only at the end of the list or
  /// after a cancellation.
  std::shared_ptr<Group> take(bool wait);
  /// True when all groups were taken.
  [[nodiscard]] bool empty();

 private:
  void work();
  void load(Group& group) const;
  /// The items of the next group; none at the end. The lock is held.
  std::span<const Item> next_items();
  [[nodiscard]] bool cancelled() const { return options_.cancel && options_.cancel->cancelled(); }

  const Inputs& inputs_;
  FeederOptions options_;
  std::mutex mutex_;  // guards all that follows
  std::condition_variable loaded_, taken_;
  std::span<const Item> items_;  // that nobody works on yet
  std::deque<std::shared_ptr<Group>> ready_;
  std::size_t loading_ = 0, bytes_ = 0;  // groups that are being read; pixels of those that are ready
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_FEEDER_HPP
