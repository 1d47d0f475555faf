// A shared library with dsvl inside, headers alone, as engines build theirs: without exceptions and RTTI, and with
// nothing visible but its one function.
#include <dsvl/dsvl.hpp>

#include <cstddef>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile this without exceptions and RTTI"
#endif

/// Answers into `said`; the length, or -1 with the error there.
extern "C" __attribute__((visibility("default"))) int plugin_ask(const char* model_path, const char* picture,
                                                                 const char* question, char* said, int room) {
  std::size_t length = 0;
  const auto say = [&](std::string_view text) {
    for (const char letter : text)
      if (length + 1 < static_cast<std::size_t>(room)) said[length++] = letter;
    said[length] = '\0';
  };
  const auto fail = [&](const dsvl::Status& status) {
    length = 0;
    say(status.text());
    return -1;
  };
  auto model = dsvl::Model::load(model_path);
  if (!model) return fail(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return fail(session.error());
  auto answer = session->ask(dsvl::Picture::file(std::string_view(picture)), question);
  while (auto piece = answer.next()) say(piece->text);
  if (!answer.status().ok()) return fail(answer.status());
  return static_cast<int>(length);
}
