#include "runner.hpp"

#include <algorithm>

#include "../console.hpp"

namespace cli::evaluation {

/// Rows of logits that are kept: endings up to this long are scored in one pass.
constexpr dsvl::Index kLogitRows = 64;

dsvl::Status Runner::reopen() {
  session_.reset();  // its memory first
  dsvl::SessionOptions options = options_.session;
  options.limits.logit_rows = kLogitRows;
  DSVL_TRY(session, dsvl::Session::open(model_, options));
  session_.emplace(std::move(session));
  last_.clear();
  return {};
}

dsvl::Status Runner::open() {
  if (!model_.tokenizer())
    return dsvl::fail(dsvl::Code::unsupported, "the model has no tokenizer, so it reads no texts");
  DSVL_CHECK_STATUS(reopen());
  most_ = std::min(options_.max_context, session_->context());
  return {};
}

dsvl::Result<Reply> Runner::reply(const Request& request, const NamedPicture* picture) {
  const auto began = Clock::now();
  if (!options_.sharing) DSVL_CHECK_STATUS(reopen());
  DSVL_TRY(reply, request.kind == Request::Kind::ask        ? ask(request, picture)
                  : request.kind == Request::Kind::complete ? complete(request)
                                                            : score(request));
  reply.seconds = seconds_since(began);
  return std::move(reply);
}

dsvl::GenerateOptions Runner::generate(const Request& request) const {
  dsvl::GenerateOptions generate = options_.generate;
  if (generate.max_tokens == 0) generate.max_tokens = request.max_tokens;
  generate.stop.insert(generate.stop.end(), request.stops.begin(), request.stops.end());
  return generate;
}

dsvl::Result<Reply> Runner::finish(dsvl::Answer answer) {
  while (answer.next()) {}
  DSVL_CHECK_STATUS(answer.status());
  if (answer.finish() == dsvl::Finish::cancelled) return dsvl::fail(dsvl::Code::cancelled, "stopped");
  const dsvl::Usage usage = answer.usage();
  work_.tokens += usage.prompt_tokens;
  work_.tokens_known += usage.reused_tokens;
  work_.generated += usage.answer_tokens;
  for (const dsvl::SeenPicture& seen : answer.pictures()) ++work_.pictures, work_.pictures_known += seen.recognised;
  return Reply{std::string(answer.text()), {}, 0};
}

dsvl::Result<Reply> Runner::ask(const Request& request, const NamedPicture* picture) {
  std::vector<dsvl::Picture> pictures;
  if (picture) pictures.push_back(picture->picture());
  session_->clear();
  return finish(session_->ask(pictures, request.prompt, generate(request)));
}

dsvl::Result<Runner::Ids> Runner::encode(const std::string& text) const {
  const dsvl::Tokenizer& tokenizer = *model_.tokenizer();
  dsvl::Buffer<std::int32_t> ids;
  DSVL_CHECK_STATUS(tokenizer.encode(text, dsvl::ControlTokens::as_text, ids));
  Ids out;
  if (tokenizer.bos()) out.push_back(*tokenizer.bos());
  out.insert(out.end(), ids.begin(), ids.end());
  return out;
}

dsvl::Result<std::string> Runner::fitting_prompt(const Request& request) const {
  const std::string* prompt = &request.prompt;
  for (const std::string& shorter : request.shorter) {
    DSVL_TRY(ids, encode(*prompt));
    if (static_cast<dsvl::Index>(ids.size()) <= most_) break;
    prompt = &shorter;
  }
  return *prompt;
}

dsvl::Result<Reply> Runner::complete(const Request& request) {
  const dsvl::GenerateOptions options = generate(request);
  DSVL_TRY(ids, encode(request.prompt));
  // A prompt that is too long loses its beginning, as lm-eval has it, so that the answer has its room.
  const auto room = static_cast<std::size_t>(std::max<dsvl::Index>(1, most_ - options.max_tokens));
  const auto cut = static_cast<std::ptrdiff_t>(ids.size() > room ? ids.size() - room : 0);
  ids.erase(ids.begin(), ids.begin() + cut);
  session_->clear();
  return finish(session_->generate(ids, {}, options));
}

dsvl::Result<Reply> Runner::score(const Request& request) {
  DSVL_TRY(prompt, fitting_prompt(request));
  DSVL_TRY(context, encode(prompt));
  std::vector<Ids> prefixes, endings;
  for (const std::string& ending : request.endings) {
    DSVL_TRY(whole, encode(prompt + ending));
    // Encoded as one text and cut where the context's own ids end: a token may go across the border.
    Ids behind(whole.begin() + static_cast<std::ptrdiff_t>(std::min(context.size(), whole.size())), whole.end());
    const std::size_t most = static_cast<std::size_t>(most_) + 1;
    if (behind.size() >= most) behind.erase(behind.begin(), behind.end() - static_cast<std::ptrdiff_t>(most - 1));
    const std::size_t room = std::min(context.size(), most - behind.size());
    prefixes.emplace_back(context.end() - static_cast<std::ptrdiff_t>(room), context.end());
    endings.push_back(std::move(behind));
  }
  Reply reply;
  const bool shared = std::all_of(prefixes.begin(), prefixes.end(), [&](const Ids& p) { return p == prefixes[0]; });
  // Endings of one token each are one look at what comes next, whatever is shared.
  const bool one_look = std::all_of(endings.begin(), endings.end(), [](const Ids& ids) { return ids.size() == 1; });
  if (shared && (options_.sharing || one_look)) {
    DSVL_CHECK_STATUS(score_behind(prefixes[0], endings, reply.endings));
    return reply;
  }
  for (std::size_t i = 0; i < endings.size(); ++i) {
    if (!options_.sharing && i > 0) DSVL_CHECK_STATUS(reopen());
    DSVL_CHECK_STATUS(score_behind(prefixes[i], {&endings[i], 1}, reply.endings));
  }
  return reply;
}

dsvl::Status Runner::score_behind(const Ids& prefix, std::span<const Ids> endings, std::vector<Ending>& out) {
  std::vector<std::span<const std::int32_t>> sequences;
  for (const Ids& ids : endings)
    if (!ids.empty()) sequences.emplace_back(ids);
  dsvl::GenerateOptions options = options_.generate;
  options.max_tokens = 1;  // nothing is generated, but 0 is out of its range
  session_->clear();
  DSVL_TRY(scores, session_->score(prefix, {}, sequences, options));
  count_prefix(prefix);
  work_.endings += endings.size();
  auto score = scores.begin();
  // An ending that has become part of the context's last token has nothing to be scored: it is certain, as for lm-eval.
  for (const Ids& ids : endings) out.push_back({ids.empty() ? 0 : (score++)->log_likelihood, ids.size()});
  return {};
}

/// Scoring has no usage, but what the cache had is known: what this prefix and the last one have in common.
void Runner::count_prefix(const Ids& prefix) {
  const auto differ = std::mismatch(prefix.begin(), prefix.end(), last_.begin(), last_.end()).first;
  const auto common = static_cast<dsvl::Index>(differ - prefix.begin());
  const auto size = static_cast<dsvl::Index>(prefix.size());
  work_.tokens += size;
  work_.tokens_known += std::min(common, size - 1);  // the last one gives the logits
  last_ = prefix;
}

}  // namespace cli::evaluation
