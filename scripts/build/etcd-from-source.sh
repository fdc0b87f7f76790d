#!/bin/sh
# Builds a newer etcd than the system's from its Go module, for running the store's contract on it.
#   scripts/build/etcd-from-source.sh DIRECTORY [VERSION]
# Leaves DIRECTORY/etcd; needs go. Point MESARCH_ETCD at it.
set -eu

directory=${1:?usage: etcd-from-source.sh DIRECTORY [VERSION]}
version=${2:-v3.6.5}

if ! command -v go >/dev/null 2>&1; then
  echo "etcd-from-source: go was not found on PATH; install it, or use the etcd of your system" >&2
  exit 1
fi

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# Not `go install`: the module's replace lines forbid it. A module of our own that imports its main function may.
cd "$work"
cat >main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
go mod init mesarch.local/etcd >/dev/null 2>&1
go get "go.etcd.io/etcd/server/v3@$version"
go mod tidy >/dev/null 2>&1
CGO_ENABLED=0 go build -trimpath -o "$directory/etcd" .
"$directory/etcd" --version
