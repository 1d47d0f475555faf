// A program with a version of dsvl compiled once, and a part that has another version inside. Both answer, in turn.
//   two_versions MODEL PICTURE
#include <dsvl/dsvl.hpp>

#include <cstdio>
#include <string>

std::string version_of_older();
std::string ask_older(const char* model_path, const char* picture, const char* question);

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* const question = "How many bars are there?";
  auto model = dsvl::Model::load(argv[1]);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  std::string said;
  auto answer = session->ask(dsvl::Picture::file(std::string_view(argv[2])), question);
  if (auto piece = answer.next()) said += piece->text;
  const std::string other = ask_older(argv[1], argv[2], question);  // in the middle of ours
  while (auto piece = answer.next()) said += piece->text;
  if (!answer.status().ok()) return dsvl::report(answer.status());
  std::printf("%s\n", said.c_str());
  if (version_of_older() == DSVL_VERSION_STRING || said != other)
    return std::fprintf(stderr, "%s says %s, and %s says %s\n", DSVL_VERSION_STRING, said.c_str(),
                        version_of_older().c_str(), other.c_str()),
           1;
  return 0;
}
