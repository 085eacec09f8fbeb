# shellcheck shell=bash
# Redis: a cache that PostgreSQL can rebuild, so it writes nothing to disk.

spawn_redis() {
  command -v redis-server >/dev/null || fail "redis-server is not installed" "./dev deps installs it."
  mkdir -p "$RUN/redis"
  spawn redis "$RUN/redis" redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --dir "$RUN/redis" --save '' --appendonly no \
    --daemonize no --maxclients 200 --always-show-logo no
}

redis_answers() { [ "$(redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null)" = PONG ]; }
await_redis() { await redis 30 redis_answers; }
stop_redis() { end_service redis TERM "$1"; }
