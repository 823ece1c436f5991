#!/bin/bash
# keychain.sh unlocked|locked|none DIR CMD...
# Runs CMD with a session bus of its own and a Secret Service of its own whose keyrings are in DIR:
#   unlocked  opened with the right password, and made on first use
#   locked    the keyrings in DIR exist, and the password is wrong
#   none      nobody offers secrets on this bus
set -euo pipefail
mode=$1 dir=$2
shift 2
unset DISPLAY WAYLAND_DISPLAY
export XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data HOME=$dir
mkdir -p "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME"
chmod 700 "$XDG_RUNTIME_DIR"

if [ "$mode" = none ]; then
  # Without service directories nothing can be started on demand.
  cat >"$dir/bus.conf" <<EOF
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=$dir/run</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
  </policy>
</busconfig>
EOF
  exec dbus-run-session --config-file="$dir/bus.conf" -- "$@"
fi

password=right
[ "$mode" = unlocked ] || password=wrong
export password
exec dbus-run-session -- bash -euc '
  coproc keyring { exec gnome-keyring-daemon --foreground --unlock --components=secrets; }
  trap "kill $keyring_PID 2>/dev/null; wait $keyring_PID 2>/dev/null || true" EXIT
  printf %s "$password" >&"${keyring[1]}"
  eval "exec ${keyring[1]}>&-"
  owned() {
    dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
      org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q "boolean true"
  }
  until owned; do
    kill -0 "$keyring_PID"
    sleep 0.05
  done
  "$@"' _ "$@"
