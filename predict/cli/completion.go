package cli

import (
	"context"
	"flag"
	"fmt"
)

const aboutCompletion = `To have it in every new shell:

  bash   add to ~/.bashrc:   eval "$(tickercast completion bash)"
  zsh    add to ~/.zshrc:    eval "$(tickercast completion zsh)"
  fish   run once:           tickercast completion fish > ~/.config/fish/completions/tickercast.fish`

// completion prints a script that lets a shell ask this program what fits; see complete. So a
// script need not be made anew for a new version.
func (e *env) completion(*flag.FlagSet) func(context.Context, []string) error {
	return func(_ context.Context, args []string) error {
		if len(args) != 1 {
			return usagef("name one shell: bash, zsh or fish")
		}
		script, ok := map[string]string{"bash": bashScript, "zsh": zshScript,
			"fish": fishScript}[args[0]]
		if !ok {
			return usagef("no completion for %q; there is one for bash, zsh and fish", args[0])
		}
		_, err := fmt.Fprint(e.stdout, script)
		return err
	}
}

// bashScript works in bash 3.2 too. Bash takes "=" for a word of its own. It shows descriptions
// where it lists what fits (COMP_TYPE 63), and only there, since elsewhere it inserts them.
const bashScript = `_tickercast() {
	local cur="${COMP_WORDS[COMP_CWORD]}" line path
	local -a lines
	[ "$cur" = = ] && cur=
	COMPREPLY=()
	while IFS= read -r line; do
		if [ "$line" = ` + filesWanted + ` ]; then
			while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
			continue
		fi
		COMPREPLY+=("${line%%$'\t'*}")
		lines+=("$line")
	done < <("${COMP_WORDS[0]/#\~/$HOME}" ` + completeCommand + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	if [ "${COMP_TYPE-}" = 63 ] && [ "${#COMPREPLY[@]}" -gt 1 ] && [ "${#lines[@]}" = "${#COMPREPLY[@]}" ]; then
		COMPREPLY=()
		for line in "${lines[@]}"; do
			COMPREPLY+=("$(printf '%-20s %.*s' "${line%%$'\t'*}" $((${COLUMNS:-80} - 24)) "${line#*$'\t'}")")
		done
	fi
}
complete -F _tickercast tickercast
`

const zshScript = `#compdef tickercast
_tickercast() {
	local -a lines values shown
	local line
	lines=("${(@f)$("${(Q)words[1]/#\~/$HOME}" ` + completeCommand + ` "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	[[ $words[CURRENT] == -*=* ]] && compset -P '*='
	for line in $lines; do
		if [[ $line == ` + filesWanted + ` ]]; then
			_files
			continue
		fi
		values+=("${line%%$'\t'*}")
		shown+=("${(r:20:)${line%%$'\t'*}} ${line#*$'\t'}")
	done
	compadd -l -d shown -a values
}
if ! (( $+functions[compdef] )); then
	autoload -Uz compinit && compinit
fi
if [[ $funcstack[1] == _tickercast ]]; then
	_tickercast
else
	compdef _tickercast tickercast
fi
`

const fishScript = `function __tickercast_complete
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	set -l start ''
	if string match -qr '^-[^=]*=' -- $current
		set start (string replace -r '=.*' '=' -- $current)
	end
	for line in ($words[1] ` + completeCommand + ` $words[2..-1] "$current" 2>/dev/null)
		if test "$line" = ` + filesWanted + `
			for path in (__fish_complete_path (string replace -- "$start" '' "$current"))
				echo $start$path
			end
		else
			echo $start$line
		end
	end
end
complete -c tickercast -f -a '(__tickercast_complete)'
`
