#!/bin/bash
# A task that tells what happens to it, in a file of its own outside any sandbox: its start, a beat five times a second,
# signals, its exit. Needs no other program, so that hundreds of them cost little.
#
#   WITNESSES   directory to write to
#   BEATS       it exits after so many; never if not given
#   STATUS      what it exits with
#   STUBBORN    TERM does not end it

say() {
  local now rest
  read -r now rest < /proc/uptime
  printf '%s %s %s\n' "$1" "$now" "${*:2}" >> "$WITNESSES/$MESOS_TASK_ID"
}

leave() {
  say exit "$nonce" "$1"
  exit "$1"
}

signalled() {
  say signal "$nonce" "$1"
  [ -n "$STUBBORN" ] || leave 143
}

# Reads of it never end but by their time: a pause without a process.
exec 9<> <(:)
read -r nonce < /proc/sys/kernel/random/uuid
read -r stat < /proc/self/stat
stat=(${stat##*) })
trap 'signalled TERM' TERM
trap 'signalled HUP' HUP
trap 'signalled INT' INT

say start "$nonce" "$$" "${stat[19]}" "${MESOS_SANDBOX##*/}" "$MESOS_AGENT_ID"
for ((beat = 0; beat != ${BEATS:--1}; beat++)); do
  read -rt 0.2 -u 9 rest
  say beat "$nonce"
done
leave "${STATUS:-0}"
