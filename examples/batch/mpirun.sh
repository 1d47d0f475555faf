#!/bin/sh
# dsvl batch by mpirun: RANKS processes take SHARDS parts of one source of inputs, as many each. The program links no MPI:
# it reads its rank from the environment, Open MPI's as well as MPICH's. Run again, it goes on where it was.
#
#   DSVL=dsvl RANKS=2 SHARDS=8 mpirun.sh OUTPUT SOURCE [OPTION...]
#
# Open MPI binds each process to one core by default when there are one or two of them. --map-by slot:PE=N gives each N
# cores, which are then its threads; --bind-to none all, and then --threads has to say how many each takes.
set -eu
output=$1 source=$2
shift 2
dsvl=${DSVL:-dsvl} ranks=${RANKS:-2} shards=${SHARDS:-8}

# shellcheck disable=SC2086  # MPIRUN_FLAGS are several words
mpirun -np "$ranks" ${MPIRUN_FLAGS:-} "$dsvl" batch "$source" -q -o "$output" --shards "$shards" "$@"
name=${output%.*} ending=${output##*.}
"$dsvl" batch merge -o "$output" "$name"-*-of-"$shards.$ending"
