#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fresh_lives.sh SIMULATE COUNT DAYS: lives of seeds that nobody has tried. Each commit has its own,
# so that a failure is there again when the commit is tested again, and the author of the next one
# need not wonder. Outside a git checkout: other ones at each run.
set -euo pipefail
simulate=$1 count=$2 days=$3
if commit=$(git -C "$BERM_SOURCE" rev-parse --verify -q HEAD 2>/dev/null); then
  first=$((1000000000 + 16#${commit:0:8}))
  echo "seeds of commit ${commit:0:12}: $first..$((first + count - 1))"
  exec "$simulate" --seeds "$first..$((first + count - 1))" --days "$days"
fi
exec "$simulate" --fresh "$count" --days "$days"
