#!/usr/bin/env bash
# The program dsvl as a user meets it: exit codes, messages, machine-readable output, chats through a pipe, Ctrl-C.
#   tests/cli/cli.sh PROGRAM SOURCE_DIRECTORY
set -u
set -m  # background programs get Ctrl-C's signal only under job control

program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
model=examples/models/tiny-vl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() {
  failed=$((failed + 1))
  echo "FAILED  $1"
  sed 's/^/          | /' "$scratch/out" "$scratch/err" | head -n 20
}
# Runs dsvl with these arguments; leaves out, err and $code.
run() {
  "$program" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  code=$?
}
# check NAME EXIT_CODE OUT ERR: what the last run gave; OUT and ERR are extended regular expressions, empty for no output.
check() {
  local name=$1 wrong=
  [ "$code" -eq "$2" ] || wrong="exit code $code, not $2"
  matches "$scratch/out" "$3" || wrong="$wrong; stdout is not as expected"
  matches "$scratch/err" "$4" || wrong="$wrong; stderr is not as expected"
  if [ -z "$wrong" ]; then ok "$name"; else bad "$name: ${wrong#; }"; fi
}
matches() { if [ -z "$2" ]; then [ ! -s "$1" ]; else grep -Eq -- "$2" "$1"; fi; }
# true when the file is one JSON value; without Python, when it looks like an object.
is_json() {
  if command -v python3 >/dev/null 2>&1; then python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$1" 2>/dev/null
  else grep -Eq '^\{.*\}$' "$1"; fi
}
check_json() {
  check "$@"
  if is_json "$scratch/out"; then ok "$1: valid JSON"; else bad "$1: not JSON"; fi
}

# --- help, and mistakes in the arguments ----------------------------------------------------------
run; check "without arguments it explains itself on stderr" 2 '' '^Usage: dsvl COMMAND'
run --help; check "--help" 0 '^Usage: dsvl COMMAND' ''
run --version; check "--version" 0 '^dsvl [0-9]+\.[0-9]+\.[0-9]+ ' ''
for command in ask chat eval inspect convert; do
  run $command --help; check "$command --help" 0 "^Usage: dsvl $command " ''
  run help $command; check "help $command" 0 "^Usage: dsvl $command " ''
  run $command --no-such-option; check "$command refuses an unknown option" 2 '' 'error: unknown option --no-such-option'
done
run aks; check "a mistyped command" 2 '' 'did you mean: dsvl ask\?'
run xylophone; check "an unknown command" 2 '' 'unknown command xylophone'
run ask --max-token 3 hi; check "a mistyped option" 2 '' 'did you mean --max-tokens\?'
run ask --max-tokens; check "an option without its value" 2 '' 'option --max-tokens needs a value'
run ask --max-tokens=x hi; check "a number that is none" 2 '' 'is not a whole number'
run ask --max-tokens 0 hi; check "a number out of range" 2 '' 'must be from 1 to'
run ask --temperature -1 hi; check "a negative temperature" 2 '' 'must be from 0 to'
run ask --load quickly hi; check "an unknown load mode" 2 '' 'none of map, read, prefault'
run ask --json=yes hi; check "a flag with a value" 2 '' 'takes no value'
run ask; check "no question" 2 '' 'no question was given'
run ask ''; check "an empty question" 2 '' 'the question is empty'
run ask -; check "an empty question from standard input" 2 '' 'the question is empty'
run ask What is this; check "a question without quotes" 2 '' 'put the question in quotes'
run ask $model/demo/000.png 'What?'; check "a picture without -i" 2 '' 'pictures are named with -i'
run chat hello; check "chat takes no question" 2 '' 'unexpected argument hello'
run eval; check "eval without a file" 2 '' 'no file of questions'

