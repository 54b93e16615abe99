# Sourced by ./demo and ./check: installs what is missing (saying so) and builds.
build_packages="meson ninja-build gcc g++ pkg-config libsodium-dev libssl-dev libsqlite3-dev libmicrohttpd-dev libcurl4-openssl-dev
    libzstd-dev zlib1g-dev libarchive-dev librnp-dev libseccomp-dev libsimdjson-dev bc"
test_packages="python3 python3-cbor2 python3-nacl sqlite3 curl libjansson-dev dpkg iproute2 strace procps openssl groff-base mandoc python3-jsonschema python3-aiosmtpd gnupg"

install_missing() {
    local missing="" package sudo=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q "ok installed" || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    echo "installing what is missing:$missing"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo > /dev/null || { echo "without sudo, run as root: apt-get install --no-install-recommends$missing" >&2; exit 2; }
        sudo=sudo
    fi
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing > /dev/null
}

need_build() {
    # shellcheck disable=SC2086
    install_missing $build_packages
    PATH=/usr/bin:/bin:$PATH meson setup $([ -f build/build.ninja ] && echo --reconfigure) build > build-setup.log 2>&1 || { cat build-setup.log; exit 4; }
    rm -f build-setup.log
    ninja -C build src/cli/comity > build/build.log 2>&1 || { tail -n 40 build/build.log; exit 4; }
}
