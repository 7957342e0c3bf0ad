#!/bin/sh
# Header mode with nothing but curl: log in, call, refresh when it is due, sign out.
#
#   sh header_mode.sh http://localhost:8000 ada
set -eu

api=${1:-http://localhost:8000} user=${2:-ada}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
access='' refresh='' status=''

# send TOKEN METHOD PATH [curl options]: one request. Leaves $status and $work/body, keeps new tokens.
send() {
  token=$1 verb=$2 url=$api$3
  shift 3
  status=$(curl --silent --show-error --request "$verb" "$url" "$@" \
    --header 'st-auth-mode: header' --header "authorization: Bearer $token" \
    --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}')
  if [ "$(header front-token)" = remove ]; then
    access='' refresh=''
  else
    # A changed payload brings a new access token only.
    access=$(header st-access-token | grep . || echo "$access")
    refresh=$(header st-refresh-token | grep . || echo "$refresh")
  fi
}

# header NAME: its value in the last answer, or nothing.
header() {
  awk -v name="$1:" "tolower(\$1) == name { print \$2 }" "$work/headers" | tr -d '\r'
}

# call METHOD PATH [curl options]: a request with the session; on 401 a refresh, then the request again.
call() {
  method=$1 path=$2
  shift 2
  send "$access" "$method" "$path" "$@"
  if [ "$status" = 401 ] && [ -n "$refresh" ]; then
    send "$refresh" POST /auth/session/refresh
    echo "$status POST /auth/session/refresh"
    if [ "$status" = 200 ]; then send "$access" "$method" "$path" "$@"; fi
  fi
  printf '%s %s %s: %s\n' "$status" "$method" "$path" "$(cat "$work/body")"
  [ "$status" = 200 ]
}

call POST /login --header 'content-type: application/json' --data "{\"user\":\"$user\",\"password\":\"demo\"}"
call GET /api/me
call POST /api/visits
access=expired # as after an hour; what is no valid token is treated alike
call GET /api/me
call POST /auth/signout
echo "signed out, tokens left: '$access' '$refresh'"
