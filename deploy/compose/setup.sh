#!/bin/sh
# Steps 2 to 6 of docs/how-to/run-on-a-cluster.md, then step 1 to see that all of it fits. Run again it leaves what is there as it is.
# Wants `residency` on the path, residency.env in the working folder and, in PUBLIC_KEYS, the folder of the keys that routers see.
set -eu
umask 077
. ./residency.env

# Tried again after a while: what ends with one of these codes.
step() {
  left=$tries
  until residency "$@" --config residency.env; do
    code=$?
    left=$((left - 1))
    case " $again " in *" $code "*) ;; *) exit "$code" ;; esac
    [ "$left" -gt 0 ] || exit "$code"
    sleep 2
  done
}

# Whole or not at all: routers read the folder meanwhile.
hand_over() {
  [ -e "$1" ] || return 0
  to=$2/$(basename "$1")
  [ -e "$to" ] || { cp "$1" "$to.part" && mv "$to.part" "$to"; }
}

# A topic that one broker made is not known to every other at once: one that seems missing (1) is looked for again.
again='1 3' tries=15
step topics create
# What could not be reached; brokers take a while to find each other.
again=3 tries=30

for region in zurich moscow; do
  keys=$RESIDENCY_KEYS_DIR/$region
  # A second key would be a rotation.
  ls "$keys"/*.public.pem >/dev/null 2>&1 || step keys add --region "$region"
  mkdir -p "$PUBLIC_KEYS/$region"
  # Never the private halves; a key is retired once its successor is there.
  for file in "$keys"/*.public.pem; do hand_over "$file" "$PUBLIC_KEYS/$region"; done
  for file in "$keys"/*.retired; do hand_over "$file" "$PUBLIC_KEYS/$region"; done
done

step site init --all

step policy publish "${POLICY:-/srv/residency/policy/residency-1.json}"

# It says the verifier keys either way.
if [ -s "$RESIDENCY_LEDGER_KEY_FILE" ]; then step audit key show; else step audit key generate; fi

step config check --section kafka --section redis --section sites --section readers --section keys --section topics --section ledger --section checkpoints --section auditing --section status
