#!/bin/sh
# Runs one command task and outlives the agent. Usage: monitor.sh RUN CGROUPS LAUNCHER...
#
#   RUN       directory with `ledger` (see ledger.ts) and `launch`, the script that becomes the command
#   CGROUPS   control groups for the task, separated by spaces; may be empty
#   LAUNCHER  program and arguments that put a shell reading RUN/launch into a session of its own
#
# The agent starts it as leader of a session, with the sandbox as working directory and output. SIGUSR1 means: look for
# a kill request. Appends to the ledger are atomic and the first entry of a kind wins, so marks cost no process. Nothing
# is executed on the way to the command but the launcher. All is in functions, so that the shell has read the file before
# it begins.

# Sets pid and born (start time in clock ticks) of the calling process, subshells included.
identify() {
  read -r stat < /proc/self/stat
  set -- $stat
  pid=$1 born=${22}
}

# Appends the entry "$*"; true if it is the first of its kind.
claim() {
  printf '%s\n' "$*" >> "$ledger" || return 1
  while read -r entry; do
    case $entry in
      "$1 "*) [ "$entry" = "$*" ]; return ;;
    esac
  done < "$ledger"
  return 1
}

# Sets found to the last entry of kind $1, without the kind; false if there is none.
find_last() {
  found=
  while read -r kind rest; do
    [ "$kind" != "$1" ] || found=$rest
  done < "$ledger"
  [ -n "$found" ]
}

# Sends signal $1 to the group led by $2. A process before its setsid leads none, and is alone.
signal_group() {
  kill -s "$1" -- "-$2" || kill -s "$1" "$2"
}

# Requests only ever get shorter, so an earlier timer may as well run on.
obey_kill() {
  while [ -n "$child" ] && find_last kill && [ "$found" != "$grace" ]; do
    grace=$found
    signal_group TERM "$child"
    start_timer
  done
}

# Where no process is left for it there is no grace. A fork that fails would end the shell: `command eval` keeps dash from
# that; bash tries for 15 s, in which a signal with a trap would leave it deaf for good, and does what EXIT says. A request
# it ignored is found by the next look, and for an alarm it ignored there is this timer, which is shorter.
start_timer() {
  [ -z "$BASH_VERSION" ] || trap '' USR1 ALRM
  trap 'signal_group KILL "$child"; finish' EXIT
  command eval 'setsid sh -c "$timer" timer "$grace" "$$" & timers="$timers $!"' || signal_group KILL "$child"
  trap - EXIT
  heed_signals
}

heed_signals() {
  trap obey_kill USR1
  trap 'signal_group KILL "$child"' ALRM
}

# Sends SIGALRM to its parent $2, if that is still there, after $1 seconds.
timer='command eval sleep \"\$1\"
  read -r pid name state parent rest < /proc/self/stat
  [ "$parent" != "$2" ] || kill -s ALRM "$2"'

become_task() {
  trap - TERM HUP INT QUIT USR1 ALRM
  # A request made from here on is followed by a signal that no longer is ignored.
  find_last kill && exit
  for cgroup in $cgroups; do
    echo 0 > "$cgroup/cgroup.procs" || exit
  done
  identify
  claim child "$pid" "$born" && exec "$@" < "$run/launch" 2>&3 3>&-
}

# Sets status. `wait` is cut short by USR1 (138) and ALRM (142). Then the child is still there; or it has ended, as bash
# reaps by itself, and is asked for once more. Bash may have lost the status of one that ended in that very instant, and
# waits for any other child before it says so: the timers have to go first.
await_task() {
  while wait "$child"; status=$?; was_cut_short && [ -d "/proc/$child" ]; do :; done
  trap '' USR1 ALRM
  stop_timers
  was_cut_short || return 0
  wait "$child"
  again=$?
  [ "$again" = 127 ] || status=$again
  [ "$status" -ge 0 ] || status=137
}

# One that ended may have been reaped long ago, and its pid be that of a stranger, whose parent is not this shell.
stop_timers() {
  for alarm in $timers; do
    read -r stat < "/proc/$alarm/stat" || continue
    set -- ${stat##*) }
    [ "$2" != "$$" ] || signal_group KILL "$alarm"
  done
}

was_cut_short() {
  [ "$status" = 138 ] || [ "$status" = 142 ]
}

# A process that forks meanwhile is caught by the next pass; one that cannot die does not hold us up.
empty_cgroups() {
  for cgroup in $cgroups; do
    for pass in 1 2 3 4 5 6 7 8; do
      left=
      while read -r member; do
        left=1
        kill -s KILL "$member"
      done < "$cgroup/cgroup.procs"
      [ -n "$left" ] || break
    done
  done
}

# The ledger's block exists, so even a full disk takes the entry; where it does not, the status is kept until it does. Dash
# goes on when even `sleep` cannot be forked.
record_exit() {
  until printf 'exit %s %s\n' "$status" "$1" >> "$ledger"; do
    [ -d "$run" ] || exit
    command eval 'sleep 1'
  done
  sync "$ledger" "$run"
}

finish() {
  await_task
  kill -s KILL -- "-$child"
  empty_cgroups
  find_last child || exit 0
  if [ -n "$grace" ]; then record_exit 1; else record_exit 0; fi
}

main() {
  run=$1 cgroups=$2
  shift 2
  ledger=$run/ledger child= grace= timers=
  exec 3>&2 2> /dev/null
  trap '' TERM HUP INT QUIT
  heed_signals

  read -r boot < /proc/sys/kernel/random/boot_id
  identify
  claim start "$boot" "$pid" "$born" || exit 0

  become_task "$@" &
  child=$!
  exec 3>&-
  obey_kill
  finish
}

main "$@"
exit
