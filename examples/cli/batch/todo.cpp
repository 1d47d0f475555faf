#include "todo.hpp"

#include <algorithm>
#include <unordered_set>

#include <dsvl/io/image.hpp>

namespace cli::batch {

namespace {

/// Brings items of a group together, the groups in the order in which they first come. For that a group takes the number
/// of its first input, so that nothing has to be kept beside the items.
void bring_together(std::vector<Item>& items) {
  const auto by_group = [](const Item& a, const Item& b) {
    return a.group != b.group ? a.group < b.group : a.input < b.input;
  };
  std::sort(items.begin(), items.end(), by_group);
  for (std::size_t i = 0; i < items.size();) {
    const std::uint64_t group = items[i].group, first = items[i].input;
    for (; i < items.size() && items[i].group == group; ++i) items[i].group = first;
  }
  std::sort(items.begin(), items.end(), by_group);
}

/// Whether a row that is there is good for this input.
bool is_good(const KeptRow& row, const Input& input, Again again) {
  if (row.dropped || (again.errors && row.failed)) return false;
  return again.verify ? row.content == content_of(input) : row.stamp == stamp_of(input);
}

}  // namespace

Key content_of(const Input& input) {
  Key key;
  for (const InputPicture& picture : input.pictures) {
    if (picture.file.empty()) continue;
    const auto bytes = dsvl::read_picture_file(picture.file, {}, nullptr);
    if (bytes) dsvl::add_bytes(key, bytes->span());
    key.add(bytes ? bytes->size() : 0);
  }
  return key;
}

Scan scan(const Inputs& inputs, const Shards& shards, const Settings& settings) {
  Scan out;
  out.most_answer_tokens = settings.generate.max_tokens;
  out.items.reserve(inputs.size());  // at once: what a growing list leaves behind counts as memory, too
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Input input = inputs.read(i);
    const std::size_t shard = shard_of(input, shards.count);
    if (!shards.has(shard)) continue;
    out.items.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(shard), group_key(input)});
    if (!input.problem.empty()) continue;
    const std::string& system = input.options.system ? *input.options.system : settings.session.system;
    out.most_text = std::max(out.most_text, input.question.size() + system.size());
    out.constrained = out.constrained || !input.options.schema.empty() || !input.options.choices.empty();
    out.most_pictures = std::max(out.most_pictures, input.pictures.size());
    out.most_answer_tokens = std::max(out.most_answer_tokens, input.options.max_tokens.value_or(0));
  }
  return out;
}

namespace {

/// The items of a shard that have to be computed, in the order of the inputs.
Todo choose(const Inputs& inputs, const Scan& scan, std::size_t shard, const RunKey& run, Again again,
            Journal* journal) {
  Todo todo;
  todo.items.reserve(scan.items.size());
  std::unordered_set<std::uint64_t> seen;
  for (const Item& item : scan.items) {
    if (item.shard != shard) continue;
    const Input input = inputs.read(item.input);
    const Key key = input_key(input, run);
    if (!seen.insert(key.a).second) {
      ++todo.doubled;
      continue;
    }
    ++todo.inputs;
    KeptRow* const row = journal ? journal->find(key) : nullptr;
    if (row && is_good(*row, input, again)) {
      ++todo.done;
      continue;
    }
    if (row) row->dropped = true;
    todo.items.push_back(item);
  }
  return todo;
}

}  // namespace

Todo make_todo(const Inputs& inputs, const Scan& scan, std::size_t shard, const RunKey& run, Again again,
               Journal* journal) {
  Todo todo = choose(inputs, scan, shard, run, again, journal);
  bring_together(todo.items);
  return todo;
}

}  // namespace cli::batch
