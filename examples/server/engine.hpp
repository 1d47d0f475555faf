// Engine: the one thread that works with the model: it hands sessions of a scheduler to the jobs that wait, and posts
// what their answers say.
#ifndef DSVL_SERVER_ENGINE_HPP
#define DSVL_SERVER_ENGINE_HPP

#include "../cli/library.hpp"

#include <condition_variable>
#include <dsvl/chat/scheduler.hpp>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "job.hpp"
#include "metrics.hpp"

namespace server {

struct EngineOptions {
  int sessions = 4;  ///< choices that are worked on at a time
  int queue = 16;    ///< choices that may wait beside them
  int share = 20;    ///< choices of one client, working and waiting
  dsvl::SessionOptions session;
};

/// What becomes of a job that is handed in.
enum class Admission { taken, full, share, draining };

class Engine {
 public:
  /// Takes all memory that answers need. `metrics` must outlive the engine.
  static dsvl::Result<std::unique_ptr<Engine>> open(const dsvl::Model& model, const EngineOptions& options,
                                                    Metrics& metrics);
  /// Cancels what is left.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Any thread may call these.

  /// Takes a job in if there is room for all its choices. Otherwise nothing has changed.
  Admission submit(const std::shared_ptr<Job>& job);
  /// Nobody waits for the job any more: it stops at the next tile, or leaves the queue.
  void leave(Job& job);
  /// Takes no more jobs in.
  void refuse();
  /// Cancels every job. Their last letters say so.
  void cancel_all();
  /// Waits until nothing is left, or the time has come. True when nothing is left.
  bool wait_until_idle(Clock::time_point until);

  [[nodiscard]] int working() const;
  [[nodiscard]] int waiting() const;
  /// Seconds until there may be room, by how long answers took lately: 1 to 60.
  [[nodiscard]] int retry_after() const;

 private:
  /// One choice of a job.
  struct Work {
    std::shared_ptr<Job> job;
    int choice = 0;
    Clock::time_point arrived;
  };
  /// A session, and whose it is.
  struct Seat {
    dsvl::Session session;
    std::optional<dsvl::Answer> answer = {};
    Work work = {};
    bool has_token = false;
  };

  Engine(dsvl::Scheduler scheduler, const EngineOptions& options, Metrics& metrics);
  void run();
  /// Ends what waits in vain, and gives free seats to the next. False when the engine is to stop.
  bool seat_next();
  void drop_vain_ones();
  std::optional<Work> next();
  void begin(Seat& seat, Work work);
  void serve(Seat& seat);
  Letter read(Seat& seat, bool& news);
  void get_up(Seat& seat);
  [[nodiscard]] int of_client(const std::string& client) const;

  const EngineOptions options_;
  Metrics& metrics_;
  dsvl::Scheduler scheduler_;
  std::vector<Seat> seats_;  // the engine's thread alone uses them

  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::list<Work> waiting_;
  std::vector<std::shared_ptr<Job>> working_;  // one entry a choice
  std::map<std::string, int> seated_;          // choices that each client has working
  double usual_seconds_ = 1;                   // of an answer, a moving mean
  bool draining_ = false, stopping_ = false;

  std::thread thread_;
};

}  // namespace server

#endif  // DSVL_SERVER_ENGINE_HPP
