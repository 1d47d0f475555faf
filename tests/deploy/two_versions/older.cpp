// A part of a program that has an older version of dsvl inside: headers alone, from a folder of its own.
#include <dsvl/dsvl.hpp>

#include <string>

std::string version_of_older() { return DSVL_VERSION_STRING; }

std::string ask_older(const char* model_path, const char* picture, const char* question) {
  auto model = dsvl::Model::load(model_path);
  if (!model) return model.error().text();
  auto session = dsvl::Session::open(*model);
  if (!session) return session.error().text();
  std::string said;
  auto answer = session->ask(dsvl::Picture::file(std::string_view(picture)), question);
  while (auto piece = answer.next()) said += piece->text;
  return answer.status().ok() ? said : answer.status().text();
}
