// VQAv2 and TextVQA as benchmarks: a short answer is compared with those of ten people.
#include "vqa.hpp"

#include "benchmark.hpp"
#include "files.hpp"
#include "textvqa.hpp"

namespace cli::evaluation {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShort = "Answer the question using a single word or phrase.";

/// What both have: a question with an id, and a result file that is a list of ids and answers.
class ShortAnswers : public Benchmark {
 public:
  dsvl::Status write(const fs::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    if (!all_replied()) return {};
    std::string out = "[";
    for (std::size_t i = 0; i < questions().size(); ++i) {
      dsvl::json::Writer w;
      w.value(answer(i));
      out += (i ? ",\n" : "\n") + ("{\"question_id\": " + questions()[i].id) + ", \"answer\": " + w.text() + "}";
    }
    written.push_back(model + "_" + stem(protocol().files[0]) + "_results.json");
    return write_text(folder / to_path(written.back()), out + "\n]\n");
  }

  dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t) override {
    DSVL_TRY(values, values_of(text, file));
    for (const RawValue& value : values) {
      DSVL_TRY(record, JsonRecord::parse(value, file));
      DSVL_TRY(id, record.id("question_id"));
      DSVL_TRY(said, record.string("answer"));
      DSVL_CHECK_STATUS(take_text(id, std::move(said), record.place()));
    }
    return {};
  }
};

class VqaV2 : public ShortAnswers {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"short", "plain"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request;
    request.prompt = items_[i].question + (is_style("short") ? "\n" + std::string(kShort) : "");
    request.max_tokens = 128;
    return request;
  }

  [[nodiscard]] Report report() const override {
    Mean all, always;
    std::map<std::string, Mean> answer_types, question_types;
    std::size_t lost = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (!replied(i) || item.references.empty()) continue;
      const double points = score(i), normalised = vqa_accuracy(item.references, answer(i), true);
      all.add(points);
      always.add(normalised);
      lost += points == 0 && normalised > 0;
      answer_types[item.answer_type].add(points);
      question_types[item.question_type].add(points);
    }
    Report report;
    if (all.count() == 0) {
      report.notes.push_back("There are no answers to compare with (no annotations file), so nothing is scored.");
      return report;
    }
    report.add("accuracy", all);
    report.add("lmms-eval: always normalised", always);
    report.add_groups("answer type", answer_types);
    report.add_groups("question type", question_types);
    if (lost > 0)
      report.notes.push_back(std::to_string(lost) + " answers count nothing only because everybody answered the same, "
                                                    "and then nothing is normalised: \"Yes\" is not \"yes\".");
    return report;
  }

 protected:
  dsvl::Status read() override {
    for (const bool annotations : {false, true}) {
      for (const std::string& file : protocol().files) {
        DSVL_TRY(text, read_text(file));
        DSVL_TRY(members, values_of(text, file));
        const auto has = [&](std::string_view name) {
          return std::any_of(members.begin(), members.end(), [&](const RawValue& m) { return m.key == name; });
        };
        if (!has("questions") && !has("annotations"))
          return Place{file, 1}.wrong("has neither \"questions\" nor \"annotations\"");
        if (!annotations && has("questions")) DSVL_CHECK_STATUS(read_questions(text, file, members));
        if (annotations && has("annotations")) DSVL_CHECK_STATUS(read_annotations(text, file));
      }
    }
    return {};
  }
  [[nodiscard]] double score(std::size_t i) const override {
    return items_[i].references.empty() ? kNotANumber : vqa_accuracy(items_[i].references, answer(i));
  }

 private:
  struct Item {
    std::string question, question_type, answer_type;
    std::vector<VqaReference> references;
  };

  dsvl::Status read_questions(const std::string& text, const std::string& file, std::span<const RawValue> members) {
    std::string subset = "val2014";
    for (const RawValue& m : members)
      if (m.key == "data_subtype") subset = python::replace(m.text, "\"", "");
    if (subset == "test-dev2015") subset = "test2015";
    const fs::path given = to_path(protocol().pictures);
    const fs::path root = protocol().pictures.empty() ? to_path(file).parent_path() : given;
    std::error_code ignored;
    const fs::path folder = fs::is_directory(root / subset, ignored) ? root / subset : root;
    DSVL_TRY(values, values_of(text, file, "questions"));
    std::size_t count = 0;
    for (const RawValue& value : values) {
      if (enough(count++)) break;
      DSVL_TRY(record, JsonRecord::parse(value, file));
      DSVL_TRY(id, record.id("question_id"));
      DSVL_TRY(question, record.string("question"));
      DSVL_TRY(image, record.id("image_id"));
      image = std::string(image.size() < 12 ? 12 - image.size() : 0, '0') + image;
      DSVL_TRY(picture, picture_file(folder / to_path("COCO_" + subset + "_" + image + ".jpg"), record.place()));
      DSVL_CHECK_STATUS(add(id, record.place(), 0, picture));
      items_.push_back({std::move(question), "", "", {}});
    }
    return {};
  }

  dsvl::Status read_annotations(const std::string& text, const std::string& file) {
    DSVL_TRY(values, values_of(text, file, "annotations"));
    for (const RawValue& value : values) {
      DSVL_TRY(record, JsonRecord::parse(value, file));
      DSVL_TRY(id, record.id("question_id"));
      const auto question = find(id);
      if (!question && protocol().limit > 0) continue;
      if (!question) return record.place().wrong("there is no question " + id);
      Item& item = items_[*question];
      DSVL_TRY(question_type, record.string("question_type"));
      DSVL_TRY(answer_type, record.string("answer_type"));
      item.question_type = std::move(question_type);
      item.answer_type = std::move(answer_type);
      for (const dsvl::json::Value a : record["answers"]) {
        if (!a.find("answer").is_string()) return record.place().wrong("an answer has no string \"answer\"");
        item.references.push_back({std::string(*a.find("answer").string()),
                                   python_text(a.find("answer_confidence")) + "|" + python_text(a.find("answer_id"))});
      }
      if (item.references.empty()) return record.place().wrong("the record has no \"answers\"");
    }
    return {};
  }

  std::vector<Item> items_;
};

