#!/usr/bin/env bash
# Answers that programs use, on the command line: what holds them, records of them, and how sure choices are.
#   tests/cli/answers.sh PROGRAM SOURCE_DIRECTORY
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
model=examples/models/tiny-vl
. tests/cli/checks.sh

shapes="$model/demo/002.png"

# --- each kind of constraint, answered whole --------------------------------------------------------
cat >"$scratch/form.json" <<'END'
{"type": "object", "properties": {"color": {"enum": ["red", "green", "blue"]},
  "count": {"type": "integer", "minimum": 0, "maximum": 20}},
 "required": ["color", "count"], "additionalProperties": false}
END
run ask -i $shapes --schema "$scratch/form.json" 'What is there?'
check "--schema: the answer has the form" 0 '^\{"color":"(red|green|blue)","count":[0-9]+\}$' ''
run ask -i $shapes --schema "$scratch/form.json" --pretty 'What is there?'
check "--pretty: it has a line for each member" 0 '^  "count": [0-9]+$' ''
run ask -i $shapes --schema "$scratch/form.json" --json 'What is there?'
check "--schema with --json: it says that the answer is whole" 0 '"whole": ?true' ''
run ask -i $shapes --regex '[A-Z][a-z]+ [a-z]{2,8}\.' 'Describe the image.'
check "--regex: the answer matches as a whole" 0 '^[A-Z][a-z]+ [a-z]{2,8}\.$' ''
run ask -i $shapes --choices 'square,circle,no idea' 'What is in the center?'
check "--choices: the answer is one of them" 0 '^(square|circle|no idea)$' ''
# What the model would say by itself is no JSON; held to any, it goes on for long where nothing bounds it.
run ask -i $shapes --any-json --json --max-tokens 200 'Is there a red triangle in the image?'
if [ "$code" = 0 ]; then
  check "--any-json: the answer is whole" 0 '"whole": ?true' ''
else
  check "--any-json: an answer that is cut says so" 1 '"whole": ?false' 'ended before it was whole'
fi
run ask -i $shapes --schema "$scratch/form.json" --max-tokens 3 'What is there?'
check "an answer that is cut is an error" 1 '^\{"c' 'ended before it was whole'

# --- what is wrong with them ------------------------------------------------------------------------
refuses() {  # refuses WHAT EXIT_CODE MESSAGE SCHEMA: this schema, with that message
  printf '%s' "$4" >"$scratch/bad.json"
  run ask --schema "$scratch/bad.json" hi
  check "--schema: $1" "$2" '' "--schema .*bad\.json: $3"
}
refuses "a keyword that is not enforced is named, with its place" 1 '"uniqueItems" at "#/properties/a"' \
  '{"properties": {"a": {"type": "array", "uniqueItems": true}}}'
refuses "a format that is not known is named" 1 '"format" at "#/items" is a format that is not enforced' '{"items": {"format": "email"}}'
refuses "a pattern that is not regular is named, with its place" 1 'at "#/pattern": .*look-around.* at character 2' '{"pattern": "(?=a)b"}'
refuses "a keyword with a wrong value is named" 1 '"minLength" at "#"' '{"minLength": -1}'
refuses "a file that is no JSON" 1 'the schema: byte 10: ' '{"type": '
run ask --schema no/such.json hi; check "--schema: a file that is not there" 1 '' '--schema no/such\.json: no such file'
run ask --schema '' hi; check "--schema: an empty name" 2 '' '--schema "": is empty'
run ask --regex '(a' hi; check "--regex: what is wrong with it, and where" 2 '' '--regex \(a: .*at character'
run ask --regex 'a\b' hi; check "--regex: what is not enforced is named" 2 '' '--regex a\\b: .*\\b'
run ask --regex '' hi; check "--regex: an empty one is a mistake" 2 '' '--regex "": is empty'
run ask --choices '' hi; check "--choices: an empty list is a mistake" 2 '' '--choices "": is empty'
run ask --choices a --any-json hi; check "two kinds at once are a mistake" 2 '' 'only one of --schema, --regex'
run ask --pretty hi; check "--pretty without JSON is a mistake" 2 '' '--pretty and --ascii go with'
run chat --choices '' ; check "chat knows them too" 2 '' '--choices "": is empty'

