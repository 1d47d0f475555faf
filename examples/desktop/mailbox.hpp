// Mailbox: what other threads have to say to the window's thread, which alone knows what is shown.
#ifndef DSVL_DESKTOP_MAILBOX_HPP
#define DSVL_DESKTOP_MAILBOX_HPP

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace desktop {

class Mailbox {
 public:
  /// `wake` is called on the thread that posts, once for all letters that wait.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread: the window's thread will call this.
  void post(std::function<void()> letter) {
    bool first = false;
    {
      const std::scoped_lock lock(mutex_);
      first = letters_.empty();
      letters_.push_back(std::move(letter));
    }
    if (first) wake_();
  }
  /// The window's thread: calls what came, in the order in which it was posted. False when nothing did.
  bool open_letters() {
    std::vector<std::function<void()>> letters;
    {
      const std::scoped_lock lock(mutex_);
      letters.swap(letters_);
    }
    for (const auto& letter : letters) letter();
    return !letters.empty();
  }

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> letters_;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_MAILBOX_HPP
