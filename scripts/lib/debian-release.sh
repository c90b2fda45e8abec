# shellcheck shell=bash
# A program of another version than the system's, with the libraries that it needs, unpacked from the packages of a Debian
# release into .local/NAME-VERSION and installed nowhere.

# shellcheck source=lib/debian-archive.sh
. "$root/scripts/lib/debian-archive.sh"

# Everything of apt's is in a folder of its own: its lists, its idea of what is installed (nothing), what it downloads.
apt() {
    local tool=$1
    shift
    "$tool" -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
        -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o "APT::Sandbox::User=$(id -un)" -o APT::Install-Recommends=false -o Acquire::Languages=none \
        -o Acquire::Retries=2 "$@" </dev/null
}

# Whether a suite has the version of the package; its lists are there afterwards.
has_version() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
    [[ ! -r $keyring ]] || signed="[signed-by=$keyring] "
    printf 'deb %s%s %s main\n' "$signed" "$2" "$1" >"$work/sources.list"
    apt apt-get update >>"$work/log" 2>&1 || return 1
    [[ $(apt apt-cache show --no-all-versions "$package" 2>/dev/null) == *$'\n'"Version: $version."* ]]
}

find_suite() {
    local suite
    for suite in "${suites[@]}"; do
        if has_version "$suite" "$1"; then
            printf '%s' "$suite"
            return
        fi
    done
    return 1
}

cannot() {
    grep -E '^(E|W):' "$work/log" | tail -n 3 >&2 || true
    fail "$label $version cannot be had here: $1"
}

get() {
    local uri suite file
    command -v apt-get >/dev/null || fail "$label $version cannot be had here: this is no Debian"
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root"
    touch "$work/status" "$work/log"
    uri=$(archive) || cannot "the sources of apt name no archive of this Debian release"
    say "looking for $label $version in the releases of Debian…"
    suite=$(find_suite "$uri") || cannot "none of ${suites[*]} has it, or the archive cannot be reached"
    say "getting $label $version from Debian $suite…"
    apt apt-get --yes --download-only install "$package" "${tools[@]}" >>"$work/log" 2>&1 ||
        cannot "its packages cannot be downloaded"
    for file in "$work"/cache/archives/*.deb; do
        dpkg-deb --extract "$file" "$work/root" >>"$work/log" 2>&1 || cannot "${file##*/} cannot be unpacked"
    done
    [[ -x $work/root/$program ]] || cannot "its packages do not hold $program"
    rm -rf "$place"
    mv "$work/root" "$place"
}

# unpack LABEL PACKAGE PROGRAM VERSION: prints the folder that has it; does nothing else when it is there.
# The caller sets `suites`, where to look for it, and `tools`, which packages are needed beside its dependencies.
unpack() {
    local label=$1 package=$2 program=$3 version=$4 name=${3##*/} place
    place=$root/.local/${package%-server}-$version
    if [[ ! -x $place/$program ]]; then
        mkdir -p "$root/.local"
        exec 9>"$root/.local/$name-version.lock"
        flock 9
        if [[ ! -x $place/$program ]]; then
            work=$(mktemp -d "$place.XXXXXX")
            trap 'rm -rf "$work"' EXIT
            trap 'exit 130' INT TERM HUP
            get
        fi
    fi
    printf '%s\n' "$place"
}
