#include "record.hpp"

#include <dsvl/base/hash.hpp>
#include <dsvl/io/file.hpp>
#include <dsvl/io/image.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>
#include <dsvl/io/new_file.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/text/tokenizer.hpp>
#include <algorithm>
#include <cstring>

#include "console.hpp"
#include "base64.hpp"
#include "system.hpp"

namespace cli {

namespace {

namespace fs = std::filesystem;
namespace json = dsvl::json;
using dsvl::Code, dsvl::fail, dsvl::Result, dsvl::Status;

constexpr std::int64_t kRecordFormat = 1;
constexpr std::size_t kPiece = 30'000;  // bytes of a picture in one text: readers of JSON limit its length

std::string hash_of(std::span<const std::byte> bytes) {
  dsvl::ContentHash hash;
  hash.add(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(sizeof word, bytes.size() - at));
    hash.add(word);
  }
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.a),
                static_cast<unsigned long long>(hash.b));
  return text;
}

/// The hash of a picture's file; empty when it cannot be read, which asking about it says.
std::string hash_of(const NamedPicture& picture) {
  if (picture.file.empty()) return hash_of(picture.bytes);
  const auto bytes = dsvl::read_picture_file(picture.file, {}, nullptr);
  return bytes ? hash_of(bytes->span()) : "";
}

std::string describe(const dsvl::ModelInfo& info) {
  return std::string(info.layout) + ", " + std::to_string(info.layers) + " layers of " + std::to_string(info.hidden) +
         ", " + std::to_string(info.vocab) + " tokens, " + std::to_string(info.file_bytes) + " bytes";
}

/// A token as messages show it.
std::string quoted(const Talk& talk, std::int32_t id) {
  const std::string bytes(talk.model.tokenizer()->token_bytes(id));
  return json::escape(dsvl::utf8::validate(bytes).ok() ? bytes : "\xEF\xBF\xBD") + " (" + std::to_string(id) + ")";
}

std::vector<std::string> strings(json::Value list) {
  std::vector<std::string> out;
  for (const json::Value value : list) out.emplace_back(value.string().value_or(""));
  return out;
}

Result<Record> read(json::Value root, const std::string& file) {
  if (root.find("dsvl_record").integer() != kRecordFormat)
    return fail(Code::unsupported, "%s: is no record of this version; dsvl ask --record writes one", file.c_str());
  const auto text = [&](const char* key) { return std::string(root.find(key).string().value_or("")); };
  Record out{text("version"), text("kernels"), text("model"), text("directory"), strings(root.find("arguments")),
             text("question"), text("schema"), {}, {}, {}, text("finish")};
  for (const json::Value p : root.find("pictures")) {
    RecordedPicture picture{std::string(p.find("name").string().value_or("")),
                            std::string(p.find("hash").string().value_or("")), {}};
    for (const json::Value piece : p.find("data")) {
      const auto bytes = decode_base64(piece.string().value_or("?"));
      if (!bytes) return fail(Code::bad_file, "%s: a picture in it is damaged", file.c_str());
      picture.bytes.insert(picture.bytes.end(), bytes->begin(), bytes->end());
    }
    out.pictures.push_back(std::move(picture));
  }
  for (const json::Value id : root.find("prompt_ids"))
    out.prompt.push_back(static_cast<std::int32_t>(id.integer().value_or(-1)));
  for (const json::Value t : root.find("tokens"))
    out.tokens.push_back({static_cast<std::int32_t>(t[0].integer().value_or(-1)), t[1].number().value_or(0)});
  if (out.question.empty() || out.prompt.empty())
    return fail(Code::bad_file, "%s: a record without a question, or without its prompt", file.c_str());
  return out;
}

/// What is not as it was when the answer was recorded, on stderr.
void print_changes(const Record& then, const Record& now) {
  const auto changed = [](const std::string& what, const std::string& a, const std::string& b) {
    if (a != b) print_warning(what + " is another: " + b + ", recorded with " + a);
  };
  changed("the version", then.version, now.version);
  changed("the instruction set", then.kernels, now.kernels);
  changed("the model", then.model, now.model);
  for (std::size_t i = 0; i < then.pictures.size() && i < now.pictures.size(); ++i)
    if (then.pictures[i].hash != now.pictures[i].hash)
      print_warning(now.pictures[i].name + ": is not the picture that was recorded");
}

}  // namespace

Record begin_record(std::span<const std::string> arguments, const std::string& question, const std::string& schema,
                    std::span<const NamedPicture> pictures, const Talk& talk) {
  std::error_code ignored;
  Record out{DSVL_VERSION_STRING, dsvl::active_kernels<float>().name, describe(talk.model.info()),
             to_text(fs::current_path(ignored)), {arguments.begin(), arguments.end()}, question, schema, {}, {}, {}, {}};
  for (const NamedPicture& p : pictures) out.pictures.push_back({p.name, hash_of(p), p.bytes});
  return out;
}

