#!/usr/bin/env bash
# dsvl eval BENCHMARK as a user meets it: nine benchmarks from made-up files to figures and official result files, by the
# model that ships with dsvl; resuming, parts, sharing; and what is said about files that are broken.
#   tests/cli/evaluation.sh PROGRAM SOURCE_DIRECTORY
set -u

program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
if ! command -v python3 >/dev/null 2>&1; then
  echo "SKIPPED: there is no python3 to make benchmark files with, so dsvl eval BENCHMARK was not run"
  exit 0
fi
demo=$PWD/examples/models/tiny-vl/demo
model=$PWD/examples/models/tiny-vl
. tests/cli/checks.sh
mkdir "$scratch/files"
files=$scratch/files
python3 tests/cli/made_up_benchmarks.py "$demo" "$files" || exit 1

run() { capture "$program" eval "$@"; }
figures() { grep -E ' of [0-9]+$|%' "$1"; }
# json NAME EXPRESSION: of `run` (what was printed), in Python.
json() {
  if python3 -c 'import json, sys
run = json.load(open(sys.argv[1], encoding="utf-8"))
figure = {f["name"]: f for f in run["figures"]}
sys.exit(not eval(sys.argv[2]))' "$scratch/out" "$2"; then ok "$1"; else bad "$1: not $2"; fi
}

pope=("$files"/coco_pope_{random,popular,adversarial}.json)
vqa=("$files/v2_OpenEnded_mscoco_val2014_questions.json" "$files/v2_mscoco_val2014_annotations.json")

# --- from files to figures and result files, then the figures again from each result file ---------

run hellaswag -q "$files/hellaswag_val.jsonl" -o "$scratch/hellaswag"
check "HellaSwag scores four endings each behind one context" 0 '12 endings scored' ''
run mmlu -q "$files/mmlu"
check "MMLU reads the five examples of a subject once" 0 'subject: virology +[0-9.]+ %' ''
run mmlu -q --style lm-eval "$files/mmlu/test/anatomy_test.csv" --json
json "MMLU takes single files and finds their examples" "run['questions'] == 3 and run['reused_tokens'] > run['prompt_tokens'] / 2"
run gsm8k -q --max-tokens 24 "$files/test.jsonl"
check "GSM8K draws examples from train.jsonl" 0 'flexible-extract.* of 3' ''
run gsm8k -q --max-tokens 24 --style cot "$files/test.jsonl" --examples "$files/worked.jsonl"
check "GSM8K takes worked solutions of the user's" 0 'The answer is' ''
run gsm8k -q --style deepseek "$files/test.jsonl"
check "GSM8K says that it needs them" 1 '' 'needs --examples'
run pope -q --pictures "$demo" "${pope[@]}" -o "$scratch/pope"
check "POPE asks each question once, of pictures that are encoded once" 0 'pictures: 12 shown, 2 encoded, 10 known' ''
figures "$scratch/out" >"$scratch/asked"
run pope "${pope[@]}" $(for kind in random popular adversarial; do
  echo "--answers $scratch/pope/tiny-vl_coco_pope_${kind}_answers.json"; done)
figures "$scratch/out" >"$scratch/scored"
same "POPE's official answer files score what was scored when asking" "$scratch/asked" "$scratch/scored"
run pope -q "$files/POPE.tsv" --json
json "POPE's table repeats rows by category, and asks once" \
  "run['questions'] == 2 and run['pictures_known'] == 1 and figure['popular: accuracy']['of'] == 1 and figure['random: accuracy']['of'] == 2"
run pope -q --pictures "$demo" "$files/llava_pope_test.jsonl" -o "$scratch/llava"
check "POPE's file of LLaVA has no labels, so answers are only written" 0 'no labels' ''
if grep -q '"question":"Is there a bar in the image?"' "$scratch/llava/tiny-vl_llava_pope_test_answers.json"; then
  ok "and its prompt is taken off the question"
