// The program that matrix.sh compiles with many flags: it asks a question, and counts a text's tokens in another file.
//   main MODEL PICTURE [flushed]     flushed: the processor takes subnormal numbers for zero on this thread
#ifdef MATRIX_HOSTILE  // the host's headers, or the names that they are known for, come first
#include "hostile.hpp"
#endif
#include <dsvl/dsvl.hpp>

#include <cstdio>
#include <cstring>
#include <string>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

std::size_t tokens_of(const dsvl::Model& model, std::string_view text);  // other.cpp

int main(int argc, char** argv) {
  if (argc < 3) return 2;
#if defined(__SSE__)
  if (argc > 3 && std::strcmp(argv[3], "flushed") == 0) _mm_setcsr(_mm_getcsr() | 0x8040);  // FTZ and DAZ
#endif
  auto model = dsvl::Model::load(argv[1]);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  const dsvl::Picture picture = dsvl::Picture::file(std::string_view(argv[2]));
  auto answer = session->ask(picture, "How many bars are there?");
  std::string said;
  while (auto piece = answer.next()) said += piece->text;
  const auto status = answer.status();
  if (!status.ok()) return dsvl::report(status);
  std::printf("%s %zu\n", said.c_str(), tokens_of(*model, "How many bars?"));
  return 0;
}
