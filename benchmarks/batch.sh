#!/bin/sh
# dsvl batch against what it replaces, run in turn: how much faster, how much memory, how idle the processors.
#
#   batch.sh [MODEL.gguf] >OUT.json
#
# With tiny-vl: the demo's 114 questions nine times over and PICTURES different pictures, both against a shell loop of
# `dsvl ask`; memory of 10 000 inputs against that of 100; two processes of one thread, by each launcher that is here,
# against one of two; the share of processor time that is left idle. With MODEL.gguf, which is to be of full size
# (dsvl synth --size 1.3b, dsvl convert --type q4_0): --sessions 8 against --sessions 1, for one question per picture,
# eight per picture, and short texts.
#
# Each figure is a ratio of two runs, one behind the other, the order changing from round to round; the median of ROUNDS
# rounds is printed, and every round. Runs of `dsvl ask` ask LOOP of the questions, and are scaled to all.
#
# Environment (defaults in brackets):
#   ROUNDS [3]    THREADS [2]    DSVL [build/bin/dsvl]    PICTURES [1000]    LOOP [114]
#   ASKED [8]     pictures that MODEL.gguf sees, and a quarter of its texts
#   ONLY          names of the figures to measure, as they stand in OUT.json; default: all
set -eu
case ${1:-} in
  -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac
cd "$(dirname "$0")/.."

model=${1:-}
rounds=${ROUNDS:-3} threads=${THREADS:-2} dsvl=${DSVL:-build/bin/dsvl} pictures=${PICTURES:-1000} loop=${LOOP:-114}
asked=${ASKED:-8} only=${ONLY:-}
tiny=examples/models/tiny-vl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command -v python3 >/dev/null 2>&1 || { echo "batch.sh: python3 makes the inputs and measures; it is not here" >&2; exit 1; }

# Inputs: the demo's questions, pictures that differ in every pixel, and many cheap texts.
python3 - "$tiny/demo" "$scratch" "$pictures" "$asked" <<'PYTHON'
import json, os, random, struct, sys, zlib
demo, scratch, pictures, asked = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def png(path, seed, width=320, height=240):
    rng = random.Random(seed)
    row = bytes(rng.randrange(256) for _ in range(3 * width))
    rows = b"".join(b"\0" + row[3 * (y % width):] + row[:3 * (y % width)] for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))

def write(name, rows):
    with open(f"{scratch}/{name}.jsonl", "w") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")

questions = json.load(open(f"{demo}/questions.json"))
write("demo", ({"id": f"{k}-{i:03}", "image": os.path.abspath(f"{demo}/{q['image']}"), "question": q["question"]}
               for k in range(9) for i, q in enumerate(questions)))
os.mkdir(f"{scratch}/pictures")
for i in range(pictures):
    png(f"{scratch}/pictures/{i:05}.png", i)
for i in range(asked):
    png(f"{scratch}/asked-{i}.png", i, 640, 480)
write("text-100", ({"id": i, "question": f"What is {i} + 1?"} for i in range(100)))
write("text-10000", ({"id": i, "question": f"What is {i} + 1?"} for i in range(10000)))
each = [f"What stands at place {j}?" for j in range(8)]
write("one", ({"id": i, "image": f"asked-{i}.png", "question": each[0]} for i in range(asked)))
write("eight", ({"id": f"{i}-{j}", "image": f"asked-{i}.png", "question": q} for i in range(asked) for j, q in enumerate(each)))
write("text", ({"id": i, "question": f"What is {i} + 1?"} for i in range(4 * asked)))
for name, rows in (("ask-demo", questions), ("ask-pictures", range(pictures))):
    with open(f"{scratch}/{name}", "w") as out:
        for i in rows:
            out.write(f"{os.path.abspath(demo)}/{i['image']}\t{i['question']}\n" if name == "ask-demo"
                      else f"{scratch}/pictures/{i:05}.png\tDescribe the image.\n")
PYTHON

# run NAME COMMAND...: "seconds processor_seconds peak_KiB wanted_seconds" of a command, which must end well, into
# $scratch/NAME. Wanted are seconds in which its threads ran or waited for a processor that others had, by the kernel's
# count (schedstat), so that what other programs do does not count as idle.
run() {
  python3 - "$scratch/$1" "$@" <<'PYTHON'
import glob, resource, subprocess, sys, time
out, _, *command = sys.argv[1:]
began = time.monotonic()
process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr)
threads = {}
while process.poll() is None:
    for name in glob.glob(f"/proc/{process.pid}/task/*/schedstat"):
        try:
            ran, waited, _ = open(name).read().split()
            threads[name] = int(ran) + int(waited)
        except (OSError, ValueError):
            pass
    time.sleep(0.02)
seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
if process.returncode != 0:
    sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
open(out, "w").write(f"{seconds} {used.ru_utime + used.ru_stime} {used.ru_maxrss} {sum(threads.values()) / 1e9}\n")
PYTHON
}
batch() {
  rm -rf "$scratch/rows" && mkdir "$scratch/rows"
  name=$1
  shift
  run "$name" "$dsvl" batch -q -o "$scratch/rows/rows.jsonl" --threads "$threads" "$@"
}
# The shell loop, over the first LOOP of the questions.
ask_all() {
  head -n "$loop" "$1" | while IFS="$(printf '\t')" read -r picture question; do
    "$dsvl" ask -m "$tiny" --threads "$threads" -i "$picture" "$question" </dev/null >/dev/null
  done
}
# Two processes of one thread, their launcher's own start measured with `true` and left out.
launchers() {
  if command -v parallel >/dev/null 2>&1; then echo parallel; fi
  if command -v mpirun >/dev/null 2>&1; then echo mpirun; fi
}
launch() {
  case $1 in
    parallel) shift; seq 2 | parallel --will-cite --quote -j 2 "$@" ;;
    mpirun) shift; OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -np 2 "$@" ;;
  esac
}

