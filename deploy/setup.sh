#!/usr/bin/env bash
# Installs what is missing on Debian 12 and says what and why. Run it as often
# as you like: it does nothing, quickly, when everything is there.
#
#   deploy/setup.sh run     what the product and the demo need
#   deploy/setup.sh test    also the servers and the browser of the tests
#   deploy/setup.sh check   what run needs, and the linters
#   deploy/setup.sh interop other people's RTSP servers, for make interop
#   deploy/setup.sh bench   the server that make bench compares with
#   deploy/setup.sh old     a browser of five years ago, for make old-browser
#
# Debian packages go to the system (as root or with sudo), our tools at pinned
# versions into .tools/bin, ONNX Runtime into .tools/lib.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/.tools/bin

go_minimum=26   # Go 1.26: go.mod
node_minimum=20 # Node 20: Vite

onnxruntime=1.22.0 # Microsoft's build, from their npm package; go.mod has the binding for it
onnxruntime_sha512=QaAqr7PFekrmEsmu1rpw7OxJYyG+iACjNHoNtQIVt9Oh7st8WDPIIUe6KhF9l35HVJTJd9CV1rePoPmKhSV26g==
minio='github.com/minio/minio v0.0.0-20250907161309-07c3a429bfed'
go2rtc='github.com/AlexxIT/go2rtc v1.9.14'
mediamtx='github.com/bluenviron/mediamtx v1.13.0'
hlsjs='hls.js@1.6.9' # that MediaMTX serves; its build fetches it
golangci='github.com/golangci/golangci-lint/v2/cmd/golangci-lint v2.15.0'
old_chromium=chrome-aws-lambda@10.1.0 # Chromium 92, July 2021; from 105 on Chromium has what newer drivers call
old_chromium_sha512=NZQVf+J4kqG4sVhRm3WNmOfzY0OtTSm+S8rg77pwePa9RCYHzhnzRs8YvNI6L9tALIW6RpmefWiPURt3vURXcw==
old_driver=playwright-core@1.40.1
old_driver_sha512=+hkOycxPiV534c4HhpfX6yrlawqVUzITRKwHAmYfmsVreltEl6fAZJ3DPfLMOODw0H3s1Itd6MDCWmP1fl/QvQ==
gofumpt='mvdan.cc/gofumpt v0.12.0'
deadcode='golang.org/x/tools/cmd/deadcode v0.52.0'

say() { printf 'setup: %s\n' "$*"; }
die() {
	printf 'setup: %s\n' "$@" >&2
	exit 1
}

main() {
	local mode=${1:-}
	case $mode in
	run | test | check | interop | bench | old) ;;
	*) die "usage: deploy/setup.sh run|test|check|interop|bench|old" ;;
	esac
	umask 022
	mkdir -p "$bin"
	exec 9>"$root/.tools/.setup.lock"
	flock -n 9 || {
		say "waiting for another set-up to finish"
		flock 9
	}

	# Video decoding and vision for wardwatch-vision, ffmpeg for the demo's clips
	# with its fonts, the rest to build and fetch.
	local packages=(
		ca-certificates make git tar unzip openssl pkg-config g++
		ffmpeg fonts-noto-cjk fonts-dejavu-core
		libopencv-dev libavcodec-dev libavutil-dev libswscale-dev
	)
	if [[ $mode == test || $mode == old ]]; then # the old browser needs the libraries of the new one
		packages+=(chromium iproute2 poppler-utils postgresql)
	fi
	if [[ $mode == interop ]]; then
		packages+=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly)
	fi
	install_packages "${packages[@]}"
	check_go
	check_node
	install_onnxruntime

	case $mode in
	run) ;;
	test)
		install_tool "S3 server for the tests, about 8 minutes" "$minio"
		install_unlisted "RTSP server for the tests, about 1 minute" "$go2rtc"
		;;
	interop)
		install_mediamtx "RTSP server for the interoperability tests, about 1 minute" "$mediamtx"
		;;
	bench)
		install_mediamtx "what calls and recordings are compared with, about 1 minute" "$mediamtx"
		;;
	old) install_old_browser ;;
	check)
		install_tool "formatter" "$gofumpt"
		install_tool "finds dead code" "$deadcode"
		install_tool "linter, about 5 minutes" "$golangci"
		;;
	esac
	say "ready for $mode"
}

