#include "talk.hpp"

#include <algorithm>

#include "../cli/decoders.hpp"

namespace desktop {

struct Talk::Engine {
  dsvl::GenerateOptions generate;
  SharedModel loaded;  // before what uses it
  std::optional<dsvl::Session> session;
  std::vector<AskedPicture> pictures;  // of the conversation
  std::vector<std::size_t> before;     // how many of them there were before each of the session's turns
};

namespace {

/// Tokens of an answer whose attention is kept: it can be told where the first sentences look.
constexpr dsvl::Index kMaps = 64;

std::vector<std::vector<float>> mean_attention(const dsvl::Answer& answer) {
  const dsvl::AnswerAttention maps = answer.attention();
  std::vector<std::vector<float>> out;
  if (maps.tokens() == 0) return out;
  for (dsvl::Index picture = 0; picture < maps.pictures(); ++picture) {
    out.emplace_back(static_cast<std::size_t>(maps.cells()));
    if (!maps.mean(0, maps.tokens(), picture, out.back()).ok()) out.back().clear();
  }
  return out;
}

/// What went wrong, and what can be done about it in a window.
std::string why(const dsvl::Status& status) {
  std::string out(status.text());
  if (status.code() == dsvl::Code::limit)
    out += "\nA new conversation makes room, and so does a larger context (Model...).";
  return out;
}

}  // namespace

dsvl::SessionOptions session_options(const Choice& choice) {
  dsvl::SessionOptions out;
  out.limits.context = choice.context;
  out.limits.kv = choice.kv;
  out.limits.activations = choice.activations;
  out.apply_exif_orientation = true;  // photos are shown upright, and asked about upright
  out.background = {{255, 255, 255}};
  out.attention_maps = kMaps;
  out.host.decode_picture = cli::picture_decoder();
  return out;
}

const char* name(Phase phase) {
  switch (phase) {
    case Phase::empty: return "empty";
    case Phase::loading: return "loading";
    case Phase::ready: return "ready";
    case Phase::answering: return "answering";
  }
  return "unknown";
}

bool TalkState::knows(const SharedPicture& picture) const {
  const auto kept = std::find_if(turns.rbegin(), turns.rend(), [](const Turn& t) { return t.kept; });
  return kept != turns.rend() &&
         std::any_of(kept->seen.begin(), kept->seen.end(), [&](const AskedPicture& p) { return p.source == picture; });
}

// --- the window's thread -----------------------------------------------------------------------

Talk::Talk(Mailbox& mailbox, const dsvl::GenerateOptions& generate)
    : mailbox_(mailbox), engine_(std::make_unique<Engine>()) {
  engine_->generate = generate;
  engine_->generate.cancel = &cancel_;
  engine_->generate.progress = {&Talk::on_progress, this};
}

Talk::~Talk() {
  cancel_.cancel();
  thread_.finish();
}

void Talk::load(const Choice& choice) {
  state_ = {};
  state_.phase = Phase::loading;
  state_.stage = "load";
  cancel_.reset();
  thread_.post([this, choice] { load_on_thread(choice); });
}

void Talk::ask(std::string question, std::vector<SharedPicture> pictures) {
  state_.phase = Phase::answering;
  state_.stage = "prefill", state_.share = 0;
  state_.turns.emplace_back();
  state_.turns.back().question = question, state_.turns.back().pictures = pictures;
  cancel_.reset();
  thread_.post(
      [this, question = std::move(question), pictures = std::move(pictures)] { ask_on_thread(question, pictures); });
}

void Talk::ask_again() {
  Turn last = std::move(state_.turns.back());
  state_.turns.pop_back();
  if (last.kept)
    thread_.post([e = engine_.get()] {
      e->pictures.resize(e->before.back());
      e->before.pop_back();
      (void)e->session->rewind(e->before.size());  // there are as many turns
      ++e->generate.sampling.seed;                 // with a temperature it says something else
    });
  ask(std::move(last.question), std::move(last.pictures));
}

void Talk::stop() {
  state_.stopping = state_.phase == Phase::answering || state_.phase == Phase::loading;
  cancel_.cancel();
}

void Talk::clear() {
  state_.turns.clear();
  thread_.post([e = engine_.get()] {
    e->session->clear();
    e->pictures.clear(), e->before.clear();
  });
}

// --- the talk's thread -------------------------------------------------------------------------

void Talk::post(std::function<void(TalkState&)> change) {
  mailbox_.post([this, change = std::move(change)] { change(state_); });
}

void Talk::on_progress(void* self, dsvl::Stage stage, double done, double total) {
  static_cast<Talk*>(self)->post([stage, share = total > 0 ? done / total : 0](TalkState& s) {
    s.stage = stage == dsvl::Stage::decode ? "" : name(stage);
    s.share = static_cast<float>(share);
  });
}

void Talk::load_on_thread(const Choice& choice) {
  Engine& e = *engine_;
  e.pictures.clear(), e.before.clear();
  e.session.reset(), e.loaded.reset();
  const auto loaded = std::make_shared<LoadedModel>(choice);
  dsvl::LoadOptions load;
  load.host.executor = &loaded->pool;
  load.progress = {&Talk::on_progress, this};
  load.cancel = &cancel_;
  const auto fail = [&](const dsvl::Status& why) {
    post([text = std::string(why.text())](TalkState& s) { s = {}, s.error = text; });
  };
  auto model = dsvl::Model::load(dsvl::utf8_to_path(choice.model), load);
  if (!model) return fail(model.error());
  if (!model->tokenizer())
    return fail(dsvl::fail(dsvl::Code::unsupported, "it has no tokenizer, so it takes no texts"));
  auto session = dsvl::Session::open(*model, session_options(choice));
  if (!session) return fail(session.error());
  loaded->model = std::move(*model);
  e.loaded = loaded;
  e.session = std::move(*session);
  post([loaded, bytes = e.session->bytes(), context = e.session->context()](TalkState& s) {
    s = {};
    s.phase = Phase::ready;
    s.model = loaded;
    s.session_bytes = bytes, s.context = context;
  });
}

void Talk::ask_on_thread(const std::string& question, const std::vector<SharedPicture>& pictures) {
  std::vector<dsvl::Picture> handed;
  for (const SharedPicture& p : pictures) handed.push_back(p->picture());
  dsvl::Answer answer = engine_->session->ask(handed, question, engine_->generate);
  post([](TalkState& s) { s.stage.clear(); });
  while (const auto piece = answer.next())
    post([text = std::string(piece->text)](TalkState& s) {
      std::string& to = s.turns.back().answer;
      to.append(text, to.empty() ? std::min(text.find_first_not_of(" \n\t"), text.size()) : 0);
    });
  report_end(answer, pictures);
}

void Talk::report_end(dsvl::Answer& answer, const std::vector<SharedPicture>& pictures) {
  Engine& e = *engine_;
  Turn turn;
  turn.finish = answer.finish();
  if (turn.finish == dsvl::Finish::error) turn.error = why(answer.status());
  turn.answer = answer.text();
  turn.usage = answer.usage();
  turn.seen = e.pictures;
  for (std::size_t i = 0; i < answer.pictures().size() && i < pictures.size(); ++i)
    turn.seen.push_back({pictures[i], answer.pictures()[i]});
  for (const dsvl::SeenPicture& p : answer.pictures()) turn.computed += p.done && !p.recognised;
  if (turn.finish != dsvl::Finish::error) turn.known = static_cast<int>(turn.seen.size()) - turn.computed;
  turn.attention = mean_attention(answer);
  turn.kept = e.session->turns() > e.before.size();
  if (turn.kept) {
    e.before.push_back(e.pictures.size());
    e.pictures = turn.seen;
  }
  post([turn = std::move(turn)](TalkState& s) mutable {
    turn.question = std::move(s.turns.back().question), turn.pictures = std::move(s.turns.back().pictures);
    s.turns.back() = std::move(turn);
    s.phase = Phase::ready;
    s.stage.clear(), s.stopping = false;
  });
}

}  // namespace desktop