else bad "the prompt of LLaVA's file stays"; fi
run mmbench -q "$files/MMBench_DEV_EN.tsv" -o "$scratch/mmbench"
check "MMBench shows a picture once for all rotations" 0 'pictures: 5 shown, 2 encoded, 3 known' ''
figures "$scratch/out" >"$scratch/asked"
run mmbench "$files/MMBench_DEV_EN.tsv" --answers "$scratch/mmbench/tiny-vl_MMBench_DEV_EN.tsv"
figures "$scratch/out" >"$scratch/scored"
same "MMBench's table with predictions scores the same" "$scratch/asked" "$scratch/scored"
run mathvista -q "$files/testmini.json" "$files/query.json" -o "$scratch/mathvista"
check "MathVista says that rules give a lower bound" 0 'lower bound, no judge' ''
figures "$scratch/out" >"$scratch/asked"
run mathvista "$files/testmini.json" --answers "$scratch/mathvista/tiny-vl_mathvista.json"
figures "$scratch/out" >"$scratch/scored"
same "MathVista's responses score the same" "$scratch/asked" "$scratch/scored"
run mm-vet -q "$files/mm-vet.json" -o "$scratch/mm-vet"
check "MM-Vet needs a judge" 0 'A judge has to grade' ''
run mm-vet "$files/mm-vet.json" --answers "$scratch/mm-vet/tiny-vl_mm-vet.json" --judged "$files/grades.json"
check "MM-Vet adds up what the judge said, by capability" 0 'capability: ocr +75.00 %' ''
check "MM-Vet names the judge" 0 'Graded by judge-1' ''
run mm-vet "$files/mm-vet.json" "$files/bard_set.json" --answers "$scratch/mm-vet/answers.jsonl" \
  --judged "$files/grades.json"
check "MM-Vet is scored on a part of its questions" 0 'total +50.00 % +0.50 of 1' ''
run vqav2 -q "${vqa[@]}" -o "$scratch/vqav2"
check "VQAv2 finds pictures by their number" 0 'question type: what color' ''
figures "$scratch/out" >"$scratch/asked"
run vqav2 "${vqa[@]}" --answers "$scratch"/vqav2/tiny-vl_*_results.json
figures "$scratch/out" >"$scratch/scored"
same "VQAv2's official list of answers scores the same" "$scratch/asked" "$scratch/scored"
run textvqa -q "$files/TextVQA_0.5.1_val.json" -o "$scratch/textvqa"
check "TextVQA finds pictures of the validation set among those of the training set" 0 'VLMEvalKit of 2024' ''
run textvqa "$files/TextVQA_0.5.1_val.json" --answers "$scratch/textvqa/answers.jsonl"
check "dsvl's own answers are scored without a model" 0 'accuracy .* of 3' ''

# --- figures that are known beforehand -----------------------------------------------------------

python3 - "$files" "$scratch" <<'PYTHON'
import json, sys
files, scratch = sys.argv[1:]
for kind in ("random", "popular", "adversarial"):
    with open(f"{files}/coco_pope_{kind}.json") as rows, open(f"{scratch}/{kind}.json", "w") as out:
        for row in map(json.loads, rows):
            out.write(json.dumps({"question": row["text"], "answer": row["label"].capitalize() + "."}) + "\n")
json.dump([{"question_id": i, "answer": " Stop "} for i in range(3)], open(f"{scratch}/text.json", "w"))
json.dump([{"question_id": i, "answer": "Yes"} for i in range(100, 104)], open(f"{scratch}/vqa.json", "w"))
rows = open(f"{files}/MMBench_DEV_EN.tsv", newline="").read().split("\n")
json.dump({str(i): {"response": "(A)", "extraction": e} for i, e in enumerate(["B", "1.24", "3.9"])},
          open(f"{scratch}/extractions.json", "w"))
with open(f"{scratch}/letters.tsv", "w") as out:
    out.write("index\tprediction\tjudged\n5\tA\t\n6\tno idea\tC\n1000005\tB\t\n1000006\tB\t\n2000006\tI see\tA\n")
PYTHON
run pope "${pope[@]}" --json $(for kind in random popular adversarial; do echo "--answers $scratch/$kind.json"; done)
json "right answers to POPE score 100 %" "figure['mean F1 of the sets']['percent'] == 100"
run textvqa "$files/TextVQA_0.5.1_val.json" --answers "$scratch/text.json" --json
json "TextVQA's references and answers are normalised alike" "figure['accuracy']['percent'] == 100"
run vqav2 "${vqa[@]}" --answers "$scratch/vqa.json"
check "VQAv2 says how many answers are lost since nothing was normalised" 0 '^1 answers count nothing only because' ''
run mmbench "$files/MMBench_DEV_EN.tsv" --answers "$scratch/letters.tsv" --json
json "MMBench counts what hangs on a judge as wrong, and says so" \
  "figure['circular (right in all rotations)']['sum'] == 1 and figure['circular, if a judge read all others as right']['sum'] == 2"
