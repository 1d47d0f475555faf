# What the scripts of this folder share: a folder for scratch, counts, runs of $program, and checks of what the last run
# gave, which leaves out and err there and its exit code in $code. They read it from the top of the repository.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# capture COMMAND...: runs it without input, and keeps what it gives.
capture() {
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  code=$?
}
# run ARGUMENT...: dsvl with these; a script about one command puts that in front.
run() { capture "$program" "$@"; }

ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() {
  failed=$((failed + 1))
  echo "FAILED  $1"
  sed 's/^/          | /' "$scratch/out" "$scratch/err" | head -n 20
}
# check NAME EXIT_CODE OUT ERR: what the last run gave; OUT and ERR are extended regular expressions, empty for no output.
check() {
  local name=$1 wrong=
  [ "$code" -eq "$2" ] || wrong="exit code $code, not $2"
  matches "$scratch/out" "$3" || wrong="$wrong; stdout is not as expected"
  matches "$scratch/err" "$4" || wrong="$wrong; stderr is not as expected"
  if [ -z "$wrong" ]; then ok "$name"; else bad "$name: ${wrong#; }"; fi
}
# same NAME FILE FILE: they have the same bytes.
same() { if cmp -s "$2" "$3"; then ok "$1"; else bad "$1: $2 and $3 differ"; fi; }
matches() { if [ -z "$2" ]; then [ ! -s "$1" ]; else grep -Eq -- "$2" "$1"; fi; }
