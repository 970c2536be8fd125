#!/bin/bash
# steps.sh FOLDER COUNT: what an operator's own script would do by hand: note the intent, sync, run through `sh -c` with a
# log file, note the outcome, sync.
cd "$1" || exit 1
for ((step = 0; step < $2; step++)); do
  echo "started $step" >> journal
  sync -d journal
  sh -c true > "$step.log" 2>&1
  echo "ended $step $?" >> journal
  sync -d journal
done
