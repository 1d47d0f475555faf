// dsvl-server: a model for several clients at once, in the words of OpenAI's chat completions, and a page to try it at.
//
//   dsvl-server -m deepseek-vl-1.3b-chat.gguf --port 8080
//   curl 127.0.0.1:8080/v1/chat/completions --json '{"messages": [{"role": "user", "content": "What is a kite?"}]}'
//
// main.cpp loads and shuts down; http_server.hpp has connections, gate.hpp says who is let in, api.hpp turns requests
// into jobs, and engine.hpp is the one thread that works on them.
#include "../cli/library.hpp"

#include <csignal>
#include <cstdio>
#include <thread>

#include "../cli/console.hpp"
#include "../cli/system.hpp"
#include "api.hpp"

namespace {

using namespace server;

/// Signals that end the server, held back in every thread: this one waits for them.
sigset_t hold_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return ends;
}

int wait_for_signal(const sigset_t& ends) {
  int signal = 0;
  sigwait(&ends, &signal);
  return signal;
}

dsvl::SessionOptions session_options(const Options& options) {
  dsvl::SessionOptions session;
  session.limits.context = options.context;
  session.limits.picture_pixels = options.max_pixels;
  session.apply_exif_orientation = true;  // photos come as cameras mean them
  return session;
}

/// Lets answers end. A second signal, or the time for it, cancels them.
void drain(const sigset_t& ends, const Options& options, HttpServer& http, Gate& gate, Engine& engine) {
  std::fprintf(stderr, "dsvl-server: shutting down; %d answers go on for up to %d s (again: at once)\n",
               engine.working() + engine.waiting(), options.drain_seconds);
  gate.drain();
  engine.refuse();
  http.close_listener();
  const auto until = Clock::now() + std::chrono::seconds(options.drain_seconds);
  const timespec soon = {0, 0};
  while (!engine.wait_until_idle(std::min(until, Clock::now() + std::chrono::milliseconds(50))))
    if (Clock::now() >= until || sigtimedwait(&ends, nullptr, &soon) > 0) return engine.cancel_all();
}

int serve(const Options& options, const dsvl::Model& model, const sigset_t& ends) {
  Metrics metrics;
  auto engine = Engine::open(
      model, {options.sessions, options.queue, share_of_client(options), session_options(options)}, metrics);
  if (!engine) return cli::give_up(engine.error(), "fewer --sessions or a shorter --context take less memory");
  Gate gate(options);
  const dsvl::Index context = options.context > 0 ? options.context : model.info().default_context;
  Api api(options, model, context, **engine, gate, metrics);
  HttpServer http(options.connections, std::chrono::seconds(options.read_seconds));
  api.add_to(http);
  const int port = http.bind(options.host, options.port);
  if (port <= 0) {
    cli::print_error("cannot listen at " + options.host + ", port " + std::to_string(options.port),
                     "is another program there? --port 0 takes a free one");
    return cli::kError;
  }
  if (!is_loopback(options.host) && options.keys.empty())
    cli::print_warning("anybody who reaches " + options.host + " may ask: give --api-key-file");
  const bool six = options.host.find(':') != std::string::npos;
  std::printf("%s at http://%s%s%s:%d\n", options.name.c_str(), six ? "[" : "", options.host.c_str(), six ? "]" : "",
              port);
  std::fflush(stdout);
  std::thread listening([&] { http.listen_after_bind(); });
  wait_for_signal(ends);
  drain(ends, options, http, gate, **engine);
  listening.join();
  return cli::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto exit = read_options(cli::start_up(argc, argv), options)) return *exit;
  const sigset_t ends = hold_signals();
  cli::ProgressLine progress;
  dsvl::LoadOptions load;
  load.threads = options.threads;
  load.constraints = &dsvl::kConstraints;
  load.progress = progress.hook();
  auto model = dsvl::Model::load(dsvl::utf8_to_path(options.model), load);
  progress.clear();
  if (!model) return cli::give_up(model.error(), "name a model's folder or GGUF file with -m");
  if (!model->tokenizer()) {
    cli::print_error(options.model + " has no tokenizer, so it takes no texts");
    return cli::kError;
  }
  return serve(options, *model, ends);
}
