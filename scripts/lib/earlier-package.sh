# shellcheck shell=bash
# The package of an earlier commit, from which an upgrade starts.

# shellcheck source=lib/worktree.sh
. "$root/scripts/lib/worktree.sh"

# The last release before this commit; while there is none, the last commit that makes packages, lacks the newest migration, and has none
# that this one does not have.
earlier_commit() {
    local newest commit
    if commit=$(git describe --tags --abbrev=0 --match '[v0-9]*' HEAD^ 2>/dev/null); then
        git rev-parse "$commit^{commit}"
        return
    fi
    newest=$(printf '%s\n' migrations/*.sql | tail -n 1)
    while read -r commit; do
        git cat-file -e "$commit:scripts/package" 2>/dev/null || continue
        git cat-file -e "$commit:$newest" 2>/dev/null && continue
        migrations_are_ours "$commit" || continue
        printf '%s\n' "$commit"
        return
    done < <(git rev-list --first-parent HEAD)
    return 1
}

# migrations_are_ours COMMIT: each of its migrations is one of this tree, as it is.
migrations_are_ours() {
    local file
    while read -r file; do
        git cat-file blob "$1:$file" | cmp --silent - "$root/$file" || return 1
    done < <(git ls-tree --name-only "$1" migrations/ | grep '\.sql$')
}

# Of a folder of sources: the version of its programs.
version_in() {
    sed -n 's/.*static let current = "\(.*\)"/\1/p' "$1/Sources/Program/ProductVersion.swift"
}

# earlier_package COMMIT CONFIGURATION: the name of the package that this commit made of itself. It is built once.
earlier_package() {
    local commit=$1 kind=$2 place=$root/.local/earlier/$1-$2 sources=$root/.local/earlier/sources version
    if ! compgen -G "$place/payment-processor_*.deb" >/dev/null; then
        check_out "$commit" "$sources"
        version=$(version_in "$sources")
        # Where its number is not lower than ours: dpkg is to see an upgrade.
        dpkg --compare-versions "$version" lt "$(version_in "$root")" || version+="~0.${commit:0:7}"
        mkdir -p "$place.part"
        say "building the package of ${commit:0:7} ($kind; about a quarter of an hour, once)…"
        "$sources/scripts/package" --configuration "$kind" --version "$version" --output "$place.part" >/dev/null
        rm -rf "$place"
        mv "$place.part" "$place"
        git -C "$root" worktree remove --force "$sources"
    fi
    printf '%s\n' "$place"/payment-processor_*.deb
}
