#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# certificates.sh DIR: an authority (ca), a server's certificate for localhost and 127.0.0.1
# (server), one for another name (elsewhere), a client's (client), and an authority that signed
# none of them (stranger).
set -eu
cd "$1"
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "/CN=test $1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\n' "$2" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
    -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  chmod 644 "$1.key"
}
authority ca
authority stranger
certificate server 'DNS:localhost,IP:127.0.0.1'
certificate elsewhere 'DNS:elsewhere.example'
certificate client 'DNS:client'
