#!/usr/bin/env bash
# The program dsvl as a user meets it: exit codes, messages, machine-readable output, chats through a pipe, Ctrl-C.
#   tests/cli/cli.sh PROGRAM SOURCE_DIRECTORY
set -u
set -m  # background programs get Ctrl-C's signal only under job control

program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
model=examples/models/tiny-vl
. tests/cli/checks.sh

# true when the file is one JSON value; without Python, when it looks like an object.
is_json() {
  if command -v python3 >/dev/null 2>&1; then python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$1" 2>/dev/null
  else grep -Eq '^\{.*\}$' "$1"; fi
}
check_json() {
  check "$@"
  if is_json "$scratch/out"; then ok "$1: valid JSON"; else bad "$1: not JSON"; fi
}

# run, with this in front of dsvl.
run_under() {
  local how=$1
  shift
  capture $how "$program" "$@"
}
big_endian() { printf "\\$(printf %o $(($1 >> 24 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 & 255)))"; }
# A PNG chunk from standard input; gzip's trailer has the checksum that PNG wants, the other way round.
png_chunk() {
  cat >"$scratch/chunk"
  big_endian "$(wc -c <"$scratch/chunk")"
  printf %s "$1" | cat - "$scratch/chunk" >"$scratch/typed"
  cat "$scratch/typed"
  gzip -c "$scratch/typed" | tail -c 8 | head -c 4 | od -An -tu1 | { read -r a b c d; big_endian $((d << 24 | c << 16 | b << 8 | a)); }
}
# black_png WIDTH HEIGHT: a gray picture without light; little to store, however large it is.
black_png() {
  local bytes=$((($1 + 1) * $2))
  printf '\211PNG\r\n\032\n'
  { big_endian "$1"; big_endian "$2"; printf '\010\000\000\000\000'; } | png_chunk IHDR
  head -c $bytes /dev/zero | gzip -n | tail -c +11 >"$scratch/deflated"
  { printf '\170\234'; head -c $(($(wc -c <"$scratch/deflated") - 8)) "$scratch/deflated"; big_endian $((bytes % 65521 << 16 | 1)); } | png_chunk IDAT
  png_chunk IEND </dev/null
}

