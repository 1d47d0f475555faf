#include "api.hpp"

#include <cstdio>

#include "page.hpp"

namespace server {

namespace {

/// A stream says at least so often that it is still there. A comment is what clients skip.
constexpr auto kKeepAlive = std::chrono::seconds(5);
constexpr std::chrono::milliseconds kLong{60'000};

void set_json(const Json& value, httplib::Response& response) {
  response.set_content(to_text(value), "application/json");
}

bool send(httplib::DataSink& sink, const std::string& text) { return sink.write(text.data(), text.size()); }
bool send_event(httplib::DataSink& sink, const Json& event) { return send(sink, "data: " + to_text(event) + "\n\n"); }

/// The page talks to this server alone, and runs no code but its own.
void serve_page(HttpServer& http, const char* path, std::string_view text, const char* type) {
  http.Get(path, [text, type](const httplib::Request&, httplib::Response& response) {
    response.set_header("Content-Security-Policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_content(std::string(text), type);
  });
}

}  // namespace

void Api::add_to(HttpServer& http) {
  http.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    using Done = httplib::Server::HandlerResponse;
    return let_in(request, response) ? Done::Unhandled : Done::Handled;
  });
  // Who asks before sending a large body learns at once that it is refused.
  http.set_expect_100_continue_handler([this](const httplib::Request& request, httplib::Response& response) {
    const Refused no = gate_.check(request);
    if (no) refuse(*no, response);
    return no ? no->status : 100;
  });
  http.set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty() && response.status >= 400)
      refuse({response.status, response.status == 404 ? "there is no " + request.path.substr(0, 200) : "bad request",
              "", response.status == 404 ? "not_found" : "bad_request"},
             response);
  });
  http.set_logger(
      [this](const httplib::Request& request, const httplib::Response& response) { log(request, response); });
  http.Post("/v1/chat/completions", [this](const auto& request, auto& response) { chat(request, response); });
  http.Get("/v1/models", [this](const auto&, auto& response) { models(response); });
  http.Get("/health", [this](const auto&, auto& response) { health(response); });
  http.Get("/metrics", [this](const auto&, auto& response) {
    response.set_content(metrics_.text({{"dsvl_answers_working", engine_.working()},
                                        {"dsvl_answers_waiting", engine_.waiting()},
                                        {"dsvl_sessions", options_.sessions}}), "text/plain; version=0.0.4");
  });
  serve_page(http, "/", kPageHtml, "text/html; charset=utf-8");
  serve_page(http, "/page.css", kPageCss, "text/css; charset=utf-8");
  serve_page(http, "/page.js", kPageJs, "text/javascript; charset=utf-8");
}

bool Api::let_in(const httplib::Request& request, httplib::Response& response) {
  if (!options_.cors.empty() && request.get_header_value("Origin") == options_.cors) {
    response.set_header("Access-Control-Allow-Origin", options_.cors);
    response.set_header("Vary", "Origin");
    if (request.method == "OPTIONS") {
      response.set_header("Access-Control-Allow-Methods", "GET, POST");
      response.set_header("Access-Control-Allow-Headers", request.get_header_value("Access-Control-Request-Headers"));
      response.status = 204;
      return false;
    }
  }
  Refused no = gate_.check(request);
  if (!no && request.method == "POST") {
    std::shared_ptr<void> room = gate_.take_room(request);
    if (!room) no = Refusal{429, "too many requests are being read (--bodies-mib)", "", "overloaded"};
    Connection::current()->hold(std::move(room));
  }
  if (no) refuse(*no, response);
  return !no;
}

/// Its body may be there still, so nothing else can be read from this connection.
void Api::refuse(const Refusal& refusal, httplib::Response& response) {
  response.status = refusal.status;
  if (refusal.status == 429 || refusal.status == 503)
    response.set_header("Retry-After", std::to_string(engine_.retry_after()));
  if (refusal.status == 401) response.set_header("WWW-Authenticate", "Bearer");
  // The official client asks again for these. What ran out of time would do so once more.
  if (refusal.code == "timeout") response.set_header("x-should-retry", "false");
  set_json(error_json(refusal), response);
  if (Connection* const connection = Connection::current()) connection->close_after_reply();
}

