#!/bin/sh
# Makes ready what a command needs, and says in one sentence what is missing: setup.sh run | test
#
# run: the virtual environment and the stylesheets. test: also the tools for tests and checks, MariaDB and Chromium.
# What is ready already costs no time: stamps in build/ tell by the hash of the lock files.
set -eu
cd "$(dirname "$0")/.."

die() {
	echo "$1" >&2
	exit 1
}

hash_of() {
	# A pattern for which there is no file stands for itself, and for nothing.
	cat "$@" 2>/dev/null | sha256sum | cut -c 1-64
}

# stamped NAME HASH: whether the step was done for this state of the files.
stamped() {
	[ "$(cat "build/$1" 2>/dev/null)" = "$2" ]
}

# Not only the first python3 of the PATH: a version manager's may stand for a version that is not installed.
find_python() {
	for name in python3 python3.14 python3.13 python3.12 python3.11; do
		old_ifs=$IFS
		IFS=:
		for folder in $PATH; do
			if "$folder/$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
				echo "$folder/$name"
				return
			fi
		done
		IFS=$old_ifs
	done
	die "Python 3.11 or newer is missing: install the package python3."
}

# The locks of both kinds agree, so everything for the tests is also everything to run.
python_packages() {
	run=$(hash_of requirements.txt)
	test=$(hash_of requirements.txt requirements-dev.txt)
	if .venv/bin/python -c '' 2>/dev/null; then
		stamped stamp-python-test "$test" && return
		[ "$1" = run ] && stamped stamp-python-run "$run" && return
	else
		python=$(find_python)
		"$python" -c 'import venv, ensurepip' 2>/dev/null ||
			die "Python's module venv is missing: install the package python3-venv."
		echo "Making the virtual environment in .venv ..."
		"$python" -m venv --clear .venv
	fi
	case $1 in run) lock=requirements.txt ;; *) lock=requirements-dev.txt ;; esac
	echo "Installing $lock ..."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
		die "The packages of $lock could not be installed (see above)."
	rm -f build/stamp-python-*
	eval "echo \$$1" >"build/stamp-python-$1"
}

stylesheets() {
	command -v node >/dev/null || die "Node.js is missing: install Node.js 20 or newer."
	[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] ||
		die "Node.js is too old ($(node --version)): install Node.js 20 or newer."
	command -v npm >/dev/null || die "npm is missing: install the package npm."
	locks=$(hash_of package.json package-lock.json .npmrc)
	if ! stamped stamp-node "$locks" || [ ! -e node_modules ]; then
		echo "Fetching stylesheets and icons ..."
		npm ci --silent || die "npm could not install the packages of package-lock.json: run 'npm ci' to see why."
		rm -f build/stamp-static
		echo "$locks" >build/stamp-node
	fi
	sources=$(hash_of scripts/vendor.mjs static/css/*.css static/js/*.js)
	if ! stamped stamp-static "$sources" || [ ! -e static/vendor/manifest.json ]; then
		npm run build --silent || die "The stylesheets could not be made (see above)."
		echo "$sources" >build/stamp-static
	fi
}

find_browser() {
	for browser in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
		command -v "$browser" && return
	done
	return 1
}

debian_packages() {
	PATH="$PATH:/usr/sbin"
	wanted=
	command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null || wanted="mariadb-server-core mariadb-client-core"
	find_browser >/dev/null || wanted="$wanted chromium"
	# Without fonts for all scripts a screenshot shows boxes.
	for font in fonts-noto-core fonts-noto-cjk; do
		dpkg-query --show --showformat '${Status}' "$font" 2>/dev/null | grep -q 'ok installed' || wanted="$wanted $font"
	done
	wanted=${wanted# }
	[ -n "$wanted" ] || return 0
	command -v apt-get >/dev/null || die "Missing for the tests: $wanted; install them with your system's package manager."
	root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || die "Missing for the tests: let an administrator run 'apt-get install $wanted'."
		root="sudo"
	fi
	echo "Installing from Debian: $wanted ..."
	# shellcheck disable=SC2086 # words on purpose
	install="$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $wanted"
	# The list of packages may be missing or old.
	$install >build/apt.log 2>&1 || { $root apt-get update >>build/apt.log 2>&1 && $install >>build/apt.log 2>&1; } ||
		die "Missing for the tests: $wanted could not be installed; build/apt.log says why."
}

case ${1:-} in
run | test) ;;
*) die "usage: $0 run | test" ;;
esac
mkdir -p build
# Two commands at once: one does the work, and the other waits and finds it done.
exec 9>build/setup.lock
flock 9
python_packages "$1"
stylesheets
[ "$1" = run ] || debian_packages
