#!/bin/sh
# dsvl beside llama.cpp and ik_llama.cpp: decoding by 1 to 32 sessions, prompts, and decoding alone, run in turn.
#
#   peers.sh MODEL.gguf LLAMA_BIN IK_BIN OUT.json [WORK...]
#
# MODEL.gguf is the text half of `dsvl convert --split`, which all three read: the same weights. LLAMA_BIN and IK_BIN
# have llama-bench and llama-batched-bench of each, compiled for this machine's instruction set.
#
# WORK is what one process of each program measures (bench_peers says exactly what): pp512 a prompt, tg64 decoding
# alone, pl8 eight sessions, or several of pp and tg in one process, as in pp64,pp128,tg64. Default: all of the table
# in results.md. Every round runs all of WORK, each by the three programs one after another, beginning with another one
# each time, so that a slow minute meets all of them.
#
# Every run adds a line per figure to OUT.runs, and OUT.json is made from all lines there: so it can be interrupted at any
# time, and goes on with the same command; other models and works with the same OUT.json end up in it as well.
#
# Environment (defaults in brackets):
#   ROUNDS [12]   THREADS [2]   DSVL_BIN [build/bin], which has bench_peers
#   LIMIT         seconds: after the first, no run begins that would end later, by what it took before; then the exit is 3
#   LLAMA_VERSION, IK_VERSION   what OUT.json calls the two builds: a tag or a commit
#   LLAMA_FLAGS [-fa 1]   IK_FLAGS [-fa 1 -rtr 1]   for llama-bench
#   LLAMA_TOGETHER_FLAGS [-fa on]   IK_TOGETHER_FLAGS [-fa on -rtr]   for llama-batched-bench
#   SUMMARY       if set, nothing is run and OUT.json is made from what there is
set -eu
case ${1:-} in
  '' | -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac

absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
model=$(absolute "$1") llama=$(absolute "$2") ik=$(absolute "$3") out=$4
shift 4
[ $# -gt 0 ] || set -- pp64,pp128,pp512,tg64 pl1 pl2 pl4 pl5 pl8 pl16 pl17 pl32
runs=${out%.json}.runs
rounds=${ROUNDS:-12} threads=${THREADS:-2} dsvl=${DSVL_BIN:-build/bin}
llama_flags=${LLAMA_FLAGS:--fa 1} llama_together=${LLAMA_TOGETHER_FLAGS:--fa on}
ik_flags=${IK_FLAGS:--fa 1 -rtr 1} ik_together=${IK_TOGETHER_FLAGS:--fa on -rtr}
prompt=64 passes=32  # of pl; bench_peers has them too

# A model is called by its folder when the file has the name that --split gives it.
name=$(basename "$model" .gguf)
[ "$name" != model ] || name=$(basename "$(dirname "$model")")
began=$(date +%s)
# llama-batched-bench leaves a log where it runs, so the peers run in a folder that goes away.
scratch=$(mktemp -d) output=$scratch/output
trap 'rm -rf "$scratch"' EXIT
touch "$runs"

# Reads figures from the output of one program, as lines "WORK VALUE".
figures_of_dsvl() {
  grep -q '"passed":true' "$output" || { echo "bench_peers: a check failed" >&2; return 1; }
  tr '{},' '\n\n\n' <"$output" | awk -F'"' '
    /^"read_gbytes":/ { print "read", substr($3, 2) }
    /^"int8_gops":/ { print "bytes", substr($3, 2) }
    /^"name":/ { row = $4 }
    /^"of_read":/ { print row "_of_read", substr($3, 2) }
    /^"[a-z]+[0-9]+":$/ { figure = $2 }
    /^"value":/ { print figure, substr($3, 2) }'
}
figures_of_llama_bench() {
  awk -F'[:,]' '
    { gsub(/[ "]/, "") }
    $1 == "n_prompt" { prompt = $2 }
    $1 == "n_gen" { passes = $2 }
    $1 == "avg_ts" { print (prompt > 0 ? "pp" prompt : "tg" passes), $2 }' "$output"
}
# The table of llama-batched-bench, which both have: the eighth column is tokens/s of decoding.
figures_of_together() { awk -F'|' '$2 + 0 > 0 && $3 + 0 > 0 { print "pl" $4 + 0, $9 + 0 }' "$output"; }

# "64,128" of pp64,pp128,tg64 for the letters pp; 0 for none.
numbers() {
  echo "$2" | tr , '\n' | sed -n "s/^$1//p" | paste -sd, - | sed 's/^$/0/'
}

# Runs one program once.
measure() {
  program=$1 work=$2
  case $program-$work in
    dsvl-*) "$dsvl/bench_peers" "$model" "$threads" $(echo "$work" | tr , ' ') --json >"$output" && figures_of_dsvl ;;
    llama.cpp-pl*) together "$llama" "${work#pl}" $llama_together ;;
    llama.cpp-*) alone "$llama" "$work" $llama_flags ;;
    ik_llama.cpp-pl*) together "$ik" "${work#pl}" $ik_together ;;
    ik_llama.cpp-*) alone "$ik" "$work" $ik_flags ;;
  esac
}
alone() {
  bin=$1 work=$2
  shift 2
  cd "$scratch" && "$bin/llama-bench" -m "$model" -t "$threads" -p "$(numbers pp "$work")" -n "$(numbers tg "$work")" -r 1 "$@" -o json \
    >"$output" 2>/dev/null && figures_of_llama_bench
}
together() {
  bin=$1 sessions=$2
  shift 2
  cd "$scratch" && "$bin/llama-batched-bench" -m "$model" -t "$threads" -c $((sessions * (prompt + passes))) -b 2048 -ub 512 \
    -npp $prompt -ntg $passes -npl "$sessions" "$@" >"$output" 2>&1 && figures_of_together
}

