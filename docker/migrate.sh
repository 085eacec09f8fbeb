#!/bin/sh
# Brings the database up to date, as its superuser and owner (CHAT_PG): the roles of the programs that run, the schema, and the
# users of CHAT_USERS, so that one who has never connected can be written to.
set -eu
chatctl roles --passwords /run/secrets
chatctl migrate
for user in ${CHAT_USERS:-}; do chatctl user add --if-missing "${user%%:*}"; done