wanted() { [ -z "$only" ] || case " $only " in *" $1 "*) ;; *) return 1 ;; esac; }
field() { cut -d' ' -f"$2" "$scratch/$1"; }
# figure NAME VALUE: another round of a figure.
figure() { echo "$1 $2" >>"$scratch/figures"; echo "$1 $2" >&2; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f\n", a / b }'; }
# idle NAME: the share of the processors that a run had and did not want.
idle() { awk -v t="$threads" '{ x = 1 - $4 / $1 / t; printf "%.4f\n", (x > 0 ? x : 0) }' "$scratch/$1"; }
# pair ROUND FIRST SECOND: runs two functions, in an order that changes.
pair() { if [ $(($1 % 2)) -eq 0 ]; then "$2" && "$3"; else "$3" && "$2"; fi; }

now() { date +%s.%N; }
demo_batch() { batch demo_batch -m "$tiny" "$scratch/demo.jsonl"; }
demo_loop() { loop_seconds demo_loop "$scratch/ask-demo" 1026; }
pictures_batch() { batch pictures_batch -m "$tiny" "$scratch/pictures" --question "Describe the image."; }
pictures_loop() { loop_seconds pictures_loop "$scratch/ask-pictures" "$pictures"; }
loop_seconds() {
  began=$(now)
  ask_all "$2"
  awk -v a="$began" -v b="$(now)" -v n="$(head -n "$loop" "$2" | wc -l)" -v all="$3" 'BEGIN { print (b - a) * all / n }' \
    >"$scratch/$1"
}
together() { batch together -m "$model" --sessions 8 --max-tokens 32 "$inputs"; }
alone() { batch alone -m "$model" --sessions 1 --max-tokens 32 "$inputs"; }
one_process() {
  rm -rf "$scratch/rows" && mkdir "$scratch/rows"
  run one_process "$dsvl" batch -q -m "$tiny" "$scratch/demo.jsonl" --threads 2 -o "$scratch/rows/rows.jsonl"
  "$dsvl" batch merge "$scratch/rows/rows.jsonl" 2>/dev/null >"$scratch/merged-one"
}
two_processes() {
  rm -rf "$scratch/rows" && mkdir "$scratch/rows"
  began=$(now)
  launch "$launcher" true
  started=$(now)
  case $launcher in
    parallel) launch parallel "$dsvl" batch -q -m "$tiny" "$scratch/demo.jsonl" --threads 1 -o "$scratch/rows/rows.jsonl" --shard '{}/2' ;;
    *) launch "$launcher" "$dsvl" batch -q -m "$tiny" "$scratch/demo.jsonl" --threads 1 -o "$scratch/rows/rows.jsonl" ;;
  esac
  awk -v a="$began" -v b="$started" -v c="$(now)" 'BEGIN { print (c - b) - (b - a) }' >"$scratch/two_processes"
  "$dsvl" batch merge "$scratch"/rows/rows-*-of-2.jsonl 2>/dev/null >"$scratch/merged-two"
  cmp "$scratch/merged-one" "$scratch/merged-two" || [ ! -f "$scratch/merged-one" ]
}

round=0
while [ $round -lt "$rounds" ]; do
  if wanted demo; then
    pair $round demo_batch demo_loop
    figure demo "$(ratio "$(cat "$scratch/demo_loop")" "$(field demo_batch 1)")"
  fi
  if wanted pictures || wanted idle; then
    pair $round pictures_batch pictures_loop
    figure pictures "$(ratio "$(cat "$scratch/pictures_loop")" "$(field pictures_batch 1)")"
    figure idle "$(idle pictures_batch)"
  fi
  if wanted memory; then
    batch few -m "$tiny" --max-tokens 4 "$scratch/text-100.jsonl"
    batch many -m "$tiny" --max-tokens 4 "$scratch/text-10000.jsonl"
    figure memory "$(ratio "$(field many 3)" "$(field few 3)")"
  fi
  for launcher in $(launchers); do
    wanted "$launcher" || continue
    pair $round one_process two_processes
    figure "$launcher" "$(ratio "$(field one_process 1)" "$(cat "$scratch/two_processes")")"
  done
  for work in one eight text; do
    { [ -n "$model" ] && wanted $work; } || continue
    inputs=$scratch/$work.jsonl
    pair $round together alone
    figure $work "$(ratio "$(field alone 1)" "$(field together 1)")"
    figure idle_$work "$(idle together)"
  done
  round=$((round + 1))
done

python3 - "$scratch/figures" "$threads" "$("$dsvl" --version)" <<'PYTHON'
import json, statistics, sys
bars = {"demo": 8, "pictures": 2, "idle": 0.05, "memory": 1.05, "parallel": 0.95, "mpirun": 0.95, "one": 1.05, "eight": 1.4,
        "text": 2.0, "idle_one": 0.05}
rounds = {}
for line in open(sys.argv[1]):
    name, value = line.split()
    rounds.setdefault(name, []).append(float(value))
at_most = ("idle", "memory")
figures = {name: {"median": statistics.median(values), "rounds": values, **({"bar": bars[name],
                  "reached": statistics.median(values) <= bars[name] if name.startswith(at_most)
                  else statistics.median(values) >= bars[name]} if name in bars else {})}
           for name, values in rounds.items()}
print(json.dumps({"program": sys.argv[3], "threads": int(sys.argv[2]), "figures": figures}, indent=1))
PYTHON
