#!/bin/bash
# dsvl batch as a Slurm array: each task takes the shard of its place in the array. A minute before its time is over Slurm
# sends SIGUSR1; dsvl keeps what it has and ends with 130, and the task is put back into the queue.
#
#   sbatch --array=1-16 --cpus-per-task=8 slurm.sh rows.jsonl photos --question "What is this?" -m MODEL
#   dsvl batch merge -o all.jsonl rows-*-of-16.jsonl          # when all are done
#SBATCH --job-name=dsvl
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@60
#SBATCH --open-mode=append
set -u
output=$1 source=$2
shift 2

# B: above sends the signal to this shell, which passes it on; waiting ends with 138 or 143 then, and begins again.
"${DSVL:-dsvl}" batch "$source" -q -o "$output" "$@" &
dsvl=$!
trap 'kill -USR1 $dsvl' USR1 TERM
status=138
while [ $status -eq 138 ] || [ $status -eq 143 ]; do
  wait $dsvl
  status=$?
done
if [ $status -eq 130 ] && [ -n "${SLURM_JOB_ID:-}" ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit $status
