# The processes of the test cluster, in $home/pids: id, when it began, name. An id comes back after a reboot, the pair does not.
since() { sed -n 's/.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }
lives() { [ -n "$2" ] && [ "$(since "$1")" = "$2" ]; }

start() {  # start NAME COMMAND...
  local name=$1; shift
  setsid "$@" >"$logs/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(since $!) $name" >> "$home/pids"
}

end() {  # end SIGNAL NAME...: all at once, and killed if that takes longer than ten seconds
  local signal=$1 pid began name tries; shift
  local names=" $* "
  each() { while read -r pid began name; do [[ "$names" != *" $name "* ]] || { lives "$pid" "$began" && eval "$1"; }; done < "$home/pids"; }
  each 'kill -s "$signal" "$pid"'
  for tries in $(seq 100); do [ -n "$(each 'echo lives')" ] || return 0; sleep 0.1; done
  each 'kill -s KILL "$pid"'
}

started() { grep -q " $1\$" "$home/pids" 2>/dev/null; }

until_ok() {  # until_ok WHAT COMMAND...: at most two minutes, and no longer than what was started lives
  local what=$1 tries=0 pid began name; shift
  until "$@" >/dev/null 2>&1; do
    while read -r pid began name; do
      lives "$pid" "$began" || { echo "tests/cluster/up: $name ended: $logs/$name.log:" >&2; tail -5 "$logs/$name.log" >&2; exit 1; }
    done < "$home/pids"
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "tests/cluster/up: not within two minutes: $what; logs are in $logs" >&2; exit 1; }
    sleep 0.2
  done
  say "$what"
}

# Whether what every cluster has is there; metrics and KEDA are on top of it.
runs() {
  local pid began name
  [ -f "$home/pids" ] && [ "$(cat "$run/version" 2>/dev/null)" = "$version" ] || return 1
  while read -r pid began name; do
    case $name in metrics | keda*) continue ;; esac
    lives "$pid" "$began" || return 1
  done < "$home/pids"
  kubectl get --raw /readyz >/dev/null 2>&1
}