# install_packages PACKAGE... installs those that are missing.
install_packages() {
	command -v dpkg-query >/dev/null ||
		die "this is not a Debian system; install these packages' equivalents yourself, or use Debian 12:" "$*"
	local installed missing=() p
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
	for p in "$@"; do
		grep -qxF "$p installed" <<<"$installed" || missing+=("$p")
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0

	local as_root=()
	if [[ $(id -u) -ne 0 ]]; then
		command -v sudo >/dev/null ||
			die "these Debian packages are missing, and you are neither root nor have sudo; ask an administrator to run:" \
				"apt-get install ${missing[*]}"
		as_root=(sudo)
	fi
	say "installing Debian packages: ${missing[*]}"
	if [[ " ${missing[*]} " == *" postgresql "* ]]; then
		# Only the programs: the tests start their own servers.
		"${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
		"${as_root[@]}" tee /etc/postgresql-common/createcluster.d/wardwatch.conf >/dev/null <<<'create_main_cluster = false'
	fi
	"${as_root[@]}" apt-get -q update ||
		die "apt-get update failed: check the network and /etc/apt/sources.list, then run this again"
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
		install --no-install-recommends "${missing[@]}" ||
		die "apt-get could not install: ${missing[*]}"
}

# install_onnxruntime takes the library out of Microsoft's npm package, which
# has all platforms in one archive of known content.
install_onnxruntime() {
	local lib=$root/.tools/lib/libonnxruntime-$onnxruntime.so
	[[ ! -f $lib ]] || return 0
	local platform
	case $(uname -m) in
	x86_64) platform=x64 ;;
	aarch64) platform=arm64 ;;
	*) die "there is no ONNX Runtime for $(uname -m); x86_64 and aarch64 have one" ;;
	esac
	say "fetching ONNX Runtime $onnxruntime (runs the models, 90 MB)"
	local dir=$root/.tools/fetch-onnxruntime
	rm -rf "$dir"
	mkdir -p "$dir" "${lib%/*}"
	(cd "$dir" && npm pack --silent "onnxruntime-node@$onnxruntime" >/dev/null) ||
		die "ONNX Runtime could not be fetched: check that npm's registry ($(npm config get registry)) can be reached, then run this again"
	[[ $(openssl dgst -sha512 -binary "$dir"/*.tgz | base64 -w0) == "$onnxruntime_sha512" ]] ||
		die "ONNX Runtime $onnxruntime is not the one that we know: somebody changed it on its way"
	tar -xzf "$dir"/*.tgz -C "$dir" "package/bin/napi-v6/linux/$platform/libonnxruntime.so.1"
	mv "$dir/package/bin/napi-v6/linux/$platform/libonnxruntime.so.1" "$lib"
	ln -sf "${lib##*/}" "$root/.tools/lib/libonnxruntime.so"
	rm -r "$dir"
}

# install_old_browser takes Chromium and its software renderer out of an npm
# package, and a driver for it out of another, into .tools/old.
install_old_browser() {
	local to=$root/.tools/old
	[[ ! -x $to/chromium ]] || return 0
	[[ $(uname -m) == x86_64 ]] || die "there is no old browser for $(uname -m), only for x86_64"
	say "fetching $old_chromium (Chromium of 2021, 50 MB) and $old_driver"
	local part=$root/.tools/fetch-old
	rm -rf "$part" "$to"
	mkdir -p "$part/swiftshader"
	fetch_npm "$part" "$old_driver" "$old_driver_sha512"
	mv "$part/package" "$part/playwright-core"
	fetch_npm "$part" "$old_chromium" "$old_chromium_sha512"
	(cd "$part" && node -e '
		const { brotliDecompressSync } = require("zlib"), fs = require("fs")
		for (const f of ["chromium", "swiftshader.tar"]) fs.writeFileSync(f, brotliDecompressSync(fs.readFileSync(`package/bin/${f}.br`)))')
	tar -xf "$part/swiftshader.tar" -C "$part/swiftshader"
	chmod +x "$part/chromium"
	rm -r "$part/package" "$part/swiftshader.tar"
	mv "$part" "$to"
}

# fetch_npm DIR PACKAGE@VERSION SHA512 unpacks an npm package of known content into DIR/package.
fetch_npm() {
	(cd "$1" && npm pack --silent "$2" >/dev/null) ||
		die "$2 could not be fetched: check that npm's registry ($(npm config get registry)) can be reached, then run this again"
	[[ $(openssl dgst -sha512 -binary "$1"/*.tgz | base64 -w0) == "$3" ]] ||
		die "$2 is not the one that we know: somebody changed it on its way"
	tar -xzf "$1"/*.tgz -C "$1"
	rm "$1"/*.tgz
}

check_go() {
	local get="get it from https://go.dev/dl/ and put it first in PATH"
	command -v go >/dev/null || die "Go is not installed; 1.$go_minimum or newer is needed: $get"
	local version minor
	version=$(cd / && GOTOOLCHAIN=local go env GOVERSION) # go1.26.8
	minor=${version#go1.}
	minor=${minor%%[!0-9]*}
	[[ $version == go1.* && ${minor:-0} -ge $go_minimum ]] ||
		die "Go is $version; go1.$go_minimum or newer is needed: $get"
}

check_node() {
	local get="get it from https://nodejs.org/ or your mirror and put it in PATH"
	command -v node >/dev/null || die "Node.js is not installed; $node_minimum or newer is needed: $get"
	command -v npm >/dev/null || die "npm is not installed; it comes with Node.js: $get"
	local version major
	version=$(node --version) # v20.20.2
	major=${version#v}
	major=${major%%[!0-9]*}
	[[ ${major:-0} -ge $node_minimum ]] ||
		die "Node.js is $version; v$node_minimum or newer is needed: $get"
}

# install_tool WHY "PACKAGE VERSION" builds a Go program into .tools/bin
# unless that version is there.
install_tool() {
	local why=$1 package version name
	read -r package version <<<"$2"
	name=${package##*/}
	! is_installed "$name" "$version" || return 0
	say "building $name $version ($why)"
	# Outside the repository, so that its go.mod has no say.
	(cd "$root/.tools" && GOWORK=off CGO_ENABLED=0 GOBIN=$bin go install "$package@$version") ||
		build_failed "$name"
}

# install_unlisted WHY "MODULE VERSION" is install_tool for a program at the
# root of its module. Some proxies serve the module but not the list of its
# versions, which go install wants to see: a go.mod that names it will do.
install_unlisted() {
	local why=$1 module version name
	read -r module version <<<"$2"
	name=${module##*/}
	! is_installed "$name" "$version" || return 0
	say "building $name $version ($why)"
	local dir=$root/.tools/build-$name
	mkdir -p "$dir"
	printf 'module build\n\ngo 1.%s\n\nrequire %s %s\n' "$go_minimum" "$module" "$version" >"$dir/go.mod"
	(cd "$dir" && GOWORK=off CGO_ENABLED=0 go build -mod=mod -o "$bin/$name" "$module") ||
		build_failed "$name"
	rm -r "$dir"
}

# install_mediamtx is install_tool for MediaMTX, whose module lacks two files
# that its own build fetches.
install_mediamtx() {
	local why=$1 module version name source
	read -r module version <<<"$2"
	name=${module##*/}
	[[ ! -x $bin/$name-$version ]] || return 0
	say "building $name $version ($why)"
	source=$(cd "$root/.tools" && GOWORK=off go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	[[ -n $source ]] || build_failed "$name"
	local dir=$root/.tools/build-$name
	rm -rf "$dir"
	cp -r "$source" "$dir"
	chmod -R u+w "$dir"
	printf '%s' "$version" >"$dir/internal/core/VERSION"
	(cd "$dir" && npm pack --silent "$hlsjs" >/dev/null && tar -xzf hls.js-*.tgz -O package/dist/hls.min.js >internal/servers/hls/hls.min.js) || build_failed "$name"
	(cd "$dir" && GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0 go build -o "$bin/$name-$version" .) || build_failed "$name"
	rm -rf "$dir"
	ln -sf "$name-$version" "$bin/$name"
}

is_installed() {
	local name=$1 version=$2 found
	[[ -x $bin/$name ]] || return 1
	found=$(go version -m "$bin/$name" 2>/dev/null | awk '$1 == "mod" { print $3 }') || return 1
	[[ $found == "$version" ]]
}

build_failed() {
	die "building $1 failed: check that GOPROXY ($(go env GOPROXY)) can be reached, then run this again"
}

main "$@"
