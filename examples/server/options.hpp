// What the server's command line says: the model, the address, and every limit.
#ifndef DSVL_SERVER_OPTIONS_HPP
#define DSVL_SERVER_OPTIONS_HPP

#include "../cli/library.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace server {

struct Options {
  std::string model = "examples/models/tiny-vl";
  std::string name;                    ///< what /v1/models calls it; empty: the model's file name
  std::string host = "127.0.0.1";      ///< the address to listen at; anything but loopback has to be asked for
  int port = 8080;                     ///< 0: the system chooses, and it is printed
  std::vector<std::string> keys;       ///< any of them opens the API; none: it is open
  std::string picture_directory;       ///< pictures may be named by paths below it; empty: none may
  std::string cors;                    ///< the one web origin that may call, besides the page; empty: none

  int threads = 0;                     ///< of the model; 0: as many as the process may use
  dsvl::Index context = 0;             ///< tokens of a prompt with its answer; 0: the model's own
  int sessions = 4;                    ///< answers that are decoded together
  int queue = 16;                      ///< answers that may wait beside them; one more is 429
  int share = 0;                       ///< of both, what one client may have; 0: see share_of_client()
  int connections = 128;               ///< at a time; who comes beyond that is told to come again
  int seconds = 300;                   ///< from a request's arrival to the end of its answer
  int read_seconds = 30;               ///< for a request to arrive whole
  int drain_seconds = 60;              ///< that answers get to end after SIGTERM
  int body_mib = 32;                   ///< of one request
  int bodies_mib = 256;                ///< of all requests that are being read or answered
  int pictures = 8;                    ///< of one request
  int max_pixels = 32'000'000;         ///< of one picture, width times height
  int max_tokens = 512;                ///< of an answer whose request names no number
  bool verbose = false;                ///< a line on stderr for each request, without what it says
};

/// True for addresses that only programs on this machine reach.
bool is_loopback(const std::string& host);
/// Answers that one client may have running and waiting. Clients are told apart by key or address; where both are the
/// same for all, one may have everything, otherwise half unless a number is given.
int share_of_client(const Options& options);

/// Reads the command line. An exit code when there is nothing more to do.
std::optional<int> read_options(std::span<const std::string> arguments, Options& options);

}  // namespace server

#endif  // DSVL_SERVER_OPTIONS_HPP
