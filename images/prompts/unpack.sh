#!/bin/sh
# Puts the English prompts into build/prompts/en, without root: takes Debian's package
# asterisk-core-sounds-en-wav by apt-get and unpacks it. The recordings stay apart from the program:
# they are CC-BY-SA-3.0, and their attribution lies beside them.
#
#   images/prompts/unpack.sh [FOLDER]      FOLDER: build/prompts of the module
#
# When the prompts are there it does nothing. Where the package cannot be had it says so, leaves the
# reason in FOLDER/MISSING and ends with 0: the box then plays tones for prompts. It ends with 1 where
# what came is not what was wanted. Each wait has an end.
set -eu

package=asterisk-core-sounds-en-wav
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
folder=${1:-$root/build/prompts}
mkdir -p "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)

if [ -f "$folder/en/VERSION" ] && [ -f "$folder/en/LICENSE" ]; then
	echo "prompts: $(cat "$folder/en/VERSION") is in $folder/en"
	exit 0
fi

scratch=$(mktemp -d "$folder/.unpack.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

missing() {
	echo "prompts: $1" >"$folder/MISSING"
	echo "prompts: $1; the box will play tones for prompts" >&2
	exit 0
}

wrong() {
	echo "prompts: $1" >&2
	exit 1
}

. "$here/apt.sh"

# check FILE: 8 kHz, 16 bit, mono, PCM; the header's fields stand at bytes 20, 22, 24 and 34.
check() {
	head=$(od -An -v -tu1 -N36 "$1" | tr -s ' \n' '  ')
	set -- $head
	[ $# -eq 36 ] || return 1
	[ "$1 $2 $3 $4" = "82 73 70 70" ] || return 1 # RIFF
	shift 20
	[ "$1 $2 $3 $4" = "1 0 1 0" ] && [ "$5 $6 $7 $8" = "64 31 0 0" ] || return 1
	shift 14
	[ "$1 $2" = "16 0" ]
}

command -v apt-get >/dev/null || missing "this system has no apt-get to fetch $package with"
command -v timeout >/dev/null || missing "this system has no timeout to bound the fetching with"
if ! fetch "$package"; then
	sed 's/^/prompts: apt: /' "$scratch/log" | tail -n 3 >&2
	missing "$package cannot be had here"
fi

deb=$(ls "$scratch"/"$package"_*.deb)
unpack "$deb" || wrong "$deb cannot be unpacked"
sounds=$(ls -d "$scratch"/tree/usr/share/asterisk/sounds/en*) || wrong "$package holds no English sounds"
find "$sounds" -name '*.wav' | sort >"$scratch/files"
count=$(wc -l <"$scratch/files")
[ "$count" -gt 100 ] || wrong "$package holds $count recordings, hundreds were expected"
while read -r file; do
	check "$file" || wrong "$file is not 8 kHz, 16 bit, mono"
done <"$scratch/files"
sed -n 's/^\([a-z][^\t]*\)\t.*/\1/p' "$here/en.txt" >"$scratch/needed"
while read -r name; do
	[ -f "$sounds/$name.wav" ] || wrong "$package lacks $name, which the box says"
done <"$scratch/needed"

cp "$scratch/tree/usr/share/doc/$package/copyright" "$sounds/LICENSE"
cat >"$sounds/ATTRIBUTION" <<END
These recordings are the Asterisk Core Sounds, English: voice of Allison Smith
(http://www.theivrvoice.com), paid for by Digium, Inc.
Licence: Creative Commons Attribution-ShareAlike 3.0; its text and the names of all who took part
are in LICENSE beside this file; https://creativecommons.org/licenses/by-sa/3.0/ tells it in short.
Source: http://downloads.asterisk.org/pub/telephony/asterisk/
They are unchanged, as Debian's package $package holds them.
END
basename "$deb" .deb >"$sounds/VERSION"
chmod -R u+w,a+rX "$sounds"
rm -rf "$folder/en" "$folder/MISSING"
mv "$sounds" "$folder/en"
echo "prompts: $count recordings of $(cat "$folder/en/VERSION") in $folder/en"