# Whether the runs have it; and seconds that it took the last time.
has() { awk -v r="$1" -v m="$name" -v p="$2" -v w="${3##*,}" '$2 == r && $3 == m && $4 == p && $5 == w { found = 1 }
  END { exit !found }' "$runs"; }
took() { awk -v m="$name" -v p="$1" -v w="${2##*,}" '$3 == m && $4 == p && $5 == w { s = $7 } END { print s + 0 }' "$runs"; }

# OUT.json: a line for each figure, so that awk can read it too (plot.sh).
summarise() {
  awk -v llama="${LLAMA_VERSION:-unknown}" -v ik="${IK_VERSION:-unknown}" -v threads="$threads" \
    -v llama_flags="$llama_flags" -v ik_flags="$ik_flags" -v llama_together="$llama_together" -v ik_together="$ik_together" \
    -v processor="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    -v prompt=$prompt -v passes=$passes '
    function sorted(list, v,   n, i, j, t) {  # into v, which is cleared
      n = split(list, v, " ")
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
      return n
    }
    function at(v, n, q,   x, i) { x = 1 + q * (n - 1); i = int(x); return i < n ? v[i] + (x - i) * (v[i + 1] - v[i]) : v[n] }
    function spread(list,   n, v) {
      n = sorted(list, v)
      return sprintf("\"runs\": %d, \"median\": %.4g, \"quartiles\": [%.4g, %.4g], \"range\": [%.4g, %.4g]}",
                     n, at(v, n, 0.5), at(v, n, 0.25), at(v, n, 0.75), v[1], v[n])
    }
    function command(bench, together, flags, flags_together) {
      return sprintf("\"alone\": \"llama-bench -t %d -r 1 %s\", \"together\": \"llama-batched-bench -t %d -b 2048 -ub 512" \
                     " -npp %d -ntg %d -npl N %s\"", threads, flags, threads, prompt, passes, flags_together)
    }
    {
      key = $3 SUBSEP $5 SUBSEP $4
      if (!(key in all)) order[++keys] = key
      all[key] = all[key] " " $6
      one[key, $2] = $6
      if ($2 > last) last = $2
      if ($1 > date) date = $1
    }
    END {
      printf "{\n  \"processor\": \"%s\", \"threads\": %d, \"date\": \"%s\",\n", processor, threads, date
      print "  \"unit\": \"tokens/s; of all sessions where they are together (plN); read: GB/s; bytes: GOP/s; of_read: a share\","
      print "  \"programs\": {"
      printf "    \"dsvl\": {\"command\": \"bench_peers MODEL %d WORK --json\"},\n", threads
      printf "    \"ik_llama.cpp\": {\"version\": \"%s\", %s},\n", ik, command("", "", ik_flags, ik_together)
      printf "    \"llama.cpp\": {\"version\": \"%s\", %s}\n  },\n", llama, command("", "", llama_flags, llama_together)
      print "  \"results\": ["
      for (i = 1; i <= keys; i++) {
        split(order[i], k, SUBSEP)
        printf "    {\"model\": \"%s\", \"work\": \"%s\", \"program\": \"%s\", %s%s\n", k[1], k[2], k[3], spread(all[order[i]]),
               i < keys ? "," : ""
      }
      print "  ],\n  \"ratios\": ["
      separator = ""
      for (i = 1; i <= keys; i++) {
        split(order[i], k, SUBSEP)
        if (k[3] == "dsvl") continue
        pairs = ""
        for (r = 1; r <= last; r++) {
          ours = one[k[1], k[2], "dsvl", r]
          if (ours > 0 && one[order[i], r] > 0) pairs = pairs " " ours / one[order[i], r]
        }
        if (pairs == "") continue
        printf "%s    {\"model\": \"%s\", \"work\": \"%s\", \"dsvl_against\": \"%s\", %s", separator, k[1], k[2], k[3], spread(pairs)
        separator = ",\n"
      }
      print "\n  ]\n}"
    }' "$runs" >"$out"
}

order="dsvl ik_llama.cpp llama.cpp"
round=1 ran=
while [ -z "${SUMMARY:-}" ] && [ "$round" -le "$rounds" ]; do
  for work in "$@"; do
    for program in $order; do
      ! has "$round" "$program" "$work" || continue
      started=$(date +%s)
      if [ -n "$ran" ] && [ -n "${LIMIT:-}" ] && [ $((started - began + $(took "$program" "$work"))) -gt "$LIMIT" ]; then
        summarise
        echo "round $round of $rounds, $program $work: beyond the limit; the same command goes on from here" >&2
        exit 3
      fi
      ran=yes
      figures=$(measure "$program" "$work") && [ -n "$figures" ] || {
        echo "$program $work failed, and said:" >&2
        tail -n 20 "$output" >&2
        exit 1
      }
      lines=$(echo "$figures" | awk -v d="$(date -u +%F)" -v r="$round" -v m="$name" -v p="$program" \
        -v s=$(($(date +%s) - started)) '{ print d, r, m, p, $1, $2, s }')
      echo "$lines" >>"$runs"
      echo "$lines"
    done
  done
  round=$((round + 1))
  order="${order#* } ${order%% *}"
done
summarise
