#!/usr/bin/env bash
# dsvl batch as a user meets it, by the model that ships with dsvl: every form of input, rows and errors, going on after
# kills, parts and their merging, and the launchers of examples/batch.
#   tests/cli/batch.sh PROGRAM SOURCE_DIRECTORY [KILLS]
# KILLS is at how many random moments a run is killed (default: 4; tests/run.sh --full has 50).
set -u

program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
kills=${3:-4}
model=$PWD/examples/models/tiny-vl
demo=$model/demo
. tests/cli/checks.sh

run() { capture "$program" batch "$@" -q; }
merge() { capture "$program" batch merge "$@"; }
# count NAME NUMBER FILE
count() { if [ "$(wc -l <"$3")" -eq "$2" ]; then ok "$1"; else bad "$1: $(wc -l <"$3") lines, not $2"; fi; }
# has NAME FILE PATTERN
has() { if grep -Eq -- "$3" "$2"; then ok "$1"; else bad "$1: no $3 in $2"; fi; }
lacks() { if grep -Eq -- "$3" "$2"; then bad "$1: $3 in $2"; else ok "$1"; fi; }
# Sorted rows, which is what merging gives.
merged() { "$program" batch merge "$@" 2>/dev/null; }

mkdir "$scratch/photos" "$scratch/photos/more" "$scratch/rows"
cp "$demo/000.png" "$demo/002.png" "$scratch/photos"
cp "$demo/037.png" "$scratch/photos/more"
echo notes >"$scratch/photos/notes.txt"
rows=$scratch/rows

# --- folders and lists ----------------------------------------------------------------------------

run; check "no inputs" 2 '' 'no inputs were given'
run no/such --question "What?"; check "inputs that are not there" 1 '' 'no/such: no such file'
run "$scratch/photos"; check "a folder without a question" 1 '' 'a --question is needed'
run "$scratch/photos" --question "How many bars are there?" -o "$rows/folder.jsonl"
check "a folder" 0 '' ''
count "has a row for each picture, in subfolders too" 3 "$rows/folder.jsonl"
has "with the answer that dsvl ask gives" "$rows/folder.jsonl" \
  '^\{"id":"000.png","answer":"There are 4 bars.","finish":"eos","prompt_tokens":1[0-9]+,"answer_tokens":7,"picture":"000.png","model":"tiny-vl-[0-9a-f]{16}","options":"[0-9a-f]{16}","version":"'
has "and what depends on the run beside them" "$rows/folder.run.jsonl" '"reused_tokens":[0-9]+,"seconds":[0-9.e-]+.*"host":"'
has "with counts" "$rows/folder.stats.json" '"inputs":3,"doubled_inputs":0,"rows":3,"failed":0'
run "$scratch/photos" --question "How many bars are there?"
check "rows go to standard output without --output" 0 '^\{"id":"more/037.png","answer":' ''
run "$scratch/photos" --question "How many bars are there?" --question "Which bar is the tallest?" -o "$rows/two.jsonl"
has "several questions to each picture" "$rows/two.jsonl" '^\{"id":"000.png#2","answer":"The green bar.".*"picture":"000.png"'
has "the second of which finds the picture read" "$rows/two.run.jsonl" '"id":"000.png#2".*"reused_tokens":1[0-9]+'
printf '000.png\nmore/037.png\n\n' >"$scratch/photos/list"
run "$scratch/photos/list" --question "How many bars are there?" -o "$rows/list.jsonl"
count "a list of pictures" 2 "$rows/list.jsonl"
printf '%s\n' photos/000.png photos/gone.png >"$scratch/list"
"$program" batch - --pictures "$scratch" --question "How many bars are there?" -q <"$scratch/list" >"$scratch/out" 2>"$scratch/err"
code=$?
check "a list from standard input" 0 '^\{"id":"photos/000.png","answer":"There are 4 bars\."' ''
has "a picture that is not there is a row" "$scratch/out" \
  '"id":"photos/gone.png","error":\{"code":"not_found","message":"photos/gone.png: [^"]*"\},"picture":"photos/gone.png"'

# --- JSON lines -----------------------------------------------------------------------------------

