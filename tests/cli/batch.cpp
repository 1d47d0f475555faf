// The pure parts of dsvl batch: where records end, keys, shards, what launchers say, data URIs.
#include "../../examples/cli/batch/data_uri.hpp"
#include "../../examples/cli/batch/keys.hpp"
#include "../../examples/cli/batch/launcher.hpp"

#include <doctest/doctest.h>

#include <map>

#include "../../examples/cli/batch/csv.hpp"
#include "../../examples/cli/file_names.hpp"
#include "../../examples/cli/shards.hpp"

using namespace cli::batch;
using cli::Shards;
using cli::read_shards;

namespace {

std::vector<std::string> records(std::string_view text, RecordKind kind) {
  RecordScanner scanner(kind);
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (scanner.ends_record(c)) out.emplace_back();
    else out.back() += c;
  }
  return out;
}

Input input(std::string id, std::string question, std::vector<std::string> pictures = {}) {
  Input out;
  out.id = std::move(id);
  out.question = std::move(question);
  for (std::string& name : pictures) out.pictures.push_back({name, name, ""});
  return out;
}

using Variables = std::map<std::string, std::string>;

dsvl::Result<Task> task_of(const Variables& variables, bool counted = true) {
  const auto environment = [&](const char* name) -> const char* {
    const auto at = variables.find(name);
    return at == variables.end() ? nullptr : at->second.c_str();
  };
  return find_task(environment, counted);
}

std::vector<std::size_t> taken(const dsvl::Result<Shards>& shards) {
  return shards ? shards->taken : std::vector<std::size_t>{};
}

}  // namespace

TEST_CASE("a picture named by a URI of a file is the file, its characters resolved, and any other name stays") {
  CHECK(cli::path_of_uri("file:///home/a%20b%C3%A4.png") == "/home/a b\xC3\xA4.png");
  CHECK(cli::path_of_uri("file://100%.png") == "100%.png");
  CHECK(cli::path_of_uri("a%20b.png") == "a%20b.png");
  CHECK(cli::path_of_uri("file://%-1%4") == "%-1%4");
}

TEST_CASE("a record of a table ends at a line's end that is not quoted") {
  CHECK(records("a,b\n1,\"x\ny\"\n2,z", {','}) == std::vector<std::string>{"a,b", "1,\"x\ny\"", "2,z"});
  CHECK(records("\"say \"\"hi\n\"\"\"\n5\" disk,b\n", {','}) == std::vector<std::string>{"\"say \"\"hi\n\"\"\"", "5\" disk,b", ""});
  CHECK(records("a\t\"1\n2\"\nb", {'\t'}) == std::vector<std::string>{"a\t\"1\n2\"", "b"});
  CHECK(records("\"a\nb", {}) == std::vector<std::string>{"\"a", "b"});
}

TEST_CASE("cells that are written as a table's row are read as they were") {
  const std::vector<std::string> cells = {"plain", "", "a,b", "say \"hi\"", "two\nlines", " blank "};
  const std::string row = csv_row(cells, ',');
  CHECK(row == "plain,,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\", blank \n");
  const auto read = read_cells(row, ',', "row");
  REQUIRE(read);
  CHECK(*read == cells);
  CHECK_FALSE(read_cells("\"torn", ',', "row"));
}

TEST_CASE("a key is another one when anything that the answer depends on is") {
  const RunKey run{"model", "options"};
  const Input a = input("1", "What?", {"a.png"});
  CHECK(input_key(a, run) == input_key(input("1", "What?", {"a.png"}), run));
  std::vector<Input> others(8, a);
  others[0].id = "2";
  others[1].question = "Who?";
  others[2].pictures[0].name = "b.png";
  others[3].options.system = "";
  others[4].options.max_tokens = 7;
  others[5].options.choices = {"yes", "no"};
  others[6].options.stop = {"yes", "no"};
  others[7].options.placeholders = true;
  for (std::size_t i = 0; i < others.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(input_key(others[i], run) == input_key(a, run));
    for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(input_key(others[i], run) == input_key(others[j], run));
  }
  CHECK_FALSE(input_key(a, {"model 2", "options"}) == input_key(a, run));
  CHECK_FALSE(input_key(a, {"model", "options 2"}) == input_key(a, run));
  const Key key = input_key(a, run);
  CHECK(hex(key).size() == 32);
  CHECK(read_key(hex(key)) == key);
  CHECK_FALSE(read_key("0123"));
  CHECK_FALSE(read_key(std::string(32, 'g')));
}

TEST_CASE("questions about one picture are in one shard and one group, and shards are about equally large") {
  std::vector<std::size_t> sizes(5);
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "photos/" + std::to_string(i) + ".jpg";
    const Input first = input("a" + std::to_string(i), "What?", {name}), second = input("b", "Who?", {name});
    CHECK(shard_of(first, 5) == shard_of(second, 5));
    CHECK(group_key(first) == group_key(second));
    ++sizes[shard_of(first, 5)];
  }
  for (const std::size_t size : sizes) CHECK((size > 150 && size < 250));
  CHECK(shard_of(input("1", "What?", {"photos/1.jpg"}), 5) == 2);  // the same in every version: rows are found by it
  CHECK(group_key(input("1", "What?")) != group_key(input("2", "What?")));
  Input other = input("1", "What?", {"a.png"});
  other.options.system = "Be brief.";
  CHECK(group_key(other) != group_key(input("1", "What?", {"a.png"})));
}

