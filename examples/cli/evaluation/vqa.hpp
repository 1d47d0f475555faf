// The scorer of VQAv2: answers are normalised and compared with ten references. TextVQA's (textvqa.hpp) and POPE's
// second one (pope.hpp) use its steps.
//
// Source: GT-Vision-Lab/VQA, vqaEval.py, oddities included: they are part of every figure that was ever published.
#ifndef DSVL_CLI_EVALUATION_VQA_HPP
#define DSVL_CLI_EVALUATION_VQA_HPP

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python.hpp"

namespace cli::evaluation {

/// Words without their apostrophe, and with it; sorted. "somebody'd" loses its own, by a slip that was never mended.
inline constexpr std::pair<std::string_view, std::string_view> kContractions[] = {
    {"'ow'sat", "'ow's'at"}, {"'ows'at", "'ow's'at"}, {"I'dve", "i'dve"}, {"Id've", "id've"}, {"Im", "im"},
    {"Ive", "ive"}, {"aint", "ain't"}, {"arent", "aren't"}, {"cant", "can't"}, {"couldn'tve", "couldn't've"},
    {"couldnt", "couldn't"}, {"couldnt've", "couldn't've"}, {"couldve", "could've"}, {"didnt", "didn't"},
    {"doesnt", "doesn't"}, {"dont", "don't"}, {"hadn'tve", "hadn't've"}, {"hadnt", "hadn't"}, {"hadnt've", "hadn't've"},
    {"hasnt", "hasn't"}, {"havent", "haven't"}, {"he'dve", "he'd've"}, {"hed", "he'd"}, {"hed've", "he'd've"},
    {"hes", "he's"}, {"howd", "how'd"}, {"howll", "how'll"}, {"hows", "how's"}, {"isnt", "isn't"},
    {"it'dve", "it'd've"}, {"itd", "it'd"}, {"itd've", "it'd've"}, {"itll", "it'll"}, {"let's", "let's"},
    {"maam", "ma'am"}, {"mightn'tve", "mightn't've"}, {"mightnt", "mightn't"}, {"mightnt've", "mightn't've"},
    {"mightve", "might've"}, {"mustnt", "mustn't"}, {"mustve", "must've"}, {"neednt", "needn't"}, {"notve", "not've"},
    {"oclock", "o'clock"}, {"oughtnt", "oughtn't"}, {"ow's'at", "'ow's'at"}, {"shant", "shan't"},
    {"she'dve", "she'd've"}, {"she's", "she's"}, {"shed've", "she'd've"}, {"shouldn'tve", "shouldn't've"},
    {"shouldnt", "shouldn't"}, {"shouldnt've", "shouldn't've"}, {"shouldve", "should've"}, {"somebody'd", "somebodyd"},
    {"somebody'dve", "somebody'd've"}, {"somebodyd've", "somebody'd've"}, {"somebodyll", "somebody'll"},
    {"somebodys", "somebody's"}, {"someone'dve", "someone'd've"}, {"someoned", "someone'd"},
    {"someoned've", "someone'd've"}, {"someonell", "someone'll"}, {"someones", "someone's"},
    {"something'dve", "something'd've"}, {"somethingd", "something'd"}, {"somethingd've", "something'd've"},
    {"somethingll", "something'll"}, {"thats", "that's"}, {"there'dve", "there'd've"}, {"thered", "there'd"},
    {"thered've", "there'd've"}, {"therere", "there're"}, {"theres", "there's"}, {"they'dve", "they'd've"},
    {"theyd", "they'd"}, {"theyd've", "they'd've"}, {"theyll", "they'll"}, {"theyre", "they're"}, {"theyve", "they've"},
    {"twas", "'twas"}, {"wasnt", "wasn't"}, {"we'dve", "we'd've"}, {"wed've", "we'd've"}, {"werent", "weren't"},
    {"weve", "we've"}, {"whatll", "what'll"}, {"whatre", "what're"}, {"whats", "what's"}, {"whatve", "what've"},
    {"whens", "when's"}, {"whered", "where'd"}, {"wheres", "where's"}, {"whereve", "where've"}, {"who'dve", "who'd've"},
    {"whod", "who'd"}, {"whod've", "who'd've"}, {"wholl", "who'll"}, {"whos", "who's"}, {"whove", "who've"},
    {"whyll", "why'll"}, {"whyre", "why're"}, {"whys", "why's"}, {"wont", "won't"}, {"wouldn'tve", "wouldn't've"},
    {"wouldnt", "wouldn't"}, {"wouldnt've", "wouldn't've"}, {"wouldve", "would've"}, {"y'all'dve", "y'all'd've"},
    {"y'alld've", "y'all'd've"}, {"y'allll", "y'all'll"}, {"yall", "y'all"}, {"yall'd've", "y'all'd've"},
    {"yall'll", "y'all'll"}, {"you'dve", "you'd've"}, {"youd", "you'd"}, {"youd've", "you'd've"}, {"youll", "you'll"},
    {"youre", "you're"}, {"youve", "you've"}
};

/// Newlines and tabs become blanks, and both ends are stripped.
inline std::string vqa_strip(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c == '\n' || c == '\t') c = ' ';
  return std::string(python::strip(out));
}