# --- help, and mistakes in the arguments ----------------------------------------------------------
run; check "without arguments it explains itself on stderr" 2 '' '^Usage: dsvl COMMAND'
run --help; check "--help" 0 '^Usage: dsvl COMMAND' ''
run --version; check "--version" 0 '^dsvl [0-9]+\.[0-9]+\.[0-9]+ ' ''
for command in ask preview replay chat eval doctor inspect bench convert; do
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
run ask $model/demo/000.png; check "a picture for a question" 2 '' 'the question is the name of a file: .*000\.png'
run ask What is this; check "a question without quotes" 2 '' 'put the question in quotes'
run ask $model/demo/000.png 'What?'; check "a picture without -i" 2 '' 'pictures are named with -i'
run ask no/such.JPG 'What?'; check "a picture without -i that is not there" 2 '' 'pictures are named with -i'
run ask -m '' hi; check "an empty -m is a mistake, not the model that ships with dsvl" 2 '' '-m "": is empty, a path is needed'
run ask --model= hi; check "an empty --model= is a mistake too" 2 '' 'is empty, a path is needed'
run inspect ''; check "an empty MODEL is a mistake" 2 '' 'is empty, a path is needed'
run ask -i '' hi; check "an empty -i is a mistake, not a question without a picture" 2 '' '-i "": is empty, a path is needed'
run chat -i ''; check "an empty -i of chat is a mistake" 2 '' 'is empty, a path is needed'
run bench -i ''; check "an empty -i of bench is a mistake" 2 '' 'is empty, a path is needed'
run ask --mmproj '' hi; check "an empty --mmproj is a mistake" 2 '' 'is empty, a path is needed'
run ask --stop '' hi; check "an empty --stop is found before loading" 2 '' '--stop "": is empty, a text is needed'
run ask --context 0 hi; check "a context of nothing is a mistake" 2 '' 'must be from 1 to'
run ask --context -1 hi; check "a negative context is a mistake" 2 '' 'must be from 1 to'
run ask --context 1025 hi; check "a context beyond the model's positions is a mistake" 2 '' 'the model has positions for 1024'
mkdir "$scratch/no_weights" && cp $model/*.json "$scratch/no_weights"
run ask -m "$scratch/no_weights" --context 1025 hi; check "an impossible context is found before weights are read" 2 '' 'positions for 1024'
run ask -m "$scratch/no_weights" --context 1024 hi; check "a possible one is not the mistake" 1 '' 'model\.safetensors: no such file'
run inspect --help; check "inspect --help says that a .gguf works" 0 '\.gguf file; without it' ''
run bench --help; check "bench --help says that a .gguf works" 0 '\.gguf file; without it' ''
run eval --help; check "eval --help says how answers are compared" 0 'letter by letter; only white space at both ends' ''
run chat hello; check "chat takes no question" 2 '' 'unexpected argument hello'
run eval; check "eval without a file" 2 '' 'no file of questions'

# --- files that are not what they should be ---------------------------------------------------------
head -c 3000 $model/demo/000.png >"$scratch/cut.png"
echo 'no picture' >"$scratch/text.png"
run ask -i no/such.png hi; check "a picture that is not there" 1 '' 'error: no/such\.png: no such file'
run ask -i $model hi; check "a directory for a picture" 1 '' 'is a directory, a picture is needed'
run ask -i http://example.org/a.png hi; check "a web address for a picture" 1 '' 'is a web address, files and pipes are read'
run ask -i "$scratch/cut.png" hi; check "a picture that was cut off" 1 '' 'cut\.png: .*truncated'
run ask -i "$scratch/text.png" hi; check "a text for a picture" 1 '' 'neither a PNG nor a JPEG'
run ask -m no/such/model hi; check "a model that is not there" 1 '' 'no/such/model: no such file or directory'
run ask -m "$scratch" hi; check "a directory without a model" 1 '' 'config\.json: no such file'
run ask -m LICENSE hi; check "a file for a model" 1 '' 'LICENSE: .*GGUF'
run inspect no/such/model; check "inspect without a model" 1 '' 'a model is a directory with'
run eval no/such.json; check "questions that are not there" 1 '' 'no/such\.json: no such file'
run eval $model/config.json; check "a JSON file of something else" 1 '' 'is no list of questions'
echo '[{"question": "How many?"}]' >"$scratch/q.json"
run eval "$scratch/q.json"; check "a question without its answer" 1 '' 'entry 0 has no string "answer"'
echo '[{"image": "gone.png", "question": "How many?", "answer": "4"}]' >"$scratch/q.json"
run eval "$scratch/q.json"; check "a question whose picture is missing" 1 '1 could not be asked' 'gone\.png: no such file'
run ask --context 20 'How many bars are there?'; check "a context that is too short" 1 '' '--context N allows more, up to 1024'
run ask "$(head -c 5000 /dev/zero | tr '\0' a)"; check "a question that is too long for the model" 1 '' 'all that the model has positions for'
run ask "$(printf '\377')"; check "a question that is not UTF-8" 1 '' 'not UTF-8'

# What is no PNG and no JPEG is called what it is.
of_kind() {  # of_kind NAME OCTAL_BYTES: a picture that begins with these
  printf "$2" >"$scratch/other.png"
  head -c 300 /dev/zero >>"$scratch/other.png"
  run ask -i "$scratch/other.png" hi
  check "a $1 picture is called by its name, with what to do" 1 '' "other\.png: (is an? $1 picture; dsvl reads PNG and JPEG: convert it|lib(webp|heif))"
}
of_kind WebP 'RIFF\044\000\000\000WEBPVP8 '
of_kind GIF 'GIF89a'
of_kind BMP 'BM\066\004\000\000\000\000\000\000\066\000\000\000\050\000\000\000'
of_kind TIFF 'II\052\000\010\000\000\000'
of_kind HEIC '\000\000\000\030ftypheic'
of_kind AVIF '\000\000\000\030ftypavif'
# Those that the program has a library for are read.
run ask --help; formats=$(cat "$scratch/out")
for format in WebP AVIF; do
  case $formats in
    *"$format"*)
      run ask -i "tests/data/pictures/bars.$(echo $format | tr A-Z a-z)" 'Which bar is the tallest?'
      check "a $format picture is asked about" 0 'The green bar' '' ;;
    *) echo "SKIPPED: this program was built without a library for $format" ;;
  esac
done
# A model's files of other kinds, too.
mkdir "$scratch/kinds" && cp $model/*.json "$scratch/kinds"
of_weights() {  # of_weights WHAT BYTES WORDS
  printf "$2" >"$scratch/kinds/model.safetensors"
  run ask -m "$scratch/kinds" hi; check "$1 for weights" 1 '' "model\.safetensors: .*$3"
  run doctor "$scratch/kinds"; check "doctor of a model with $1 for weights" 1 "WRONG .*$3" ''
  cp "$scratch/kinds/model.safetensors" "$scratch/alone.gguf"
  run ask -m "$scratch/alone.gguf" hi; check "$1 for a .gguf file" 1 '' "alone\.gguf: .*$3"
}
of_weights "a pointer of Git LFS" 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' 'a pointer of Git LFS'
of_weights "a web page" '<!DOCTYPE html><html>Sign in</html>' 'a web page'
of_weights "a zip archive" 'PK\003\004\024\000\000\000\010\000' 'a zip archive'
mkdir "$scratch/lora" && echo '{"peft_type": "LORA"}' >"$scratch/lora/adapter_config.json"
run ask -m "$scratch/lora" hi; check "a folder with a LoRA adapter says how to merge it" 1 '' 'merge'

# What may not be entered or read; root may do everything, so it becomes nobody.
as_user=
[ "$(id -u)" = 0 ] && as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"
mkdir "$scratch/closed" && cp $model/demo/000.png "$scratch/closed/p.png" && cp $model/config.json "$scratch/closed/"
cp $model/demo/000.png "$scratch/closed.png"
chmod 755 "$scratch" && chmod 0 "$scratch/closed" "$scratch/closed.png"
if $as_user test -x "$program" -a -r "$PWD/$model/config.json" && ! $as_user test -r "$scratch/closed.png"; then
  run_under "$as_user" ask -i "$scratch/closed/p.png" hi; check "a picture in a folder that may not be entered" 1 '' 'p\.png: permission denied'
  run_under "$as_user" ask -i "$scratch/closed.png" hi; check "a picture that may not be read" 1 '' 'closed\.png: permission denied'
  run_under "$as_user" ask -m "$scratch/closed" hi; check "a model's folder that may not be entered" 1 '' 'permission denied'
  run_under "$as_user" ask -m "$scratch/closed/sub" hi; check "a model in a folder that may not be entered" 1 '' 'sub: permission denied'
  run_under "$as_user" eval "$scratch/closed/q.json"; check "questions in a folder that may not be entered" 1 '' 'q\.json: permission denied'
  run_under "$as_user" convert "$scratch/closed/sub" "$scratch/x.gguf"; check "a folder to convert that may not be entered" 1 '' 'sub: permission denied'
else
  echo "SKIPPED: this user may read everything, so what permission denied says was not checked"
fi
chmod 700 "$scratch/closed"

# A picture of 400 megapixels is refused; one of 64 megapixels takes memory, and there may be none.
black_png 20000 20000 >"$scratch/huge.png"
run ask -i "$scratch/huge.png" hi; check "a picture that is too large says how large it may be" 1 '' 'huge\.png: 20000 x 20000 pixels are more than is accepted'
black_png 8000 8000 >"$scratch/large.png"
if (ulimit -v 400000 && "$program" ask 'Hello?' >/dev/null 2>&1); then
  (ulimit -v 400000; "$program" ask -i "$scratch/large.png" hi) >"$scratch/out" 2>"$scratch/err" </dev/null; code=$?
  check "no memory for a picture" 1 '' 'large\.png: no memory'
  if grep -q -- --context "$scratch/err" || ! grep -q 'a smaller picture' "$scratch/err"; then
    bad "no memory for a picture advises a smaller picture, not a smaller context"
  else ok "no memory for a picture advises a smaller picture, not a smaller context"; fi
fi

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
run ask -v -i $model/demo/000.png 'What is this?'
check "-v says what the model saw of a picture" 0 . '000\.png: 256 x 206 pixels, scaled to 256 x 206, padded 25 above and 25 below to 256 x 256, and that to 128 x 128, 64 tokens$'
# --- regions, previews and what was looked at -------------------------------------------------------
run ask -v -i $model/demo/002.png --region 64,32,128,64 'What is this?'
check "--region shows a part of the picture behind the whole" 0 . '002\.png: 640 x 437 pixels, .*'
if grep -q '002\.png (128 x 64 at 64, 32): 128 x 64 of 640 x 437 pixels, scaled to 256 x 128' "$scratch/err"; then
  ok "-v says which part of which picture"; else bad "-v says which part of which picture"; fi
run ask --region 1,2,3,4 -i $model/demo/002.png hi; check "--region belongs to the picture in front of it" 2 '' 'needs a picture in front of it: -i FILE --region'
for bad_region in 1,2,3 1,2,3,4,5 1,2,3,x 1,2,0,4 -1,2,3,4 1.5,2,3,4 '' ' 1,2,3,4'; do
  run ask -i $model/demo/002.png "--region=$bad_region" hi; check "--region=$bad_region is no region" 2 '' 'needs four whole numbers, X,Y,WIDTH,HEIGHT'
done
run ask -i $model/demo/002.png --region 600,0,41,10 hi; check "a region beyond the picture" 1 '' '002\.png \(41 x 10 at 600, 0\): a region of 41 x 10 pixels at \(600, 0\) is not within the picture, which has 640 x 437'
run preview -i $model/demo/002.png "$scratch/seen.png"; check "preview says what it has written" 0 '002\.png: 640 x 437 pixels, scaled to 256 x 175, padded' ''
run ask -v -i "$scratch/seen.png" 'What is this?'; check "preview writes a picture of the tower's size, enlarged to be seen" 0 . 'seen\.png: 512 x 512 pixels'
run preview --grid --low -i $model/demo/002.png --region 64,32,128,64 "$scratch/grid.png"; check "preview of a region, with the grid, of the low view" 0 '128 x 64 of 640 x 437 pixels' ''
run ask -v -i "$scratch/grid.png" 'What is this?'; check "a preview with a grid is a picture" 0 . 'grid\.png: 512 x 512 pixels'
run preview "$scratch/seen.png"; check "preview without a picture" 2 '' 'one picture is expected, named with -i'
run preview -i $model/demo/002.png; check "preview without a file to write" 2 '' 'one file to write is expected'
run preview -i $model/demo/002.png "$scratch/seen.jpg"; check "preview writes PNG only" 2 '' 'has to end in \.png'
run preview -i $model/demo/002.png "$scratch/no/such.png"; check "preview into no folder" 1 '' 'error: .*such\.png'
run preview -i "$scratch/cut.png" "$scratch/seen2.png"; check "preview of a broken picture" 1 '' 'error: .*cut\.png: .*truncated'
if [ ! -e "$scratch/seen2.png" ]; then ok "a preview that failed leaves no file"; else bad "a preview that failed leaves no file"; fi
run ask -i $model/demo/002.png --attention "$scratch/looked.png" 'Describe the image.'
cp "$scratch/out" "$scratch/watched"; check "--attention leaves the answer alone" 0 '^A small blue square at the top right' ''
run ask -i $model/demo/002.png 'Describe the image.'; cmp -s "$scratch/out" "$scratch/watched" && ok "and without it the answer is the same" || bad "and without it the answer is the same"
run ask -v -i "$scratch/looked.png" 'What is this?'; check "--attention writes the picture without its padding" 0 . 'looked\.png: 640 x 43[78] pixels'
run ask --json -i $model/demo/002.png -i $model/demo/003.png --attention "$scratch/both.png" 'Describe the image.'
check_json "--json says what was looked at" 0 '"attention":\{"share":0\.[0-9]+,"strongest":\{"x":[0-9.]+,"y":[0-9.]+,"width":[0-9.]+' ''
run ask --attention "$scratch/x.png" hi; check "--attention without a picture" 2 '' '--attention is about pictures, and there is none'
run ask -i $model/demo/002.png --attention "$scratch/x.jpg" hi; check "--attention writes PNG only" 2 '' 'has to end in \.png'
run ask -i $model/demo/002.png --attention "$scratch/no/such.png" 'What is this?'; check "--attention into no folder: the answer was said" 1 '.' 'error: .*such\.png'
run ask -v -i $model/demo/000.png -i $model/demo/000.png 'What is this?'
check "-v says of a picture that was recognised what it is, and that it was known" 0 . '000\.png: 256 x 206 pixels, .* 64 tokens, known from before$'
{ head -c 2 tests/data/tiny-vl/jpeg/000.jpg
  printf '\377\341\000\042Exif\000\000MM\000\052\000\000\000\010\000\001\001\022\000\003\000\000\000\001\000\006\000\000\000\000\000\000'
  tail -c +3 tests/data/tiny-vl/jpeg/000.jpg; } >"$scratch/side.jpg"
run ask -v -i "$scratch/side.jpg" 'What is this?'
check "-v says that a photo lies on its side, and what turns it" 0 . 'side\.jpg: 256 x 206 pixels, not turned as its EXIF orientation 6 says \(--exif does\), scaled to 256 x 206'
run ask -v --exif -i "$scratch/side.jpg" 'What is this?'
check "-v says that a photo was turned upright" 0 . 'side\.jpg: 206 x 256 pixels, turned upright \(EXIF orientation 6\), scaled to 206 x 256'
run ask --json -i "$scratch/side.jpg" 'What is this?'
check_json "--json says what the model saw" 0 '"pictures":\[\{"file":"[^"]*side\.jpg","width":256,"height":206,"orientation":6,"turned":false,"tokens":64' ''
run ask -i tests/data/clear.png 'How many bars are there?'; check "alpha is dropped" 0 '^There are 4 bars\.$' ''
for white in '#FFffff' ffffff; do
  run ask --background $white -i tests/data/clear.png 'How many bars are there?'
  check "--background $white: nothing of a picture that is all transparent is seen" 0 . ''
  if grep -q '4 bars' "$scratch/out"; then bad "--background lies behind"; else ok "--background lies behind"; fi
done
run ask --background white -i $model/demo/000.png hi; check "--background takes no names" 2 '' 'background.*six hexadecimal digits'
run ask --stop bars -i $model/demo/000.png 'How many bars are there?'; check "--stop" 0 '^There are 4 *$' ''
run ask --json --deadline 0.001 -i $model/demo/000.png 'How many bars are there?'
check "an answer that a deadline ends says so" 0 '"finish": *"deadline"' ''
run ask --deadline 1 --record "$scratch/never" 'Hello?'
check "a deadline is not recorded" 2 '' '--deadline and --record do not go together'
run ask --json --max-tokens 2 -i $model/demo/000.png 'How many bars are there?'
check_json "--json" 0 '"text":"There are".*"token_ids":\[[0-9]+,[0-9]+\].*"finish":"length".*"prompt_tokens":160.*"seconds":\{' ''
"$program" ask -i - 'How many bars are there?' <$model/demo/000.png >"$scratch/out" 2>"$scratch/err"; code=$?
check "-i - reads a picture from standard input" 0 '^There are 4 bars\.$' ''
cat $model/demo/000.png | "$program" ask -i - 'How many bars are there?' >"$scratch/out" 2>"$scratch/err"; code=$?
check "-i - reads a picture from a pipe" 0 '^There are 4 bars\.$' ''
cat $model/demo/000.png | "$program" ask -i /dev/stdin 'How many bars are there?' >"$scratch/out" 2>"$scratch/err"; code=$?
check "/dev/stdin is a picture too" 0 '^There are 4 bars\.$' ''
"$program" ask -i <(cat $model/demo/000.png) -i <(cat $model/demo/002.png) 'What is this?' >"$scratch/out" 2>"$scratch/err"; code=$?
check "process substitutions are pictures" 0 . ''
mkfifo "$scratch/fifo" && { cat $model/demo/000.png >"$scratch/fifo" & }
run ask -i "$scratch/fifo" 'How many bars are there?'; check "a named pipe is a picture" 0 '^There are 4 bars\.$' ''
echo 'How many bars are there?' | "$program" ask -i <(cat $model/demo/000.png) - >"$scratch/out" 2>"$scratch/err"; code=$?
check "a question from standard input, a picture from another pipe" 0 '^There are 4 bars\.$' ''
run ask -i - -; check "standard input cannot be the question and a picture" 2 '' 'standard input has the question, so it can not be a picture too'
run ask -i - -i /dev/stdin hi; check "standard input cannot be two pictures" 2 '' 'standard input can be one picture, not 2'
run chat -i -; check "chat's standard input has the questions" 2 '' 'standard input has the questions, so it can not be a picture too'
run ask -i - hi; check "nothing on standard input is no picture" 1 '' 'standard input: is empty'
echo hello | "$program" ask -i - hi >"$scratch/out" 2>"$scratch/err"; code=$?
check "a text on standard input is no picture, and is called by its name" 1 '' 'error: standard input: is neither'
run ask -i /dev/zero hi; check "a pipe without an end is left after what a picture may have" 1 '' '/dev/zero: gives more than the 256 MiB'
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
cp $model/demo/000.png "$scratch/my photo.png"
chat < <(printf '%s\n' "/image $scratch/cut.png $model/demo/000.png" 'How many bars are there?' 'How many bars are there?')
check "when one of several pictures fails, it says which, and the others wait for the next question" 1 '^There are 4 bars\.$' 'cut\.png: .*truncated'
check "and it names those that wait" 1 . 'still waiting for a question: .*demo/000\.png$'
chat < <(printf '%s\n' "/image $model/demo/000.png" "$(head -c 20000 /dev/zero | tr '\0' a)" 'How many bars are there?')
check "when a question fails, its picture waits for the next" 1 '^There are 4 bars\.$' 'a turn with 20000 bytes of text is too long'
chat < <(printf '%s\n' "/image $scratch/my photo.png" 'How many bars are there?')
check "/image takes a name with spaces" 0 '^There are 4 bars\.$' ''
chat < <(printf '%s\n' "/image $scratch/my\\ photo.png" 'How many bars are there?')
check "/image takes a name as terminals write it, with a backslash before a space" 0 '^There are 4 bars\.$' ''
chat < <(printf '%s\n' "/image '$scratch/my photo.png'" 'How many bars are there?')
check "/image takes a name in quotes" 0 '^There are 4 bars\.$' ''
HOME=$scratch chat < <(printf '%s\n' '/image ~/my\ photo.png' 'How many bars are there?')
check "/image knows ~" 0 '^There are 4 bars\.$' ''
chat -v < <(printf '%s\n' "/image $model/demo/000.png '$scratch/my photo.png' $scratch/side.jpg" 'What is this?')
check "/image takes several files in a line" 0 . 'side\.jpg: 256 x 206 pixels'
chat < <(printf '%s\n' "$PWD/$model/demo/000.png"); check "a file without /image" 1 '' 'to add the picture: /image '
chat < <(printf '%s\n' '/image /dev/stdin' '/image ""'); check "/image of what is no file" 1 '' "'/dev/stdin' is no file"
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

"$program" ask -i "$scratch/fifo" hi >"$scratch/out" 2>"$scratch/err" </dev/null &
waiting=$!
sleep 0.3
kill -INT $waiting
wait $waiting; code=$?
check "Ctrl-C ends the waiting for a pipe's writer" 130 '' ''
"$program" bench --runs 1000 >"$scratch/out" 2>"$scratch/err" </dev/null &
bench=$!
sleep 0.5
kill -INT $bench
wait $bench; code=$?
check "the first Ctrl-C stops bench" 130 '' ''

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
check "inspect says where each setting came from" 0 '^preprocess\.low\.mean +[0-9. ]+ +preprocessor_config\.json: ' ''
run inspect --tensors $model; check "inspect --tensors" 0 'language +BF16 +\(576, 192\) +model\.language_model\.embed_tokens\.weight' ''
run inspect --json --tensors $model; check_json "inspect --json" 0 '"parameters":4914881.*"settings":\[\{"name":"preprocess[^"]*","value":"[^"]+","origin":"' ''

# --- doctor ---------------------------------------------------------------------------------------
run doctor; check "doctor of a model that is well" 0 '^All is well\.$' ''
check "doctor says which kind and layout" 0 '^ok +model +DeepSeek-VL of 4\.91 M parameters in BF16, layout hf, hybrid' ''
check "doctor says where each setting came from" 0 '^preprocess\.low\.mean +[0-9. ]+ +preprocessor_config\.json: ' ''
check "doctor says what memory it takes" 0 '^ok +memory +takes [0-9.]+ MiB, and 9\.4 MiB of weights' ''
check "doctor says how long the first word takes, and the others, and what was measured" 0 'first word about a picture after .*, then .* a token .*measured with a picture of 640 x 480' ''
run doctor --json $model; check_json "doctor --json" 0 '"ok":true.*"memory":\{"peak":[0-9]+.*"speed":\{"first_word":' ''
run doctor "$scratch/no_weights"; check "doctor of a model without weights" 1 'WRONG +model .*model\.safetensors: no such file' ''
check "doctor says what to do" 1 '^ +to do: fetch the model' ''
mkdir "$scratch/damaged" && cp $model/*.json "$scratch/damaged" && head -c 1000000 $model/model.safetensors >"$scratch/damaged/model.safetensors"
run doctor --json "$scratch/damaged"; check_json "doctor of a download that ended early" 1 '"ok":false.*truncated' ''
cp $model/model.safetensors "$scratch/damaged/" && rm "$scratch/damaged/tokenizer.json"
run doctor "$scratch/damaged"; check "doctor of a model without a tokenizer" 1 'WRONG +tokenizer .*can not be asked in words' ''
rm "$scratch/damaged/model.safetensors"
echo '{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}' >"$scratch/damaged/model.safetensors.index.json"
run doctor "$scratch/damaged"; check "doctor names the files that are missing" 1 'not there: model-00001-of-00002\.safetensors, model-00002-of-00002\.safetensors' ''
mkdir "$scratch/empty" && run doctor "$scratch/empty"; check "doctor of a folder without a model" 1 'WRONG +files +there is no config\.json' ''
run doctor no/such; check "doctor of what is not there" 1 '' 'no/such: no such file or directory'
run doctor --context 1025; check "doctor of an impossible context" 1 'WRONG +memory .*positions for 1024' ''

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
cp "$scratch/m.gguf" "$scratch/model-without-a-name"
run ask -m "$scratch/model-without-a-name" -i $model/demo/000.png "Which bar is the tallest?"
check "a GGUF file answers whatever it is called" 0 '^The green bar\.$' ''
mkdir "$scratch/elsewhere" && mv "$scratch/mmproj-t.gguf" "$scratch/elsewhere/towers.gguf"
run ask -m "$scratch/t.gguf" --mmproj "$scratch/elsewhere/towers.gguf" -i $model/demo/000.png "Which bar is the tallest?"
check "--mmproj takes any path" 0 '^The green bar\.$' ''
(cd "$scratch/elsewhere" && "$program" ask -m ../t.gguf --mmproj towers.gguf -i "$demo/000.png" "Which bar is the tallest?") >"$scratch/out" 2>"$scratch/err"; code=$?
check "--mmproj is relative to where the user stands" 0 '^The green bar\.$' ''
run ask -m "$scratch/t.gguf" --mmproj "$scratch/elsewhere" hi; check "--mmproj of a folder is an error" 1 '' 'elsewhere: is a folder'
run ask -m "$scratch/t.gguf" --mmproj "$scratch/m.gguf" hi; check "--mmproj of a whole model is an error" 1 '' 'm\.gguf: '
run doctor "$scratch/t.gguf" --mmproj "$scratch/elsewhere/towers.gguf"; check "doctor of two GGUF files" 0 '^ok +model .*layout gguf' ''
mv "$scratch/elsewhere/towers.gguf" "$scratch/mmproj-t.gguf"
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