run mmbench "$files/MMBench_DEV_EN.tsv" --answers "$scratch/letters.tsv" --judged "$scratch/letters.tsv" --json
json "a judged table decides that" "figure['circular (right in all rotations)']['percent'] == 100"
run mathvista "$files/testmini.json" --answers "$scratch/extractions.json" --judged "$scratch/extractions.json" --json
json "MathVista rounds floats, truncates integers, and takes letters for choices" "figure['accuracy']['sum'] == 2"

# --- resuming, parts, sharing --------------------------------------------------------------------

run pope -q --pictures "$demo" "${pope[@]}" -o "$scratch/pope"
check "a run that is done asks nothing again" 0 'written:' ''
if grep -q 'questions in' "$scratch/out"; then bad "a run that is done says that it asked"; fi
mkdir "$scratch/torn"
head -c 700 "$scratch/pope/answers.jsonl" >"$scratch/torn/answers.jsonl"
run pope --pictures "$demo" "${pope[@]}" -o "$scratch/torn"
check "a run that was killed goes on, without the line that was torn" 0 'questions in' 'were answered before'
strip_seconds() { sed 's/,"seconds":[^}]*//' "$1" | sort; }
strip_seconds "$scratch/pope/answers.jsonl" >"$scratch/whole" && strip_seconds "$scratch/torn/answers.jsonl" >"$scratch/resumed"
same "and has the answers of a run that was not" "$scratch/whole" "$scratch/resumed"
for moment in 1 2 3 4 5; do
  { timeout -s KILL 0.$((RANDOM % 4 + 1)) "$program" eval pope -q --pictures "$demo" "${pope[@]}" -o "$scratch/killed"; } >/dev/null 2>&1
done
run pope -q --pictures "$demo" "${pope[@]}" -o "$scratch/killed"
strip_seconds "$scratch/killed/answers.jsonl" >"$scratch/resumed"
same "so has one that was killed at five random moments" "$scratch/whole" "$scratch/resumed"
run pope -q --style short --pictures "$demo" "${pope[@]}" -o "$scratch/pope"
check "answers to other prompts are not taken for this run's" 1 '' 'of another run'
for part in 1 2; do run pope -q --pictures "$demo" "${pope[@]}" --shard $part/2 -o "$scratch/part$part"; done
check "a part says how many questions are not its own" 0 '5 of 12 questions have no answer' ''
run pope -q "${pope[@]}" --answers "$scratch/part1/answers.jsonl" --answers "$scratch/part2/answers.jsonl" -o "$scratch/merged"
same "parts together are the whole" "$scratch/merged/tiny-vl_coco_pope_random_answers.json" \
  "$scratch/pope/tiny-vl_coco_pope_random_answers.json"
run pope -q --pictures "$demo" "${pope[@]}" --limit 2 --json
json "--limit takes the first questions of each file" "run['questions'] == 4"
run mmbench -q "$files/MMBench_DEV_EN.tsv" --limit 1 --json
json "of MMBench with all their rotations" "run['questions'] == 2"
for benchmark in "hellaswag $files/hellaswag_val.jsonl" "mmlu $files/mmlu" "mmbench $files/MMBench_DEV_EN.tsv"; do
  run $benchmark -q && figures "$scratch/out" >"$scratch/asked"
  run $benchmark -q --no-sharing && figures "$scratch/out" >"$scratch/scored"
  same "${benchmark%% *} has the same figures without sharing" "$scratch/asked" "$scratch/scored"
  check "${benchmark%% *} computes everything then" 0 ', 0 reused' ''
done
run mmlu -q "$files/mmlu" --max-context 150 --json
json "where MMLU's prompt is too long, the last examples are left out" "run['prompt_tokens'] <= 6 * 150 and run['failed'] == 0"
run mmlu -q --style lm-eval "$files/mmlu" --max-context 150 --json
json "and lm-eval's loses its beginning, for endings of several tokens another one each" "6 * 150 < run['prompt_tokens'] <= 24 * 150"
run hellaswag -q "$files/hellaswag_val.jsonl" --max-context 12 --json
json "so does the context of an ending" "run['prompt_tokens'] <= 12 * 12 and run['failed'] == 0"
run gsm8k -q "$files/test.jsonl" --max-context 100 --max-tokens 20 --json
json "and a text that is to be continued, so that the answer has its room" "run['prompt_tokens'] == 3 * 80"
run mmlu "$files/mmlu"
check "where nobody looks at a terminal, progress is a line for each tenth" 0 'accuracy' '^6 of 6 asked, [0-9.]+ % so far'

