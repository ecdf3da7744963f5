#!/bin/sh
# Makes placeholders of the Chinese prompts in build/prompts/zh-CN: espeak-ng speaks the words of
# zh-CN.txt, tools/prompts brings them to 8 kHz and to the loudness of the English ones. They are to
# be replaced by recordings of a person.
#
#   images/prompts/speak.sh [FOLDER]      FOLDER: build/prompts of the module; needs Go
#
# Where espeak-ng is not installed, Debian's packages are taken by apt-get and unpacked for the moment,
# without root. When the prompts of these words are there it does nothing. Where espeak-ng cannot be
# had it says so, leaves the reason in FOLDER/MISSING.zh-CN and ends with 0: the box then speaks
# English. It ends with 1 where what came is not what was wanted. Each wait has an end.
set -eu

language=zh-CN
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
folder=${1:-$root/build/prompts}
words=$here/$language.txt
mkdir -p "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)
sum=$(cat "$words" "$root"/tools/prompts/*.go | cksum | tr ' ' -)

if [ -f "$folder/$language/VERSION" ] && grep -q -F " $sum" "$folder/$language/VERSION"; then
	echo "prompts: $(cat "$folder/$language/VERSION") is in $folder/$language"
	exit 0
fi

scratch=$(mktemp -d "$folder/.speak.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

missing() {
	echo "prompts: $1" >"$folder/MISSING.$language"
	echo "prompts: $1; a box that shall speak Chinese will speak English" >&2
	exit 0
}

wrong() {
	echo "prompts: $1" >&2
	exit 1
}

. "$here/apt.sh"

# borrow leaves in $scratch/tree an espeak-ng that runs from there.
borrow() {
	command -v apt-get >/dev/null && command -v timeout >/dev/null || missing "espeak-ng is not installed, and there is no apt-get to fetch it with"
	packages=$(needed espeak-ng)
	# shellcheck disable=SC2086 # several packages
	if [ -z "$packages" ] || ! fetch $packages; then
		sed 's/^/prompts: apt: /' "$scratch/log" | tail -n 3 >&2
		missing "espeak-ng is not installed and cannot be had here"
	fi
	for deb in "$scratch"/*.deb; do
		unpack "$deb" || wrong "$deb cannot be unpacked"
	done
	for libraries in "$scratch"/tree/usr/lib/*; do
		LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	done
	export LD_LIBRARY_PATH
	espeak=$scratch/tree/usr/bin/espeak-ng
	data=$(find "$scratch/tree/usr/lib" -type d -name espeak-ng-data | head -n 1)
	if [ -n "$data" ]; then # else the system has it
		espeak="$espeak --path=$(dirname "$data")"
	fi
}

if command -v espeak-ng >/dev/null; then
	espeak=espeak-ng
else
	borrow
fi
version=$($espeak --version 2>/dev/null | sed -n 's/.*text-to-speech: *\([^ ]*\).*/\1/p')
[ -n "$version" ] || wrong "espeak-ng does not run"

# The words are given in Pinyin: the program's own dictionary of characters is not complete.
cat >"$scratch/say" <<END
#!/bin/sh
exec $espeak -v cmn-latn-pinyin -s 165 -a 60 --stdout "\$1"
END
chmod +x "$scratch/say"

made=$scratch/$language
(cd "$root" && "${GO:-go}" run ./tools/prompts -say "$scratch/say" -words "$words" "$made") || wrong "the words could not be spoken"
(cd "$root" && "${GO:-go}" run ./tools/prompts -check "$language" "$made") || wrong "the recordings are not what the box needs"
cp "$words" "$made/WORDS"
cat >"$made/ATTRIBUTION" <<END
PLACEHOLDERS. No person speaks in these recordings: they were made by a machine, from the words in
WORDS beside this file, with espeak-ng $version (https://github.com/espeak-ng/espeak-ng), voice
cmn-latn-pinyin, when this box was built. They are to be replaced by recordings of a person who reads
WORDS aloud: WAV, 8000 Hz, mono, 16-bit, under the same names.
The sound is of our words and free to use as the program itself; espeak-ng, which is GPL-3.0-or-later,
is no part of it.
END
echo "espeak-ng-$version $sum" >"$made/VERSION"
chmod -R u+w,a+rX "$made"
rm -rf "${folder:?}/$language" "$folder/MISSING.$language"
mv "$made" "$folder/$language"
count=$(find "$folder/$language" -name '*.wav' | wc -l)
echo "prompts: $count placeholders by espeak-ng $version in $folder/$language"
