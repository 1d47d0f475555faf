// Files that an earlier version wrote still load. tests/data/older was written by commit 30d0b5b (0.1.0): a made-up model
// of the smallest sizes with the shipped model's tokenizer, converted to q8_0, and a session of it (keys and values in 8
// bits, no system text) that was asked about demo picture 008.png, with the prompt and the logits of its next question.
#include "demo.hpp"

using namespace dsvl;

namespace {

SessionOptions as_saved() {
  SessionOptions options;
  options.limits.context = 128;
  options.limits.kv = KvFormat::q8;
  return options;
}

const Model& older_model() {
  static const auto model = Model::load(test::data("older/model.gguf"));
  if (!model) FAIL(model.error().text());
  return *model;
}

json::Value expected() { return test::json_file(test::data("older/expected.json")).root(); }

/// Activations meet these weights in 8 bits, so that instruction sets differ by a rounding here and there.
double difference(std::span<const float> got) {
  std::vector<float> want;
  for (const json::Value x : expected().find("first_logits")) want.push_back(static_cast<float>(x.number().value_or(NAN)));
  return test::relative_error(got, std::span<const float>(want));
}

}  // namespace

TEST_CASE("a GGUF file that 30d0b5b wrote loads, from a file and from memory") {
  CHECK(older_model().info().layout == "gguf");
  CHECK(older_model().info().image_tokens == 4);
  REQUIRE(older_model().tokenizer());
  const std::string file = test::read_file(test::data("older/model.gguf"));
  const auto model = Model::load(std::as_bytes(std::span<const char>(file)));
  REQUIRE_MESSAGE(model, model.error().text());
  Session session = test::open_session(as_saved(), *model);
  const auto prompt = test::ids(expected().find("prompt_ids"));
  const auto picture = Picture::file(test::tiny_vl() / "demo" / "008.png");
  Answer answer = session.generate(prompt, {&picture, 1});
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(difference(answer.logits()) < 0.05);
}

TEST_CASE("a session that 30d0b5b saved loads and goes on: nothing is computed again, its picture is known") {
  auto session = Session::load(older_model(), test::data("older/session.dsvl"), as_saved());
  REQUIRE_MESSAGE(session, session.error().text());
  CHECK(session->turns() == 1);
  Answer answer = session->ask("And why?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(test::ids(answer.prompt_ids()) == test::ids(expected().find("prompt_ids")));
  CHECK(answer.usage().reused_tokens == expected().find("reused_tokens").integer().value_or(0));
  CHECK(difference(answer.logits()) < 0.05);
  Answer same = session->ask(test::tiny_vl() / "demo" / "008.png", "The same?");
  REQUIRE_MESSAGE(same.status().ok(), same.status().text());
  CHECK(same.usage().encode == 0);
}