# --- what is wrong is said, by file and line -----------------------------------------------------

broken=$scratch/broken
mkdir "$broken"
run pope "${pope[@]}"
check "a missing picture is named with the line that asks for it" 1 '' 'coco_pope_random.json:1: its picture .*000.png: no such file .*--pictures'
head -c 300 "$files/hellaswag_val.jsonl" >"$broken/cut.jsonl"
run hellaswag "$broken/cut.jsonl"
check "JSON lines that are cut off are refused by line" 1 '' 'cut.jsonl:[0-9]+'
head -c 300 "$files/testmini.json" >"$broken/cut.json"
run mathvista "$broken/cut.json"
check "so is a dictionary" 1 '' 'cut.json:[0-9]+: the file ends here'
head -c 900 "$files/MMBench_DEV_EN.tsv" >"$broken/cut.tsv"
run mmbench "$broken/cut.tsv"
check "so is a table" 1 '' 'cut.tsv:2: the record has 10 cells, those before it have 14'
printf 'index\tquestion\tA\tB\n1\tq\ta\tb\n' >"$broken/columns.tsv"
run mmbench "$broken/columns.tsv"
check "a column that is missing is named" 1 '' 'columns.tsv:1: there is no column "image"'
sed 's/\t5\tmade up/\t77\tmade up/' "$files/MMBench_DEV_EN.tsv" >"$broken/row.tsv"
run mmbench "$broken/row.tsv"
check "a picture in a row that is not there is refused" 1 '' 'row.tsv:[0-9]+: its picture is in row 77'
mkdir -p "$broken/mmlu/dev" "$broken/mmlu/test"
cp "$files"/mmlu/dev/* "$broken/mmlu/dev"
printf 'Q?,1,2,3,4,A\nQ?,1,2,3,4,E\n' >"$broken/mmlu/test/anatomy_test.csv"
run mmlu "$broken/mmlu"
check "a letter that is none is refused by line" 1 '' 'anatomy_test.csv:2: the last cell is E'
printf 'Q?,1,2,3,A\n' >"$broken/mmlu/test/anatomy_test.csv"
run mmlu "$broken/mmlu"
check "so is a row with too few cells" 1 '' 'anatomy_test.csv:1: the record has 5 cells'
python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); d["data"][1]["answers"].pop(); json.dump(d, open(sys.argv[2], "w"))' \
  "$files/TextVQA_0.5.1_val.json" "$broken/nine.json"
run textvqa "$broken/nine.json" --answers "$scratch/text.json"
check "TextVQA needs ten answers, as the official program does" 1 '' 'nine.json:1: the record has 9 answers'
cat "$files/test.jsonl" "$files/test.jsonl" | sed 's/#### 2/2/' >"$broken/test.jsonl"
run gsm8k "$broken/test.jsonl" --examples "$files/train.jsonl"
check "a solution without its mark is refused" 1 '' 'test.jsonl:1: the answer has no number'
printf 'no picture' >"$broken/000.png" && cp "$demo/001.png" "$broken"
run pope -q --pictures "$broken" "${pope[@]}"
check "a picture that is broken costs its questions, and no others" 1 '5 of 12 questions have no answer' 'coco_pope_random.json:1: question'
run pope --style loud --pictures "$demo" "${pope[@]}"
check "a form of prompt that is none is refused with those that there are" 1 '' 'is none of plain, short'
run pope
check "files are needed" 2 '' 'no files of pope'
run mmlu "$files/mmlu" --shard 3/2
check "parts are numbered from 1 to their number" 2 '' 'from 1/N to N/N'
run popo "$files/x"
check "a benchmark that is none is refused with one that is near" 2 '' 'did you mean: dsvl eval pope'
run mmlu --help
check "--help lists the benchmarks with their files" 0 'MMBench_DEV_EN.tsv' ''
run hellaswag "$files/hellaswag_val.jsonl" --answers "$scratch/text.json"
check "what is no file of answers is refused" 1 '' 'is not an answers.jsonl'
run mmlu "$files/mmlu" --answers "$scratch/pope/answers.jsonl"
check "so are answers to another benchmark" 1 '' 'has answers to pope'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
