#!/bin/sh
# dsvl batch by GNU parallel: JOBS processes at a time work through SHARDS parts of one source of inputs. Run again, it
# goes on where it was. Give parallel --sshloginfile to use several machines that see the same files.
#
#   DSVL=dsvl JOBS=2 SHARDS=8 parallel.sh OUTPUT SOURCE [OPTION...]
#   JOBS=4 SHARDS=64 parallel.sh rows.jsonl photos --question "What is this?" -m deepseek-vl-1.3b-chat
set -eu
output=$1 source=$2
shift 2
dsvl=${DSVL:-dsvl} jobs=${JOBS:-2} shards=${SHARDS:-8}
threads=$(nproc) && threads=$(((threads + jobs - 1) / jobs))

# When parallel is told to end, jobs get a signal upon which they keep what they have.
seq "$shards" | parallel --quote -j "$jobs" --halt soon,fail=1 --termseq USR1,10000,TERM,2000,KILL,25 \
  "$dsvl" batch "$source" -q -o "$output" --shard "{}/$shards" --threads "$threads" "$@"
name=${output%.*} ending=${output##*.}
"$dsvl" batch merge -o "$output" "$name"-*-of-"$shards.$ending"