# --- files that are not what they should be ---------------------------------------------------------
head -c 3000 $model/demo/000.png >"$scratch/cut.png"
echo 'no picture' >"$scratch/text.png"
run ask -i no/such.png hi; check "a picture that is not there" 1 '' 'error: no/such\.png: no such file'
run ask -i $model hi; check "a directory for a picture" 1 '' 'is a directory, a picture is needed'
run ask -i "$scratch/cut.png" hi; check "a picture that was cut off" 1 '' 'cut\.png: .*truncated'
run ask -i "$scratch/text.png" hi; check "a text for a picture" 1 '' 'neither a PNG nor a JPEG'
run ask -m no/such/model hi; check "a model that is not there" 1 '' 'no/such/model: no such file or directory'
run ask -m "$scratch" hi; check "a directory without a model" 1 '' 'config\.json: no such file'
run ask -m LICENSE hi; check "a file for a model" 1 '' 'is neither a directory nor a \.gguf file'
run inspect no/such/model; check "inspect without a model" 1 '' 'a model is a directory with'
run eval no/such.json; check "questions that are not there" 1 '' 'no/such\.json: no such file'
run eval $model/config.json; check "a JSON file of something else" 1 '' 'is no list of questions'
echo '[{"question": "How many?"}]' >"$scratch/q.json"
run eval "$scratch/q.json"; check "a question without its answer" 1 '' 'entry 0 has no string "answer"'
echo '[{"image": "gone.png", "question": "How many?", "answer": "4"}]' >"$scratch/q.json"
run eval "$scratch/q.json"; check "a question whose picture is missing" 1 '1 could not be asked' 'gone\.png: no such file'
run ask --context 20 'How many bars are there?'; check "a context that is too short" 1 '' 'a larger --context'
run ask "$(printf '\377')"; check "a question that is not UTF-8" 1 '' 'not UTF-8'

# --- ask ------------------------------------------------------------------------------------------
run ask -i $model/demo/000.png 'How many bars are there?'; check "ask" 0 '^There are 4 bars\.$' ''
run ask -m $model --image=$model/demo/000.png -- 'Which bar is the tallest?'; check "ask, other spellings" 0 '^The green bar\.$' ''
for mode in map read prefault; do
  run ask --load $mode --threads 2 -i $model/demo/000.png 'How many bars are there?'
  check "ask --load $mode" 0 '^There are 4 bars\.$' ''
done
echo 'How many bars are there?' | "$program" ask -i $model/demo/000.png - >"$scratch/out" 2>"$scratch/err"; code=$?
check "a question from standard input" 0 '^There are 4 bars\.$' ''
run ask -v -i $model/demo/000.png -i $model/demo/002.png 'What is this?'
check "two pictures, verbose" 0 . 'prompt 2[0-9]+ tokens.* encode .* tokens/s'
run ask --stop bars -i $model/demo/000.png 'How many bars are there?'; check "--stop" 0 '^There are 4 *$' ''
run ask --json --max-tokens 2 -i $model/demo/000.png 'How many bars are there?'
check_json "--json" 0 '"text":"There are".*"token_ids":\[[0-9]+,[0-9]+\].*"finish":"length".*"prompt_tokens":160.*"seconds":\{' ''
run ask --temperature 1.5 --seed 7 'Tell me.'; cp "$scratch/out" "$scratch/first"
run ask --temperature 1.5 --seed 7 --threads 1 'Tell me.'
if cmp -s "$scratch/first" "$scratch/out"; then ok "the same seed, the same answer"; else bad "the same seed, the same answer"; fi
if [ -e /dev/full ]; then
  "$program" ask 'Hello?' >/dev/full 2>"$scratch/err"; code=$?; : >"$scratch/out"
  check "a full disk shows in the exit code" 1 '' 'could not be written'
fi

# --- chat through a pipe ----------------------------------------------------------------------------
chat() { "$program" chat "$@" >"$scratch/out" 2>"$scratch/err"; code=$?; }
chat -i $model/demo/000.png < <(printf '%s\n' 'How many bars are there?' '' 'Which bar is the tallest?')
check "a chat" 0 '^There are 4 bars\.$' ''
if [ "$(cat "$scratch/out")" = $'There are 4 bars.\nThe green bar.' ]; then ok "a piped chat prints answers and nothing else"
else bad "a piped chat prints answers and nothing else"; fi
chat < <(printf '/image "%s"\nHow many bars are there?' $model/demo/000.png)
check "/image, and a last line without its end" 0 '^There are 4 bars\.$' ''
chat -i $model/demo/000.png < <(printf '%s\n' '/wave' '/image no.png' '/image' 'How many bars are there?')
check "mistakes do not end a chat" 1 '^There are 4 bars\.$' 'unknown command /wave'
chat < <(printf '%s\n' '/help' '/clear' '/quit' 'never asked')
check "/help, /clear, /quit" 0 '/image FILE' ''
chat </dev/null; check "a chat without questions" 0 '' ''

