// A whole model of which a few bytes are others: it does not load, or it answers. An input is a list of changes: three
// bytes for where, one for what.
#include "model.hpp"

namespace fuzz_gguf_model {
using namespace dsvl;

void run(fuzz::Input in) {
  static std::string changed = fuzz::model_file();
  std::vector<std::size_t> places;
  while (!in.empty() && places.size() < 16) {
    std::size_t at = in.byte();
    at = at << 8 | in.byte();
    at = (at << 8 | in.byte()) % changed.size();
    changed[at] = static_cast<char>(in.byte());
    places.push_back(at);
  }
  {
    fuzz::Memory memory;
    LoadReport report;
    LoadOptions options;
    options.host = {&memory, &fuzz::executor(), {}};
    options.report = &report;
    const auto model = Model::load(fuzz::bytes_of(changed), options);
    if (!model) {
      fuzz::check_error(model.error());
    } else {
      SessionOptions small;
      small.limits.context = 64;
      small.limits.picture_side = 32;
      auto session = Session::open(*model, small);
      if (!session) {
        fuzz::check_error(session.error());
      } else {
        GenerateOptions two;
        two.max_tokens = 2;
        Answer answer = session->ask(fuzz::pixels(0), "Hi", two);
        while (answer.next()) {}
        FUZZ_CHECK(answer.finish() != Finish::none);
        if (answer.finish() == Finish::error) fuzz::check_error(answer.status());
        FUZZ_CHECK(session->turns() == (answer.finish() == Finish::error ? 0u : 1u));
      }
    }
  }
  for (const std::size_t at : places) changed[at] = fuzz::model_file()[at];
}

}  // namespace fuzz_gguf_model

DSVL_FUZZ_TARGET(gguf_model)
