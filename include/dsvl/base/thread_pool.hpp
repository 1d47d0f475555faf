// ThreadPool: the default Executor. Its threads sleep when there is nothing to do, and end with it.
//
// One run at a time has the threads. A second caller (another session of the same model) that finds them busy does its
// work on its own thread instead of waiting, so both make progress; results do not depend on it.
#ifndef DSVL_BASE_THREAD_POOL_HPP
#define DSVL_BASE_THREAD_POOL_HPP

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(_WIN32)
#include "windows.hpp"
#else
#include <pthread.h>
#include <sched.h>
#if defined(__linux__)
#include <sys/resource.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#endif
#endif

#include "cgroup.hpp"
#include "host.hpp"
#include "spin.hpp"

DSVL_BEGIN_NAMESPACE

/// The number of threads that can usefully run here: the processors that this process may use, or those that its
/// control groups allow (rounded up), whichever is less; at least 1.
inline int available_threads() noexcept {
  int count = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  if (const int allowed = cgroup_processors(); allowed > 0 && allowed < count) count = allowed;
#endif
  return count > 0 ? count : 1;
}

/// How threads stand beside those of other programs, and beside others of the application.
enum class ThreadPriority : unsigned char {
  normal,  ///< as the thread that started them
  low,     ///< they run where others leave a processor idle, or little more
};

/// Gives the calling thread a low priority, for good: an application calls it in the thread that asks, so that it waits
/// for a processor like the pool's threads do. False where the system does not let it: it knows priorities of whole
/// processes only, or refuses.
inline bool lower_thread_priority() noexcept {
#if defined(_WIN32)
  return SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL) != 0;
#elif defined(__linux__)
  constexpr int kNice = 10;
  const int now = getpriority(PRIO_PROCESS, 0);  // of this thread: Linux keeps it for each
  return now >= kNice || setpriority(PRIO_PROCESS, 0, kNice) == 0;
#elif defined(__APPLE__)
  return pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0) == 0;
#else
  return false;
#endif
}

/// A fixed number of threads that run tasks. One object may serve any number of callers at the same time.
class ThreadPool final : public Executor {
 public:
  static constexpr int kMaxThreads = 256;  ///< more are not started

  /// Starts `threads` - 1 threads, since the caller's takes part as well; 0 means available_threads(). When the system
  /// refuses some, there are fewer. The caller's thread keeps its priority (see lower_thread_priority()), and waits for
  /// threads of a lower one.
  explicit ThreadPool(int threads = 0, ThreadPriority priority = ThreadPriority::normal) noexcept
      : priority_(priority) {
    if (threads <= 0) threads = available_threads();
    if (threads > kMaxThreads) threads = kMaxThreads;
    while (started_ < threads - 1 && start(threads_[started_])) ++started_;
  }
  /// Ends the threads. No run may be going on.
  ~ThreadPool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (int i = 0; i < started_; ++i) join(threads_[i]);
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The threads of the pool and the caller's, or as many as limit() allows.
  [[nodiscard]] int workers() const noexcept override {
    const int most = limit_.load(std::memory_order_relaxed);
    return most > 0 && most <= started_ ? most : started_ + 1;
  }
  /// Has at most `threads` take part, the caller's among them; 0 means all. It may be called at any time and from any
  /// thread, and holds from the next piece of work on: between two tokens, or two slices of a picture. Answers stay the
  /// same to the last bit. A session that is opened under a limit has memory for so many threads, and never uses more.
  void limit(int threads) noexcept { limit_.store(threads, std::memory_order_relaxed); }

  /// Runs the tasks on the pool's threads and on the caller's, or all on the caller's when the pool is busy.
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    if (tasks <= 1 || started_ == 0 || busy_.test_and_set(std::memory_order_acquire)) {
      for (int i = 0; i < tasks; ++i) task(i);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      tasks_ = tasks;
      next_ = 0;
      unfinished_ = tasks;
    }
    wake_.notify_all();
    std::unique_lock<std::mutex> lock(mutex_);
    work(lock);
    lock.unlock();
    spin_until([&] { return unfinished_.load(std::memory_order_acquire) == 0; });
    lock.lock();
    finished_.wait(lock, [&] { return unfinished_ == 0; });
    task_ = nullptr;
    lock.unlock();
    busy_.clear(std::memory_order_release);
  }

 private:
  /// Takes tasks until none is left to take. `lock` is held on entry and on return, not while a task runs.
  void work(std::unique_lock<std::mutex>& lock) noexcept {
    while (task_ && next_ < tasks_) {
      const int mine = next_++;
      const FunctionRef<void(int)> task = *task_;
      lock.unlock();
      task(mine);
      lock.lock();
      if (--unfinished_ == 0) finished_.notify_one();
    }
  }

  /// The loop of a thread of the pool.
  void thread_main() noexcept {
    if (priority_ == ThreadPriority::low) lower_thread_priority();
    std::unique_lock<std::mutex> lock(mutex_);
    while (!ending_) {
      wake_.wait(lock, [&] { return ending_ || (task_ && next_ < tasks_); });
      work(lock);
    }
  }

  // These are the system's own threads, because std::thread reports failure by throwing.
#if defined(_WIN32)
  using Thread = HANDLE;
  bool start(Thread& thread) noexcept {
    thread = CreateThread(
        nullptr, 0,
        [](void* self) -> DWORD {
          static_cast<ThreadPool*>(self)->thread_main();
          return 0;
        },
        this, 0, nullptr);
    return thread != nullptr;
  }
  static void join(Thread thread) noexcept { WaitForSingleObject(thread, INFINITE), CloseHandle(thread); }
#else
  using Thread = pthread_t;
  bool start(Thread& thread) noexcept {
    return pthread_create(&thread, nullptr,
                          [](void* self) -> void* { static_cast<ThreadPool*>(self)->thread_main(); return nullptr; },
                          this) == 0;
  }
  static void join(Thread thread) noexcept { pthread_join(thread, nullptr); }
#endif

  Thread threads_[kMaxThreads - 1] = {};
  int started_ = 0;
  const ThreadPriority priority_;
  std::atomic<int> limit_{0};      // see limit(); 0: none
  std::atomic_flag busy_{};  // a run has the threads; no mutex, because a task may call run() itself
  std::mutex mutex_;               // guards everything below
  std::condition_variable wake_, finished_;
  const FunctionRef<void(int)>* task_ = nullptr;
  int tasks_ = 0, next_ = 0;
  std::atomic<int> unfinished_{0};  // atomic, because the caller polls it without the mutex before it sleeps
  bool ending_ = false;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_THREAD_POOL_HPP