TEST_CASE("parts are read as numbers, lists and ranges, and nonsense is refused") {
  Shards shards;
  CHECK(read_shards("2/5", shards).empty());
  CHECK((shards.count == 5 && shards.has(1) && !shards.has(0) && !shards.has(4)));
  CHECK(read_shards("7,1,3-4,3/8", shards).empty());
  CHECK(shards.taken == std::vector<std::size_t>{1, 3, 4, 7});
  for (const char* const wrong : {"", "/", "2", "2/", "/5", "0/5", "6/5", "x/5", "2/5x", "1,/5", "4-2/5", "1-9/5", "-1/5", "1/9999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_shards(wrong, shards).empty());
  }
  CHECK(shards.count == 8);
}

TEST_CASE("each launcher says which of how many tasks this is") {
  const auto mpi = task_of({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                            {"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}});
  REQUIRE(mpi);
  CHECK((mpi->launcher == "Open MPI" && mpi->rank == 2 && mpi->size == 4 && mpi->on_node == 2 && mpi->mpi));
  const auto mpich = task_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}, {"MPI_LOCALNRANKS", "3"}});
  CHECK((mpich && mpich->rank == 1 && mpich->size == 3 && mpich->on_node == 3 && !mpich->mpi));
  const auto step = task_of({{"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_STEP_ID", "0"}});
  CHECK((step && step->rank == 3 && step->size == 4));
  const auto script = task_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_STEP_NUM_TASKS", "4"}});
  CHECK((script && script->launcher.empty()));  // a batch script is no task
  CHECK(task_of({})->launcher.empty());
  CHECK(task_of({{"PARALLEL_SEQ", "2"}})->launcher.empty());  // its jobs may have inputs of their own
  const auto parallel = task_of({{"PARALLEL_SEQ", "2"}}, false);
  CHECK((parallel && parallel->launcher == "GNU parallel" && parallel->rank == 1 && parallel->size == 0));
  const auto kubernetes = task_of({{"JOB_COMPLETION_INDEX", "0"}}, false);
  CHECK((kubernetes && kubernetes->launcher == "Kubernetes" && kubernetes->rank == 0));
  CHECK(task_of({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "4"}})->launcher.empty());
}

TEST_CASE("a task of a Slurm array has the place of its number, and its ranks count within it") {
  Variables array = {{"SLURM_ARRAY_TASK_ID", "14"}, {"SLURM_ARRAY_TASK_COUNT", "4"}, {"SLURM_ARRAY_TASK_MIN", "10"},
                     {"SLURM_ARRAY_TASK_MAX", "16"}};
  const auto task = task_of(array);
  CHECK((task && task->rank == 2 && task->size == 4));
  array["SLURM_ARRAY_TASK_ID"] = "13";
  CHECK_FALSE(task_of(array));  // some numbers only: a place cannot be told
  array["SLURM_ARRAY_TASK_ID"] = "10";
  array["OMPI_COMM_WORLD_RANK"] = "1", array["OMPI_COMM_WORLD_SIZE"] = "2";
  const auto within = task_of(array);
  CHECK((within && within->rank == 1 && within->size == 8));
  const auto one = task_of({{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_COUNT", "1"}, {"SLURM_ARRAY_TASK_MIN", "7"},
                            {"SLURM_ARRAY_TASK_MAX", "7"}});
  CHECK((one && one->rank == 0 && one->size == 1));
}

TEST_CASE("shards are dealt out so that each is taken once, by as many tasks as there are") {
  const Task second{"Slurm", 1, 3, 0, false};
  CHECK(taken(shards_of(second, 0, 0)) == std::vector<std::size_t>{2});
  CHECK(taken(shards_of(second, 8, 0)) == std::vector<std::size_t>{2, 5, 8});
  CHECK(taken(shards_of(second, 1, 0)).empty());
  const Task job{"GNU parallel", 4, 0, 0, false};
  CHECK(taken(shards_of(job, 8, 0)) == std::vector<std::size_t>{5});
  CHECK(taken(shards_of(job, 12, 6)) == std::vector<std::size_t>{5, 11});
  CHECK_FALSE(shards_of(job, 4, 0));  // the fifth of four
}

TEST_CASE("a process that Open MPI has bound to one core is told, when cores are idle beside it") {
  const Task alone{"Open MPI", 0, 1, 1, true}, two{"Open MPI", 0, 2, 2, true};
  CHECK(remark_on_cores(alone, 1, 2).find("--bind-to none") != std::string::npos);
  CHECK(remark_on_cores(two, 1, 2).empty());
  CHECK(remark_on_cores(two, 2, 2).find("--threads 1") != std::string::npos);
  CHECK(remark_on_cores(two, 2, 8).empty());
  CHECK(remark_on_cores({}, 1, 8).empty());
}

TEST_CASE("data URIs are lifted out of JSON, whatever else stands in it") {
  const LiftedJson lifted = lift_data_uris(
      R"({"a":"data:image\/png;base64,AB\/+=","b":"say \"data:x;base64,no\"","c":["data: is this;base64,text?","data:;base64,QQ==",1]})");
  CHECK(lifted.text == R"({"a":"data:#0","b":"say \"data:x;base64,no\"","c":["data: is this;base64,text?","data:#1",1]})");
  REQUIRE(lifted.uris.size() == 2);
  CHECK(find_lifted(lifted, "data:#0") == "data:image/png;base64,AB/+=");
  CHECK(base64_of(lifted.uris[0]) == "AB/+=");
  CHECK_FALSE(find_lifted(lifted, "data:#2"));
  CHECK_FALSE(find_lifted(lifted, "a.png"));
  CHECK(lift_data_uris(R"({"torn":"data:im;base64,A)").text == R"({"torn":"data:im;base64,A)");
}
