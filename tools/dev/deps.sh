# shellcheck shell=bash
# deps: the Debian packages that are missing, and nothing else. The names are the same on bookworm, trixie and forky.

PACKAGES=(g++ cmake ninja-build pkg-config ccache
  mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev
  postgresql postgresql-client redis-server redis-tools
  libjwt-dev libssl-dev libpqxx-dev libhiredis-dev libpaho-mqtt-dev libpaho-mqttpp-dev libisal-dev libxxhash-dev libicu-dev
  libsimdjson-dev nlohmann-json3-dev libcli11-dev libspdlog-dev
  libgtest-dev libgmock-dev libbenchmark-dev libboost-dev jq util-linux)

# Only for lint and test. The form of the sources is that of Debian 12's clang-format; see lint.sh.
# SQLite: the journal's benchmark compares itself with it, and every source is to be checked.
# libfaketime: a broker whose clock is wrong.
LINT_PACKAGES=(shellcheck libsqlite3-dev libfaketime)
# Fuzzing needs clang; a small Python package brings a public corpus of JSON documents (tests/core/json_corpus_test.cpp).
FUZZ_PACKAGES=(clang libclang-rt-dev python3-simplejson)
LINT_PACKAGES_REFERENCE=(clang-format clang-tidy)

# The services that the packages start by themselves, on ports of their own.
PACKAGE_SERVICES=(mosquitto redis-server postgresql)

suite() { (VERSION_CODENAME=unknown; [ ! -e /etc/os-release ] || . /etc/os-release; printf %s "$VERSION_CODENAME"); }

missing_of() { # PACKAGE...: those that are not installed
  local have
  have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^.i. //p' | sort -u) || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$have")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# cmd_deps [--run-only]: without what only lint and test need.
cmd_deps() {
  local wanted=("${PACKAGES[@]}") missing units=() unit
  case ${1:-} in
    --run-only) ;;
    '')
      wanted+=("${LINT_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}")
      [ "$(suite)" != bookworm ] || wanted+=("${LINT_PACKAGES_REFERENCE[@]}")
      ;;
    *) fail "./dev deps knows no \"$1\"" ;;
  esac
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    fail "this is not a Debian, so nothing can be installed for you" "Needed, by their Debian names: ${wanted[*]}"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  if [ ${#missing[@]} = 0 ]; then
    say "    packages: all ${#wanted[@]} are installed"
    return
  fi
  step "Installing ${#missing[@]} of ${#wanted[@]} Debian packages: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "you are not root, and there is no sudo" "As root: apt-get install ${missing[*]}"
    say "    this needs root: sudo may ask for your password"
    sudo -v || fail "sudo was refused, so nothing was installed" "As root: apt-get install ${missing[*]}"
  fi
  for unit in "${PACKAGE_SERVICES[@]}"; do
    # Installed by this, not by you: what you run stays as it is.
    [[ " ${missing[*]} " != *" $unit "* ]] || units+=("$unit")
  done
  need_writable "$BUILD"
  local log=$BUILD/deps.log
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
  with_progress "apt-get update" "$log" as_root "${apt[@]}" update || { show_tail "$log"; fail "apt-get update failed" "Is there a network? The whole log: $log"; }
  with_progress "apt-get install" "$log" as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    { show_tail "$log"; fail "apt-get could not install ${missing[*]}" "The whole log: $log"; }
  quiet_services "${units[@]}"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  [ ${#missing[@]} = 0 ] || fail "apt-get said yes, and these are still missing: ${missing[*]}" "The whole log: $log"
  say "    packages: installed"
}

# ./dev runs services of its own; those that came along with the packages just now need not run, today or at the next boot.
quiet_services() {
  [ $# != 0 ] && [ -d /run/systemd/system ] || return 0
  say "    stopping and disabling the services that came with the packages: $*"
  say "    (sudo systemctl enable --now NAME brings one back)"
  as_root systemctl disable --now "$@" >/dev/null 2>&1 || warn "could not stop all of them: $*"
}

# with_progress NAME LOG COMMAND...: the output goes to LOG only; every 5 s a line tells how far it has come.
with_progress() {
  local name=$1 log=$2 began=$SECONDS code=0 shown
  shift 2
  say "    $name ..."
  "$@" >"$log" 2>&1 </dev/null &
  local worker=$!
  while kill -0 "$worker" 2>/dev/null; do
    nap 0.2
    if [ $((SECONDS - began)) -ge 5 ]; then
      began=$SECONDS
      shown=$(tail -n1 "$log" | cut -c1-90)
      printf '    ... %s: %s of its steps, now: %s\n' "$name" "$(grep -cE '^(Get:|Unpacking|Setting up)' "$log")" "$shown"
    fi
  done
  wait "$worker" || code=$?
  return "$code"
}
