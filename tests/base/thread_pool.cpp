// The default executor.
#include <doctest/doctest.h>

#include <atomic>
#include <dsvl/base/thread_pool.hpp>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/resource.h>
#endif

using namespace dsvl;

namespace {

/// Runs `tasks` tasks and says whether each ran exactly once.
bool all_once(Executor& executor, int tasks) {
  std::vector<std::atomic<int>> hits(static_cast<std::size_t>(tasks));
  executor.run(tasks, [&](int i) { ++hits[static_cast<std::size_t>(i)]; });
  for (const auto& h : hits)
    if (h != 1) return false;
  return true;
}

}  // namespace

TEST_CASE("every task runs exactly once, for any number of threads and tasks") {
  CHECK(available_threads() >= 1);
  InlineExecutor here;
  CHECK(here.workers() == 1);
  CHECK(all_once(here, 9));
  for (const int threads : {0, 1, 2, 3, 16}) {
    ThreadPool pool(threads);
    CHECK(pool.workers() == (threads ? threads : available_threads()));
    for (const int tasks : {0, 1, 2, 3, 16, 1000})
      for (int again = 0; again < 20; ++again) REQUIRE(all_once(pool, tasks));
  }
}

TEST_CASE("run returns after the last task has ended, not after it has begun") {
  ThreadPool pool(4);
  for (int again = 0; again < 50; ++again) {
    std::atomic<int> ended = 0;
    pool.run(4, [&](int i) {
      if (i == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++ended;
    });
    REQUIRE(ended == 4);
  }
}

TEST_CASE("tasks run at the same time on as many threads as there are workers") {
  ThreadPool pool(3);
  std::atomic<int> inside = 0;
  pool.run(3, [&](int) {  // ends only if all three are in here together
    ++inside;
    while (inside < 3) std::this_thread::yield();
  });
  CHECK(inside == 3);
}

TEST_CASE("several callers at once, and a task that runs tasks itself, all get their work done") {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> good = 0;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int again = 0; again < 200; ++again) good += all_once(pool, 7) ? 1 : 0;
    });
  for (std::thread& t : callers) t.join();
  CHECK(good == 800);
  std::atomic<int> nested = 0;
  pool.run(3, [&](int) { pool.run(5, [&](int) { ++nested; }); });
  CHECK(nested == 15);
}

TEST_CASE("a pool ends whether it was used or not") {
  for (int i = 0; i < 30; ++i) {
    ThreadPool idle(4);
    if (i % 2) CHECK(all_once(idle, i));
  }
}

TEST_CASE("a pool's threads have a low priority where that was asked for, and the caller's keeps its own") {
#if defined(__linux__)
  const auto nice_of_thread = [] { return getpriority(PRIO_PROCESS, 0); };
  const int mine = nice_of_thread();
  for (const ThreadPriority priority : {ThreadPriority::normal, ThreadPriority::low}) {
    ThreadPool pool(3, priority);
    std::atomic<int> inside = 0, low = 0;
    pool.run(3, [&](int) {
      low += nice_of_thread() >= 10;
      ++inside;
      while (inside < 3) std::this_thread::yield();
    });
    CHECK(nice_of_thread() == mine);
    if (mine < 10) CHECK(low == (priority == ThreadPriority::low ? 2 : 0));
  }
#endif
}

TEST_CASE("a limit takes threads away and gives them back while the pool is in use") {
  ThreadPool pool(4);
  for (const int limit : {1, 2, 4, 9, 0, -1}) {
    pool.limit(limit);
    CHECK(pool.workers() == (limit == 1 || limit == 2 ? limit : 4));
    CHECK(all_once(pool, pool.workers()));
    CHECK(all_once(pool, 100));
  }
}