Status write_record(const Record& record, const std::string& file) {
  json::Writer w;
  w.begin_object().key("dsvl_record").value(kRecordFormat).key("version").value(record.version);
  w.key("kernels").value(record.kernels).key("model").value(record.model).key("directory").value(record.directory);
  w.key("arguments").begin_array();
  for (const std::string& a : record.arguments) w.value(a);
  w.end_array().key("question").value(record.question).key("schema").value(record.schema);
  w.key("pictures").begin_array();
  for (const RecordedPicture& p : record.pictures) {
    w.begin_object().key("name").value(p.name).key("hash").value(p.hash);
    if (!p.bytes.empty()) w.key("data").begin_array();
    for (std::size_t at = 0; at < p.bytes.size(); at += kPiece)
      w.value(encode_base64(std::span(p.bytes).subspan(at, std::min(kPiece, p.bytes.size() - at))));
    if (!p.bytes.empty()) w.end_array();
    w.end_object();
  }
  w.end_array().key("prompt_ids").begin_array();
  for (const std::int32_t id : record.prompt) w.value(id);
  w.end_array().key("tokens").begin_array();
  for (const RecordedToken& t : record.tokens) w.begin_array().value(t.id).value(t.log_probability).end_array();
  w.end_array().key("finish").value(record.finish).end_object();
  const std::string text = w.text() + "\n";
  DSVL_CHECK_STATUS(dsvl::utf8::validate(text, "what --record would write"));
  dsvl::NewFile out(to_path(file));
  out.write_at(0, std::as_bytes(std::span(text)));
  return out.commit();
}

Result<Record> read_record(const std::string& file) {
  const std::string why = why_unreadable(to_path(file));
  if (!why.empty()) return fail(Code::io, "%s: %s", file.c_str(), why.c_str());
  DSVL_TRY(opened, dsvl::File::open(to_path(file), file));
  std::string text(static_cast<std::size_t>(opened.size()), '\0');
  DSVL_CHECK_STATUS(opened.read(0, std::as_writable_bytes(std::span(text)), file));
  DSVL_TRY(document, json::Document::parse(text, file));
  return read(document.root(), file);
}

std::optional<int> find_pictures(const Replay& replay, const std::vector<std::string>& arguments,
                                 std::vector<NamedPicture>& to) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i < replay.record.pictures.size() && !replay.record.pictures[i].bytes.empty()) {
      const RecordedPicture& kept = replay.record.pictures[i];
      to.push_back({kept.name, {}, kept.bytes});
      continue;
    }
    const fs::path path = to_path(arguments[i]);
    int exit = kOk;
    auto picture = find_picture(replay.pictures.empty() ? arguments[i]
                                                        : to_text(to_path(replay.pictures) / path.filename()), exit);
    if (!picture) {
      std::fprintf(stderr, "      it was recorded in %s; --pictures DIRECTORY says where the pictures are now\n",
                   replay.record.directory.c_str());
      return exit;
    }
    to.push_back(std::move(*picture));
  }
  return std::nullopt;
}

int compare(const Replay& replay, const Record& now, dsvl::Answer& answer, const Talk& talk) {
  const Record& then = replay.record;
  print_changes(then, now);
  const std::span<const std::int32_t> prompt = answer.prompt_ids();
  const auto [was, is] = std::mismatch(then.prompt.begin(), then.prompt.end(), prompt.begin(), prompt.end());
  if (was != then.prompt.end() || is != prompt.end()) {
    std::printf("token %td of the prompt differs: %s was recorded, now it is %s\n", was - then.prompt.begin(),
                was == then.prompt.end() ? "the end" : quoted(talk, *was).c_str(),
                is == prompt.end() ? "the end" : quoted(talk, *is).c_str());
    return finish_output(kError);
  }
  std::size_t number = 0;
  double farthest = 0;
  for (std::string so_far;; ++number) {
    so_far = answer.text();
    const auto piece = answer.next();
    if (!answer.status().ok()) return finish_output(kOk);  // whoever asked says what went wrong
    const bool more = answer.ids().size() > number, expected = number < then.tokens.size();
    if (!more && !expected) break;
    const double log_probability = piece ? piece->log_probability : 0;
    if (more && expected && answer.ids()[number] == then.tokens[number].id) {
      if (piece) farthest = std::max<double>(farthest, std::abs(log_probability - then.tokens[number].log_probability));
      continue;
    }
    std::printf("token %zu differs: %s was recorded, now it is %s\n%s\n", number,
                expected ? quoted(talk, then.tokens[number].id).c_str() : then.finish.c_str(),
                more ? quoted(talk, answer.ids()[number]).c_str() : std::string(name(answer.finish())).c_str(),
                so_far.c_str());
    return finish_output(kError);
  }
  if (name(answer.finish()) != then.finish) {
    std::printf("the same %zu tokens, but the answer ended otherwise: %s was recorded, now it is %s\n", number,
                then.finish.c_str(), std::string(name(answer.finish())).c_str());
    return finish_output(kError);
  }
  std::printf("the same %zu tokens, %s\n", number,
              farthest == 0 ? "to the last bit of their probabilities" : "with other probabilities");
  return finish_output();
}

}  // namespace cli
