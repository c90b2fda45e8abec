# shellcheck shell=bash
# Another commit of this clone, in a folder of its own.

# check_out COMMIT FOLDER: the folder holds that commit then. What is built in it stays where it did before.
check_out() {
    [[ $(git -C "$2" rev-parse HEAD 2>/dev/null) != "$1" || ! -e $2/.git ]] || return 0
    git -C "$root" worktree prune
    [[ ! -e $2 ]] || git -C "$root" worktree remove --force "$2"
    git -C "$root" worktree add --quiet --detach "$2" "$1"
}