class TextVqa : public ShortAnswers {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"short", "2024", "plain"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request;
    request.prompt = items_[i].question;
    if (is_style("short")) request.prompt += "\n" + std::string(kShort);
    // VLMEvalKit's when the paper appeared.
    if (is_style("2024"))
      request.prompt += "\nPlease try to answer the question with short words or phrases if possible\n.";
    return request;
  }

  [[nodiscard]] Report report() const override {
    Mean mmf, now, before;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!replied(i) || items_[i].references.empty()) continue;
      mmf.add(score(i));
      now.add(textvqa_accuracy(items_[i].references, answer(i), TextVqaRules::vlmevalkit));
      before.add(textvqa_accuracy(items_[i].references, answer(i), TextVqaRules::vlmevalkit_2024));
    }
    Report report;
    if (mmf.count() == 0) {
      report.notes.push_back("The file has no answers to compare with, so nothing is scored.");
      return report;
    }
    report.add("accuracy", mmf);
    report.add("VLMEvalKit", now);
    report.add("VLMEvalKit of 2024", before);
    return report;
  }

 protected:
  dsvl::Status read() override {
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      DSVL_TRY(values, values_of(text, file, "data"));
      std::size_t count = 0;
      for (const RawValue& value : values) {
        if (enough(count++)) break;
        DSVL_TRY(record, JsonRecord::parse(value, file));
        DSVL_CHECK_STATUS(read(record));
      }
    }
    return {};
  }
  [[nodiscard]] double score(std::size_t i) const override {
    return items_[i].references.empty() ? kNotANumber : textvqa_accuracy(items_[i].references, answer(i));
  }

 private:
  struct Item {
    std::string question;
    std::vector<std::string> references;
  };

  dsvl::Status read(const JsonRecord& record) {
    DSVL_TRY(id, record.id("question_id"));
    DSVL_TRY(question, record.string("question"));
    DSVL_TRY(image, record.string("image_id"));
    Item item{std::move(question), {}};
    if (!record["answers"].missing()) {
      DSVL_TRY(references, record.strings("answers"));
      if (references.size() != 10)
        return record.place().wrong("the record has " + std::to_string(references.size()) + " answers, 10 are needed");
      item.references = std::move(references);
    }
    // Pictures of the validation set lie among those of the training set.
    const char* const set = record["set_name"].string() == "test" ? "test_images" : "train_images";
    const fs::path folder = to_path(protocol().pictures.empty() ? std::string() : protocol().pictures);
    const fs::path beside = to_path(std::string(record.place().file)).parent_path() / set;
    DSVL_TRY(picture, picture_file((folder.empty() ? beside : folder) / to_path(image + ".jpg"), record.place()));
    items_.push_back(std::move(item));
    return add(id, record.place(), 0, picture);
  }

  std::vector<Item> items_;
};

}  // namespace

std::unique_ptr<Benchmark> make_vqav2() { return std::make_unique<VqaV2>(); }
std::unique_ptr<Benchmark> make_textvqa() { return std::make_unique<TextVqa>(); }

}  // namespace cli::evaluation
