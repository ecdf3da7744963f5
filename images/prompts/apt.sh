# What the scripts of this folder share; they read it by ".". It takes packages of Debian without
# root: lists and cache are in $scratch. Each wait has an end.

limits="-o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=1"

# system runs apt-get on the system's lists, own on lists that have just been fetched.
system() {
	timeout 120 apt-get -q -o APT::Sandbox::User="$(id -un)" \
		-o Dir::Cache::pkgcache="" -o Dir::Cache::srcpkgcache="" -o Debug::NoLocking=1 $limits "$@"
}

own() {
	timeout 120 apt-get -q -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
		-o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" $limits "$@"
}

# fetch PACKAGE... leaves the files of the packages in $scratch: with the system's lists, else with
# fresh ones. What apt says is in $scratch/log.
fetch() (
	cd "$scratch"
	system download "$@" >log 2>&1 && return 0
	mkdir -p lists/partial cache/archives/partial
	own update >>log 2>&1 && own download "$@" >>log 2>&1
)

# needed PACKAGE prints it and what of its dependencies this system lacks; nothing where no list
# knows it.
needed() (
	cd "$scratch"
	for lists in system own; do
		if [ $lists = own ]; then
			mkdir -p lists/partial cache/archives/partial
			own update >>log 2>&1 || return 0
		fi
		found=$($lists -s install --no-install-recommends "$1" 2>>log | sed -n 's/^Inst \([^ ]*\).*/\1/p')
		if [ -n "$found" ]; then
			echo "$found"
			return 0
		fi
	done
)

# unpack FILE puts what is in a package's file into $scratch/tree, with or without dpkg.
unpack() {
	mkdir -p "$scratch/tree"
	if command -v dpkg-deb >/dev/null; then
		dpkg-deb -x "$1" "$scratch/tree"
		return
	fi
	(cd "$scratch" && rm -f data.tar.* && ar x "$1") && tar -xf "$scratch"/data.tar.* -C "$scratch/tree"
}