# --- records ----------------------------------------------------------------------------------------
bars="$model/demo/000.png"
run ask -i $bars --record "$scratch/record.json" 'How many bars are there?'
check "--record answers as ever" 0 '^There are 4 bars\.$' ''
run replay "$scratch/record.json"; check "replay: the same tokens" 0 '^the same 7 tokens, to the last bit' ''
run replay "$scratch/record.json" --threads 1 -m $model
check "replay with another number of threads: the same bits" 0 'to the last bit' ''
run ask -i $bars --record "$scratch/held.json" --schema "$scratch/form.json" --temperature 2 --seed 7 'What is there?'
check "--record of a constrained answer" 0 '^\{"color"' ''
mv "$scratch/form.json" "$scratch/gone.json"
run replay "$scratch/held.json"; check "replay: the record has the schema's text" 0 'to the last bit' ''
"$program" ask -i - --record "$scratch/pipe.json" 'How many bars are there?' <$bars >"$scratch/out" 2>"$scratch/err"
code=$?
check "--record of a picture from a pipe" 0 '^There are 4 bars\.$' ''
run replay "$scratch/pipe.json"; check "replay: the record has that picture" 0 'to the last bit' ''
echo 'How many bars are there?' | "$program" ask -i $bars --record "$scratch/asked.json" - >"$scratch/out" 2>"$scratch/err"
code=$?
check "--record of a question from a pipe" 0 '^There are 4 bars\.$' ''
run replay "$scratch/asked.json"; check "replay: the record has that question" 0 'to the last bit' ''
sed 's/"tokens":\[\[\([0-9]*\),\([^]]*\)\],\[[0-9]*,/"tokens":[[\1,\2],[407,/' "$scratch/record.json" >"$scratch/other.json"
run replay "$scratch/other.json"
check "replay names the first token that differs" 1 '^token 1 differs: " Yes" \(407\) was recorded, now it is " are"' ''
sed 's/"--seed","7"/"--seed","8"/' "$scratch/held.json" >"$scratch/other.json"
run replay "$scratch/other.json"; check "replay: another seed is another answer" 1 '^token [0-9]+ differs' ''
sed 's/"question":"How many/"question":"How few/' "$scratch/record.json" >"$scratch/other.json"
run replay "$scratch/other.json"
check "replay: a prompt that differs" 1 '^token [0-9]+ of the prompt differs: .* was recorded, now it is' ''
mkdir "$scratch/moved" && cp $model/demo/001.png "$scratch/moved/000.png"
run replay --pictures "$scratch/moved" "$scratch/record.json"
check "replay: another picture is named" 1 '^token [0-9]+ differs' 'moved/000\.png: is not the picture that was recorded'
sed 's/"kernels":"[^"]*"/"kernels":"abacus"/' "$scratch/record.json" >"$scratch/other.json"
run replay "$scratch/other.json"
check "replay: another instruction set is said" 0 'the same 7' 'the instruction set is another: .*recorded with abacus'
run replay; check "replay without a file" 2 '' 'one file is expected'
run replay no/such.json; check "replay of a file that is not there" 1 '' 'no/such\.json: no such file'
run replay $model/config.json; check "replay of a file of something else" 1 '' 'is no record of this version'
run ask -i $bars --record "$scratch/no/such/record.json" 'How many bars are there?'
check "a record that can not be written is an error" 1 'There are 4 bars' 'record\.json'

# --- how sure choices are ---------------------------------------------------------------------------
run eval --choices $model/demo/questions.json
check "eval --choices: a temperature halves the calibration error" 0 '^with a temperature .* 9[0-9]\.[0-9] % .* 0\.0[0-9]+ ' ''
run eval --choices --json $model/demo/questions.json
check "eval --choices --json" 0 '"questions":110,"choice_sets":13,.*"before":\{"accuracy":0\.9.*"after":\{' ''
echo '[{"question": "How many?", "answer": "4"}]' >"$scratch/q.json"
run eval --choices "$scratch/q.json"; check "eval --choices without choices" 1 '' 'no question has several choices'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
