#!/bin/sh
# Makes the secrets that compose.yaml names: sh make-secrets.sh [FOLDER]. What is there stays as it is; what follows from others is written anew.
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
# Containers run as several users and each sees only the files that it is handed. On this machine the folder keeps everybody else out.
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# Whole or not at all.
keep() {
  cat >"$1.new"
  [ -s "$1.new" ]
  chmod 0444 "$1.new"
  mv -f "$1.new" "$1"
}

for name in site-zrh-1 site-zrh-2 site-mow-1 ledger-store redis-projector redis-router redis-intake redis-exporter redis-operator publisher-token grafana-admin; do
  [ -s "$name" ] || head -c 32 /dev/urandom | od -A n -t x1 | tr -d ' \n' | keep "$name"
done

# The users of Redis, with the rights that packages/adapter-redis asks for.
{
  echo 'user default off'
  for user in projector router intake exporter operator; do
    case $user in projector) more=' +eval +get +mset' ;; *) more='' ;; esac
    echo "user $user on #$(sha256 <"redis-$user") ~{residency}:* -@all +mget +info$more"
  done
} | keep redis-users

echo "[{\"sha256\": \"$(sha256 <publisher-token)\", \"scopes\": [\"submissions\", \"consents\"]}]" | keep intake-tokens.json
