// TaskThread: a thread that does one thing after the other, so that the window's thread never waits.
#ifndef DSVL_DESKTOP_TASK_THREAD_HPP
#define DSVL_DESKTOP_TASK_THREAD_HPP

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include <dsvl/base/thread_pool.hpp>

namespace desktop {

class TaskThread {
 public:
  TaskThread() : thread_([this] { work(); }) {}
  /// Waits for the task that is being done, and drops those that wait.
  ~TaskThread() { finish(); }
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  void post(std::function<void()> task) {
    {
      const std::scoped_lock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  /// What the destructor does, for owners whose members the tasks use. No task is done from then on.
  void finish() {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void work() {
    dsvl::lower_thread_priority();  // frames come first
    for (std::unique_lock lock(mutex_);;) {
      changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (ending_) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread thread_;  // last, so that it finds the others
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_TASK_THREAD_HPP
