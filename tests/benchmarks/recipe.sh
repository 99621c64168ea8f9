#!/bin/sh
# The fastest known way to change one value on a remote with git and a shell alone: what the tool is measured against.
# usage: recipe.sh URL PATH TAG
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
git clone -q --bare --depth 1 --filter=blob:none --no-tags --template= -c gc.auto=0 -c maintenance.auto=false "$1" "$T/r"
cd "$T/r"
git cat-file -p "HEAD:$2" | sed "s/  tag: .*/  tag: $3/" > ../file
{
  printf 'commit refs/heads/X\ncommitter Bench <bench@example.com> now\ndata 4\nbump\nfrom refs/heads/main^0\n'
  printf 'M 100644 inline %s\ndata %s\n' "$2" "$(wc -c < ../file)"
  cat ../file
} | git -c fastimport.unpackLimit=1 fast-import --quiet --date-format=now
git push -q --porcelain origin X:main