void Api::log(const httplib::Request& request, const httplib::Response& response) {
  metrics_.count("dsvl_requests_total", "code=\"" + std::to_string(response.status) + "\"");
  if (options_.verbose)
    std::fprintf(stderr, "%s %s %s %d\n", request.remote_addr.c_str(), request.method.c_str(), request.path.c_str(),
                 response.status);
}

void Api::models(httplib::Response& response) const {
  const Json one = {{"id", options_.name}, {"object", "model"}, {"created", 0}, {"owned_by", "dsvl"},
                    {"context_length", context_}, {"image_tokens", model_.info().image_tokens}};
  set_json({{"object", "list"}, {"data", Json::array({one})}}, response);
}

void Api::health(httplib::Response& response) const {
  response.status = gate_.draining() ? 503 : 200;
  set_json({{"status", gate_.draining() ? "draining" : "ok"}}, response);
}

// --- chat ----------------------------------------------------------------------------------------

void Api::chat(const httplib::Request& request, httplib::Response& response) {
  ChatRequest read;
  read.asked.client = gate_.client(request);
  read.asked.deadline = Clock::now() + std::chrono::seconds(options_.seconds);
  if (const Refused no = read_chat_request(request.body, model_, options_, context_, read))
    return refuse(*no, response);
  const auto job = std::make_shared<Job>(std::move(read.asked));
  if (const Refused no = submit(job)) return refuse(*no, response);
  if (read.stream) answer_in_stream(job, read.include_usage, response);
  else answer_whole(job, response);
}

Refused Api::submit(const std::shared_ptr<Job>& job) {
  if (!job->bell().good()) return Refusal{503, "the system has no more descriptors", "", "overloaded"};
  switch (engine_.submit(job)) {
    case Admission::taken: return {};
    case Admission::share: return Refusal{429, "this client has as many answers as it may (--share)", "", "share_used"};
    case Admission::draining: return Refusal{503, "the server is shutting down", "", "shutting_down"};
    case Admission::full: break;
  }
  return Refusal{429, "as many answers wait as may (--queue)", "", "overloaded"};
}

void Api::answer_whole(const std::shared_ptr<Job>& job, httplib::Response& response) {
  Completion completion(*job, model_, options_.name);
  Connection& connection = *Connection::current();
  while (!completion.over()) {
    if (connection.wait(job->bell(), kLong) == Connection::Event::gone) {
      engine_.leave(*job);
      response.status = 499;  // nobody reads it; the log does
      return connection.close_after_reply();
    }
    for (const Letter& letter : job->take()) completion.add(letter);
  }
  if (completion.refused()) return refuse(*completion.refused(), response);
  set_json(completion.whole(), response);
}

void Api::answer_in_stream(const std::shared_ptr<Job>& job, bool include_usage, httplib::Response& response) {
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Accel-Buffering", "no");
  auto completion = std::make_shared<Completion>(*job, model_, options_.name);
  response.set_chunked_content_provider(
      "text/event-stream",
      [this, job, completion, include_usage](std::size_t, httplib::DataSink& sink) {
        return stream(*job, *completion, include_usage, sink);
      },
      [this, job](bool) { engine_.leave(*job); });  // also when not even the headers could be sent
}

/// The whole stream in one call. False when the client has gone.
bool Api::stream(Job& job, Completion& completion, bool include_usage, httplib::DataSink& sink) {
  for (int i = 0; i < job.asked().choices; ++i)
    if (!send_event(sink, completion.opening(i))) return false;
  while (!completion.over()) {
    const Connection::Event event = Connection::current()->wait(job.bell(), kKeepAlive);
    if (event == Connection::Event::gone) return false;
    if (event == Connection::Event::time && !send(sink, ": still at work\n\n")) return false;
    for (const Letter& letter : job.take()) {
      completion.add(letter);
      if (completion.refused()) {
        send_event(sink, error_json(*completion.refused()));
        return sink.done(), true;
      }
      if (!send_event(sink, completion.chunk(letter))) return false;
    }
  }
  if (include_usage && !send_event(sink, completion.usage_chunk())) return false;
  if (!send(sink, "data: [DONE]\n\n")) return false;
  sink.done();
  return true;
}

}  // namespace server