# --- Ctrl-C ---------------------------------------------------------------------------------------
# At this temperature the model rambles: an answer takes long enough to be stopped.
ramble="--temperature 100 --max-tokens 800 --seed 3"
interrupt_when_answering() {
  for _ in $(seq 200); do
    [ -s "$scratch/out" ] && break
    sleep 0.02
  done
  kill -INT "$1"
}
: >"$scratch/out"
"$program" ask $ramble 'Tell me.' >"$scratch/out" 2>"$scratch/err" </dev/null &
interrupt_when_answering $!
wait $!; code=$?
check "Ctrl-C stops ask" 130 . ''
mkfifo "$scratch/questions"
: >"$scratch/out"
"$program" chat $ramble <"$scratch/questions" >"$scratch/out" 2>"$scratch/err" &
chat=$!
exec 3>"$scratch/questions"
echo 'Tell me.' >&3
interrupt_when_answering $chat
echo '/help' >&3
exec 3>&-
wait $chat; code=$?
check "Ctrl-C stops an answer, the chat goes on" 0 '^  /image FILE' ''
"$program" chat <"$scratch/questions" >"$scratch/out" 2>"$scratch/err" &
chat=$!
exec 3>"$scratch/questions"
sleep 0.5
kill -INT $chat
wait $chat; code=$?
exec 3>&-
check "Ctrl-C between questions leaves" 130 '' ''

# --- eval and inspect -----------------------------------------------------------------------------
# All 114 questions that ship with the model are asked by another test; here it is about counting.
demo=$PWD/$model/demo
cat >"$scratch/q.json" <<END
[{"image": "$demo/000.png", "kind": "chart", "question": "How many bars are there?", "answer": " There are 4 bars.\n",
  "reference_ids": [307, 300, 220, 19, 408, 13, 534]},
 {"image": "$demo/000.png", "kind": "chart", "question": "Which bar is the tallest?", "answer": "The red bar."},
 {"kind": "words", "question": "How many bars are there?", "answer": "None.", "reference_ids": [1, 2]}]
END
run eval --json --show-wrong "$scratch/q.json"
check_json "eval --json" 0 '"questions":3,"correct":1,"referenced":2,"reference_identical":1,"failed":0.*"got":"The green bar\."' ''
run eval "$scratch/q.json"; check "eval" 0 '^chart +1/2 \(50 %\) +1/1 \(100 %\)' ''
run inspect; check "inspect" 0 '^total +4\.91 M' ''
run inspect --tensors $model; check "inspect --tensors" 0 'language +BF16 +\(576, 192\) +model\.language_model\.embed_tokens\.weight' ''
run inspect --json --tensors $model; check_json "inspect --json" 0 '"parameters":4914881' ''

# --- convert --------------------------------------------------------------------------------------
run convert; check "convert without arguments" 2 '' 'a directory and a file are expected'
run convert $model "$scratch/model.bin"; check "convert to a file of another kind" 2 '' 'has to end in \.gguf'
run convert --type q3 $model "$scratch/m.gguf"; check "a type there is not" 2 '' 'is none of f32, bf16, f16, q8_0, q4_0, q4_k, q6_k'
run convert no/such "$scratch/m.gguf"; check "convert what is not there" 1 '' 'no/such: no such directory'
run convert LICENSE "$scratch/m.gguf"; check "convert a file" 1 '' 'LICENSE: is no directory'
run convert $model "$scratch/no/m.gguf"; check "convert to where nothing can be written" 1 '' 'cannot be created'
run convert $model "$scratch/m.gguf"; check "convert" 0 'm\.gguf: 5\.54 MiB' ''
run ask -m "$scratch/m.gguf" -i $model/demo/000.png "Which bar is the tallest?"
check "a GGUF file answers" 0 '^The green bar\.$' ''
run convert --split --type q4_0 $model "$scratch/t.gguf"; check "convert --split" 0 'mmproj-t\.gguf' ''
run ask -m "$scratch/t.gguf" -i $model/demo/000.png "Which bar is the tallest?"
check "two GGUF files answer" 0 '^The green bar\.$' ''
run ask -m "$scratch/mmproj-t.gguf" hi; check "the towers alone" 1 '' 'name the file with the text'
run ask -m "$scratch/t.gguf" --mmproj gone.gguf hi; check "towers that are not there" 1 '' 'gone\.gguf: no such file'
run inspect "$scratch/m.gguf"; check "inspect a GGUF file" 0 '^layout +gguf, hybrid' ''
head -c 100000 "$scratch/m.gguf" >"$scratch/cut.gguf"
run ask -m "$scratch/cut.gguf" hi; check "a GGUF file that was cut" 1 '' 'cut\.gguf: '

