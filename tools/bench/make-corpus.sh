#!/bin/sh
# Makes a corpus of real paths for `npm run bench -- --corpus OUT` from Debian's Contents files.
#
#     apt-file update                      # fetches the Contents files of the sources in /etc/apt
#     tools/bench/make-corpus.sh OUT [CONTENTS_FILE…]
#
# Without files, those of apt are taken. A line of a Contents file is a path, blanks, and the packages that hold it.
# Writes OUT/paths.txt (each path once, directories with a slash at the end, in depth-first order) and OUT/list.efu
# (the same with sizes and times). Contents files have no sizes and times: they are drawn from a fixed seed, sizes evenly
# over their logarithms up to 16 MB, times evenly over twenty years.
set -eu
export LC_ALL=C
[ $# -ge 1 ] || { echo "usage: $0 OUT [CONTENTS_FILE...]" >&2; exit 64; }
out=$1
shift
[ $# -gt 0 ] || set -- /var/lib/apt/lists/*Contents-*
[ -e "$1" ] || { echo "$0: no Contents files; run apt-file update" >&2; exit 66; }
mkdir -p "$out"

# apt keeps them compressed, and its helper reads them whatever the compression is; \001 instead of / sorts depth first.
if [ -x /usr/lib/apt/apt-helper ]; then read_contents='/usr/lib/apt/apt-helper cat-file'; else read_contents=cat; fi
$read_contents "$@" |
  awk '
    { sub(/[ \t]+[^ \t]+$/, ""); sub(/^\.?\/*/, "") }
    $0 == "" || /\/$/ { next }
    {
      # Directories above: those of the line before are known.
      count = split($0, part, "/")
      path = ""
      for (i = 1; i < count; i++) {
        path = path "/" part[i]
        if (last[i] == path) continue
        last[i] = path
        for (j = i + 1; j in last; j++) delete last[j]
        print path "/"
      }
      print "/" $0
    }' | tr / '\001' | sort -u -S 25% |
  awk '
    # What is a file in one package and a directory in another is a directory: it sorts right behind the file.
    NR > 1 && $0 != held "\001" { print held }
    { held = $0 }
    END { if (NR > 0) print held }' | tr '\001' / > "$out/paths.txt"

awk '
  BEGIN { srand(20240501); printf "Filename,Size,Date Modified,Date Created,Attributes\r\n" }
  {
    time = sprintf("%.0f0000000", 12749011200 + int(rand() * 631152000))
    directory = sub(/\/$/, "")
    size = directory ? "" : sprintf("%.0f", int(2 ^ (4 + rand() * 20)))
    gsub(/"/, "\"\"")
    printf "\"%s\",%s,%s,,%d\r\n", $0, size, time, directory ? 16 : 32
  }' "$out/paths.txt" > "$out/list.efu"
echo "$(wc -l < "$out/paths.txt") entries in $out"
