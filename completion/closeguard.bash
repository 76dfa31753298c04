# Completion of closeguard for bash. What there is to complete is asked of the command itself, so it cannot fall behind.

# _closeguard_verbs COMMAND: one a line
_closeguard_verbs()
{
    "$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

# _closeguard_options COMMAND VERB: lines of an option, a tab, and what it takes: nothing, a word like FILE, or a|b|c.
# An option's line in the help begins with it; two blanks separate it from its meaning, one from its value.
_closeguard_options()
{
    "$1" "$2" --help 2>/dev/null | awk '
        /^ +-/ {
            sub(/^ +/, "")
            meaning = ""
            if (match($0, /  +/)) {
                meaning = substr($0, RSTART + RLENGTH)
                $0 = substr($0, 1, RSTART - 1)
            }
            value = $NF ~ /^-/ ? "" : $NF
            if (value && meaning ~ /^[a-z]+(, [a-z]+)* or [a-z]+$/) {
                gsub(/, | or /, "|", meaning)
                value = meaning
            }
            for (i = 1; i <= NF && $i ~ /^-/; i++) {
                sub(/,$/, "", $i)
                print $i "\t" value
            }
        }'
}

# The processes that keep a recorder, living or dead.
_closeguard_pids()
{
    local file name
    for file in "${CLOSEGUARD_DIR:-/dev/shm/closeguard-$UID}"/*.rec; do
        name=${file##*/}
        [ -e "$file" ] && echo "${name%%.*}"
    done
}

_closeguard_kinds="close_wait dead_socket fin_wait1 fin_wait2 reset_on_close double_close use_after_close fd_exhaustion"

# _closeguard_value COMMAND VERB OPTION: prints what the option takes; fails where it takes nothing
_closeguard_value()
{
    local option value
    while IFS=$'\t' read -r option value; do
        if [ "$option" = "$3" ]; then
            [ -n "$value" ] && echo "$value"
            return
        fi
    done < <(_closeguard_options "$1" "$2")
    return 1
}

# The place of the first word that is no option or value of one, or that of the word to be completed.
_closeguard_first_argument()
{
    local at=2
    while [ "$at" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[at]} in
        --) at=$((at + 1)) && break ;;
        -*) if [ "${COMP_WORDS[at + 1]}" = "=" ]; then
                at=$((at + 2))
            elif _closeguard_value "$1" "$verb" "${COMP_WORDS[at]}" >/dev/null; then
                at=$((at + 1))
            fi ;;
        *) break ;;
        esac
        at=$((at + 1))
    done
    echo "$at"
}

# _closeguard_reply GENERATOR...: of what compgen makes, what fits
_closeguard_reply()
{
    local word
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen "$@" -- "$cur")
}

_closeguard_complete_value()
{
    case $1 in
    *\|*) _closeguard_reply -W "${1//|/ }" ;;
    FILE | TARGET | OLD)
        compopt -o filenames 2>/dev/null
        _closeguard_reply -f
        ;;
    esac
}

# What RUN runs is completed as if it stood alone, where bash-completion is there to do that.
_closeguard_complete_command()
{
    if [ "$1" = "$COMP_CWORD" ]; then
        compopt -o filenames 2>/dev/null
        _closeguard_reply -c
        _closeguard_reply -f
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    else
        compopt -o filenames 2>/dev/null
        _closeguard_reply -f
    fi
}

_closeguard_complete_arguments()
{
    case $verb in
    run) _closeguard_complete_command "$1" ;;
    help) _closeguard_reply -W "$(_closeguard_verbs "$command")" ;;
    top | scan) _closeguard_reply -W "$(_closeguard_pids)" ;;
    explain)
        _closeguard_reply -W "$_closeguard_kinds $(_closeguard_pids)"
        [ -n "$cur" ] && _closeguard_reply -c
        ;;
    report)
        _closeguard_reply -W "$(_closeguard_pids)"
        compopt -o filenames 2>/dev/null
        _closeguard_reply -f
        ;;
    check)
        compopt -o filenames 2>/dev/null
        _closeguard_reply -f
        ;;
    esac
}

_closeguard()
{
    local command=$1 cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} value first
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        _closeguard_reply -W "$(_closeguard_verbs "$command") --help --version"
        return
    fi
    # "--format=te" comes as three words.
    [ "$cur" = "=" ] && cur=
    [ "$prev" = "=" ] && prev=${COMP_WORDS[COMP_CWORD - 2]}
    [ "${COMP_WORDS[COMP_CWORD]}" = "=" ] && prev=${COMP_WORDS[COMP_CWORD - 1]}
    first=$(_closeguard_first_argument "$command")
    if [ "$first" -lt "$COMP_CWORD" ] && [ "$verb" = run ]; then
        _closeguard_complete_command "$first"
    elif [[ $prev == -* && $prev != -- ]] && value=$(_closeguard_value "$command" "$verb" "$prev"); then
        _closeguard_complete_value "$value"
    elif [[ $cur == -* ]]; then
        _closeguard_reply -W "$(_closeguard_options "$command" "$verb" | cut -f 1)"
    else
        _closeguard_complete_arguments "$first"
    fi
}

complete -F _closeguard closeguard