echo "no picture" >"$scratch/photos/broken.png"
cat >"$scratch/inputs.jsonl" <<END
{"id": "bars", "image": "photos/000.png", "question": "How many bars are there?"}
{"id": "two", "images": ["photos/000.png", "photos/002.png"], "question": "How many bars are there?", "max_tokens": 3}
{"id": "choice", "image": "photos/000.png", "question": "Which bar is the tallest?", "choices": ["red", "blue"]}
{"id": "schema", "image": "photos/000.png", "question": "How many?", "schema": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"], "additionalProperties": false}}
{"id": "text", "question": "What is 2 + 3?", "system": ""}
{"id": 7, "question": "What day comes after Monday?"}

{"id": "broken", "image": "photos/broken.png", "question": "What?"}
{"id": "web", "image": "https://example.org/a.png", "question": "What?"}
{"id": "none", "image": "photos/000.png"}
{"id": "bad schema", "question": "What?", "schema": {"uniqueItems": true}}
{"id": "torn",
END
run "$scratch/inputs.jsonl" -o "$rows/json.jsonl"
check "JSON lines with faults" 0 '' ''
count "have a row each" 11 "$rows/json.jsonl"
has "max_tokens" "$rows/json.jsonl" '"id":"two".*"finish":"length".*"answer_tokens":3,"pictures":\["photos/000.png","photos/002.png"\]'
has "choices" "$rows/json.jsonl" '"id":"choice","answer":"(red|blue)","finish":"eos","whole":true'
has "a schema" "$rows/json.jsonl" '"id":"schema","answer":"\{\\"n\\":-?[0-9.]+\}","finish":"eos","whole":true'
has "a text without picture, and its own system text" "$rows/json.jsonl" '"id":"text","answer":.*"prompt_tokens":[1-4][0-9],.*"picture":null'
has "a number as an id" "$rows/json.jsonl" '"id":"7","answer":'
has "a picture that is none" "$rows/json.jsonl" '"id":"broken","error":\{"code":"bad_file","message":"photos/broken.png: is neither'
has "a web address" "$rows/json.jsonl" '"id":"web","error":.*is a web address'
has "no question" "$rows/json.jsonl" '"id":"none","error":.*there is no question'
has "a schema that is not enforced" "$rows/json.jsonl" '"id":"bad schema","error":\{"code":"unsupported".*uniqueItems'
has "a line that is no JSON, by its number" "$rows/json.jsonl" '"id":"12","error":.*inputs.jsonl:12'
run "$scratch/inputs.jsonl" --sessions 1 -o "$rows/alone.jsonl"
merged "$rows/json.jsonl" >"$scratch/a"; merged "$rows/alone.jsonl" >"$scratch/b"
same "one at a time gives the same bytes" "$scratch/a" "$scratch/b"
run "$scratch/inputs.jsonl" --temperature 1 --seed 3 -o "$rows/drawn.jsonl"
run "$scratch/inputs.jsonl" --temperature 1 --seed 3 --sessions 3 --threads 1 -o "$rows/drawn3.jsonl"
merged "$rows/drawn.jsonl" >"$scratch/b"; merged "$rows/drawn3.jsonl" >"$scratch/c"
same "so it does when answers are drawn" "$scratch/b" "$scratch/c"

# --- going on -------------------------------------------------------------------------------------

cp "$rows/json.jsonl" "$scratch/before"
"$program" batch "$scratch/inputs.jsonl" -o "$rows/json.jsonl" >"$scratch/out" 2>"$scratch/err"; code=$?
check "what is done is not done again" 0 '' '^0 rows in .*, 11 were there'
same "and stays as it is" "$scratch/before" "$rows/json.jsonl"
cp "$demo/037.png" "$scratch/photos/broken.png"
run "$scratch/inputs.jsonl" --verify -o "$rows/json.jsonl"
has "a picture that changed is answered again" "$rows/json.jsonl" '"id":"broken","answer":'
count "instead of its row" 11 "$rows/json.jsonl"
touch "$scratch/photos/000.png"
"$program" batch "$scratch/inputs.jsonl" --verify -o "$rows/json.jsonl" >/dev/null 2>"$scratch/err"
has "--verify sees that a picture was only touched" "$scratch/err" '^0 rows in '
"$program" batch "$scratch/inputs.jsonl" -o "$rows/json.jsonl" >/dev/null 2>"$scratch/err"
has "without it that counts as another picture" "$scratch/err" '^5 rows in '
"$program" batch "$scratch/inputs.jsonl" --retry-errors -o "$rows/json.jsonl" >/dev/null 2>"$scratch/err"
has "--retry-errors asks what failed again, and nothing else" "$scratch/err" '^4 rows in .*, 7 were there, 4 of them errors'
count "and leaves one row each" 11 "$rows/json.jsonl"
merged "$rows/json.jsonl" | grep -v '"broken"' >"$scratch/b"; grep -v '"broken"' "$scratch/a" >"$scratch/c"
same "with the same bytes" "$scratch/b" "$scratch/c"

cp "$rows/json.jsonl" "$rows/more.jsonl"; cp "$rows/json.run.jsonl" "$rows/more.run.jsonl"
"$program" batch "$scratch/inputs.jsonl" --max-tokens 9 -o "$rows/more.jsonl" >/dev/null 2>"$scratch/err"
has "rows with other options stay, which is said" "$scratch/err" '^11 rows that were there answer no input of this run'
has "and the inputs get rows of their own" "$scratch/err" '^11 rows in '

# broken ROWS BYTES NOTES BYTES: a shard that was killed when it had so many whole rows and notes, with bytes of the next.
whole=$rows/json.jsonl notes=$rows/json.run.jsonl
merged "$whole" >"$scratch/a"
broken() {
  rm -f "$rows"/torn.*
  { head -n "$1" "$whole"; tail -n +$(($1 + 1)) "$whole" | head -c "$2"; } >"$rows/torn.jsonl.part"
  { head -n "$3" "$notes"; tail -n +$(($3 + 1)) "$notes" | head -c "$4"; } >"$rows/torn.run.jsonl.part"
}
resumes() {
  run "$scratch/inputs.jsonl" -o "$rows/torn.jsonl"
  check "$1" 0 '' ''
  merged "$rows/torn.jsonl" >"$scratch/b"
  same "$1: the rows are those of a run that was not stopped" "$scratch/a" "$scratch/b"
}
broken 5 30 6 0; resumes "a row that is torn"
broken 6 0 6 20; resumes "a row without its note, which is torn"
broken 4 0 9 0; resumes "notes of rows that are gone"
broken 5 0 1 0; resumes "rows whose notes are gone"
broken 11 0 12 0; mv "$rows/torn.run.jsonl.part" "$rows/torn.run.jsonl"; resumes "a kill between the two renamings"
: >"$rows/torn.jsonl.part"; rm -f "$rows/torn.run.jsonl" "$rows/torn.jsonl"; resumes "a kill before the first row"
rm "$rows/torn.run.jsonl"
run "$scratch/inputs.jsonl" -o "$rows/torn.jsonl"; check "rows without any notes" 1 '' 'torn.run.jsonl.*is gone'
run "$scratch/inputs.jsonl" -o "$scratch/no/rows.jsonl"; check "an output that cannot be written" 1 '' 'its folder does not exist'

# Enough to be killed in the middle: three questions to each of 38 pictures, in an order that parts them.
for question in "Describe the image." "How many bars are there?" "What does the text say?"; do
  for number in $(seq -f %03g 0 37); do
    echo "{\"id\": \"$number ${question%% *} ${#question}\", \"image\": \"$number.png\", \"question\": \"$question\"}"
  done
done >"$scratch/demo.jsonl"
run "$scratch/demo.jsonl" --pictures "$demo" -o "$rows/demo.jsonl"
merged "$rows/demo.jsonl" >"$scratch/demo"
count "a row for each of 114 questions" 114 "$scratch/demo"
# The same four times over, for what must not be done before it is met by a signal.
for copy in 1 2 3 4; do sed "s/\"id\": \"/&$copy /" "$scratch/demo.jsonl"; done >"$scratch/long.jsonl"
run "$scratch/long.jsonl" --pictures "$demo" -o "$rows/long.jsonl"
merged "$rows/long.jsonl" >"$scratch/long"
for signal in TERM USR1 INT; do
  rm -f "$rows"/signal*
  set -m  # a shell has what it runs in the background ignore SIGINT otherwise
  "$program" batch "$scratch/long.jsonl" --pictures "$demo" --sessions 2 --threads 1 -o "$rows/signal.jsonl" \
    >"$scratch/out" 2>"$scratch/err" </dev/null &
  running=$!
  set +m
  while kill -0 $running 2>/dev/null && [ "$(wc -l 2>/dev/null <"$rows/signal.jsonl.part" || echo 0)" -lt 5 ]; do sleep 0.02; done
  kill -$signal $running
  wait $running; code=$?
  check "SIG$signal ends with what is there kept" 130 '' 'the same command goes on from here'
done
run "$scratch/long.jsonl" --pictures "$demo" -o "$rows/signal.jsonl"
merged "$rows/signal.jsonl" >"$scratch/b"
same "which is all that is needed to go on" "$scratch/long" "$scratch/b"

killed=0 in_the_middle=0
while [ $killed -lt "$kills" ]; do
  rm -f "$rows"/killed.*
  while [ ! -f "$rows/killed.jsonl" ] && [ $killed -lt "$kills" ]; do
    { timeout -s KILL "0.$(printf %02d $((RANDOM % 60 + 15)))" \
      "$program" batch "$scratch/demo.jsonl" --pictures "$demo" -q -o "$rows/killed.jsonl"; } >/dev/null 2>&1
    killed=$((killed + 1))
    [ ! -s "$rows/killed.jsonl.part" ] || in_the_middle=$((in_the_middle + 1))
  done
  run "$scratch/demo.jsonl" --pictures "$demo" -o "$rows/killed.jsonl"
  merged "$rows/killed.jsonl" >"$scratch/b"
  cmp -s "$scratch/demo" "$scratch/b" || { bad "kill -9 at a random moment, $killed so far"; break; }
done
same "kill -9 at $killed random moments, $in_the_middle of them with rows half done" "$scratch/demo" "$scratch/b"

mkfifo "$scratch/slow"
"$program" batch "$scratch/slow" -q -o "$rows/both.jsonl" --threads 1 >/dev/null 2>&1 & first=$!
exec 3>"$scratch/slow"
cat "$scratch/long.jsonl" "$scratch/demo.jsonl" "$scratch/long.jsonl" | sed "s|\"image\": \"|&$demo/|" >&3
exec 3>&-
while kill -0 $first 2>/dev/null && [ ! -s "$rows/both.jsonl.part" ]; do sleep 0.02; done
kill -STOP $first
run "$scratch/long.jsonl" -o "$rows/both.jsonl"; check "a second process is kept off the rows of the first" 1 '' 'another process is writing it'
kill -CONT $first
wait $first
count "inputs that stand twice have one row" 570 "$rows/both.jsonl"

# --- parts and merging ----------------------------------------------------------------------------

for part in 1 2,3; do run "$scratch/demo.jsonl" --pictures "$demo" --shard $part/3 -o "$rows/part.jsonl"; done
merge "$rows"/part-*.jsonl -o "$scratch/b" --inputs "$scratch/demo.jsonl"
check "parts are put together" 0 '' '^114 rows, 0 errors among them$'
same "and are the bytes of one run" "$scratch/demo" "$scratch/b"
merge "$rows"/part-[13]-of-3.jsonl; check "a shard that is missing" 1 . 'missing: shard 2 of 3'
merge "$rows"/part-[13]-of-3.jsonl --inputs "$scratch/demo.jsonl"; check "and its inputs by name" 1 . 'missing: [0-9]+ [A-Z][a-z]+ [0-9]+: has no row'
merge "$rows"/part-*-of-3.jsonl "$rows/part-1-of-3.jsonl"; check "rows that are there twice" 0 . 'were there twice, and alike'
sed '1s/"finish":"eos"/"finish":"stop"/' "$rows/part-1-of-3.jsonl" >"$scratch/other.jsonl"
merge "$rows"/part-*-of-3.jsonl "$scratch/other.jsonl"; check "rows that differ" 1 . 'two different rows: [0-9]+ '
mkdir "$scratch/half" && head -n 3 "$rows/part-1-of-3.jsonl" >"$scratch/half/part-1-of-3.jsonl.part"
merge "$scratch/half/part-1-of-3.jsonl.part"; check "a shard that is not done" 1 . 'the shard is not done'
merge; check "nothing to merge" 2 '' 'no files of rows were given'

# --- OpenAI's batch form --------------------------------------------------------------------------

cat >"$scratch/openai.jsonl" <<END
{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "any", "max_tokens": 20, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,$(base64 -w0 "$demo/000.png")"}}, {"type": "text", "text": "Which bar is the tallest?"}]}]}}
{"custom_id": "b", "body": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file://$demo/000.png"}}, {"type": "text", "text": "How many bars are there?"}]}], "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer", "minimum": 0, "maximum": 9}}}}}
{"custom_id": "c", "body": {"messages": [{"role": "user", "content": "What is 2 + 3?"}, {"role": "assistant", "content": "5"}]}}
{"custom_id": "e", "body": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Which bar is the tallest?"}, {"type": "image_url", "image_url": {"url": "file://$demo/000.png"}}]}]}}
{"custom_id": "d", "body": {"n": 2, "messages": [{"role": "user", "content": "What is 2 + 3?"}]}}
END
run "$scratch/openai.jsonl" -o "$rows/openai.jsonl"; check "OpenAI's batch form" 0 '' ''
has "has OpenAI's rows" "$rows/openai.jsonl" '^\{"id":"batch_req_[0-9a-f]{16}","custom_id":"a","response":\{"status_code":200,.*"role":"assistant","content":"The green bar\.".*"finish_reason":"stop".*"total_tokens":[0-9]+.*"error":null\}$'
has "with a schema" "$rows/openai.jsonl" '"custom_id":"b".*"content":"[0-9.]+"'
has "and a text in front of a picture" "$rows/openai.jsonl" '"custom_id":"e","response":\{"status_code":200'
has "what is not known is refused by name" "$rows/openai.jsonl" '"custom_id":"d","response":null,"error":\{"code":"bad_file","message":"\\"n\\" asks'
has "and so are conversations" "$rows/openai.jsonl" '"custom_id":"c","response":null,"error":.*another message of'
merge "$rows/openai.jsonl"; check "merging them" 0 '"custom_id":"a"' '5 rows, 2 errors'

# --- tables ---------------------------------------------------------------------------------------

printf 'name,image,question,choices\nfirst,000.png,How many bars are there?,\n"sec\nond",000.png,"Is there a ""bar""?","yes,no"\nthird,gone.png,What?,\n' \
  >"$scratch/photos/table.csv"
run "$scratch/photos/table.csv" -o "$rows/table.csv"; check "a table" 0 '' ''
head -n 1 "$rows/table.csv" >"$scratch/out"
has "repeats its columns" "$scratch/out" '^id,name,image,question,choices,answer,finish,prompt_tokens,answer_tokens,model,options,version,error$'
has "and adds the answers" "$rows/table.csv" '^2,first,000.png,How many bars are there\?,,There are 4 bars\.,eos,1[0-9]+,7,tiny-vl-'
has "cells in quotes" "$rows/table.csv" '^ond",000.png,"Is there a ""bar""\?","yes,no",(yes|no),eos'
has "errors" "$rows/table.csv" 'third,gone.png,What\?,,,,,,tiny-vl-[^,]*,[^,]*,[^,]*,"?not_found: gone.png: '
cp "$rows/table.csv" "$scratch/before"
"$program" batch "$scratch/photos/table.csv" -o "$rows/table.csv" 2>"$scratch/err"
has "a table that is done is not done again" "$scratch/err" '^0 rows in .*, 3 were there'
mv "$rows/table.csv" "$rows/table.csv.part"; mv "$rows/table.run.jsonl" "$rows/table.run.jsonl.part"
head -c -20 "$scratch/before" >"$rows/table.csv.part"
run "$scratch/photos/table.csv" -o "$rows/table.csv"
merged "$rows/table.csv" >"$scratch/b"; merged "$scratch/before" >"$scratch/c" 2>/dev/null || cp "$scratch/before" "$rows/copy.csv"
[ -s "$scratch/c" ] || merged "$rows/copy.csv" >"$scratch/c"
same "a table whose last row is torn goes on" "$scratch/b" "$scratch/c"

# --- launchers ------------------------------------------------------------------------------------

env OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_SIZE=2 "$program" batch "$scratch/demo.jsonl" --pictures "$demo" \
  --threads 1 -o "$rows/ranks.jsonl" >"$scratch/out" 2>"$scratch/err"; code=$?
check "a rank takes its shard" 0 '' '^1 of 2 shards, from number 1 on: this is task 1 of Open MPI'
env SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_MAX=5 "$program" batch "$scratch/demo.jsonl" \
  --pictures "$demo" -o "$rows/ranks.jsonl" >"$scratch/out" 2>"$scratch/err"; code=$?
check "a task of a Slurm array takes another" 0 '' 'task 2 of a Slurm array'
merged "$rows"/ranks-*.jsonl >"$scratch/b"
same "and together they are one run" "$scratch/demo" "$scratch/b"
env SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=6 "$program" batch "$scratch/demo.jsonl" \
  >"$scratch/out" 2>"$scratch/err"; code=$?
check "an array with gaps is asked back" 1 '' 'no range.*|name it: --shard'
env JOB_COMPLETION_INDEX=2 "$program" batch "$scratch/demo.jsonl" --pictures "$demo" -q --shards 2 >"$scratch/out" 2>"$scratch/err"; code=$?
check "a pod beyond the shards" 1 '' 'task 3 of Kubernetes has no shard'
if command -v parallel >/dev/null 2>&1; then
  DSVL=$program JOBS=2 SHARDS=3 examples/batch/parallel.sh "$rows/parallel.jsonl" "$scratch/demo.jsonl" --pictures "$demo" \
    -m "$model" >"$scratch/out" 2>"$scratch/err" </dev/null; code=$?
  check "GNU parallel" 0 '' '114 rows, 0 errors'
  same "gives the same bytes" "$scratch/demo" "$rows/parallel.jsonl"
  split -l 60 "$scratch/demo.jsonl" "$scratch/block"
  parallel --will-cite --pipe -N60 -j2 "$program" batch - -q --pictures "$demo" -m "$model" --threads 1 <"$scratch/demo.jsonl" \
    >"$scratch/b" 2>"$scratch/err"
  sort "$scratch/b" >"$scratch/c"
  same "so does a stream of inputs in blocks" "$scratch/demo" "$scratch/c"
else
  echo "SKIPPED: examples/batch/parallel.sh: GNU parallel is not installed here"
fi
if command -v mpirun >/dev/null 2>&1; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  DSVL=$program RANKS=2 SHARDS=3 MPIRUN_FLAGS="${MPIRUN_FLAGS---oversubscribe}" examples/batch/mpirun.sh "$rows/mpi.jsonl" \
    "$scratch/demo.jsonl" --pictures "$demo" -m "$model" >"$scratch/out" 2>"$scratch/err" </dev/null; code=$?
  check "mpirun" 0 '' '114 rows, 0 errors'
  same "gives the same bytes" "$scratch/demo" "$rows/mpi.jsonl"
  if [ "$(nproc)" -gt 1 ] && mpirun --version 2>/dev/null | grep -q 'Open MPI'; then
    mpirun -np 1 "$program" batch "$scratch/photos/list" --question "What?" >"$scratch/out" 2>"$scratch/err" </dev/null; code=$?
    check "one rank of Open MPI is told that it has one core" 0 . 'bound this process to one core of [0-9]+.*--bind-to none'
  fi
else
  echo "SKIPPED: examples/batch/mpirun.sh: there is no mpirun here"
fi
DSVL=$program bash examples/batch/slurm.sh "$rows/slurm.jsonl" "$scratch/long.jsonl" --pictures "$demo" --threads 1 \
  >"$scratch/out" 2>"$scratch/err" </dev/null &
script=$!
while kill -0 $script 2>/dev/null && [ ! -s "$rows/slurm.jsonl.part" ]; do sleep 0.02; done
kill -USR1 $script
wait $script; code=$?
check "the Slurm script hands the signal on, and the exit code back" 130 '' 'the same command goes on from here'
DSVL=$program bash examples/batch/slurm.sh "$rows/slurm.jsonl" "$scratch/long.jsonl" --pictures "$demo" \
  >"$scratch/out" 2>"$scratch/err" </dev/null; code=$?
check "and goes on when it is put back" 0 '' ''
merged "$rows/slurm.jsonl" >"$scratch/b"
same "to the same bytes" "$scratch/long" "$scratch/b"
if command -v snakemake >/dev/null 2>&1; then
  (cd "$scratch" && snakemake -n -q -s "$OLDPWD/examples/batch/Snakefile" --config source=photos shards=3) >"$scratch/out" 2>"$scratch/err"; code=$?
  check "Snakemake's own dry run" 0 . ''
else
  echo "SKIPPED: examples/batch/Snakefile: Snakemake is not installed here"
fi

# --- dry run --------------------------------------------------------------------------------------

cp "$scratch/list" "$scratch/photos/broken.png"
run "$scratch/inputs.jsonl" --dry-run
check "a dry run names what would fail" 1 '^broken: photos/broken.png: is no picture' ''
has "and counts it" "$scratch/out" '^inputs: 11, about [0-9]+ different pictures; 4 would get an error$'
has "memory" "$scratch/out" '^memory: [0-9.]+ MiB and decoded pictures, with 8 sessions of [0-9]+ tokens; 9.4 MiB of weights'
has "and time" "$scratch/out" '^time: about [0-9]+ (s|min|h) \([0-9.]+ h\) for 11 inputs, by 11 of them$'

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
