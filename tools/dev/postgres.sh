# shellcheck shell=bash
# A PostgreSQL cluster of our own: TCP on 127.0.0.1 only, password in a private file, durability as in production.

PG_SUPERUSER=postgres
AS_PG=() # what runs a program as the user that PostgreSQL may run as

find_postgres() {
  PG_BIN=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n1)
  PG_BIN=${PG_BIN%/postgres}
  [ -n "$PG_BIN" ] || fail "PostgreSQL is not installed" "./dev deps installs it."
  PG_MAJOR=$("$PG_BIN/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
}

# PostgreSQL refuses to be root. Run by root it becomes the user of the Debian package; where that user cannot walk to our
# folder (a tree under /root), it takes along the one capability that lets it read and pass folders of others.
choose_pg_user() { # FOLDER, which must exist
  AS_PG=()
  [ "$(id -u)" = 0 ] || return 0
  PG_OWNER=postgres
  id "$PG_OWNER" >/dev/null 2>&1 || PG_OWNER=nobody
  local base=(setpriv "--reuid=$PG_OWNER" "--regid=$(id -g "$PG_OWNER")" --clear-groups) cap
  for cap in "" dac_read_search dac_override; do
    AS_PG=("${base[@]}")
    [ -z "$cap" ] || AS_PG+=("--inh-caps=+$cap" "--ambient-caps=+$cap")
    # stat and not test -x: access(2) does not count capabilities.
    if (cd / && "${AS_PG[@]}" stat "$1/.") >/dev/null 2>&1; then return 0; fi
  done
  fail "PostgreSQL will not run as root, and the user $PG_OWNER cannot reach $1" "Move the tree to where others may pass (chmod o+x), or name such a folder in CHAT_RUN_DIR."
}

own_for_pg() { [ "$(id -u)" != 0 ] || chown -R "$PG_OWNER" "$1"; }

new_password() { od -An -tx1 -N16 /dev/urandom | tr -d ' \n'; }

# A finished empty cluster is kept under build/ and copied for each new run folder: initdb takes much longer than a copy.
# Prints its folder.
template_cluster() {
  local template part=$BUILD/postgres-template.$$
  template=$BUILD/postgres-$PG_MAJOR-for-$(id -un)
  if [ ! -e "$template/password" ]; then
    rm -rf "$part"
    mkdir -p "$part/data"
    chmod 711 "$part"
    (umask 077 && new_password >"$part/password")
    chmod 700 "$part/data"
    choose_pg_user "$part" # may be reached by another way than the run folder
    own_for_pg "$part"
    (
      cd / &&
      "${AS_PG[@]}" "$PG_BIN/initdb" -D "$part/data" -U "$PG_SUPERUSER" -A scram-sha-256 --pwfile="$part/password" \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions &&
      # Before the server listens anywhere: the role and the database that chat uses, its owner not a superuser.
      printf "CREATE ROLE chat LOGIN PASSWORD '%s'\nCREATE DATABASE chat OWNER chat\n" "$(<"$part/password")" |
        "${AS_PG[@]}" "$PG_BIN/postgres" --single -D "$part/data" postgres
    ) >"$BUILD/postgres-template.log" 2>&1 || { show_tail "$BUILD/postgres-template.log"; rm -rf "$part"; fail "initdb failed" "The whole log: $BUILD/postgres-template.log"; }
    cat >>"$part/data/postgresql.conf" <<END
# ./dev: as durable as a real one, small, and reached over 127.0.0.1 only
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 64MB
max_connections = 60
huge_pages = off
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
timezone = 'UTC'
END
    rm -rf "$template"
    mv "$part" "$template"
  fi
  printf %s "$template"
}

prepare_postgres() {
  find_postgres
  mkdir -p "$RUN/postgres" "$RUN/secret"
  chmod 700 "$RUN/secret"
  chmod 711 "$RUN/postgres"
  if [ ! -e "$RUN/postgres/data/PG_VERSION" ]; then
    local template lock
    mkdir -p "$BUILD"
    exec {lock}>"$BUILD/.postgres-template.lock"
    flock "$lock"
    template=$(template_cluster)
    exec {lock}>&-
    rm -rf "$RUN/postgres/data" "$RUN/postgres/data.part"
    cp -a --reflink=auto "$template/data" "$RUN/postgres/data.part"
    (umask 077 && cat "$template/password" >"$RUN/secret/postgres-password")
    rm -f "$RUN/secret/roles-made"
    mv "$RUN/postgres/data.part" "$RUN/postgres/data"
  fi
  choose_pg_user "$RUN/postgres"
  local version
  version=$(<"$RUN/postgres/data/PG_VERSION")
  [ "$version" = "$PG_MAJOR" ] || fail "the data in $RUN/postgres are of PostgreSQL $version, and $PG_MAJOR is installed" "./dev down --purge throws them away."
}

# The lock that a killed PostgreSQL leaves counts for it as long as the number in it lives: as a zombie that nobody has
# looked at yet, or as another program after a reboot. What counts for us is whether a process still works in the folder.
drop_stale_lock() {
  local began=$SECONDS
  [ -e "$RUN/postgres/data/postmaster.pid" ] || return 0
  while [ -n "$(find /proc -maxdepth 2 -name cwd -lname "$RUN/postgres/data" -print -quit 2>/dev/null)" ]; do
    [ $((SECONDS - began)) -lt 20 ] || fail "another PostgreSQL works in $RUN/postgres/data" "Its number stands in postmaster.pid there."
    nap
  done
  rm -f "$RUN/postgres/data/postmaster.pid"
}

spawn_postgres() {
  prepare_postgres
  drop_stale_lock
  spawn postgres / "${AS_PG[@]}" "$PG_BIN/postgres" -D "$RUN/postgres/data" -p "$PG_PORT"
}

postgres_answers() { "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT" -U "$PG_SUPERUSER" -d chat; }

await_postgres() { await postgres 60 postgres_answers; }

# Fast shutdown: open connections are closed, everything committed is kept.
stop_postgres() { end_service postgres INT "$1"; }

# The programs' roles, each with a password of its own; once in a cluster's life.
make_roles() {
  local role log=$RUN/migrate.log
  [ ! -e "$RUN/secret/roles-made" ] || return 0
  for role in "${PG_ROLES[@]}"; do new_password >"$(pg_password_file "$role")"; done
  if ! CHAT_PG=$(pg_uri postgres) "$CTL" roles --passwords "$RUN/secret" >"$log" 2>&1; then show_tail "$log"; fail "chatctl roles could not make PostgreSQL's roles"; fi
  : >"$RUN/secret/roles-made"
}