# --- files are there whole or not at all ------------------------------------------------------------
mkdir "$scratch/files" "$scratch/files/folder.gguf"
run convert $model "$scratch/files/folder.gguf"; check "convert to a folder" 1 '' 'folder\.gguf: is a folder'
sleep 0 & gone=$!
wait $gone 2>/dev/null
echo half >"$scratch/files/m.gguf.dsvl-$gone-0.part"
echo other >"$scratch/files/m.gguf.part"
"$program" convert -q $model "$scratch/files/m.gguf" >/dev/null 2>&1 & first=$!
"$program" convert -q --type q4_0 $model "$scratch/files/m.gguf" >/dev/null 2>&1 & second=$!
wait $first && wait $second; code=$?; : >"$scratch/out"; : >"$scratch/err"
check "two conversions to one name" 0 '' ''
run ask -m "$scratch/files/m.gguf" -i $model/demo/000.png "Which bar is the tallest?"
check "two conversions to one name leave a whole file" 0 '^The green bar\.$' ''
run convert $model "$scratch/files/m.gguf"
check "what a killed conversion left is named" 0 'm\.gguf: ' "m\.gguf\.dsvl-$gone-0\.part: 5 bytes .*delete it"
ls "$scratch/files" >"$scratch/out"; : >"$scratch/err"; code=$(ls "$scratch/files" | wc -l)
check "and stays, as does a file of another's" 4 "m\.gguf\.dsvl-$gone-0\.part" ''
(ulimit -f 1000; "$program" convert $model "$scratch/files/m.gguf" >"$scratch/out" 2>"$scratch/err" </dev/null); code=$?
check "a file larger than the shell's limit" 1 '' 'm\.gguf: cannot be written: .*ulimit -f'
run ask -m "$scratch/files/m.gguf" -i $model/demo/000.png "Which bar is the tallest?"
check "the model that was there stays" 0 '^The green bar\.$' ''
(ulimit -f 1000; "$program" synth --size 1.3b "$scratch/none" >"$scratch/out" 2>"$scratch/err" </dev/null); code=$?
check "synth where files may not be that large" 1 '' 'model\.safetensors: cannot be written: .*ulimit -f'
ls "$scratch/none" >"$scratch/out"; : >"$scratch/err"; code=$?
check "a synth that failed leaves nothing" 0 '' ''
"$program" synth --size 1.3b "$scratch/killed" >/dev/null 2>&1 & synth=$!
until ls "$scratch"/killed/*.part >/dev/null 2>&1 || ! kill -0 $synth 2>/dev/null; do sleep 0.01; done
kill -9 $synth; wait $synth 2>/dev/null
ls "$scratch/killed" >"$scratch/out"; : >"$scratch/err"; code=$(ls "$scratch/killed" | wc -l)
check "a synth that was killed leaves no checkpoint that looks complete" 1 '^model\.safetensors\.dsvl-[0-9]+-0\.part$' ''
rm -rf "$scratch/killed"

# --- what only terminals get ------------------------------------------------------------------------
on_terminal() {  # runs on a pseudo-terminal, where there is the tool for it
  script -qec "$*" /dev/null >"$scratch/out" 2>"$scratch/err" </dev/null
  code=$?
}
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
  escape=$(printf '\033')
  on_terminal env -u NO_COLOR TERM=xterm "'$program'" aks
  check "colours on a terminal" 2 "$escape\\[1;31merror" ''
  on_terminal env NO_COLOR=1 TERM=xterm "'$program'" aks
  check "NO_COLOR" 2 'dsvl: error: unknown command aks' ''
  on_terminal env -u NO_COLOR TERM=dumb "'$program'" aks
  check "a terminal without colours" 2 'dsvl: error: unknown command aks' ''
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
