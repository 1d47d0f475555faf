// The host's own memory, threads and log instead of the library's. Prints the answer and what it took:
//   There are 4 bars.
//   142 pieces of memory, 15 MiB in all; 10 runs on 2 threads of ours
#include <atomic>
#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <thread>

struct CountingAllocator final : dsvl::Allocator {
  std::atomic<std::size_t> pieces{0}, total{0};
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    ++pieces, total += bytes;  // null means no, and becomes Code::out_of_memory
    return ::operator new(bytes, std::align_val_t(align), std::nothrow);
  }
  void deallocate(void* p, std::size_t, std::size_t align) noexcept override {
    ::operator delete(p, std::align_val_t(align));
  }
};

struct TwoThreads final : dsvl::Executor {  // the simplest that is right; an engine would use its job system
  std::atomic<int> runs{0};
  [[nodiscard]] int workers() const noexcept override { return 2; }
  void run(int tasks, dsvl::FunctionRef<void(int)> task) noexcept override {
    std::atomic<int> next{0};
    const auto work = [&] { for (int i; (i = next++) < tasks;) task(i); };
    ++runs;
    std::thread other(work);
    work();
    other.join();
  }
};

int main(int argc, char** argv) {
  CountingAllocator memory;  // these outlive the model and its sessions
  TwoThreads threads;
  dsvl::LoadOptions options;
  options.host.allocator = &memory;
  options.host.executor = &threads;
  options.host.log.write = [](void*, dsvl::Level, std::string_view text) {
    std::printf("%s\n", std::string(text).c_str());
  };
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl", options);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);  // has what its model has, unless SessionOptions say otherwise
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/000.png"), "How many bars are there?");
  const dsvl::Status status =
      answer.each([](const dsvl::Piece& p) { std::fwrite(p.text.data(), 1, p.text.size(), stdout); });
  std::printf("\n%zu pieces of memory, %zu MiB in all; %d runs on %d threads of ours\n", memory.pieces.load(),
              memory.total >> 20, threads.runs.load(), threads.workers());
  return dsvl::report(status);
}
