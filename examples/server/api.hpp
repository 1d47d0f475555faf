// Api: the routes, and how a request becomes a job and a job a reply.
#ifndef DSVL_SERVER_API_HPP
#define DSVL_SERVER_API_HPP

#include <memory>
#include <string>

#include "chat_request.hpp"
#include "completion.hpp"
#include "engine.hpp"
#include "gate.hpp"
#include "http_server.hpp"
#include "metrics.hpp"
#include "options.hpp"

namespace server {

class Api {
 public:
  /// All arguments must outlive it.
  Api(const Options& options, const dsvl::Model& model, dsvl::Index context, Engine& engine, Gate& gate,
      Metrics& metrics)
      : options_(options), model_(model), context_(context), engine_(engine), gate_(gate), metrics_(metrics) {}

  /// Adds everything that is served. There is nothing but these routes: no folder is ever reached.
  void add_to(HttpServer& http);

 private:
  bool let_in(const httplib::Request& request, httplib::Response& response);
  void chat(const httplib::Request& request, httplib::Response& response);
  void answer_whole(const std::shared_ptr<Job>& job, httplib::Response& response);
  void answer_in_stream(const std::shared_ptr<Job>& job, bool include_usage, httplib::Response& response);
  bool stream(Job& job, Completion& completion, bool include_usage, httplib::DataSink& sink);
  Refused submit(const std::shared_ptr<Job>& job);
  void refuse(const Refusal& refusal, httplib::Response& response);
  void models(httplib::Response& response) const;
  void health(httplib::Response& response) const;
  void log(const httplib::Request& request, const httplib::Response& response);

  const Options& options_;
  const dsvl::Model& model_;
  const dsvl::Index context_;
  Engine& engine_;
  Gate& gate_;
  Metrics& metrics_;
};

}  // namespace server

#endif  // DSVL_SERVER_API_HPP
