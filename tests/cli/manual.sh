#!/usr/bin/env bash
# The manual page says what the program's own help says, and man shows it without complaints.
#   tests/cli/manual.sh PROGRAM SOURCE_DIRECTORY
set -u

program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2" || exit 2
page=examples/cli/dsvl.1 failed=0
bad() { echo "FAILED  $*"; failed=1; }

# A command and what it does, which help has on one line and the page over some.
text=$(tr '\n' ' ' <"$page" | sed -e 's/\\//g' -e 's/ \.B / /g')
commands=$("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)$/\1 \2/p')
[ -n "$commands" ] || bad "dsvl --help lists no commands"
while read -r line; do
  case $text in *" $line. "*) ;; *) bad "$page lacks or says otherwise: $line" ;; esac
done <<<"$commands"
[ "$(sed -n '/^.SH COMMANDS/,/^.SH OPTIONS/p' "$page" | grep -c '^.TP')" = "$(wc -l <<<"$commands")" ] ||
  bad "$page has other commands than dsvl --help"
help=$(for command in $(cut -d ' ' -f 1 <<<"$commands"); do "$program" "$command" --help; done; "$program" --help)
for option in $(sed -n '/^.SH OPTIONS/,/^.SH EXIT/p' "$page" | grep '^\.B' | tr -d '\\,' | grep -o -e '--[a-z-]*'); do
  grep -q -e "$option" <<<"$help" || bad "$page has $option, which no command has"
done
if command -v man >/dev/null 2>&1; then
  said=$(man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
  [ -z "$said" ] || bad "man complains: $said"
else
  echo "SKIPPED: man is not here, so it did not show $page"
fi
[ "$failed" = 0 ] && echo "$(wc -l <<<"$commands") commands"
exit "$failed"
