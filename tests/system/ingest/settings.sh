# SPDX-License-Identifier: Apache-2.0
# Sourced by up, down and status: the settings (README.md), and which service runs.
# shellcheck shell=bash disable=SC2034
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
JARS=${INGEST_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/berm/ingest}
RUN=$(realpath -m "${INGEST_RUN:-$here/../../../build/ingest}")
CHANNEL=${INGEST_CHANNEL:-file}
CAPACITY=${INGEST_CAPACITY:-10000}
TRANSACTION=${INGEST_TRANSACTION:-100}
FLUME_EXTRA=${INGEST_FLUME_EXTRA:-}
KAFKA_EXTRA=${INGEST_KAFKA_EXTRA:-}
PARTITIONS=${INGEST_PARTITIONS:-1}
mark=-Dberm.ingest=$RUN # on the command line of each process started here

fail() {
  echo "ingest: $*" >&2
  exit 1
}

# pid_of NAME: the pid of a service that was started for this run directory and still lives.
pid_of() {
  local pid
  pid=$(cat "$RUN/$1.pid" 2>/dev/null) && [ -r "/proc/$pid/cmdline" ] &&
    tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$mark" && echo "$pid"
}