/// Whether a digit, a comma and a digit stand in a row anywhere.
inline bool has_digit_groups(std::string_view text) {
  const std::u32string all = python::characters(text);
  for (std::size_t i = 1; i + 1 < all.size(); ++i)
    if (all[i] == U',' && python::is_digit(all[i - 1]) && python::is_digit(all[i + 1])) return true;
  return false;
}

/// Which dots go: those before no digit, whatever is before them (the official rule means otherwise, but is misspelt),
/// or those with no digit on either side.
enum class Dots : unsigned char { before_no_digit, between_no_digits };

/// Removes such dots, at most 32: a flag was handed over as the count.
inline std::string remove_dots(std::string_view text, Dots rule) {
  const std::u32string all = python::characters(text);
  std::string out;
  for (std::size_t i = 0, removed = 0; i < all.size(); ++i) {
    const bool before = i + 1 < all.size() && python::is_digit(all[i + 1]);
    const bool behind = rule == Dots::between_no_digits && i > 0 && python::is_digit(all[i - 1]);
    if (all[i] == U'.' && !before && !behind && removed < 32) ++removed;
    else python::append(out, all[i]);
  }
  return out;
}

/// Each mark goes everywhere in the text, or becomes a blank everywhere: it goes when it stands beside a blank
/// somewhere, and every mark does when there is a number like 1,000.
inline std::string vqa_punctuation(std::string_view text, Dots rule = Dots::before_no_digit) {
  const bool groups = has_digit_groups(text);
  std::string out(text);
  for (const char mark : std::string_view(";/[]\"{}()=+\\_-><@`,?!")) {
    const char before[] = {' ', mark}, behind[] = {mark, ' '};
    const bool goes = groups || python::contains(text, {before, 2}) || python::contains(text, {behind, 2});
    out = python::replace(out, {&mark, 1}, goes ? "" : " ");
  }
  return remove_dots(out, rule);
}

/// Lower case, numbers as digits, no articles, contractions with their apostrophes.
inline std::string vqa_words(std::string_view text) {
  static constexpr std::string_view kNumbers[] = {"zero", "one", "two",   "three", "four", "five",
                                                  "six",  "seven", "eight", "nine",  "ten"};
  std::vector<std::string> words;
  for (std::string& word : python::split(python::lower(text))) {
    if (word == "none") word = "0";
    const auto* const number = std::find(std::begin(kNumbers), std::end(kNumbers), word);
    if (number != std::end(kNumbers)) word = std::to_string(number - std::begin(kNumbers));
    if (word == "a" || word == "an" || word == "the") continue;
    const auto* const at = std::lower_bound(std::begin(kContractions), std::end(kContractions), word,
                                            [](const auto& entry, const std::string& w) { return entry.first < w; });
    if (at != std::end(kContractions) && at->first == word) word = at->second;
    words.push_back(std::move(word));
  }
  return python::join(words, " ");
}

inline std::string vqa_normalise(std::string_view text) { return vqa_words(vqa_punctuation(vqa_strip(text))); }

/// One of the ten answers that people gave. Its other fields tell it from equal ones.
struct VqaReference {
  std::string answer;
  std::string rest;  ///< confidence and id as they stand in the file
  bool operator==(const VqaReference&) const = default;
};

/// The share of references that agree with an answer, each judged by the others: three that agree make it right.
/// Others are those whose record differs: records without an id that are equal drop out together.
inline double vqa_agreement(std::span<const VqaReference> references, std::string_view answer) {
  double sum = 0;
  for (const VqaReference& left_out : references) {
    int matches = 0;
    for (const VqaReference& other : references) matches += other != left_out && other.answer == answer;
    sum += std::min(1.0, matches / 3.0);
  }
  return references.empty() ? 0 : sum / static_cast<double>(references.size());
}

/// Accuracy of an answer, 0 to 1. Officially nothing is normalised when all references are the same text, so that "Yes"
/// is wrong where everybody wrote "yes"; lmms-eval always normalises.
inline double vqa_accuracy(std::vector<VqaReference> references, std::string_view answer,
                           bool always_normalise = false) {
  std::string given = vqa_strip(answer);
  bool differ = always_normalise;
  for (VqaReference& r : references) r.answer = vqa_strip(r.answer);
  for (const VqaReference& r : references) differ = differ || r.answer != references[0].answer;
  if (differ) {
    for (VqaReference& r : references) r.answer = vqa_words(vqa_punctuation(r.answer));
    given = vqa_words(vqa_punctuation(given));
  }
  return vqa_agreement(references, given);
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_VQA_HPP
