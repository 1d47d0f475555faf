# What the example of every binding has to do, for the scripts that run one: it answers, and names a model that is not there.
#   check_example COMMAND...      of the example, which takes MODEL PICTURE QUESTION; wants $source and $work
check_example() {
  model=$source/examples/models/tiny-vl
  said=$("$@" "$model" "$model/demo/000.png" "Which bar is the tallest?" 2>"$work/errors")
  [ "$said" = "The green bar." ] || { echo "FAILED: $* says $said" >&2; cat "$work/errors" >&2; exit 1; }
  if "$@" no/such/model "$model/demo/000.png" "?" 2>"$work/errors" >/dev/null; then
    echo "FAILED: $* takes a model that is not there" >&2
    exit 1
  fi
  grep -q '^not_found: no/such/model' "$work/errors" || { cat "$work/errors" >&2; echo "FAILED: the error of $*" >&2; exit 1; }
  echo "the tests and the example"
}
