# shellcheck shell=bash disable=SC2154
# Services of the installer: started, waited for, and put back.

# First of all, so that it is undone last: what runs now runs again, on the files that are then back.
remember_services() {
  local unit
  if ! live || [ -n "$dry" ]; then return 0; fi
  for unit in aiagent.service aiagent-dashboard.service "$worker"; do
    if systemctl -q is-active "$unit"; then undo_with systemctl restart "$unit"; fi
  done
  undo_with systemctl daemon-reload
}

start_services() {
  local unit verb=start
  if ! live; then
    say "not started: this is not the running system; systemctl enable --root=$root ${wanted[*]}"
    return 0
  fi
  for unit in aiagent.service aiagent-dashboard.service "$worker"; do
    case " ${wanted[*]} " in
      *" $unit "*) continue ;;
    esac
    if systemctl -q is-active "$unit" || systemctl -q is-enabled "$unit" 2>/dev/null; then
      changes=$((changes + 1))
      say "stop $unit, which the others replace"
      undo_with systemctl enable --now "$unit"
      quietly systemctl disable --now "$unit"
    fi
  done
  if [ "$changes" -gt 0 ]; then verb=restart; fi
  quietly systemctl daemon-reload
  for unit in "${wanted[@]}"; do
    if ! systemctl -q is-enabled "$unit" 2>/dev/null; then
      undo_with systemctl disable --now "$unit"
      quietly systemctl enable "$unit"
    fi
    if [ $verb = start ] && systemctl -q is-active "$unit"; then continue; fi
    changes=$((changes + 1))
    say "$verb $unit"
    if ! quietly systemctl $verb "$unit" || ! becomes_ready "$unit"; then
      quietly journalctl -u "$unit" -n 50 --no-pager -o cat || true
      die "$unit does not start" "journalctl -u $unit -n 50 says why; then run this again"
    fi
  done
}

# Waits until the service can take and work on tasks; not for one that has ended and is tried again.
becomes_ready() { # UNIT
  local address host
  if [ -n "$dry" ]; then return 0; fi
  if [ "$1" = "$worker" ]; then
    address=127.0.0.1:8081
  else
    address=$(sed -n 's/^AIAGENT_LISTEN="\{0,1\}\([^"]*\).*/\1/p' "$etc/env")
    if [ -z "$address" ]; then
      address=$(AIAGENT_CONFIG=$etc/aiagent.toml /usr/bin/aiagent-host --print-config |
        sed -n 's/^listen = "\([^"]*\).*/\1/p')
    fi
  fi
  host=${address%:*}
  case $host in 0.0.0.0 | '[::]') host=127.0.0.1 ;; esac
  for _ in $(seq 600); do
    if ready "${host//[][]/}" "${address##*:}" 2>/dev/null; then return 0; fi
    if [ "$(systemctl show -P NRestarts "$1")" != 0 ] || systemctl -q is-failed "$1"; then return 1; fi
    read -rt 0.2 <> <(:) || true
  done
  return 1
}

ready() { # HOST PORT
  local line
  exec 3<>"/dev/tcp/$1/$2" || return 1
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
  read -r line <&3 || true
  exec 3>&-
  case $line in *' 200 '*) return 0 ;; esac
  return 1
}
