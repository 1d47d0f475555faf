// The tokenizer alone, from two headers: prints the tokens of a text, and the text back.
//   "How many bars?" -> 367:How 370: many 408: bars 30:?
#include <cstdio>
#include <dsvl/io/folder.hpp>
#include <dsvl/text/tokenizer_json.hpp>

int main(int argc, char** argv) {
  const auto folder = dsvl::Folder::directory(argc > 1 ? argv[1] : "examples/models/tiny-vl");
  auto file = folder.open("tokenizer.json");
  if (!file) return dsvl::report(file.error());
  auto settings = folder.open("tokenizer_config.json");  // says which tokens are bos and eos; may be missing
  auto tokenizer = dsvl::read_tokenizer_json(file->text(), "tokenizer.json", settings ? settings->text() : "");
  if (!tokenizer) return dsvl::report(tokenizer.error());

  // as_text: nothing in a user's text becomes a control token.
  const char* const text = argc > 2 ? argv[2] : "How many bars?";
  dsvl::Buffer<std::int32_t> ids;
  if (const auto status = tokenizer->encode(text, dsvl::ControlTokens::as_text, ids); !status.ok())
    return dsvl::report(status);
  std::printf("\"%s\" ->", text);
  for (const std::int32_t id : ids) {
    const std::string_view bytes = tokenizer->token_bytes(id);
    std::printf(" %d:%.*s", id, static_cast<int>(bytes.size()), bytes.data());
  }
  std::printf("\n%zu tokens of %d back to: %s\n", ids.size(), tokenizer->vocab_size(),
              tokenizer->decode(ids.span()).c_str());
}
