// Streams a sampled answer through a callback, token by token with each token's probability, then says how it ended:
//   There(1.00) are(1.00) (1.00)4(1.00) bars(1.00).(1.00)
//   ended by eos: 160 tokens of prompt, 7 of answer; 0.06 s until the first token, 1500 tokens/s after it
#include <cmath>
#include <cstdio>
#include <dsvl/dsvl.hpp>

int main(int argc, char** argv) {
  auto model = dsvl::Model::load(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());

  dsvl::GenerateOptions options;
  options.max_tokens = 64;
  options.sampling.temperature = 0.7f;  // 0, the default, always takes the likeliest token
  options.sampling.top_p = 0.95f;
  options.sampling.seed = 1;            // the same seed gives the same answer, on any number of threads
  options.stop = {"\n\n"};
  auto answer = session->ask(dsvl::Picture::file("examples/models/tiny-vl/demo/000.png"), "How many bars are there?", options);
  const dsvl::Status status = answer.each([](const dsvl::Piece& piece) {
    // A piece is whole characters; it is empty while a character or a possible stop text is incomplete.
    if (!piece.text.empty())
      std::printf("%.*s(%.2f)", static_cast<int>(piece.text.size()), piece.text.data(),
                  std::exp(piece.log_probability));
  });
  if (!status.ok()) return dsvl::report(status);
  const dsvl::Usage u = answer.usage();
  std::printf(
      "\nended by %s: %td tokens of prompt, %td of answer; %.2f s until the first token, %.0f tokens/s after it\n",
      name(answer.finish()).data(), u.prompt_tokens, u.answer_tokens,
      u.decode_image + u.preprocess + u.encode + u.prefill, static_cast<double>(u.answer_tokens - 1) / u.decode);
}
