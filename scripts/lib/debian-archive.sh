# shellcheck shell=bash
# Where this machine has its Debian packages from.

# The archive that this machine's apt uses for its own release, security and updates aside.
# shellcheck disable=SC2016
archive() {
    local VERSION_CODENAME='' uri release
    # shellcheck source=/dev/null
    . /etc/os-release
    while read -r uri release; do
        if [[ $release == "$VERSION_CODENAME" || $release == stable ]]; then
            printf '%s' "$uri"
            return
        fi
    done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null)
    return 1
}
