#!/bin/sh
# Starts the broker, after making sure that the bridge and the demo's users can log in.
#   /run/secrets/bridge-password   the bridge's password, one line
#   CHAT_USERS                     "NAME:PASSWORD NAME:PASSWORD ...": made at the first start, then left alone
set -eu
passwd=/var/lib/mosquitto-chat/passwd
umask 077
[ -e "$passwd" ] || : >"$passwd"

add() { # NAME PASSWORD
  grep -q "^$1:" "$passwd" || printf '%s:%s\n' "$1" "$2" >>"$passwd.new"
}
: >"$passwd.new"
# The bridge's password is taken anew at each start, so that a changed secret counts.
grep -v '^chat-bridge:' "$passwd" >"$passwd.rest" || true
mv "$passwd.rest" "$passwd"
add chat-bridge "$(head -n1 /run/secrets/bridge-password)"
for user in ${CHAT_USERS:-}; do add "${user%%:*}" "${user#*:}"; done
if [ -s "$passwd.new" ]; then
  # Hashes them all in place; what was hashed before is in the other file.
  mosquitto_passwd -U "$passwd.new"
  cat "$passwd.new" >>"$passwd"
fi
rm -f "$passwd.new"
exec mosquitto -c /etc/mosquitto/mosquitto.conf
