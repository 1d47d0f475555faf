#include "gate.hpp"

#include <algorithm>
#include <cstdlib>

#include "connection.hpp"
#include "secret.hpp"

namespace server {

namespace {

/// What anybody may see: the page has no secrets, and whoever asks for health has no key.
bool is_public(const std::string& path) {
  return path == "/" || path == "/page.css" || path == "/page.js" || path == "/health";
}

std::size_t content_length(const httplib::Request& request) {
  return std::strtoull(request.get_header_value("Content-Length").c_str(), nullptr, 10);
}

std::string bearer(const httplib::Request& request) {
  const std::string given = request.get_header_value("Authorization");
  return given.starts_with("Bearer ") ? given.substr(7) : "";
}

/// A page of another site may have its own name point to this machine; its requests then carry that name.
bool names_loopback(std::string host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  return is_loopback(host.substr(0, host.find(':')));
}

}  // namespace

Refused Gate::check(const httplib::Request& request) const {
  const Connection* const connection = Connection::current();
  if (connection && connection->turned_away())
    return Refusal{429, "too many connections (--connections)", "", "too_many_connections"};
  if (is_loopback(options_.host) && request.has_header("Host") && !names_loopback(request.get_header_value("Host")))
    return Refusal{403, "this server answers to loopback names only; give --host to serve others", "", "bad_host"};
  if (request.method == "OPTIONS" || is_public(request.path)) return {};
  if (auto no = check_key(request)) return no;
  return request.method == "GET" || request.method == "HEAD" ? Refused() : check_body(request);
}

Refused Gate::check_key(const httplib::Request& request) const {
  if (options_.keys.empty()) return {};
  const std::string given = bearer(request);
  bool known = false;
  for (const std::string& key : options_.keys) known = equal_secrets(given, key) || known;
  if (known) return {};
  return Refusal{401, "the API key is missing or wrong: send Authorization: Bearer KEY", "", "invalid_api_key"};
}

Refused Gate::check_body(const httplib::Request& request) const {
  if (request.path != "/v1/chat/completions") return Refusal{404, "there is no " + request.path, "", "not_found"};
  if (request.method != "POST") return Refusal{405, "this takes POST only", "", "method_not_allowed"};
  if (draining_) return Refusal{503, "the server is shutting down", "", "shutting_down"};
  const std::string length = request.get_header_value("Content-Length");
  if (request.has_header("Transfer-Encoding") || request.get_header_value_count("Content-Length") != 1 ||
      length.empty() || length.find_first_not_of("0123456789") != length.npos)
    return Refusal{411, "a body needs one Content-Length", "", "length_required"};
  if (length.size() > 12 || content_length(request) > static_cast<std::size_t>(options_.body_mib) << 20)
    return Refusal{413, "the body is larger than " + std::to_string(options_.body_mib) + " MiB (--body-mib)", "",
                   "request_too_large"};
  // What another site's page may send without asking first has another type.
  if (!request.get_header_value("Content-Type").starts_with("application/json") ||
      request.has_header("Content-Encoding"))
    return Refusal{415, "the body must be plain application/json", "", "unsupported_media_type"};
  return {};
}

std::string Gate::client(const httplib::Request& request) const {
  return options_.keys.empty() ? request.remote_addr : bearer(request);
}

std::shared_ptr<void> Gate::take_room(const httplib::Request& request) {
  const std::size_t bytes = content_length(request);
  const std::size_t most = static_cast<std::size_t>(options_.bodies_mib) << 20;
  std::shared_ptr<void> room(this, [bytes](void* gate) { static_cast<Gate*>(gate)->bytes_ -= bytes; });
  if (bytes_.fetch_add(bytes) + bytes > most) room.reset();
  return room;
}

}  // namespace server
