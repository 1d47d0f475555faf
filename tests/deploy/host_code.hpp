// What a host's own code looks like behind the headers of X11 and Qt: it asks a question with Status still X11's macro,
// and then names every public type. Included by the units that headers.sh writes; compiled, never run.
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

namespace host {

static_assert(std::is_same_v<Status, int>, "the host's own macro is as it was");

inline std::string ask(const std::filesystem::path& folder, const std::filesystem::path& picture) {
  auto model = dsvl::Model::load(folder);
  if (!model) return model.error().text();
  auto session = dsvl::Session::open(*model);
  if (!session) return session.error().text();
  auto answer = session->ask(dsvl::Picture::file(picture), "What is this?");
  std::string text;
  while (const auto piece = answer.next()) text += piece->text;
  const auto status = answer.status();  // the type's name means int here
  return status.ok() ? text : status.text();
}

}  // namespace host
